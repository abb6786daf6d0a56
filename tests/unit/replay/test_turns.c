/* Turns: what is left of a flow when segments, repetitions and times are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "packet/packet.h"
#include "replay/turns.h"

#define MOST 8

struct flow_of {
    struct check_packet packets[MOST];
    uint32_t indices[MOST];
    struct check_flow flow;
    struct check_trace trace;
    struct turns turns;
    struct error error;
};

static uint8_t sent[64];

static void begin(struct flow_of *f, size_t client, size_t server)
{
    memset(f, 0, sizeof *f);
    f->flow.flow.id = 1;
    f->flow.flow.protocol = TRACE_TCP;
    f->flow.packets = f->indices;
    f->flow.side[FLOW_CLIENT].sent = (struct buffer){.data = sent, .length = client};
    f->flow.side[FLOW_SERVER].sent = (struct buffer){.data = sent, .length = server};
    f->trace.packets = f->packets;
}

static void packet(struct flow_of *f, enum flow_end from, uint16_t flags, uint32_t seq,
                   uint32_t length)
{
    size_t at = f->flow.packet_count++;
    assert_true(at < MOST);
    f->indices[at] = (uint32_t)at;
    f->packets[at] = (struct check_packet){
        .from = (uint8_t)from, .flags = flags, .seq = seq, .length = length, .tcp = true};
}

static void expect_turn(const struct flow_of *f, size_t at, enum turn_kind kind, enum flow_end from,
                        size_t start, size_t length)
{
    assert_true(at < f->turns.count);
    const struct turn *turn = &f->turns.list[at];
    assert_int_equal(turn->kind, kind);
    assert_int_equal(turn->from, from);
    assert_int_equal(turn->at, start);
    assert_int_equal(turn->length, length);
}

static void find(struct flow_of *f, size_t count)
{
    assert_true(turns_find(&f->turns, &f->trace, &f->flow, &f->error));
    assert_int_equal(f->turns.count, count);
}

static void segments_of_one_side_are_one_turn_and_repetitions_none(void **state)
{
    (void)state;
    struct flow_of f;
    begin(&f, 20, 5);
    packet(&f, FLOW_CLIENT, TCP_SYN, 0, 0);
    packet(&f, FLOW_CLIENT, TCP_ACK, 1, 10);
    packet(&f, FLOW_CLIENT, TCP_ACK, 11, 10);
    packet(&f, FLOW_CLIENT, TCP_ACK, 1, 10);
    packet(&f, FLOW_SERVER, TCP_ACK, 1, 5);
    packet(&f, FLOW_CLIENT, TCP_ACK, 11, 10);
    packet(&f, FLOW_SERVER, TCP_FIN | TCP_ACK, 6, 0);
    packet(&f, FLOW_SERVER, TCP_FIN | TCP_ACK, 6, 0);
    find(&f, 3);
    expect_turn(&f, 0, TURN_BYTES, FLOW_CLIENT, 0, 20);
    expect_turn(&f, 1, TURN_BYTES, FLOW_SERVER, 0, 5);
    expect_turn(&f, 2, TURN_END, FLOW_SERVER, 0, 0);
    turns_free(&f.turns);
}

static void data_in_a_syn_counts_from_its_first_byte(void **state)
{
    (void)state;
    struct flow_of f;
    begin(&f, 6, 0);
    packet(&f, FLOW_CLIENT, TCP_SYN, 0, 6);
    find(&f, 1);
    expect_turn(&f, 0, TURN_BYTES, FLOW_CLIENT, 0, 6);
    turns_free(&f.turns);
}

static void a_reset_is_the_last_turn(void **state)
{
    (void)state;
    struct flow_of f;
    begin(&f, 4, 4);
    packet(&f, FLOW_CLIENT, TCP_ACK, 1, 4);
    packet(&f, FLOW_CLIENT, TCP_RST, 5, 0);
    packet(&f, FLOW_SERVER, TCP_ACK, 1, 4);
    find(&f, 2);
    expect_turn(&f, 1, TURN_RESET, FLOW_CLIENT, 0, 0);
    turns_free(&f.turns);
}

static void a_wild_sequence_number_never_leaves_what_was_sent(void **state)
{
    (void)state;
    struct flow_of f;
    begin(&f, 4, 0);
    packet(&f, FLOW_CLIENT, TCP_ACK, 0, 1);
    packet(&f, FLOW_CLIENT, TCP_ACK, UINT32_MAX - 5, 1);
    packet(&f, FLOW_CLIENT, TCP_ACK, 0x7fffffff, 1000);
    find(&f, 1);
    expect_turn(&f, 0, TURN_BYTES, FLOW_CLIENT, 0, 4);
    turns_free(&f.turns);
}

static void what_cannot_be_replayed_is_refused(void **state)
{
    (void)state;
    struct flow_of f;
    begin(&f, 4, 0);
    packet(&f, FLOW_CLIENT, TCP_ACK, 1, 4);
    f.flow.side[FLOW_SERVER].missing = 3;
    assert_false(turns_find(&f.turns, &f.trace, &f.flow, &f.error));
    f.flow.side[FLOW_SERVER].missing = 0;
    f.flow.flow.protocol = TRACE_UDP;
    assert_false(turns_find(&f.turns, &f.trace, &f.flow, &f.error));
    f.flow.flow.protocol = TRACE_TCP;
    f.flow.flow.close = FLOW_REFUSED;
    assert_false(turns_find(&f.turns, &f.trace, &f.flow, &f.error));
    assert_int_equal(f.error.status, STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_of_one_side_are_one_turn_and_repetitions_none),
        cmocka_unit_test(data_in_a_syn_counts_from_its_first_byte),
        cmocka_unit_test(a_reset_is_the_last_turn),
        cmocka_unit_test(a_wild_sequence_number_never_leaves_what_was_sent),
        cmocka_unit_test(what_cannot_be_replayed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
