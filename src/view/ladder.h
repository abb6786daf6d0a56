/*
 * ladder.h - what the parts of the ladder share. For ladder*.c only.
 *
 * A line of the ladder, from left to right:
 *
 *     time | gutter | lanes of clients | inner room | lanes of servers | gutter
 *
 * A lane is a role's line of life. It is drawn heavy while the role is inside a socket call. What
 * the role does (calls, prints) stands in the inner room beside its lane, with the script's line
 * number in the gutter behind it; packets are arrows from lane to lane, and the TCP states that
 * a packet changes stand in the gutters, each on its end's side. The time is there from 100
 * columns on. Below 60 columns the gutters only have room for line numbers and states move inside.
 *
 * Lanes of one side stand two columns apart, so that seven clients fit beside a server in 80
 * columns; where there are more, they share one lane and are named at each call.
 */
#ifndef HANDLENS_VIEW_LADDER_H
#define HANDLENS_VIEW_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/render.h"
#include "view/tls_text.h"

/* A style is a colour (1 to 7, the terminal's own numbers; 0 for the terminal's default) and
 * flags. */
enum { STYLE_PLAIN = 0, STYLE_RED = 1, STYLE_BOLD = 0x10, STYLE_DIM = 0x20 };

/* Text with its width on the screen, which escape sequences do not count in. */
struct ladder_text {
    struct buffer bytes;
    size_t width; /* columns */
};

struct ladder_glyphs {
    const char *light, *heavy;            /* a lane outside and inside a call */
    const char *opens_left, *opens_right; /* a call is entered */
    const char *closes_left, *closes_right;
    const char *single_left, *single_right; /* a call with nothing in between */
    const char *dash, *head_left, *head_right;
    const char *cross_light, *cross_heavy; /* an arrow passes a lane */
    const char *ellipsis, *dot, *gives;    /* "…", "·", "→" */
};

struct ladder_lane {
    char name[24];
    bool right;     /* on the servers' side */
    bool shared;    /* of strangers */
    bool of_many;   /* of roles that have no lane each */
    unsigned calls; /* shown ones under way: drawn heavy while there are any */
    unsigned style; /* its colour */
    int column;     /* counted from 0 */
};

#define LADDER_LANES 24

struct ladder_role {
    uint32_t id;
    enum trace_role_kind kind;
    unsigned connections; /* of its sockets, at present */
    bool has_many;        /* there once was more than one: calls say which is meant */
    char name[24];
    int lane; /* -1 while not laid out */
};

/* A call under way. */
struct ladder_call {
    uint32_t id;
    uint32_t role;
    uint32_t socket;
    uint32_t line;
    char name[24];
    char arguments[160];
    int64_t time; /* of its entry */
    bool shown;
    bool blocked; /* its last system call found nothing to do, and waits were not told yet */
};

/* What was found out about a flow. Flows share a cache, so that many cost no more than few. */
struct ladder_flow {
    uint32_t id; /* 0: free */
    uint8_t protocol;
    struct address address[2]; /* by enum flow_end, like all below */
    uint32_t role[2];          /* 0: nobody of the exchange, or not known yet */
    enum tcp_state state[2];
    struct tls_place tls[2]; /* of what that end sends */
    uint32_t window[2];      /* that each end offered when it was last told; 0: never */
};

#define LADDER_FLOWS   1024
#define LADDER_SOCKETS 1024
#define LADDER_BOUND   64

struct ladder_socket {
    uint32_t socket; /* 0: free */
    uint32_t role;
    enum trace_transport transport;
    bool listens;
    uint32_t flow; /* that it is an end of; 0: not known */
    struct address local;
    struct address remote;
};

/* The first fragment of the last datagram that had several: whose the others are. */
struct ladder_first_fragment {
    uint32_t identification;
    uint32_t flow; /* 0: none yet */
    enum flow_end from;
};

struct ladder {
    const struct view_options *options;
    struct buffer *out;
    const struct ladder_glyphs *glyphs;

    bool has_exchange;
    bool has_calls;
    bool has_checks;
    bool has_end;
    bool selects; /* a filter, a flow or a number: only calls with shown packets are shown */
    struct address address; /* the exchange's */

    /* ladder_lanes.c */
    struct ladder_role *roles; /* owned; by order of appearance */
    size_t role_count, role_capacity;
    struct ladder_lane lanes[LADDER_LANES]; /* from left to right */
    int lane_count;
    int left_count;
    bool grouped;                 /* clients share one lane */
    bool extra_left, extra_right; /* a shared lane beside those of roles */
    bool laid_out;
    int columns; /* of the terminal when the lanes were laid out; it may be resized while it shows
                  */
    int time_width, left_gutter, right_gutter, inner; /* columns */
    int inner_column;
    bool narrow;
    uint32_t pair_flow[LADDER_LANES][LADDER_LANES]; /* last flow drawn between two lanes */
    struct ladder_flow flows[LADDER_FLOWS];         /* by id */
    struct ladder_socket sockets[LADDER_SOCKETS];   /* connected ones, by both addresses */
    uint16_t socket_slots[LADDER_SOCKETS];          /* where in sockets, by number */
    struct ladder_socket bound[LADDER_BOUND];       /* those without a remote address */
    size_t bound_next;

    /* ladder_call.c */
    struct ladder_call *calls; /* owned; by id */
    size_t call_count, call_capacity;
    uint32_t held;   /* entered, not shown yet: it may turn out to have nothing inside */
    uint32_t active; /* the call whose packets need no further word */

    /* ladder_line.c */
    struct ladder_text line;
    struct ladder_text inside; /* of the inner room, for the next ladder_draw */
    struct buffer scratch;     /* of ladder_safe */
    struct buffer text;        /* of a call's or note's line */
    int64_t origin;
    int64_t shown_time; /* of the last line that had one */
    bool has_time;

    struct ladder_first_fragment first_fragment;
    uint64_t packets;
    uint64_t dropped;
    int64_t last_time;
    bool failed;
};

/* One line, for ladder_draw. Zeroes are good defaults but for the lanes: LADDER_LINE. */
struct ladder_line {
    bool timed;
    int64_t time;
    const char *left, *right; /* gutters; NULL: empty */
    unsigned left_style, right_style;
    int lane; /* where mark stands in place of the bar; -1: nowhere */
    const char *mark;
    int from, to; /* an arrow's lanes; -1: none */
    unsigned arrow_style;
};

#define LADDER_LINE                                                                                \
    {                                                                                              \
        .lane = -1, .from = -1, .to = -1                                                           \
    }

/* Where text stands that is no packet's: beside a lane. */
struct ladder_place {
    int lane;          /* -1: between the lanes */
    const char *mark;  /* in place of the lane's bar; NULL: none */
    bool mark_last;    /* the mark stands at the last row of several, not at the first */
    uint32_t line;     /* of the script; 0: none */
    const char *state; /* that begins here; NULL: none */
    bool timed;
    int64_t time;
};

/* ladder_line.c: text and lines. */

void ladder_text_clear(struct ladder_text *text);
/* Safe text, as it is. */
void ladder_put(struct ladder *ladder, struct ladder_text *text, unsigned style, const char *bytes,
                size_t length);
/* The same, cut with an ellipsis so that it takes at most columns. */
void ladder_put_cut(struct ladder *ladder, struct ladder_text *text, unsigned style,
                    const char *bytes, size_t length, size_t columns);
/* Plain text into a buffer, cut likewise. */
void ladder_append_cut(struct ladder *ladder, struct buffer *buffer, const char *bytes,
                       size_t length, size_t columns);
/* The glyph again and again, until the text is columns wide. */
void ladder_fill(struct ladder *ladder, struct ladder_text *text, unsigned style, const char *glyph,
                 size_t columns);
/*
 * Makes outside text safe, at most about columns wide (0: no limit). Quotes and backslashes stay as
 * they are: the text is shown as such, not as a literal. Lives until the next call of it.
 */
struct trace_text ladder_safe(struct ladder *ladder, struct trace_text text, size_t columns);
/* Skips the spaces at which a line was broken. */
struct trace_text ladder_skip(struct trace_text text, size_t used);
/* How many bytes of safe text go onto one line of columns, broken at a space where there is one. */
size_t ladder_wrap(const char *text, size_t length, size_t columns);
/* Draws a line with ladder->inside in the inner room, and clears that. */
void ladder_draw(struct ladder *ladder, const struct ladder_line *line);
/*
 * Safe text at a lane, right aligned on the servers' side, in at most so many rows; what does not
 * fit is cut.
 */
void ladder_draw_at(struct ladder *ladder, const struct ladder_place *place, unsigned style,
                    struct trace_text text, int rows);
/* Safe text over the whole width, wrapped, without lanes. */
void ladder_draw_plain(struct ladder *ladder, unsigned style, const char *text, size_t length);
/* Before a timed line: says so if a notable time has passed. */
void ladder_note_time(struct ladder *ladder, int64_t time);

/* ladder_lanes.c: who is who. */

/* Returns false out of memory. */
bool ladder_add_role(struct ladder *ladder, const struct trace_role *role);
void ladder_add_socket(struct ladder *ladder, const struct trace_socket *socket);
void ladder_socket_listens(struct ladder *ladder, uint32_t socket);
void ladder_socket_closes(struct ladder *ladder, uint32_t socket);
/* The flow that the socket is an end of, and which end; NULL if it is not known. */
const struct ladder_flow *ladder_socket_flow(struct ladder *ladder, uint32_t socket,
                                             enum flow_end *end);
/* Decides the columns if that is due, and draws the lanes' names. Before any ladder_draw. */
void ladder_lay_out(struct ladder *ladder);
/* NULL for an unknown one. */
struct ladder_role *ladder_find_role(struct ladder *ladder, uint32_t id);
/* The role's lane; that of strangers for an unknown one. */
int ladder_lane_of(struct ladder *ladder, uint32_t role);
/*
 * Starts ladder->text anew, with the role's name where its lane is one of many, and with the
 * socket's flow (0: none) where the role has had more than one connection at a time. Returns its
 * width.
 */
size_t ladder_start_text(struct ladder *ladder, uint32_t id, uint32_t socket);
/* What is remembered of the packet's flow, brought up to date as to roles. */
struct ladder_flow *ladder_find_flow(struct ladder *ladder, const struct view_item *item);
/* The flow with these ends, in whichever order; NULL if none. *end is which of them a is. */
struct ladder_flow *ladder_find_ends(struct ladder *ladder, uint8_t protocol,
                                     const struct address *a, const struct address *b,
                                     enum flow_end *end);
/* The lanes of the flow's two ends, which are never the same. */
void ladder_flow_lanes(struct ladder *ladder, const struct ladder_flow *flow, int lanes[2]);
/* Whether somebody of the exchange listens at the flow's server address. */
bool ladder_is_listening(const struct ladder *ladder, const struct ladder_flow *flow);

/* ladder_call.c: calls. */

void ladder_enter(struct ladder *ladder, const struct view_item *item);
void ladder_try(struct ladder *ladder, const struct view_item *item);
void ladder_return(struct ladder *ladder, const struct view_item *item);
/* Shows the call that is held, for something else comes now; waits: it waits for that. */
void ladder_settle(struct ladder *ladder, bool waits);
/* A packet with this cause comes: shows what must be shown of calls before. */
void ladder_turn_to(struct ladder *ladder, uint32_t cause, int64_t time);
/* NULL if it is not under way. */
struct ladder_call *ladder_find_call(struct ladder *ladder, uint32_t id);

/* ladder_packet.c: packets. */

void ladder_packet(struct ladder *ladder, const struct view_item *item);

#endif
