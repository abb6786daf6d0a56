/*
 * exit.c - in the coverage build alone: a process that ends by _exit, as forked children do, hands
 * its counts over first. The linker leads every call of _exit here (--wrap).
 */
#include <gcov.h>
#include <stdnoreturn.h>

noreturn void __real__exit(int status); /* NOLINT(bugprone-reserved-identifier): the linker's */
noreturn void __wrap__exit(int status); /* NOLINT(bugprone-reserved-identifier) */

noreturn void __wrap__exit(int status) /* NOLINT(bugprone-reserved-identifier) */
{
    __gcov_dump();
    __real__exit(status);
}
