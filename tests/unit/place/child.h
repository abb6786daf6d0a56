/*
 * child.h - place_enter is for good, so each case runs in a child of its own.
 *
 * A case returns CASE_PASSED, CASE_SKIPPED, or by CHECK the line that failed; it must not use
 * cmocka's asserts, which jump back into the parent's stack.
 */
#ifndef HANDLENS_TESTS_PLACE_CHILD_H
#define HANDLENS_TESTS_PLACE_CHILD_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_PASSED  0
#define CASE_SKIPPED 1

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s (errno %d)\n", __FILE__, __LINE__,           \
                    #condition, errno);                                                            \
            return 2;                                                                              \
        }                                                                                          \
    } while (0)

#define SKIP(reason)                                                                               \
    do {                                                                                           \
        fprintf(stderr, "skipped: %s\n", reason);                                                  \
        return CASE_SKIPPED;                                                                       \
    } while (0)

/* Runs the case in a child and judges its end. */
#define RUN_CASE(function)                                                                         \
    do {                                                                                           \
        fflush(NULL);                                                                              \
        pid_t child_ = fork();                                                                     \
        if (child_ == 0)                                                                           \
            _exit(function());                                                                     \
        int status_ = -1;                                                                          \
        assert_int_equal(waitpid(child_, &status_, 0), child_);                                    \
        if (WIFEXITED(status_) && WEXITSTATUS(status_) == CASE_SKIPPED)                            \
            skip();                                                                                \
        assert_int_equal(status_, 0);                                                              \
    } while (0)

#endif
