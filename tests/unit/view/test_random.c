/*
 * Traces at random: whatever a file holds, a view shows it within its width and without a control
 * character. Calls, roles, sockets and ports are drawn from few, so that they meet.
 */
#include "unit/view/line_widths.h"

#include "unit/trace/random_events.h"

#define EVENTS 200

/* A segment between few ports with few numbers, so that flows have a story. */
static size_t random_frame(struct random_source *random, uint8_t *frame)
{
    size_t payload = random_below(random, 2) == 0 ? 0 : random_below(random, 60);
    memset(frame, 0, 54);
    frame[12] = 0x08;
    uint8_t *ip = frame + 14;
    ip[0] = 0x45;
    maker_put16(ip + 2, (uint32_t)(40 + payload));
    ip[9] = random_below(random, 6) == 0 ? 17 : random_below(random, 12) == 0 ? 1 : 6;
    ip[12] = ip[16] = 127;
    ip[15] = ip[19] = 1;
    uint8_t *tcp = ip + 20;
    maker_put16(tcp, (uint32_t)(1000 + random_below(random, 4)));
    maker_put16(tcp + 2, (uint32_t)(1000 + random_below(random, 4)));
    maker_put32(tcp + 4, (uint32_t)random_below(random, 200));
    maker_put32(tcp + 8, (uint32_t)random_below(random, 200));
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)(random_below(random, 3) == 0 ? random_next(random) : 16);
    maker_put16(tcp + 14, (uint32_t)random_below(random, 3) * 300);
    for (size_t i = 0; i < payload; i++)
        tcp[20 + i] = (uint8_t)random_next(random);
    return 54 + payload;
}

static void make_events_meet(struct random_source *random, struct trace_event *event,
                             uint8_t *frame)
{
    uint32_t call = (uint32_t)random_below(random, 8);
    uint32_t role = (uint32_t)random_below(random, 12);
    switch (event->kind) {
    case TRACE_ROLE:
        event->role.role = role;
        break;
    case TRACE_CALL:
        event->call.call = call;
        event->call.role = role;
        event->call.socket = call;
        break;
    case TRACE_SYSCALL:
        event->syscall.call = call;
        event->syscall.error = random_below(random, 2) == 0 ? EAGAIN : 0;
        break;
    case TRACE_RETURN:
        event->result.call = call;
        break;
    case TRACE_SOCKET:
        event->socket.role = role;
        event->socket.local = maker_address((uint16_t)(1000 + random_below(random, 4)));
        break;
    case TRACE_NOTE:
        event->note.role = role;
        break;
    case TRACE_INTERFACE:
        event->interface.link_type = 1;
        break;
    case TRACE_PACKET:
        event->packet.link_type = 1;
        event->packet.cause = call;
        if (random_below(random, 8) != 0) {
            event->packet.bytes = (struct trace_bytes){frame, random_frame(random, frame)};
            event->packet.length = (uint32_t)event->packet.bytes.length;
        }
        break;
    default:
        break;
    }
}

static void make_random(struct maker *maker, struct random_source *random)
{
    static struct trace_event events[EVENTS];
    static uint8_t frame[256];
    random_trace(random, events, EVENTS);
    maker_open(maker);
    for (size_t i = 0; i < EVENTS; i++) {
        struct error error;
        if (events[i].kind == TRACE_END && i + 1 < EVENTS)
            continue;
        make_events_meet(random, &events[i], frame);
        if (!trace_writer_add(maker->writer, &events[i], &error))
            fail_msg("%s", error.text);
    }
}

static void any_trace_is_shown_within_the_width(void **state)
{
    (void)state;
    static struct random_source random;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_open(&random, seed);
        struct maker maker;
        make_random(&maker, &random);
        struct view_options options = {
            .terminal = {.columns = 40 + (int)random_below(&random, 100),
                         .color = random_below(&random, 2) == 0,
                         .utf8 = random_below(&random, 2) == 0},
            .file_name = "random",
            .flow = random_below(&random, 4) == 0 ? 1 : 0,
        };
        char *text = maker_render(&maker, VIEW_LADDER, &options);
        check_widths(text, options.terminal.columns, options.terminal.utf8);
        free(text);
        text = maker_render(&maker, VIEW_PACKETS, &options);
        check_widths(text, 100000, options.terminal.utf8);
        free(text);
        text = maker_render(&maker, VIEW_BYTES, &options);
        check_widths(text, options.terminal.columns, options.terminal.utf8);
        free(text);
        options.stream = random_below(&random, 2) == 0 ? STREAM_HEX : STREAM_TEXT;
        text = maker_render(&maker, VIEW_STREAM, &options);
        check_widths(text, options.terminal.columns, options.terminal.utf8);
        free(text);
        maker_close(&maker);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_trace_is_shown_within_the_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
