# tests/fuzz/fuzz_NAME.c becomes the libFuzzer program fuzz_NAME, linked with every module.

if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "libFuzzer comes with clang: cmake --preset fuzz")
endif()
file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_sources})
    cmake_path(GET source STEM name)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${handlens_modules})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
