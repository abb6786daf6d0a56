/*
 * replay: plays one side of a recorded flow against a real peer.
 */
#include "replay/replay.h"

#include <stdio.h>

#include "command/command.h"
#include "command/fencing.h"
#include "place/place.h"
#include "support/clock.h"
#include "trace/reader.h"

#define PATIENCE (5 * NANOSECONDS_PER_SECOND)
#define ROW      16

static const char *const end_names[] = {"client", "server"};

static void say_reachable(const struct address *address)
{
    char text[ADDRESS_TEXT];
    fprintf(stderr, "handlens: waiting for a client at %s\n", address_format(address, text));
}

static void print_row(const char *label, const uint8_t *bytes, size_t length)
{
    printf("  %-10s", label);
    for (size_t i = 0; i < ROW; i++) {
        if (i < length)
            printf("%02x ", bytes[i]);
        else
            fputs("   ", stdout);
    }
    putchar(' ');
    for (size_t i = 0; i < length; i++)
        putchar(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
    putchar('\n');
}

/* A client of TLS begins with a handshake record (RFC 8446 section 5.1). */
static bool is_tls(const struct check_flow *flow)
{
    const struct buffer *sent = &flow->side[FLOW_CLIENT].sent;
    return sent->length > 1 && sent->data[0] == 22 && sent->data[1] == 3;
}

/* The first difference: where, and the bytes there. */
static void print_difference(const struct replay_settings *settings,
                             const struct replay_finding *finding)
{
    const struct turn *turn = &settings->turns->list[finding->turn];
    const struct buffer *sent = &settings->flow->side[turn->from].sent;
    printf("Different at byte %zu of what the %s sent, in turn %zu of %zu: %s.\n", finding->offset,
           end_names[turn->from], finding->turn + 1, settings->turns->count, finding->what);
    if (finding->detail[0] != '\0')
        printf("  %s\n", finding->detail);
    if (turn->from == settings->as)
        return;
    size_t left = turn->kind == TURN_BYTES ? turn->at + turn->length - finding->offset : 0;
    if (left > 0)
        print_row("expected", sent->data + finding->offset, left < ROW ? left : ROW);
    else
        printf("  expected  %s\n", turn->kind == TURN_END ? "the end of the stream" : "a reset");
    if (finding->received_length > 0)
        print_row("received", finding->received, finding->received_length);
    else
        puts("  received  nothing");
}

static enum status play(const struct invocation *invocation, const struct check_flow *flow,
                        const struct turns *turns, struct error *error)
{
    const struct address *server = &flow->flow.side[FLOW_SERVER].address;
    struct replay_settings settings = {
        .flow = flow,
        .turns = turns,
        .as = invocation->side == STREAM_SERVER ? FLOW_SERVER : FLOW_CLIENT,
        .host = invocation->host != NULL ? invocation->host
                : server->family == 6    ? "::1"
                                         : "127.0.0.1",
        .port = invocation->port_given ? invocation->port : server->port,
        .others_may_come = invocation->host != NULL,
        .timeout = invocation->timeout != 0 ? invocation->timeout : PATIENCE,
        .reachable = invocation->quiet ? NULL : say_reachable,
    };
    struct replay_finding finding;
    if (!replay_play(&settings, &finding, error))
        return error->status;
    if (finding.different) {
        print_difference(&settings, &finding);
        if (is_tls(flow))
            puts("  This is TLS, which has new keys in each connection: it cannot be replayed.");
        return STATUS_CHECK_FAILED;
    }
    enum flow_end peer = settings.as == FLOW_SERVER ? FLOW_CLIENT : FLOW_SERVER;
    printf("As recorded, in %zu turn%s: %zu bytes sent as the %s, %zu came from the %s.\n",
           turns->count, turns->count == 1 ? "" : "s", flow->side[settings.as].sent.length,
           end_names[settings.as], flow->side[peer].sent.length, end_names[peer]);
    return STATUS_DONE;
}

static enum status play_trace(const struct invocation *invocation, const struct check_trace *trace,
                              struct error *error)
{
    uint32_t id = invocation->flow != 0 ? invocation->flow : 1;
    if (id > trace->flow_count) {
        error_set(error, STATUS_USAGE, "%s has no flow %u; it has %zu", invocation->operands[0], id,
                  trace->flow_count);
        return error->status;
    }
    const struct check_flow *flow = &trace->flows[id - 1];
    struct turns turns;
    enum status status = turns_find(&turns, trace, flow, error)
                             ? play(invocation, flow, &turns, error)
                             : error->status;
    turns_free(&turns);
    return status;
}

static enum status run_replay(const struct invocation *invocation, struct error *error)
{
    if (invocation->side == STREAM_BOTH) {
        error_set(error, STATUS_USAGE, "say which side to play: --as client or --as server");
        return error->status;
    }
    struct trace_reader *reader = trace_reader_open(invocation->operands[0], error);
    if (reader == NULL)
        return error->status;
    struct check_trace trace;
    enum status status;
    if (!place_drop_privileges(error) || !fence_replay(error)) {
        trace_reader_close(reader);
        return error->status;
    }
    status = check_trace_load(&trace, reader, error) ? play_trace(invocation, &trace, error)
                                                     : error->status;
    check_trace_free(&trace);
    trace_reader_close(reader);
    return status;
}

const struct command command_replay = {
    .bit = COMMAND_REPLAY,
    .name = "replay",
    .operands = "FILE",
    .summary = "play one side of a capture against a real peer",
    .about =
        "Plays the client, or the server, of a TCP flow in FILE against a real peer: connects\n"
        "or listens, sends the bytes that side sent, waits for those it received, and tells\n"
        "the first difference, with its offset and the bytes. Ends and resets are replayed\n"
        "too. UDP is not; nor can TLS be, whose bytes are others each time. Exit status: 0 all as\n"
        "recorded; 1 a difference; 2 no peer.",
    .examples = "  handlens replay captures/hello.pcapng --as client   try your own server\n"
                "  handlens replay captures/hello.pcapng --as server   try your own client\n"
                "  handlens replay web.pcap --as client --flow 2 --port 8080\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run_replay,
};
