# The report's page: the plain files of src/view/html/ as arrays in one C source, made when one of
# them changes. By itself this file is also the script that makes it:
#   cmake -D OUTPUT=page.c -D FOLDER=src/view/html -P cmake/Page.cmake

# In the order in which they stand in the page.
set(page_scripts dom.js data.js terms.js words.js ladder.js script.js diagram.js bytes.js
                 stream.js flows.js checks.js plots.js player.js main.js)
set(page_styles page.css panes.css print.css)

# page_array(NAME FILE...) appends the files' bytes to ${page_source} as the array NAME.
function(page_array name)
    set(bytes "")
    foreach(file ${ARGN})
        file(READ ${FOLDER}/${file} hex HEX)
        string(APPEND bytes ${hex})
    endforeach()
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    # Lines of 20 bytes: some compilers dislike longer ones.
    string(REPEAT "0x..," 20 line)
    string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
    set(page_source "${page_source}const unsigned char ${name}[] = {\n${bytes}\n};
const size_t ${name}_length = sizeof ${name};\n" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
    set(page_source "/* Made by cmake/Page.cmake from src/view/html/. */\n#include \"view/html_page.h\"\n")
    page_array(html_page_frame page.html)
    page_array(html_page_style ${page_styles})
    page_array(html_page_program ${page_scripts})
    file(WRITE ${OUTPUT} "${page_source}")
    return()
endif()

set(page_folder ${PROJECT_SOURCE_DIR}/src/view/html)
set(page_files page.html ${page_styles} ${page_scripts})
list(TRANSFORM page_files PREPEND ${page_folder}/)
set(page_c ${PROJECT_BINARY_DIR}/html_page.c)
add_custom_command(OUTPUT ${page_c}
    COMMAND ${CMAKE_COMMAND} -D OUTPUT=${page_c} -D FOLDER=${page_folder}
            -P ${PROJECT_SOURCE_DIR}/cmake/Page.cmake
    DEPENDS ${page_files} ${PROJECT_SOURCE_DIR}/cmake/Page.cmake
    COMMENT "Embedding the report's page" VERBATIM)
target_sources(view PRIVATE ${page_c})
