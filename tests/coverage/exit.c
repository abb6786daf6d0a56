/*
 * exit.c - in the coverage build alone: a process that ends by _exit, as forked children do, hands
 * its counts over first. The linker leads every call of _exit here (--wrap). However a program
 * ends, faults that tests/fault lays around it end before: to write the counts takes memory and
 * files.
 */
#include <dlfcn.h>
#include <gcov.h>
#include <stddef.h>
#include <stdnoreturn.h>

noreturn void __real__exit(int status); /* NOLINT(bugprone-reserved-identifier): the linker's */
noreturn void __wrap__exit(int status); /* NOLINT(bugprone-reserved-identifier) */

/* gcc's own destructor, which writes the counts, comes behind all others. */
static void __attribute__((destructor)) end_faults(void)
{
    void (*end)(void) = NULL;
    *(void **)&end = dlsym(RTLD_DEFAULT, "faults_end");
    if (end != NULL)
        end();
}

noreturn void __wrap__exit(int status) /* NOLINT(bugprone-reserved-identifier) */
{
    end_faults();
    __gcov_dump();
    __real__exit(status);
}
