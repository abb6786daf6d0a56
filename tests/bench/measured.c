/*
 * measured - runs a command and prints what it took.
 *
 *     measured COMMAND [ARGUMENT…]
 *
 * Prints seconds by the clock, seconds of processor time, the peak of its memory in KiB, and its
 * wait status. The command's input and output are /dev/null. The kernel counts in a program's peak
 * what it was forked from, which is why it is this small program.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double clock_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void become(char **command)
{
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    execvp(command[0], command);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 2)
        errx(2, "usage: measured COMMAND [ARGUMENT...]");
    double begun = clock_seconds();
    pid_t child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0)
        become(argv + 1);
    if (wait4(child, &status, 0, &usage) != child)
        err(1, "wait4");
    printf("%.6f %.6f %ld %d\n", clock_seconds() - begun,
           seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), usage.ru_maxrss, status);
    return 0;
}
