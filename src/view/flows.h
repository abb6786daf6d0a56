/*
 * flows.h - what the parts of the flows view share. For flows*.c only.
 *
 * flows.c takes events and keeps the totals; flows_row.c lays out the columns and draws a flow's
 * row; flows_totals.c draws what stands below the rows; flows_text.c makes numbers short and puts
 * styled text.
 */
#ifndef HANDLENS_VIEW_FLOWS_H
#define HANDLENS_VIEW_FLOWS_H

#include "view/render.h"

/* Styles are the terminal's own colours, as the ladder's are, and few. */
enum flows_style { FLOWS_PLAIN, FLOWS_BOLD, FLOWS_DIM, FLOWS_RED, FLOWS_YELLOW };

struct flows_glyphs {
    const char *both;   /* between the two ends */
    const char *to[2];  /* by the end that sends */
    const char *middle; /* before what began before the capture */
    const char *microseconds, *ellipsis;
};

/* One line in the making. */
struct flows_line {
    struct buffer bytes;
    size_t width; /* columns */
};

/* How a row is divided. Widths are in columns. */
struct flows_layout {
    size_t ends;      /* the flow's number and its two addresses */
    size_t handshake; /* 0: not shown; the same below */
    size_t retransmissions;
    size_t rtt;
    size_t goodput;
    size_t marks;
};

/* What the totals name by protocol: packets without a flow. */
#define FLOWS_STRANGERS 8

struct flows_stranger {
    const char *protocol; /* of packet_protocol_name: lives for ever */
    uint64_t packets;
};

struct flows_totals {
    uint64_t packets;
    uint64_t bytes; /* on the wire */
    uint64_t payload;
    uint64_t flowless;
    struct flows_stranger strangers[FLOWS_STRANGERS];
    uint64_t marks[MARK_COUNT];
    int64_t first_time;
    int64_t last_time;
    uint64_t dropped;           /* by the capture */
    uint64_t tcp, udp;          /* flows */
    uint64_t stories[16];       /* flows, by enum flow_story */
    uint64_t first_to_close[2]; /* of closed ones, by enum flow_end */
};

/* How a TCP flow began and ended, in a word. */
enum flow_story {
    STORY_CLOSED,
    STORY_HALF_CLOSED,
    STORY_RESET,
    STORY_REFUSED,
    STORY_NO_ANSWER, /* SYN alone */
    STORY_HALF_OPEN, /* the last part of the handshake is missing */
    STORY_OPEN,
    STORY_UDP,
};

struct flows {
    const struct view_options *options;
    struct buffer *out;
    const struct flows_glyphs *glyphs;
    struct flows_layout layout;
    bool has_head;
    struct flows_line line;
    struct flows_totals totals;
};

/* flows_text.c */

/* Room for each of the following. */
#define FLOWS_NUMBER 32

/* At most four columns: "999", "1.2k", "12k", "3.4M". */
char *flows_count(uint64_t count, char *text);
/* At most five columns: "12µs", "1.2ms", "120ms", "12s", "1.5h"; "-" below 0. */
char *flows_duration(const struct flows *flows, int64_t duration, char *text);
/* "12 345". */
char *flows_whole(uint64_t number, char *text);

/* How many columns text of ASCII and the glyphs takes. */
size_t flows_width(const char *text);
/* Safe text into the line. It ends with its style. */
void flows_put(struct flows *flows, enum flows_style style, const char *text);
/* The same, filled up with spaces to columns on the left or the right. */
void flows_put_right(struct flows *flows, enum flows_style style, const char *text, size_t columns);
void flows_put_left(struct flows *flows, enum flows_style style, const char *text, size_t columns);
/* Spaces until the line is columns wide. */
void flows_fill(struct flows *flows, size_t columns);
/* Writes the line, without spaces at its end, and begins a new one. */
void flows_end_line(struct flows *flows);

/* flows_row.c */

/* Decides the columns by the terminal's width. */
void flows_lay_out(struct flows *flows);
enum flow_story flows_story(const struct flow *flow);
void flows_draw_head(struct flows *flows);
void flows_draw_row(struct flows *flows, const struct flow *flow);

/* flows_totals.c */
void flows_draw_totals(struct flows *flows, const struct error *damage);

#endif
