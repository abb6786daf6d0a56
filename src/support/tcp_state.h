/*
 * tcp_state.h - the states of a TCP connection's end, RFC 9293 section 3.3.2.
 */
#ifndef HANDLENS_SUPPORT_TCP_STATE_H
#define HANDLENS_SUPPORT_TCP_STATE_H

/* In the order of the RFC's list; 0 is for an end of which nothing is known. */
enum tcp_state {
    TCP_STATE_UNKNOWN,
    TCP_STATE_LISTEN,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RECEIVED,
    TCP_STATE_ESTABLISHED,
    TCP_STATE_FIN_WAIT_1,
    TCP_STATE_FIN_WAIT_2,
    TCP_STATE_CLOSE_WAIT,
    TCP_STATE_CLOSING,
    TCP_STATE_LAST_ACK,
    TCP_STATE_TIME_WAIT,
    TCP_STATE_CLOSED,
};

/* "SYN-SENT", as the RFC writes it; "?" for TCP_STATE_UNKNOWN. Lives for ever. */
const char *tcp_state_name(enum tcp_state state);

/* From Linux's numbers in TCP_INFO (include/net/tcp_states.h; TCP_NEW_SYN_RECV too). */
enum tcp_state tcp_state_from_linux(int state);

#endif
