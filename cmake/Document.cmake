# The manual pages and the shells' completions: doc/'s templates, filled in by a program that holds
# the same table of commands and options as handlens itself.

add_executable(handlens_document src/document.c)
set_target_properties(handlens_document PROPERTIES OUTPUT_NAME handlens-document)
target_link_libraries(handlens_document PRIVATE manual)
target_link_options(handlens_document PRIVATE ${handlens_link_plain})

set(handlens_documents "")

# handlens_document(TEMPLATE NAME FOLDER [DEPENDS FILE...]) makes NAME of doc/TEMPLATE, and installs
# it into FOLDER.
function(handlens_document template name folder)
    cmake_parse_arguments(PARSE_ARGV 3 document "" "" "DEPENDS")
    set(input ${PROJECT_SOURCE_DIR}/doc/${template})
    set(output ${PROJECT_BINARY_DIR}/doc/${folder}/${name})
    cmake_path(GET output PARENT_PATH output_folder)
    file(MAKE_DIRECTORY ${output_folder})
    add_custom_command(OUTPUT ${output}
        COMMAND handlens_document ${input} ${PROJECT_SOURCE_DIR} > ${output}
        DEPENDS handlens_document ${input} ${document_DEPENDS}
        COMMENT "Writing ${name}" VERBATIM)
    install(FILES ${output} DESTINATION ${folder})
    set(handlens_documents ${handlens_documents} ${output} PARENT_SCOPE)
endfunction()

handlens_document(handlens.1.in handlens.1 ${CMAKE_INSTALL_MANDIR}/man1)
handlens_document(handlens-lab.5.in handlens-lab.5 ${CMAKE_INSTALL_MANDIR}/man5
                  DEPENDS ${PROJECT_SOURCE_DIR}/scripts/README.md)
handlens_document(completion/handlens.bash.in handlens
                  ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
handlens_document(completion/handlens.zsh.in _handlens ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
handlens_document(completion/handlens.fish.in handlens.fish
                  ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

add_custom_target(documents ALL DEPENDS ${handlens_documents})
# So that whoever builds the program alone can install it.
add_dependencies(handlens documents)
