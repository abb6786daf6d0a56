/*
 * judge.h - what a check expected, and what the trace says to each of it.
 *
 * Expectations are added one by one as lab.check makes them; none ends the check. All texts are
 * UTF-8 or bytes from outside, and are made safe by the report.
 */
#ifndef HANDLENS_CHECK_JUDGE_H
#define HANDLENS_CHECK_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/model.h"
#include "check/pattern.h"
#include "trace/event.h"

/* More than this a check may not make: one that makes them in an endless loop. */
#define JUDGE_LIMIT 10000

/* A row of a failed sequence: what was expected beside what came. */
enum ladder_row_kind {
    LADDER_MATCHED,
    LADDER_SKIPPED,   /* "...": count packets from number on */
    LADDER_DIFFERENT, /* the first difference */
    LADDER_MISSING,   /* the first difference: nothing came any more */
    LADDER_AFTER,     /* behind the first difference, not compared */
};

struct ladder_row {
    enum ladder_row_kind kind;
    char *expected;  /* NULL: nothing more was */
    char *came;      /* NULL: nothing came */
    char *remark;    /* on a difference: what it is; may be NULL */
    uint64_t number; /* of the packet that came; 0 for none */
    uint64_t count;  /* LADDER_SKIPPED */
};

struct expectation {
    enum trace_verdict verdict;
    bool broken;             /* the check itself went wrong here: an error, a limit */
    char *words;             /* what is judged: "flow.handshake is "SYN, SYN ACK, ACK"" */
    char *expected;          /* the value that was expected; NULL where words say it all */
    char *seen;              /* what the trace shows; NULL where there is nothing to say */
    char *remark;            /* what else to know; NULL */
    char *packets;           /* "1-3, 7"; NULL for none */
    char *script;            /* "hello.lua"; NULL */
    uint32_t line;           /* 0: none */
    struct ladder_row *rows; /* of a failed sequence */
    size_t row_count;
};

struct judgement {
    struct expectation *list;
    size_t count, capacity;
    size_t verdicts[3];    /* how many of each, by enum trace_verdict */
    bool failed;           /* memory ran out */
    struct buffer printed; /* what the check printed, lines */
};

/* A new expectation with that verdict, counted; the caller fills in the rest with strdup'ed texts.
 * NULL when memory runs out, which failed then says. */
struct expectation *judgement_add(struct judgement *judgement, enum trace_verdict verdict);

/* Changes the verdict, and the counts with it. */
void judgement_set(struct judgement *judgement, struct expectation *expectation,
                   enum trace_verdict verdict);

void judgement_free(struct judgement *judgement);

/* verdicts.c: the expectations as events of the trace they are about, TRACE_CHECK. */
struct verdicts {
    struct trace_event *list; /* their texts are in texts; never NULL once made */
    size_t count;
    struct buffer texts;
};
/* time: of all of them, ns since the epoch. Returns false out of memory. */
bool verdicts_make(struct verdicts *verdicts, const struct judgement *judgement, int64_t time,
                   struct error *error);
void verdicts_free(struct verdicts *verdicts);

/* Packets in question, as indices into the trace: kept sorted, each once, up to a limit. */
struct concerned {
    uint32_t *list;
    size_t count, capacity;
    bool failed; /* memory ran out for one */
};
void concerned_add(struct concerned *concerned, uint32_t index);
/* "1-3, 7", to be freed; NULL for none or out of memory. */
char *concerned_text(const struct concerned *concerned, const struct check_trace *trace);
void concerned_free(struct concerned *concerned);

/* The packets that a question is about: those of a flow, or all of the trace. */
struct packet_list {
    const struct check_trace *trace;
    const uint32_t *indices; /* NULL: all of the trace */
    size_t count;
};
const struct check_packet *packet_list_at(const struct packet_list *list, size_t n,
                                          uint32_t *index);

/* sequence.c: judges whether the packets come in the order of the patterns: one directly behind
 * the other, anything between where a PATTERN_GAP stands, anything before and behind. Fills
 * expectation's verdict's details; returns whether it holds. */
bool sequence_judge(const struct packet_list *list, const struct pattern *patterns, size_t count,
                    struct expectation *expectation);

/* A packet as reports write it: "client SYN seq 0 win 65495 len 0"; to be freed. */
char *packet_line(const struct check_trace *trace, const struct check_packet *packet);

#endif
