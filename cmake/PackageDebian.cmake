# Run by cpack on the installed files before they become a package: Debian has its own places for
# some, and wants manual pages compressed.

if(NOT CPACK_GENERATOR STREQUAL "DEB")
    return()
endif()

set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
set(doc ${usr}/share/doc/handlens)

# debian_compress(FILE...): without the time of day, so that two builds are alike.
function(debian_compress)
    execute_process(COMMAND gzip -9 -n -f ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(MAKE_DIRECTORY ${usr}/share/zsh/vendor-completions)
file(RENAME ${usr}/share/zsh/site-functions/_handlens ${usr}/share/zsh/vendor-completions/_handlens)
file(REMOVE_RECURSE ${usr}/share/zsh/site-functions)

file(RENAME ${doc}/LICENSE ${doc}/copyright)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog "handlens (${CPACK_PACKAGE_VERSION}) unstable; urgency=low

  * handlens ${CPACK_PACKAGE_VERSION}

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(GLOB pages ${usr}/share/man/man*/*)
debian_compress(${pages} ${doc}/changelog)
