# Libraries come from the distribution, by pkg-config. All of them are looked for before anything is
# said, so that one message names everything that is missing and the package it is in.

find_package(PkgConfig)
set(handlens_missing "")

# handlens_package(NAME MODULE PACKAGE) makes PkgConfig::NAME from pkg-config's MODULE, which Debian
# and Ubuntu keep in PACKAGE.
macro(handlens_package name module package)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(${name} QUIET IMPORTED_TARGET ${module})
    endif()
    if(NOT ${name}_FOUND)
        list(APPEND handlens_missing "${module} (${package})")
    endif()
endmacro()

macro(handlens_packages_end)
    if(NOT PKG_CONFIG_FOUND)
        list(PREPEND handlens_missing "pkg-config (pkg-config)")
    endif()
    if(handlens_missing)
        list(JOIN handlens_missing ", " handlens_missing)
        message(FATAL_ERROR "Missing: ${handlens_missing}. "
                            "`./dev setup` installs them; in parentheses are the packages' names "
                            "in Debian and Ubuntu.")
    endif()
endmacro()
