/*
 * json_event.h - events as JSON objects. For src/view only.
 *
 * The fields are those of scripts' and graders' interest, named in DESIGN order; times are strings
 * of seconds with nine decimals, numbers are what is on the wire unless named relative, payloads
 * are base64 (RFC 4648), texts are UTF-8 with U+FFFD for every byte that is none.
 * Every function returns a new reference, or NULL out of memory.
 */
#ifndef HANDLENS_VIEW_JSON_EVENT_H
#define HANDLENS_VIEW_JSON_EVENT_H

#include <jansson.h>

#include "view/render.h"

/* An object that begins with "event": name. */
json_t *json_event_new(const char *name);

/* Room for a time. */
#define JSON_TIME 32

/* "1700000000.000010000" without a final zero. Returns its length. */
size_t json_event_put_time(char *to, int64_t time);
json_t *json_event_time(int64_t time);
/* ["retransmission"] */
json_t *json_event_marks(uint32_t marks);
json_t *json_event_text(struct trace_text text);
json_t *json_event_base64(const uint8_t *bytes, size_t length);
/* "127.0.0.1:80", or null for no address. */
json_t *json_event_address(const struct address *address);

/* role is the role's name. The object has no end and no result yet: json_event_add_return. */
json_t *json_event_call(const struct trace_event *event, struct trace_text role);
void json_event_add_return(json_t *object, const struct trace_event *event);

json_t *json_event_flow(const struct flow *flow);
json_t *json_event_note(const struct trace_event *event, struct trace_text role);
json_t *json_event_state(const struct trace_event *event);
json_t *json_event_socket(const struct trace_event *event, struct trace_text role);
json_t *json_event_exchange(const struct trace_event *event);
json_t *json_event_check(const struct trace_event *event);
json_t *json_event_end(const struct trace_event *event);

#endif
