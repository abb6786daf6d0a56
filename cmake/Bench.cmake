# What ./dev bench compares with and drives, from tests/bench/NAME.c: the target "bench" makes them,
# and nothing else does.

file(GLOB bench_sources CONFIGURE_DEPENDS tests/bench/*.c)
add_custom_target(bench DEPENDS handlens)
foreach(source ${bench_sources})
    cmake_path(GET source STEM name)
    add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
    set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
                          RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    add_dependencies(bench bench_${name})
endforeach()
