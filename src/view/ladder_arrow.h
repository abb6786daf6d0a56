/*
 * ladder_arrow.h - an arrow between two lanes, and what it says. For ladder*.c only.
 */
#ifndef HANDLENS_VIEW_LADDER_ARROW_H
#define HANDLENS_VIEW_LADDER_ARROW_H

#include "view/ladder.h"

/* What an arrow says, in pieces that stay together; those that do not fit go below it. */
struct arrow_pieces {
    struct {
        size_t start, length;
        unsigned style;
    } at[8];
    size_t count;
    size_t start; /* of the piece being made, in ladder->text */
};

/* From which lane to which, and how the arrow looks. */
struct arrow {
    int from, to;
    unsigned style;           /* of the line and, if not dim, of the text */
    const char *left, *right; /* gutters */
    uint64_t number;
    int64_t time;
};

/* Forgets all pieces; the next one's text goes into ladder->text. */
void arrow_start(struct ladder *ladder, struct arrow_pieces *pieces);
/* What was appended to ladder->text since then, or since the last piece, is one. */
void arrow_end_piece(struct ladder *ladder, struct arrow_pieces *pieces, unsigned style);
/* One piece from a constant text. */
void arrow_add_text(struct ladder *ladder, struct arrow_pieces *pieces, unsigned style,
                    const char *text);
/* Puts pieces from *next on into the inner room while they fit; the first is cut rather than left.
 */
void arrow_put_pieces(struct ladder *ladder, const struct arrow_pieces *pieces, size_t *next,
                      size_t room);
/* Lines without an arrow for the pieces from next on. */
void arrow_draw_rest(struct ladder *ladder, const struct arrow_pieces *pieces, size_t next);
/* The arrow with its pieces. */
void arrow_draw(struct ladder *ladder, const struct arrow *arrow,
                const struct arrow_pieces *pieces);

#endif
