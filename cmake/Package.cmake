# `cpack` makes a package for Debian and Ubuntu, and an archive to unpack anywhere; `./dev package`
# does both. What Debian wants elsewhere, or compressed, PackageDebian.cmake sees to.

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_VENDOR "handlens")
set(CPACK_PACKAGE_CONTACT "The handlens authors <authors@handlens.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "network exchanges, packet by packet inside their socket calls")
set(CPACK_PACKAGE_DESCRIPTION
"Both ends of a conversation are written as a short Lua script. One command
runs it on a private loopback, without root, captures it, and shows every
packet inside the socket call that caused it, beside the line of the script
and the TCP state of both ends.
.
It comes with some fifty labs, from a first hello over handshakes, endings,
windows and losses to TLS; with a recorded capture of each; and with checks
that judge a student's own capture. Captures are pcapng files, which
Wireshark and tcpdump read too.")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# What the program is linked with, as dpkg-shlibdeps finds it.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "wireshark | tshark, tcpdump")
# Folders that nobody but their owner may write, whatever the builder's umask is.
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageDebian.cmake)

include(CPack)
