/*
 * checking.h - what the files about lab.check share. For src/script/check*.c only.
 *
 * Theory of operation. The trace is seen through proxies: userdata without any data but indices,
 * so that nothing can be changed and nothing is copied. What is not there (a flow too many, calls
 * of a capture that has none) is a value too, "missing": it may be indexed, called and handed on,
 * and an expectation about it gets its verdict and its reason. So one thing that is not there does
 * not end the check, and the expectations behind it are judged as well.
 *
 * Which packets an expectation concerns is found by watching: each field that is read notes the
 * packets it was made from and the line that read it; an expectation takes the notes of its own
 * line, or, where there are none, all since the expectation before it.
 */
#ifndef HANDLENS_SCRIPT_CHECKING_H
#define HANDLENS_SCRIPT_CHECKING_H

#include "check/judge.h"
#include "script/state.h"

/* Notes between two expectations. */
#define CHECKING_NOTES 4096

struct checking_note {
    uint32_t packet; /* index */
    uint32_t line;
};

struct checking {
    const struct check_trace *trace;
    struct judgement *judgement;
    struct checking_note notes[CHECKING_NOTES];
    size_t note_count;
    char remark[160]; /* about what was read since the last expectation; "" */
    uint32_t remark_line;
    /* The last missing value that was touched. */
    enum trace_verdict missing_verdict;
    uint32_t missing_line; /* 0: none */
    char missing_reason[256];
    bool tainted; /* a loop went over a missing list: values computed since may lack it */
    char taint_reason[256];
};

/* The check that runs now. Raises an error naming what, where there is none. */
struct checking *checking_of(lua_State *L, const char *what);

/* check_values.c: the proxies. */
void check_values_open(lua_State *L);
void check_push_trace(lua_State *L);
/* A missing value on the stack; verdict is TRACE_FAILED or TRACE_NOT_JUDGED. */
void check_push_missing(lua_State *L, enum trace_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The reason of a missing value, or NULL if the value is none. */
const char *check_missing(lua_State *L, int index, enum trace_verdict *verdict);
/* The packets that a trace, flow, side or list stands for; false for any other value. Memory of
 * the indices is the value's own. */
bool check_packet_list(lua_State *L, int index, struct packet_list *list);
/* Field names, NULL at the end: of what is trace, flow, side, packet and call. */
extern const char *const check_type_names[];
const char *check_field_name(const char *type, size_t n);

/* check_notes.c */
enum about {
    ABOUT_HANDSHAKE,
    ABOUT_SYNS,
    ABOUT_ENDS, /* FIN and RST */
    ABOUT_DATA,
    ABOUT_MARKS,
    ABOUT_REPEATS, /* retransmissions */
    ABOUT_ALL,
    ABOUT_LAST,
};
#define BOTH_ENDS (-1)
void check_note_packet(lua_State *L, struct checking *checking, uint32_t index);
void check_note_flow(lua_State *L, struct checking *checking, const struct check_flow *flow,
                     int end, enum about about);
/* The packets an expectation at that line is about; to be freed. NULL for none. */
char *check_noted(const struct checking *checking, uint32_t line);
bool check_has_notes(const struct checking *checking);
void check_forget_notes(struct checking *checking);

/* check_words.c: the source text of the n-th argument (from 0) of the call to the function at the
 * site, as it stands in the script; NULL if it cannot be found. To be freed. */
char *check_source(lua_State *L, struct script_site site, const char *function, size_t n);
/* A value as a report shows it; to be freed. */
char *check_value_text(lua_State *L, int index);

/* check_expect.c: the global table expect. */
void check_expect_open(lua_State *L);

#endif
