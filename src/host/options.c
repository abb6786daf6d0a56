#include "host/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct option {
    const char *name;
    int level, number;
    bool is_linger;
};

static const struct option options[] = {
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, false},
    {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, false},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, false},
    {"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, false},
    {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, false},
    {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, false},
    {"SO_SNDLOWAT", SOL_SOCKET, SO_SNDLOWAT, false},
    {"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, false},
    {"SO_LINGER", SOL_SOCKET, SO_LINGER, true},
    {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, false},
    {"SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, false},
    {"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, false},
    {"SO_ERROR", SOL_SOCKET, SO_ERROR, false},
    {"SO_TYPE", SOL_SOCKET, SO_TYPE, false},
    {"SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, false},
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, false},
    {"TCP_CORK", IPPROTO_TCP, TCP_CORK, false},
    {"TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, false},
    {"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, false},
    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, false},
    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, false},
    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, false},
    {"TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, false},
    {"TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, false},
    {"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, false},
    {"TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP, false},
    {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, false},
    {"TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN, false},
    {"TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, false},
    {"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, false},
    {"IP_TTL", IPPROTO_IP, IP_TTL, false},
    {"IP_MINTTL", IPPROTO_IP, IP_MINTTL, false},
    {"IP_TOS", IPPROTO_IP, IP_TOS, false},
    {"IP_MTU", IPPROTO_IP, IP_MTU, false},
    {"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, false},
    {"IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL, false},
    {"IP_MULTICAST_LOOP", IPPROTO_IP, IP_MULTICAST_LOOP, false},
    {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, false},
    {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, false},
    {"IPV6_MINHOPCOUNT", IPPROTO_IPV6, IPV6_MINHOPCOUNT, false},
    {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, false},
    {"IPV6_MTU", IPPROTO_IPV6, IPV6_MTU, false},
    {"IPV6_MULTICAST_HOPS", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, false},
    {"IPV6_MULTICAST_LOOP", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, false},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

const char *const *socket_option_names(void)
{
    static const char *names[OPTION_COUNT + 1];
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i] = options[i].name;
    return names;
}

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static enum need attempt_setoption(struct task *task)
{
    struct call *call = &task->call;
    const struct option *option = find_option(call->subject);
    int64_t value = call->option;
    if (option == NULL)
        return call_fail_because(task, ENOPROTOOPT, "no such option");
    if (value < INT32_MIN || value > INT32_MAX)
        return call_fail(task, EINVAL);
    int number = (int)value;
    struct linger linger = {.l_onoff = number >= 0, .l_linger = number >= 0 ? number : 0};
    const void *data = option->is_linger ? (const void *)&linger : (const void *)&number;
    socklen_t length = option->is_linger ? sizeof linger : sizeof number;
    syscall_begin(call);
    int failed = setsockopt(call->socket->fd, option->level, option->number, data, length);
    return syscall_end(call, failed) == 0 ? call_succeed(task, 0) : call_fail(task, errno);
}

enum call_progress socket_setoption(struct task *task, struct host_socket *socket, const char *name,
                                    int64_t value)
{
    struct call *call = call_begin(task, "setoption", socket, attempt_setoption);
    call->subject = name;
    call->option = value;
    if (call->recorded)
        buffer_printf(call_arguments(call), "%s, %" PRId64, name, value);
    return call_start_short(task);
}

static enum need attempt_getoption(struct task *task)
{
    struct call *call = &task->call;
    const struct option *option = find_option(call->subject);
    if (option == NULL)
        return call_fail_because(task, ENOPROTOOPT, "no such option");
    int number = 0;
    struct linger linger = {0};
    void *data = option->is_linger ? (void *)&linger : (void *)&number;
    socklen_t length = option->is_linger ? sizeof linger : sizeof number;
    syscall_begin(call);
    int failed = getsockopt(call->socket->fd, option->level, option->number, data, &length);
    if (syscall_end(call, failed) != 0)
        return call_fail(task, errno);
    if (option->is_linger)
        number = linger.l_onoff != 0 ? linger.l_linger : -1;
    return call_succeed(task, number);
}

enum call_progress socket_getoption(struct task *task, struct host_socket *socket, const char *name)
{
    struct call *call = call_begin(task, "getoption", socket, attempt_getoption);
    call->subject = name;
    if (call->recorded)
        buffer_append_text(call_arguments(call), name);
    return call_start_short(task);
}
