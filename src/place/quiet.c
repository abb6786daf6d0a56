/*
 * Theory of operation. The kernel's socket diagnosis (sock_diag(7)) lists the TCP sockets of the
 * current network namespace in the states asked for. TIME-WAIT and LISTEN are not asked for: they
 * may be many and say nothing. A socket's write queue counts what was written and has not been
 * acknowledged, whether it was sent or not. A connection request that waits for the ACK of its
 * SYN ACK is listed as SYN-RECEIVED.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "place/place.h"

/* The kernel's numbers for states, include/net/tcp_states.h; netinet/tcp.h has all but this. */
#define NEW_SYN_RECEIVED 12

#define STATE_BIT(state) (1u << (state))

/* States in which a segment must still come. */
#define MOVING                                                                                     \
    (STATE_BIT(TCP_SYN_SENT) | STATE_BIT(TCP_SYN_RECV) | STATE_BIT(NEW_SYN_RECEIVED) |             \
     STATE_BIT(TCP_FIN_WAIT1) | STATE_BIT(TCP_CLOSING) | STATE_BIT(TCP_LAST_ACK))
/* States in which something may be unacknowledged. */
#define RESTING (STATE_BIT(TCP_ESTABLISHED) | STATE_BIT(TCP_FIN_WAIT2) | STATE_BIT(TCP_CLOSE_WAIT))

enum answer { ANSWER_MORE, ANSWER_QUIET, ANSWER_NOT_QUIET };

static bool ask(int diag, int family)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = (uint8_t)family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = MOVING | RESTING},
    };
    return send(diag, &message, sizeof message, 0) == (ssize_t)sizeof message;
}

static bool is_quiet_socket(const struct inet_diag_msg *socket)
{
    if (socket->idiag_state >= 32 || (STATE_BIT(socket->idiag_state) & MOVING) != 0)
        return false;
    return socket->idiag_wqueue == 0;
}

/* Judges the messages of one datagram. What cannot be understood is not quiet. */
static enum answer judge(const unsigned char *bytes, size_t length)
{
    size_t at = 0;
    while (length - at >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr header;
        memcpy(&header, bytes + at, sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > length - at)
            return ANSWER_NOT_QUIET;
        if (header.nlmsg_type == NLMSG_DONE)
            return ANSWER_QUIET;
        struct inet_diag_msg socket;
        if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
            header.nlmsg_len < NLMSG_HDRLEN + sizeof socket)
            return ANSWER_NOT_QUIET;
        memcpy(&socket, bytes + at + NLMSG_HDRLEN, sizeof socket);
        if (!is_quiet_socket(&socket))
            return ANSWER_NOT_QUIET;
        size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step > length - at)
            break;
        at += step;
    }
    return ANSWER_MORE;
}

static bool is_family_quiet(int diag, int family)
{
    if (!ask(diag, family))
        return false;
    unsigned char bytes[16384];
    enum answer answer;
    do {
        ssize_t length = recv(diag, bytes, sizeof bytes, MSG_TRUNC);
        if (length < 0 && errno == EINTR) {
            answer = ANSWER_MORE;
            continue;
        }
        if (length <= 0 || (size_t)length > sizeof bytes)
            return false;
        answer = judge(bytes, (size_t)length);
    } while (answer == ANSWER_MORE);
    return answer == ANSWER_QUIET;
}

bool place_is_quiet(void)
{
    int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0)
        return false;
    bool quiet = is_family_quiet(diag, AF_INET) && is_family_quiet(diag, AF_INET6);
    close(diag);
    return quiet;
}
