#include "support/tcp_state.h"

#include <stddef.h>

const char *tcp_state_name(enum tcp_state state)
{
    static const char *const names[] = {
        [TCP_STATE_UNKNOWN] = "?",
        [TCP_STATE_LISTEN] = "LISTEN",
        [TCP_STATE_SYN_SENT] = "SYN-SENT",
        [TCP_STATE_SYN_RECEIVED] = "SYN-RECEIVED",
        [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
        [TCP_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
        [TCP_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
        [TCP_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
        [TCP_STATE_CLOSING] = "CLOSING",
        [TCP_STATE_LAST_ACK] = "LAST-ACK",
        [TCP_STATE_TIME_WAIT] = "TIME-WAIT",
        [TCP_STATE_CLOSED] = "CLOSED",
    };
    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

enum tcp_state tcp_state_from_linux(int state)
{
    static const enum tcp_state states[] = {
        TCP_STATE_UNKNOWN,      TCP_STATE_ESTABLISHED, TCP_STATE_SYN_SENT,  TCP_STATE_SYN_RECEIVED,
        TCP_STATE_FIN_WAIT_1,   TCP_STATE_FIN_WAIT_2,  TCP_STATE_TIME_WAIT, TCP_STATE_CLOSED,
        TCP_STATE_CLOSE_WAIT,   TCP_STATE_LAST_ACK,    TCP_STATE_LISTEN,    TCP_STATE_CLOSING,
        TCP_STATE_SYN_RECEIVED,
    };
    if (state < 0 || (size_t)state >= sizeof states / sizeof states[0])
        return TCP_STATE_UNKNOWN;
    return states[state];
}
