/*
 * Theory of operation. A child process is forked and makes the namespaces: user, network and UTS.
 * It maps the user to itself, brings lo up, applies the wishes, and says through a socket how it
 * went. Only if every step went well does the parent join the child's namespaces, by one setns(2)
 * on the child's pidfd that joins all three or none. So what was tried is what is used, a failure
 * leaves the parent where it was, and the price is paid once. Then the child is let go; the
 * namespaces live on with the parent.
 *
 * The parent may join since it has the same user as the maker of the user namespace, which gives
 * it every capability in there (user_namespaces(7)). A binary with file capabilities is not
 * dumpable, and neither is its child, whose /proc files then belong to root; the child makes
 * itself dumpable again once unshare has taken those capabilities away.
 *
 * Root needs no user namespace and gets none, for in one with a single user it could not become
 * SUDO_UID later. A root without CAP_SYS_ADMIN (a container's) is served as an ordinary user.
 *
 * Whether a packet socket may be opened is asked by a socket type that packet sockets do not
 * have: the kernel looks for the right first (EPERM) and at the type second (ESOCKTNOSUPPORT).
 * Opening a real one would do too, but closing it waits for an RCU grace period, ten
 * milliseconds and more.
 */
#include "place/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOPBACK_MTU 65536 /* the kernel's own */
#define SMALLEST_MTU 68    /* RFC 791: every host takes datagrams of 68 octets without fragments */

const char *loopback_step_name(enum loopback_step step)
{
    switch (step) {
    case LOOPBACK_DONE:
        return "done";
    case LOOPBACK_FORK:
        return "fork";
    case LOOPBACK_UNSHARE:
        return "unshare";
    case LOOPBACK_MAP_USER:
        return "uid_map";
    case LOOPBACK_HOST:
        return "sethostname";
    case LOOPBACK_UP:
        return "bringing lo up";
    case LOOPBACK_CAPTURE:
        return "packet socket";
    case LOOPBACK_JOIN:
        return "setns";
    case LOOPBACK_WISH:
        return "wish";
    }
    return "?";
}

static bool fail(struct loopback_failure *failure, enum loopback_step step, int error)
{
    *failure = (struct loopback_failure){.step = step, .error = error};
    return false;
}

static bool fail_wish(struct loopback_failure *failure, const char *subject, int value, int error)
{
    fail(failure, LOOPBACK_WISH, error);
    snprintf(failure->subject, sizeof failure->subject, "%s", subject);
    failure->value = value;
    return false;
}

/* Writes text into the file at path in one write, as files in /proc want it. */
static bool write_file(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    size_t length = strlen(text);
    ssize_t written = write(descriptor, text, length);
    int error = written < 0 ? errno : EIO;
    close(descriptor);
    errno = error;
    return written == (ssize_t)length;
}

/* Maps one user and one group to themselves, the only ones in the namespace. */
static bool map_user(uid_t user, gid_t group)
{
    char map[64];
    if (!write_file("/proc/self/setgroups", "deny"))
        return false;
    snprintf(map, sizeof map, "%u %u 1", user, user);
    if (!write_file("/proc/self/uid_map", map))
        return false;
    snprintf(map, sizeof map, "%u %u 1", group, group);
    return write_file("/proc/self/gid_map", map);
}

static bool make_namespaces(struct loopback_failure *failure)
{
    const int inner = CLONE_NEWNET | CLONE_NEWUTS;
    uid_t user = geteuid();
    gid_t group = getegid();
    if (user == 0) {
        if (unshare(inner) == 0)
            return true;
        if (getenv("SUDO_UID") != NULL)
            return fail(failure, LOOPBACK_UNSHARE, errno);
    }
    if (unshare(CLONE_NEWUSER | inner) != 0)
        return fail(failure, LOOPBACK_UNSHARE, errno);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (!map_user(user, group))
        return fail(failure, LOOPBACK_MAP_USER, errno);
    return true;
}

static struct ifreq request_for_lo(void)
{
    struct ifreq request = {0};
    memcpy(request.ifr_name, "lo", sizeof "lo");
    return request;
}

static bool bring_up(int control)
{
    struct ifreq request = request_for_lo();
    if (ioctl(control, SIOCGIFFLAGS, &request) != 0)
        return false;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    return ioctl(control, SIOCSIFFLAGS, &request) == 0;
}

static bool switch_offload_off(int control, uint32_t command)
{
    struct ethtool_value value = {.cmd = command, .data = 0};
    struct ifreq request = request_for_lo();
    request.ifr_data = (char *)&value;
    return ioctl(control, SIOCETHTOOL, &request) == 0;
}

/*
 * Below the kernel's own MTU, segments as long as the MTU are what one wants to see, so they must
 * not cross the loopback in one piece of up to 64 KiB.
 */
static bool set_mtu(int control, int mtu, struct loopback_failure *failure)
{
    if (mtu < SMALLEST_MTU || mtu > LOOPBACK_MTU)
        return fail_wish(failure, "mtu", mtu, EINVAL);
    struct ifreq request = request_for_lo();
    request.ifr_mtu = mtu;
    if (ioctl(control, SIOCSIFMTU, &request) != 0)
        return fail_wish(failure, "mtu", mtu, errno);
    if (mtu == LOOPBACK_MTU)
        return true;
    if (!switch_offload_off(control, ETHTOOL_STSO) || !switch_offload_off(control, ETHTOOL_SGSO) ||
        !switch_offload_off(control, ETHTOOL_SGRO))
        return fail_wish(failure, "segmentation offload", 0, errno);
    return true;
}

struct sysctl_wish {
    const char *name; /* below net.ipv4 */
    int value;
};

#define SYSCTL_WISHES 8

static void list_sysctls(const struct place_wishes *wishes, struct sysctl_wish list[SYSCTL_WISHES])
{
    const struct sysctl_wish all[SYSCTL_WISHES] = {
        {"tcp_timestamps", wishes->timestamps},
        {"tcp_sack", wishes->sack},
        {"tcp_window_scaling", wishes->window_scaling},
        {"tcp_syn_retries", wishes->syn_retries},
        {"tcp_synack_retries", wishes->synack_retries},
        {"tcp_fin_timeout", wishes->fin_timeout},
        {"tcp_fastopen", wishes->fast_open},
        {"tcp_ecn", wishes->ecn},
    };
    memcpy(list, all, sizeof all);
}

bool loopback_has_wishes(const struct place_wishes *wishes)
{
    struct sysctl_wish list[SYSCTL_WISHES];
    list_sysctls(wishes, list);
    for (size_t i = 0; i < SYSCTL_WISHES; i++)
        if (list[i].value >= 0)
            return true;
    return wishes->mtu >= 0;
}

static bool write_sysctl(const char *name, int value)
{
    char path[96];
    char text[16];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    snprintf(text, sizeof text, "%d", value);
    return write_file(path, text);
}

static bool set_sysctls(const struct place_wishes *wishes, struct loopback_failure *failure)
{
    struct sysctl_wish list[SYSCTL_WISHES];
    list_sysctls(wishes, list);
    for (size_t i = 0; i < SYSCTL_WISHES; i++) {
        if (list[i].value < 0 || write_sysctl(list[i].name, list[i].value))
            continue;
        int error = errno;
        char subject[48];
        snprintf(subject, sizeof subject, "net.ipv4.%s", list[i].name);
        return fail_wish(failure, subject, list[i].value, error);
    }
    return true;
}

int loopback_capture_error(void)
{
    int descriptor = socket(AF_PACKET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        close(descriptor);
        return 0;
    }
    return errno == ESOCKTNOSUPPORT ? 0 : errno;
}

/* Child: every step. */
static bool make(const struct place_wishes *wishes, bool capture, struct loopback_failure *failure)
{
    if (!make_namespaces(failure))
        return false;
    if (sethostname(LOOPBACK_HOST_NAME, strlen(LOOPBACK_HOST_NAME)) != 0)
        return fail(failure, LOOPBACK_HOST, errno);
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0 || !bring_up(control))
        return fail(failure, LOOPBACK_UP, errno);
    int error = capture ? loopback_capture_error() : 0;
    if (error != 0)
        return fail(failure, LOOPBACK_CAPTURE, error);
    /* The capabilities go before the first bind, and every port shall be free even then. Where that
     * cannot be had, the low ports are refused as they are anywhere: no reason to fail. */
    write_sysctl("ip_unprivileged_port_start", 0);
    if (wishes->mtu >= 0 && !set_mtu(control, wishes->mtu, failure))
        return false;
    return set_sysctls(wishes, failure);
}

/* Child: makes the loopback, reports, and stays until the parent has closed its end. */
static _Noreturn void run_child(int channel, const struct place_wishes *wishes, bool capture)
{
    struct loopback_failure report = {.step = LOOPBACK_DONE};
    make(wishes, capture, &report);
    char byte;
    if (send(channel, &report, sizeof report, MSG_NOSIGNAL) == (ssize_t)sizeof report)
        while (read(channel, &byte, 1) < 0 && errno == EINTR)
            continue;
    _exit(0);
}

static bool receive_report(int channel, struct loopback_failure *report)
{
    ssize_t length;
    do
        length = recv(channel, report, sizeof *report, 0);
    while (length < 0 && errno == EINTR);
    if (length != (ssize_t)sizeof *report)
        return fail(report, LOOPBACK_FORK, length < 0 ? errno : ECHILD);
    return report->step == LOOPBACK_DONE;
}

/* Joins the namespaces of child, all that differ from ours or none. */
static bool join(pid_t child, struct loopback_failure *failure)
{
    int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    if (descriptor < 0)
        return fail(failure, LOOPBACK_JOIN, errno);
    /* To join the user namespace one is in already is an error, and root may have stayed in it. */
    int result = setns(descriptor, CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWUTS);
    if (result != 0 && errno == EINVAL && geteuid() == 0)
        result = setns(descriptor, CLONE_NEWNET | CLONE_NEWUTS);
    int error = errno;
    close(descriptor);
    return result == 0 || fail(failure, LOOPBACK_JOIN, error);
}

bool loopback_enter(const struct place_wishes *wishes, bool capture,
                    struct loopback_failure *failure)
{
    int channel[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
        return fail(failure, LOOPBACK_FORK, errno);
    pid_t child = fork();
    if (child == 0) {
        close(channel[0]);
        run_child(channel[1], wishes, capture);
    }
    int error = errno;
    close(channel[1]);
    if (child < 0) {
        close(channel[0]);
        return fail(failure, LOOPBACK_FORK, error);
    }
    bool done = receive_report(channel[0], failure) && join(child, failure);
    close(channel[0]);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return done;
}
