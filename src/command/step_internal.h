/*
 * step_internal.h - what the files of the step mode share.
 *
 *   step.c           how far to go: stops and keys
 *   step_block.c     what stands on the screen at a stop
 *   step_answer.c    states, a packet's bytes, help: what a key shows above the block
 *   step_terminal.c  the terminal
 */
#ifndef HANDLENS_COMMAND_STEP_INTERNAL_H
#define HANDLENS_COMMAND_STEP_INTERNAL_H

#include <stdio.h>

#include "command/step.h"
#include "command/step_terminal.h"
#include "tcp/flow.h"
#include "view/live.h"

enum {
    STEP_PACKETS = 1024, /* the last so many can be shown by their bytes */
    STEP_FLOWS = 64,     /* the last so many by their states */
    STEP_ENTRY = 256,    /* bytes of what is typed */
};

enum step_mode {
    STEP_NEXT,     /* stop before the next call */
    STEP_CONTINUE, /* not before a key is pressed */
    STEP_FINISH,   /* when the role is at another line */
    STEP_UNTIL,    /* when a packet had the flags */
};

struct step_packet {
    struct trace_packet packet; /* its bytes are the ones below; its comment is empty */
    uint8_t *bytes;             /* owned */
    int64_t time;
};

/* A flow as of its last packet; id 0: none. */
struct step_flow {
    uint32_t id;
    struct address address[2];
    enum tcp_state state[2];
};

struct step {
    struct step_terminal terminal;
    const struct script *script;
    struct view_options options;
    struct view_live *live;
    FILE *out;           /* writes into heard */
    bool began;          /* something was heard */
    bool typing;         /* the terminal is somebody else's, who reads a line */
    bool leaving;        /* the user quits */
    unsigned ticks;      /* since it was last asked before a call */
    struct buffer heard; /* the ladder's lines that are not on the screen yet */
    struct flow_table *flows;
    struct step_flow states[STEP_FLOWS];
    struct step_packet packets[STEP_PACKETS];

    enum step_mode mode;
    const struct role *role; /* where it stopped last */
    char place[128];         /* the script's name */
    uint32_t line;
    uint16_t flags; /* STEP_UNTIL */
    uint64_t met;   /* the packet that had them; 0: not yet */

    const struct host_preview *preview; /* of the stop that it is at */
    char message[160];                  /* for the next block; "": none */
    char arguments[512];                /* of the preview, safe */
};

/* What is heard goes on the terminal, then the block. label NULL: the keys; else what is asked for
 * and what has been typed of it. */
void step_draw(struct step *step, const char *label, const char *typed);

/* While the exchange goes on: the block says how it can be stopped. */
void step_draw_running(struct step *step);

/* Each puts its lines above the block. */
void step_answer_states(struct step *step, const struct host *host);
void step_answer_help(struct step *step);
/* number: as it was typed. */
void step_answer_bytes(struct step *step, const char *number);

#endif
