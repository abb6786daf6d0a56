/*
 * check_fields.h - what the proxies of a check are made of. For src/script/check*.c only.
 */
#ifndef HANDLENS_SCRIPT_CHECK_FIELDS_H
#define HANDLENS_SCRIPT_CHECK_FIELDS_H

#include "script/checking.h"

#define CHECK_TYPE_TRACE   "trace"
#define CHECK_TYPE_FLOW    "flow"
#define CHECK_TYPE_SIDE    "side"
#define CHECK_TYPE_PACKET  "packet"
#define CHECK_TYPE_CALL    "call"
#define CHECK_TYPE_LIST    "list of the trace"
#define CHECK_TYPE_MISSING "missing"

/* What a proxy stands for: flow is an index, and so is item, of a packet or call. */
struct check_proxy {
    uint32_t item;
    enum flow_end end; /* of a side */
};

enum check_list_kind { CHECK_LIST_PACKETS, CHECK_LIST_CALLS, CHECK_LIST_FLOWS };

struct check_list {
    enum check_list_kind kind;
    bool all; /* of the trace: indices are not kept */
    size_t count;
    uint32_t indices[];
};

struct missing {
    enum trace_verdict verdict;
    char reason[256];
};

/* One field of a type. */
struct check_field {
    const char *name;
    void (*push)(lua_State *L, struct checking *checking, const struct check_proxy *proxy);
};

extern const struct check_field check_side_fields[], check_flow_fields[], check_packet_fields[],
    check_call_fields[];

void check_push_proxy(lua_State *L, const char *type, uint32_t item, enum flow_end end);
/* A list whose indices, where it has any, are the caller's to fill in. */
struct check_list *check_push_list(lua_State *L, enum check_list_kind kind, bool all, size_t count);
void check_push_seconds(lua_State *L, int64_t nanoseconds);
/* nil for family 0. */
void check_push_address(lua_State *L, const struct address *address, bool port);
/* "retransmission, zero window"; "none". */
void check_push_marks(lua_State *L, uint32_t marks);

#endif
