# The code's folders: one static library each, and the one list of who may include whom.

set(handlens_modules "")
set(handlens_includes "") # for the test lint/includes: "NAME: USED...", a line each

# handlens_module(NAME USED...) makes the library NAME out of src/NAME/*.c. USED are the modules and
# libraries whose headers it may include, besides its own and those that a used module may include;
# the test lint/includes holds the sources to it.
function(handlens_module name)
    handlens_may_include(${name} ${ARGN})
    set(handlens_includes "${handlens_includes}" PARENT_SCOPE)
    file(GLOB sources CONFIGURE_DEPENDS src/${name}/*.c)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} PUBLIC ${ARGN})
    set(handlens_modules ${handlens_modules} ${name} PARENT_SCOPE)
endfunction()

# Of NAME.c that stands in src/ itself, this is all there is to say.
macro(handlens_may_include name)
    string(REPLACE ";" " " used "${ARGN}")
    string(APPEND handlens_includes "${name}: ${used}\n")
endmacro()
