/*
 * html.h - what the parts of the report share. For html*.c only.
 *
 * The report is a page (src/view/html/) with the trace inside as a JSON array, an object a line:
 * "report" first, then events in time order. Calls, notes, roles, … are json_event.h's objects
 * with their numbers instead of names; a call's return follows as "return". Packets are compact:
 *
 *     {"event":"layout","id":1,"fields":[[LAYER,NAME,BITS,FORM,FLAGS,NOTE],…]}
 *     {"event":"text","id":1,"text":"127.0.0.1"}
 *     {"event":"packet","n":1,"t":17000,…,"layout":1,"texts":[1,…],"bytes":"base64"}
 *
 * A layout is what the fields of many packets have in common, in the order of packet/fields.h; the
 * page takes a field's value from the packet's bytes by its place, and its text from FORM: made
 * from the value, or for HTML_FORM_TEXT the next of the packet's texts. So nothing is decoded in
 * the page, and little is said twice.
 */
#ifndef HANDLENS_VIEW_HTML_H
#define HANDLENS_VIEW_HTML_H

#include <jansson.h>

#include "view/html_intern.h"
#include "view/render.h"

/* Packets beyond these are counted in their flows, but not in the page. */
#define HTML_PACKETS_MOST 200000

/* Flows beyond these, and their packets, are not in the page: no browser holds a million. */
#define HTML_FLOWS_MOST 20000

/* When so many bytes of packets are in the page, later packets bring their headers and this much
 * of their payload. */
#define HTML_BYTES_MOST   ((uint64_t)48 << 20)
#define HTML_PAYLOAD_THEN 64

/* How a field's text is made. */
enum html_form {
    HTML_FORM_DECIMAL,
    HTML_FORM_HEX, /* 0x, then a digit for each four bits */
    HTML_FORM_BIT, /* "set", "not set" */
    HTML_FORM_TEXT,
};

struct html_packets {
    struct html_intern layouts;
    struct html_intern texts;
    uint64_t count;
    uint64_t bytes;
    uint32_t first_flow;     /* the number of the first flow in the page; 0: none yet */
    uint64_t left_out;       /* packets that are not in the page */
    uint64_t flows_left_out; /* flows that are not in the page */
    uint64_t cut;            /* packets whose payload is not all in the page */
};

/* Takes an object over and writes it. */
typedef void html_write(void *data, json_t *object);

/* Whether the page has room for the flow of this number; asked in the order of the packets. */
bool html_has_room_for_flow(struct html_packets *packets, uint32_t id);

/* Writes the packet, and before it what it refers to and was not said yet. */
void html_packet(struct html_packets *packets, const struct view_item *item, html_write *write,
                 void *data);

#endif
