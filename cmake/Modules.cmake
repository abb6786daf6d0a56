# The code's folders: one static library each, and the one list of who may include whom.

set(handlens_modules "")
set(handlens_includes "")

# handlens_module(NAME USED...) makes the library NAME out of src/NAME/*.c. USED are the modules and
# libraries whose headers it may include, itself and by what those may include; the test
# lint/includes holds the sources to it.
function(handlens_module name)
    list(JOIN ARGN " " used)
    set(handlens_includes "${handlens_includes}${name}: ${used}\n" PARENT_SCOPE)
    file(GLOB sources CONFIGURE_DEPENDS src/${name}/*.c)
    if(NOT sources)
        return()
    endif()
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    foreach(used ${ARGN})
        if(TARGET ${used})
            target_link_libraries(${name} PUBLIC ${used})
        endif()
    endforeach()
    set(handlens_modules ${handlens_modules} ${name} PARENT_SCOPE)
endfunction()
