/*
 * Theory of operation. A run begins with what the user may do, and sheds it in stages, each as soon
 * as the last step that needs it is done:
 *
 *   1. The command line is read, the lab's top level run, -w's and --html's files opened. This is
 * an ordinary process of the user's; a script is held by its Lua state alone (script/state.h).
 *   2. place_enter makes the private loopback, in which the process has every capability; they are
 *      worth nothing outside of it. The capture is opened, by its descriptor good for ever.
 *   3. place_drop_privileges: root under sudo becomes the user who called it, all capabilities go,
 *      and no program could bring any back (no_new_privs).
 *   4. place_fence, here: files, then system calls. The event loop and the threads start behind it,
 *      and so are inside.
 *   5. The exchange runs, and its trace is shown, by the descriptors that are open.
 *
 * So nothing that a peer sends or a script does meets a process with more than: sockets of TCP and
 * UDP, its own memory and threads, the descriptors it has, and the files that the openings name.
 * `view`, which reads captures of any origin, has not even those.
 *
 * Files are Landlock's (landlock.c): names are looked up by the kernel, so no trick with links or
 * races leads out. What opening may do at all is seccomp's (system_calls.c), which cannot see
 * names. Together they do without a change of root or a mount namespace, which an ordinary user on
 * this machine's network could not have.
 *
 * Whatever is refused fails with EPERM (Landlock: EACCES), and the process lives on. It could be
 * killed instead, but a system call that nobody thought of is far more often a newer C library's
 * than an attacker's, and a run that reports an error keeps its trace and tells the user where it
 * was; what is refused is refused in both cases. System calls that a library tries first and can
 * do without (clone3, whose flags a filter cannot see, and io_uring, whose operations no filter
 * sees) are answered ENOSYS, as by a kernel that has none. Calls by another architecture's numbers
 * end the process: no honest program makes them.
 *
 * A kernel without Landlock (before 5.13, or switched off) or without seccomp leaves that wall out,
 * without a word: it is a second line of defence, and the labs run everywhere.
 */
#include "place/fence.h"

#include <string.h>

bool place_fence(const struct place_fence *fence, struct error *error)
{
    int code = fence_files(fence);
    if (code != 0)
        return error_set(error, STATUS_NOT_ALLOWED, "cannot fence in the files (Landlock): %s (%s)",
                         strerror(code), error_code_name(code));
    code = fence_system_calls(fence);
    if (code != 0)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "cannot fence in the system calls (seccomp): %s (%s)", strerror(code),
                         error_code_name(code));
    return true;
}
