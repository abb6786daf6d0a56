#include <malloc.h>

#include "unit/tcp/talk.h"

static void close_orderly(struct talk *talk)
{
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
}

static void both_directions_are_one_flow(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.from, FLOW_CLIENT);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_int_equal(talk->facts.flow->stream, 0);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_int_equal(talk->facts.from, FLOW_SERVER);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_true(address_equal(&talk->facts.flow->side[CLIENT].address, &talk->ends[CLIENT]));
    assert_true(address_equal(&talk->facts.flow->side[SERVER].address, &talk->ends[SERVER]));
    assert_int_equal(flow_table_count(talk->table), 1);
}

static void another_port_address_or_family_is_another_flow(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    talk->ends[CLIENT].port++;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 2);
    talk->ends[CLIENT].bytes[3]++;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 3);
    talk->ends[CLIENT].family = talk->ends[SERVER].family = 6;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 4);
    talk->ends[CLIENT].bytes[15]++;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 5);
}

static void ids_count_all_flows_and_streams_each_protocol(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say_udp(talk, CLIENT, 10);
    assert_int_equal(talk->facts.flow->id, 2);
    assert_int_equal(talk->facts.flow->stream, 0);
    assert_int_equal(talk->facts.flow->protocol, 17);
    talk->ends[CLIENT].port++;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 3);
    assert_int_equal(talk->facts.flow->stream, 1);
    assert_int_equal(talk->facts.flow->protocol, 6);
}

static void first_sender_of_udp_is_the_client(void **state)
{
    struct talk *talk = *state;
    say_udp(talk, SERVER, 10);
    assert_int_equal(talk->facts.from, FLOW_CLIENT);
    assert_int_equal(talk->facts.flow->side[FLOW_CLIENT].address.port, 80);
    say_udp(talk, CLIENT, 30);
    assert_int_equal(talk->facts.from, FLOW_SERVER);
    assert_int_equal(talk->facts.flow->side[FLOW_SERVER].bytes, 30);
    assert_int_equal(talk->facts.flow->side[FLOW_CLIENT].bytes, 10);
    assert_int_equal(talk->facts.flow->side[FLOW_CLIENT].packets, 1);
}

static void other_packets_belong_to_no_flow(void **state)
{
    struct talk *talk = *state;
    memset(&talk->facts, 0xff, sizeof talk->facts);
    talk->packet.transport = TRANSPORT_ICMP;
    talk_send(talk, CLIENT);
    static const struct flow_facts nothing;
    assert_memory_equal(&talk->facts, &nothing, sizeof nothing);
    talk->packet.transport = TRANSPORT_FRAGMENT;
    talk_send(talk, CLIENT);
    assert_null(talk->facts.flow);
    assert_int_equal(flow_table_count(talk->table), 0);
}

static void first_fragment_is_counted_and_not_analysed(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    talk->packet.is_fragment = talk->packet.more_fragments = true;
    assert_int_equal(say(talk, CLIENT, "RST", 9999, 0, 100, 0), 0);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_int_equal(talk->facts.flow->side[CLIENT].packets, 3);
}

static void segment_with_a_cut_header_is_counted_and_not_analysed(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    struct packet cut = {.transport = TRANSPORT_TCP,
                         .source = talk->ends[CLIENT],
                         .destination = talk->ends[SERVER],
                         .transport_at = 34,
                         .captured = 38,
                         .has_ports = true,
                         .tcp = {.flags = TCP_RST}};
    flow_table_add(talk->table, talk->time, 4, &cut, &talk->facts);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_int_equal(talk->facts.flow->side[CLIENT].packets, 3);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    cut.has_ports = false; /* there may be padding where they should be */
    flow_table_add(talk->table, talk->time, 5, &cut, &talk->facts);
    assert_null(talk->facts.flow);
}

static void flow_remembers_its_first_and_last_packet(void **state)
{
    struct talk *talk = *state;
    talk->number = 41;
    shake_hands(talk);
    const struct flow *flow = talk->facts.flow;
    assert_int_equal(flow->first_number, 42);
    assert_int_equal(flow->last_number, 44);
    assert_int_equal(flow->last_time - flow->first_time, 2 * MS);
}

static void ended_flow_goes_after_a_minute_of_silence_and_not_before(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    close_orderly(talk);
    talk->ends[CLIENT].port++;
    talk->time += 60 * S - MS;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->gone_count, 0);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_int_equal(talk->gone_count, 1);
    assert_int_equal(talk->gone[0].id, 1);
    assert_int_equal(talk->gone[0].close, FLOW_CLOSED);
    assert_int_equal(flow_table_count(talk->table), 2);
}

static void open_flow_stays_however_long_it_is_silent(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    talk->time += 7200 * S;
    say(talk, CLIENT, "ACK", 1000, 5001, 0, 65535);
    assert_int_equal(talk->gone_count, 0);
    assert_int_equal(talk->facts.flow->id, 1);
}

static void packet_keeps_an_ended_flow(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    close_orderly(talk);
    talk->time += 50 * S;
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    talk->time += 50 * S;
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_int_equal(talk->gone_count, 0);
}

static void ended_flows_go_in_the_order_they_fell_silent(void **state)
{
    struct talk *talk = *state;
    for (int i = 0; i < 3; i++) {
        talk->ends[CLIENT].port = (uint16_t)(40000 + i);
        shake_hands(talk);
    }
    static const int order[] = {2, 0, 1};
    for (int i = 0; i < 3; i++) {
        talk->ends[CLIENT].port = (uint16_t)(40000 + order[i]);
        say(talk, CLIENT, "RST ACK", 1001, 5001, 0, 0);
    }
    talk->time += 100 * S;
    say_udp(talk, CLIENT, 1);
    assert_int_equal(talk->gone_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(talk->gone[i].id, order[i] + 1);
}

static void flow_whose_ports_were_reused_is_still_reported(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "SYN", 90000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 2);
    flow_table_end(talk->table);
    assert_int_equal(talk->gone_count, 2);
    assert_int_equal(talk->gone[0].id, 1);
    assert_int_equal(talk->gone[0].close, FLOW_OPEN);
}

static void end_lets_all_go_in_the_order_of_ids(void **state)
{
    struct talk *talk = *state;
    for (int i = 0; i < 5; i++) {
        talk->ends[CLIENT].port = (uint16_t)(40000 + i);
        shake_hands(talk);
    }
    for (int i = 4; i >= 0; i -= 2) {
        talk->ends[CLIENT].port = (uint16_t)(40000 + i);
        close_orderly(talk);
    }
    flow_table_end(talk->table);
    assert_int_equal(talk->gone_count, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(talk->gone[i].id, i + 1);
    flow_table_end(talk->table);
    assert_int_equal(talk->gone_count, 5);
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535); /* it may go on */
    assert_int_equal(talk->facts.flow->id, 6);
}

static void close_tells_nobody(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    flow_table_close(talk->table);
    assert_int_equal(talk->gone_count, 0);
    talk->table = NULL;
    flow_table_close(NULL);
}

static void let_go_flow_gives_its_remembered_segments_back(void **state)
{
    struct talk *talk = *state;
    for (int round = 0; round < 100; round++) { /* 100 times 3000 would not fit otherwise */
        talk->ends[CLIENT].port = (uint16_t)(40000 + round);
        shake_hands(talk);
        for (uint32_t i = 0; i < 3000; i++)
            say(talk, CLIENT, "ACK", 1001 + i, 5001, 1, 65535);
        assert_int_equal(talk->facts.bytes_in_flight, 3000);
        say(talk, CLIENT, "RST", 4001, 5001, 0, 0);
        talk->time += 61 * S;
    }
}

/* The number, not the time, is what must stay small; but a quadratic table would not end. */
static void million_syns_stay_within_the_limit_and_under_1_KiB_each(void **state)
{
    struct talk *talk = *state;
    const unsigned count = 1000000;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (unsigned i = 0; i < count; i++) {
        talk->ends[CLIENT].port = (uint16_t)i;
        talk->ends[CLIENT].bytes[1] = (uint8_t)(i >> 16);
        say(talk, CLIENT, "SYN", i, 0, 0, 65535);
    }
    unsigned held = count - talk->gone_count;
    assert_int_equal(flow_table_count(talk->table), count);
    assert_int_equal(held, 262144);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    assert_true((after - before) / held < 1024);
    assert_int_equal(talk->gone[0].id, 1); /* the longest idle first */
    assert_int_equal(talk->gone[7].id, 8);
}

static void beyond_the_limit_ended_flows_go_first_and_then_idle_ones(void **state)
{
    struct talk *talk = *state;
    for (unsigned i = 0; i < 262144; i++) {
        talk->ends[CLIENT].port = (uint16_t)i;
        talk->ends[CLIENT].bytes[1] = (uint8_t)(i >> 16);
        talk->time = 0;
        say(talk, CLIENT, "SYN", i, 0, 0, 65535);
        if (i == 777)
            say(talk, SERVER, "RST ACK", 0, i + 1, 0, 0);
    }
    talk->ends[CLIENT] = talk_end(1, 0);
    say(talk, CLIENT, "SYN", 0, 0, 0, 65535); /* the oldest is not idle */
    assert_int_equal(talk->facts.flow->id, 1);
    assert_int_equal(talk->gone_count, 0);
    talk->ends[CLIENT].bytes[1] = 99;
    say(talk, CLIENT, "SYN", 1, 0, 0, 65535);
    assert_int_equal(talk->gone_count, 1);
    assert_int_equal(talk->gone[0].id, 778);
    talk->ends[CLIENT].bytes[1] = 100;
    say(talk, CLIENT, "SYN", 1, 0, 0, 65535);
    assert_int_equal(talk->gone[1].id, 2);
}

static void texts_of_closes_and_handshakes(void **state)
{
    (void)state;
    static const char *const closes[] = {"open", "closed", "half-closed", "reset", "refused"};
    struct flow flow = {0};
    for (int i = 0; i < 5; i++) {
        flow.close = (enum flow_close)i;
        assert_string_equal(flow_close_text(&flow), closes[i]);
    }
    assert_string_equal(flow_handshake_text(&flow), "none");
    flow.handshake = 3;
    assert_string_equal(flow_handshake_text(&flow), "SYN, SYN ACK");
    flow.handshake = 7;
    assert_string_equal(flow_handshake_text(&flow), "SYN, SYN ACK, ACK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(both_directions_are_one_flow),
        TALK_TEST(another_port_address_or_family_is_another_flow),
        TALK_TEST(ids_count_all_flows_and_streams_each_protocol),
        TALK_TEST(first_sender_of_udp_is_the_client),
        TALK_TEST(other_packets_belong_to_no_flow),
        TALK_TEST(first_fragment_is_counted_and_not_analysed),
        TALK_TEST(segment_with_a_cut_header_is_counted_and_not_analysed),
        TALK_TEST(flow_remembers_its_first_and_last_packet),
        TALK_TEST(ended_flow_goes_after_a_minute_of_silence_and_not_before),
        TALK_TEST(open_flow_stays_however_long_it_is_silent),
        TALK_TEST(packet_keeps_an_ended_flow),
        TALK_TEST(ended_flows_go_in_the_order_they_fell_silent),
        TALK_TEST(flow_whose_ports_were_reused_is_still_reported),
        TALK_TEST(end_lets_all_go_in_the_order_of_ids),
        TALK_TEST(close_tells_nobody),
        TALK_TEST(let_go_flow_gives_its_remembered_segments_back),
        TALK_TEST(million_syns_stay_within_the_limit_and_under_1_KiB_each),
        TALK_TEST(beyond_the_limit_ended_flows_go_first_and_then_idle_ones),
        TALK_TEST(texts_of_closes_and_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
