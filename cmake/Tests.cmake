# Every test there is, found by its file's name:
#   tests/unit/MODULE/test_NAME.c   unit/MODULE/NAME   cmocka, linked with MODULE, and with what else
#                                                      the test needs
#   tests/lab/test_NAME.py          lab/NAME           whole runs of the program, as whoever runs ctest
#                                   lab-as-nobody/NAME the same, installed, without any privilege
#   tests/tshark/test_NAME.py       tshark/NAME        what the views show against tshark's word
#   tests/peer/test_NAME.py         peer/NAME          with real clients and servers, written by others
#                                   peer-as-nobody/NAME
#   tests/fault/test_NAME.py        fault/NAME         while something goes wrong around the program
#   tests/lint/NAME.py              lint/NAME          rules that the compiler does not know
#   tests/browser/test_NAME.py      browser/NAME-in-BROWSER  the report, in Chromium and Firefox
# Tests that measure time are called test_NAME_alone.py and run when nothing else does.
# Those in which threads work with each other have the label "threads" as well, for ThreadSanitizer;
# the target "threaded" builds what they need.

find_program(HANDLENS_PYTHON python3 HINTS /usr/bin)

file(GLOB unit_tests CONFIGURE_DEPENDS tests/unit/*/test_*.c)
foreach(source ${unit_tests})
    cmake_path(GET source STEM stem)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME module)
    string(REGEX REPLACE "^test_" "" name ${stem})
    add_executable(${module}_${stem} ${source})
    target_link_libraries(${module}_${stem} PRIVATE ${handlens_modules} PkgConfig::CMOCKA)
    target_link_options(${module}_${stem} PRIVATE ${handlens_link_plain})
    target_include_directories(${module}_${stem} PRIVATE tests)
    # A test may cut its own texts.
    target_compile_options(${module}_${stem} PRIVATE -Wno-format-truncation)
    add_test(NAME unit/${module}/${name} COMMAND ${module}_${stem})
    set_tests_properties(unit/${module}/${name} PROPERTIES TIMEOUT 120 LABELS unit)
endforeach()

if(NOT HANDLENS_PYTHON)
    message(WARNING "Without python3 only the unit tests can run.")
    return()
endif()

file(WRITE ${PROJECT_BINARY_DIR}/includes.txt "${handlens_includes}")
add_test(NAME lint/includes COMMAND ${HANDLENS_PYTHON} ${PROJECT_SOURCE_DIR}/tests/lint/includes.py
         ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/includes.txt)
add_test(NAME lint/messages COMMAND ${HANDLENS_PYTHON} ${PROJECT_SOURCE_DIR}/tests/lint/messages.py
         ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests/lint/messages.txt)
set_tests_properties(lint/includes lint/messages PROPERTIES LABELS lint)

set(run_environment
    "HANDLENS=$<TARGET_FILE:handlens>" "HANDLENS_BUILD=${PROJECT_BINARY_DIR}"
    "HANDLENS_SANITIZE=${HANDLENS_SANITIZE}" "HANDLENS_COVERAGE=${HANDLENS_COVERAGE}"
    "PYTHONDONTWRITEBYTECODE=1")

file(GLOB peer_tests CONFIGURE_DEPENDS tests/peer/test_*.py)
foreach(source ${peer_tests})
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "^test_" "" name ${stem})
    add_test(NAME peer/${name} COMMAND ${HANDLENS_PYTHON} ${source})
    add_test(NAME peer-as-nobody/${name} COMMAND ${HANDLENS_PYTHON}
             ${PROJECT_SOURCE_DIR}/tests/lab/as_nobody.py ${source})
    set_tests_properties(peer/${name} peer-as-nobody/${name} PROPERTIES
                         TIMEOUT 300 SKIP_RETURN_CODE 77 ENVIRONMENT "${run_environment}")
    set_tests_properties(peer/${name} PROPERTIES LABELS peer)
    set_tests_properties(peer-as-nobody/${name} PROPERTIES LABELS as-nobody)
endforeach()

file(GLOB lab_tests CONFIGURE_DEPENDS tests/lab/test_*.py)
foreach(source ${lab_tests})
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "^test_" "" name ${stem})
    add_test(NAME lab/${name} COMMAND ${HANDLENS_PYTHON} ${source})
    add_test(NAME lab-as-nobody/${name} COMMAND ${HANDLENS_PYTHON}
             ${PROJECT_SOURCE_DIR}/tests/lab/as_nobody.py ${source})
    set_tests_properties(lab/${name} lab-as-nobody/${name} PROPERTIES
                         TIMEOUT 300 SKIP_RETURN_CODE 77 ENVIRONMENT "${run_environment}")
    set_tests_properties(lab/${name} PROPERTIES LABELS lab)
    set_tests_properties(lab-as-nobody/${name} PROPERTIES LABELS as-nobody)
    if(name MATCHES "_alone$")
        set_tests_properties(lab/${name} lab-as-nobody/${name} PROPERTIES RUN_SERIAL ON)
    endif()
endforeach()

file(GLOB tshark_tests CONFIGURE_DEPENDS tests/tshark/test_*.py)
foreach(source ${tshark_tests})
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "^test_" "" name ${stem})
    add_test(NAME tshark/${name} COMMAND ${HANDLENS_PYTHON} ${source})
    set_tests_properties(tshark/${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS tshark
                         ENVIRONMENT "${run_environment}")
endforeach()

# For LD_PRELOAD: it must come from no sanitizer, nor be counted.
add_library(faults MODULE tests/fault/faults.c)
target_compile_options(faults PRIVATE -fno-sanitize=all -fno-lto -fno-profile-arcs -fno-test-coverage
                       -Wno-pedantic) # sockaddr pointers are a transparent union in the headers
target_link_options(faults PRIVATE -fno-sanitize=all -fno-lto)
target_link_libraries(faults PRIVATE ${CMAKE_DL_LIBS})
file(GLOB fault_tests CONFIGURE_DEPENDS tests/fault/test_*.py)
foreach(source ${fault_tests})
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "^test_" "" name ${stem})
    add_test(NAME fault/${name} COMMAND ${HANDLENS_PYTHON} ${source})
    set_tests_properties(fault/${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS fault
                         ENVIRONMENT "${run_environment};HANDLENS_FAULTS=$<TARGET_FILE:faults>")
endforeach()

file(GLOB browser_tests CONFIGURE_DEPENDS tests/browser/test_*.py)
foreach(source ${browser_tests})
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "^test_" "" name ${stem})
    foreach(browser chromium firefox)
        set(test browser/${name}-in-${browser})
        add_test(NAME ${test} COMMAND ${HANDLENS_PYTHON} ${source})
        # Times are measured in it.
        set_tests_properties(${test} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 LABELS browser RUN_SERIAL ON
                             ENVIRONMENT "${run_environment};HANDLENS_BROWSER=${browser}")
    endforeach()
endforeach()

set(threads "^(unit/(capture|host)/|unit/trace/recorder$|lab/(capture|run|large)$|peer/serving$|fault/signals$)")
add_custom_target(threaded DEPENDS handlens)
get_property(tests DIRECTORY PROPERTY TESTS)
foreach(test ${tests})
    if(test MATCHES "${threads}")
        set_property(TEST ${test} APPEND PROPERTY LABELS threads)
        if(test MATCHES "^unit/(.*)/(.*)$")
            add_dependencies(threaded ${CMAKE_MATCH_1}_test_${CMAKE_MATCH_2})
        endif()
    endif()
endforeach()
