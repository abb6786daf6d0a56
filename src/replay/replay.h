/*
 * replay.h - plays one end of a recorded flow against a real peer.
 *
 * A task on the host: it connects, or listens and accepts one connection; then, turn by turn, sends
 * what its end sent and compares what comes with what the other end sent. It stops at the first
 * difference.
 */
#ifndef HANDLENS_REPLAY_REPLAY_H
#define HANDLENS_REPLAY_REPLAY_H

#include "replay/turns.h"
#include "support/address.h"

struct replay_settings {
    const struct check_flow *flow;
    const struct turns *turns;
    enum flow_end as;     /* the end that is played */
    const char *host;     /* name or address: where to connect, or to listen */
    uint16_t port;        /* 0: as server, one that is free */
    bool others_may_come; /* as server: the host may be an address that others can reach */
    int64_t timeout;      /* longest wait for the peer's bytes, ns; accept waits for ever */
    /* As server: now clients may connect. May be NULL. */
    void (*reachable)(const struct address *address);
};

/* What was found. */
struct replay_finding {
    bool different;
    const char *what;       /* "the server's bytes differ": one clause; lives for ever */
    char detail[256];       /* the failed call's message; may be "" */
    size_t turn;            /* where it stopped, counted from 0; count of turns at the end */
    size_t offset;          /* in all that the end has sent whose turn it is */
    uint8_t received[16];   /* what came, from that offset on */
    size_t received_length; /* 0: nothing */
};

/*
 * Plays. Returns true when that came to a result, in finding; false with error set when there was
 * no connection (STATUS_USAGE, STATUS_NOT_ALLOWED) or Ctrl-C came (STATUS_CHECK_FAILED).
 */
bool replay_play(const struct replay_settings *settings, struct replay_finding *finding,
                 struct error *error);

#endif
