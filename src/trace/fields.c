#include "trace/fields.h"

#include "support/tcp_state.h"

/* The file and the table treat every enumeration as 32 bits. */
_Static_assert(sizeof(enum trace_role_kind) == 4 && sizeof(enum trace_note_kind) == 4 &&
                   sizeof(enum trace_transport) == 4 && sizeof(enum trace_verdict) == 4 &&
                   sizeof(enum trace_outcome) == 4,
               "an enumeration takes 32 bits");

#define LIMITED(code, type, member, limit)                                                         \
    {                                                                                              \
        (code), (type), offsetof(struct trace_event, member), (limit)                              \
    }
#define FIELD(code, type, member) LIMITED(code, type, member, 0)

static const struct trace_field exchange_fields[] = {
    FIELD(1, FIELD_TEXT, exchange.lab),     FIELD(2, FIELD_TEXT, exchange.script),
    FIELD(3, FIELD_TEXT, exchange.title),   FIELD(4, FIELD_TEXT, exchange.about),
    FIELD(5, FIELD_TEXT, exchange.place),   FIELD(6, FIELD_ADDRESS, exchange.address),
    FIELD(7, FIELD_TEXT, exchange.program), FIELD(8, FIELD_TEXT, exchange.command),
};

static const struct trace_field script_fields[] = {
    FIELD(1, FIELD_TEXT, script.name),
    FIELD(2, FIELD_TEXT, script.text),
};

static const struct trace_field role_fields[] = {
    FIELD(1, FIELD_U32, role.role),
    LIMITED(2, FIELD_ENUM, role.kind, TRACE_ROLE_CLIENT + 1),
    FIELD(3, FIELD_TEXT, role.name),
};

static const struct trace_field call_fields[] = {
    FIELD(1, FIELD_U32, call.call),       FIELD(2, FIELD_U32, call.role),
    FIELD(3, FIELD_U32, call.socket),     FIELD(4, FIELD_TEXT, call.name),
    FIELD(5, FIELD_TEXT, call.arguments), FIELD(6, FIELD_TEXT, call.script),
    FIELD(7, FIELD_U32, call.line),
};

static const struct trace_field syscall_fields[] = {
    FIELD(1, FIELD_U32, syscall.call),
    FIELD(2, FIELD_I64, syscall.end),
    FIELD(3, FIELD_I64, syscall.value),
    FIELD(4, FIELD_I32, syscall.error),
};

static const struct trace_field return_fields[] = {
    FIELD(1, FIELD_U32, result.call),       FIELD(2, FIELD_I64, result.window_start),
    FIELD(3, FIELD_I64, result.window_end), FIELD(4, FIELD_I64, result.value),
    FIELD(5, FIELD_I32, result.error),      FIELD(6, FIELD_TEXT, result.result),
    FIELD(7, FIELD_TEXT, result.message),
};

static const struct trace_field socket_fields[] = {
    FIELD(1, FIELD_U32, socket.socket),
    FIELD(2, FIELD_U32, socket.role),
    LIMITED(3, FIELD_ENUM, socket.transport, TRACE_UDP + 1),
    FIELD(4, FIELD_ADDRESS, socket.local),
    FIELD(5, FIELD_ADDRESS, socket.remote),
};

static const struct trace_field state_fields[] = {
    FIELD(1, FIELD_U32, state.socket),
    FIELD(2, FIELD_U32, state.call),
    LIMITED(3, FIELD_U8, state.state, TCP_STATE_CLOSED + 1),
    FIELD(4, FIELD_U32, state.retransmits),
    FIELD(5, FIELD_U32, state.rtt_us),
    FIELD(6, FIELD_U32, state.congestion),
    FIELD(7, FIELD_ADDRESS, state.local),
    FIELD(8, FIELD_ADDRESS, state.remote),
};

static const struct trace_field note_fields[] = {
    LIMITED(1, FIELD_ENUM, note.kind, TRACE_NOTE_INPUT + 1),
    FIELD(2, FIELD_U32, note.role),
    FIELD(3, FIELD_TEXT, note.text),
    FIELD(4, FIELD_TEXT, note.script),
    FIELD(5, FIELD_U32, note.line),
};

static const struct trace_field interface_fields[] = {
    FIELD(1, FIELD_U32, interface.interface),
    FIELD(2, FIELD_U32, interface.link_type),
    FIELD(3, FIELD_U32, interface.snap_length),
    FIELD(4, FIELD_TEXT, interface.name),
};

static const struct trace_field packet_fields[] = {
    FIELD(0, FIELD_U64, packet.number),    FIELD(0, FIELD_U32, packet.interface),
    FIELD(0, FIELD_U32, packet.link_type), FIELD(0, FIELD_U32, packet.length),
    FIELD(0, FIELD_BYTES, packet.bytes),   FIELD(0, FIELD_U32, packet.cause),
    FIELD(0, FIELD_TEXT, packet.comment),
};

static const struct trace_field statistics_fields[] = {
    FIELD(0, FIELD_U32, statistics.interface),
    FIELD(0, FIELD_U64, statistics.received),
    FIELD(0, FIELD_U64, statistics.dropped),
};

static const struct trace_field secrets_fields[] = {
    FIELD(0, FIELD_U32, secrets.type),
    FIELD(0, FIELD_BYTES, secrets.bytes),
};

static const struct trace_field check_fields[] = {
    LIMITED(1, FIELD_ENUM, check.verdict, TRACE_NOT_JUDGED + 1),
    FIELD(2, FIELD_TEXT, check.expectation),
    FIELD(3, FIELD_TEXT, check.seen),
    FIELD(4, FIELD_TEXT, check.packets),
    FIELD(5, FIELD_TEXT, check.script),
    FIELD(6, FIELD_U32, check.line),
};

static const struct trace_field end_fields[] = {
    LIMITED(1, FIELD_ENUM, end.outcome, TRACE_STOPPED + 1),
    FIELD(2, FIELD_TEXT, end.text),
};

#define LAYOUT(list, member)                                                                       \
    {                                                                                              \
        (list), sizeof(list) / sizeof *(list),                                                     \
            offsetof(struct trace_event, member) + sizeof((struct trace_event *)0)->member         \
    }

static const struct trace_layout layouts[] = {
    [TRACE_EXCHANGE] = LAYOUT(exchange_fields, exchange),
    [TRACE_SCRIPT] = LAYOUT(script_fields, script),
    [TRACE_ROLE] = LAYOUT(role_fields, role),
    [TRACE_CALL] = LAYOUT(call_fields, call),
    [TRACE_SYSCALL] = LAYOUT(syscall_fields, syscall),
    [TRACE_RETURN] = LAYOUT(return_fields, result),
    [TRACE_SOCKET] = LAYOUT(socket_fields, socket),
    [TRACE_STATE] = LAYOUT(state_fields, state),
    [TRACE_NOTE] = LAYOUT(note_fields, note),
    [TRACE_INTERFACE] = LAYOUT(interface_fields, interface),
    [TRACE_PACKET] = LAYOUT(packet_fields, packet),
    [TRACE_STATISTICS] = LAYOUT(statistics_fields, statistics),
    [TRACE_SECRETS] = LAYOUT(secrets_fields, secrets),
    [TRACE_CHECK] = LAYOUT(check_fields, check),
    [TRACE_END] = LAYOUT(end_fields, end),
};

const struct trace_layout *trace_layout_of(uint32_t kind)
{
    return kind < sizeof layouts / sizeof *layouts ? &layouts[kind] : NULL;
}
