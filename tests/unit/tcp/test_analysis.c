#include "unit/tcp/talk.h"

static void names_are_those_of_the_ladder(void **state)
{
    (void)state;
    for (int i = 0; i < MARK_COUNT; i++)
        assert_string_not_equal(tcp_mark_name((enum tcp_mark)(1 << i)), "?");
    assert_string_equal(tcp_mark_name(MARK_OUT_OF_ORDER), "out-of-order");
    assert_string_equal(tcp_mark_name(MARK_ZERO_WINDOW_PROBE_ACK), "zero window probe ACK");
}

static void ordinary_exchange_has_no_marks(void **state)
{
    struct talk *talk = *state;
    assert_int_equal(say(talk, CLIENT, "SYN", 1000, 0, 0, 65535), 0);
    assert_int_equal(say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535), 0);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535), 0);
    assert_int_equal(say(talk, CLIENT, "PSH ACK", 1001, 5001, 21, 65535), 0);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1022, 0, 65535), 0);
    assert_int_equal(say(talk, SERVER, "PSH ACK", 5001, 1022, 30, 65535), 0);
    assert_int_equal(say(talk, CLIENT, "ACK", 1022, 5031, 0, 65535), 0);
    assert_int_equal(say(talk, CLIENT, "FIN ACK", 1022, 5031, 0, 65535), 0);
    assert_int_equal(say(talk, SERVER, "FIN ACK", 5031, 1023, 0, 65535), 0);
    assert_int_equal(say(talk, CLIENT, "ACK", 1023, 5032, 0, 65535), 0);
}

static void relative_numbers_count_from_the_syn(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.relative_seq, 0);
    assert_int_equal(talk->facts.relative_ack, 0);
    assert_int_equal(talk->facts.next_seq, 1);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_int_equal(talk->facts.relative_seq, 0);
    assert_int_equal(talk->facts.relative_ack, 1);
    say(talk, CLIENT, "PSH ACK", 1001, 5001, 21, 65535);
    assert_int_equal(talk->facts.relative_seq, 1);
    assert_int_equal(talk->facts.relative_ack, 1);
    assert_int_equal(talk->facts.next_seq, 22);
}

static void relative_numbers_of_the_middle_begin_at_1(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "PSH ACK", 777, 888, 10, 65535);
    assert_int_equal(talk->facts.relative_seq, 1);
    assert_int_equal(talk->facts.relative_ack, 1);
    say(talk, SERVER, "ACK", 888, 787, 0, 65535);
    assert_int_equal(talk->facts.relative_seq, 1);
    assert_int_equal(talk->facts.relative_ack, 11);
}

static void late_segment_sent_again_is_a_retransmission(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "PSH ACK", 1001, 5001, 100, 65535);
    talk->time += 200 * MS;
    assert_int_equal(say(talk, CLIENT, "PSH ACK", 1001, 5001, 100, 65535), MARK_RETRANSMISSION);
    assert_int_equal(talk->facts.flow->side[CLIENT].retransmissions, 1);
    assert_int_equal(talk->facts.flow->side[CLIENT].bytes, 200);
    assert_int_equal(talk->facts.flow->side[CLIENT].unique_bytes, 100);
}

static void syn_sent_again_is_a_retransmission_in_the_same_flow(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    talk->time += S;
    assert_int_equal(say(talk, CLIENT, "SYN", 1000, 0, 0, 65535), MARK_RETRANSMISSION);
    assert_int_equal(talk->facts.flow->id, 1);
}

static void segment_sent_again_after_two_duplicate_acks_is_fast(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    for (uint32_t i = 0; i < 4; i++)
        say(talk, CLIENT, "ACK", 1001 + 100 * i, 5001, 100, 65535);
    say(talk, SERVER, "ACK", 5001, 1101, 0, 65535);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1101, 0, 65535), MARK_DUPLICATE_ACK);
    assert_int_equal(talk->facts.duplicate_number, 1);
    assert_int_equal(talk->facts.duplicate_of, talk->number - 1);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1101, 0, 65535), MARK_DUPLICATE_ACK);
    assert_int_equal(talk->facts.duplicate_number, 2);
    assert_int_equal(talk->facts.duplicate_of, talk->number - 2);
    assert_int_equal(say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535), MARK_FAST_RETRANSMISSION);
}

static void segment_sent_again_long_after_the_duplicates_is_not_fast(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    for (uint32_t i = 0; i < 4; i++)
        say(talk, CLIENT, "ACK", 1001 + 100 * i, 5001, 100, 65535);
    for (int i = 0; i < 3; i++)
        say(talk, SERVER, "ACK", 5001, 1101, 0, 65535);
    talk->time += 20 * MS;
    assert_int_equal(say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535), MARK_RETRANSMISSION);
}

static void acknowledged_segment_sent_again_is_spurious(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535);
    say(talk, SERVER, "ACK", 5001, 1101, 0, 65535);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535),
                     MARK_SPURIOUS_RETRANSMISSION);
    assert_int_equal(talk->facts.flow->side[CLIENT].retransmissions, 1);
}

static void hole_and_its_late_filler_are_marked(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    talk->time -= MS; /* within the first round trip time of 2 ms */
    assert_int_equal(say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535), MARK_PREVIOUS_NOT_CAPTURED);
    assert_int_equal(talk->facts.bytes_in_flight, 0);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535), MARK_OUT_OF_ORDER);
    assert_int_equal(talk->facts.flow->side[CLIENT].unique_bytes, 200);
    assert_int_equal(talk->facts.flow->side[CLIENT].retransmissions, 0);
}

static void late_filler_after_a_round_trip_is_a_retransmission(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535);
    talk->time += 5 * MS;
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535), MARK_RETRANSMISSION);
}

static void rst_behind_a_hole_is_not_marked(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    assert_int_equal(say(talk, CLIENT, "RST", 1500, 0, 0, 0), 0);
}

static void ack_of_uncaptured_bytes_is_marked_once(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1501, 0, 65535), MARK_ACKED_UNSEEN);
    assert_int_equal(say(talk, SERVER, "PSH ACK", 5001, 1501, 10, 65535), 0);
}

static void ack_of_data_or_with_another_ack_number_is_no_duplicate(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 65535);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1001, 10, 65535), 0);
    say(talk, CLIENT, "ACK", 1001, 5011, 50, 65535);
    assert_int_equal(say(talk, SERVER, "ACK", 5011, 1051, 0, 65535), 0);
    assert_int_equal(talk->facts.duplicate_number, 0);
}

static void new_syn_on_known_addresses_is_another_flow(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "CLOSED");
    assert_int_equal(say(talk, CLIENT, "SYN", 90000, 0, 0, 65535), MARK_PORT_REUSED);
    assert_true(talk->facts.new_flow);
    assert_int_equal(talk->facts.flow->id, 2);
    assert_int_equal(talk->facts.flow->stream, 1);
    assert_states(talk, "SYN-SENT", "LISTEN");
    say(talk, SERVER, "SYN ACK", 70000, 90001, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 2);
}

static void syn_ack_with_another_number_is_marked_in_the_same_flow(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_true(say(talk, SERVER, "SYN ACK", 9000, 1001, 0, 65535) & MARK_PORT_REUSED);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_int_equal(talk->facts.relative_seq, 0);
}

static void refused_syn_sent_again_opens_the_flow_again(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "RST ACK", 0, 1001, 0, 0);
    talk->time += S;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.flow->id, 1);
    assert_states(talk, "SYN-SENT", "LISTEN");
    assert_string_equal(flow_close_text(talk->facts.flow), "open");
    say(talk, SERVER, "RST ACK", 0, 1001, 0, 0);
    assert_string_equal(flow_close_text(talk->facts.flow), "refused");
}

static void same_syn_makes_void_what_a_rst_claimed(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, CLIENT, "RST", 7000, 0, 0, 0); /* to an older connection's ACK */
    talk->time += S;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 9000, 1001, 0, 65535);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 9001, 50, 65535), 0);
}

static void rst_of_a_closed_port_says_nothing_of_the_stream(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN", 0x90000000u, 0, 0, 65535);
    say(talk, SERVER, "RST ACK", 0, 1001, 0, 0); /* 0 is ahead of its SYN */
    say(talk, CLIENT, "SYN ACK", 1000, 0x90000001u, 0, 65535);
    assert_int_equal(say(talk, SERVER, "ACK", 0x90000001u, 1001, 50, 65535), 0);
}

static void round_trips_are_measured_to_the_segment_that_ends_there(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    assert_int_equal(talk->facts.rtt, MS);
    assert_int_equal(talk->facts.rtt_of, 2);
    say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535); /* number 4 */
    say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535); /* number 5 */
    talk->time += 9 * MS;
    say(talk, SERVER, "ACK", 5001, 1201, 0, 65535);
    assert_int_equal(talk->facts.rtt, 10 * MS);
    assert_int_equal(talk->facts.rtt_of, 5);
    const struct flow_side *client = &talk->facts.flow->side[CLIENT];
    assert_int_equal(client->rtt_last, 10 * MS);
    assert_int_equal(client->rtt_min, MS);
    assert_int_equal(client->rtt_max, 10 * MS);
    assert_int_equal(client->rtt_sum, 11 * MS);
    assert_int_equal(client->rtt_count, 2);
    say(talk, CLIENT, "ACK", 1201, 5001, 100, 65535);
    say(talk, SERVER, "ACK", 5001, 1250, 0, 65535); /* amid it: not timed */
    assert_int_equal(talk->facts.rtt_of, 0);
}

static void marks_hold_across_the_wrap_of_sequence_numbers(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 0xffffff00, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 0xfffffff0, 0xffffff01, 0, 65535);
    say(talk, CLIENT, "ACK", 0xffffff01, 0xfffffff1, 0, 65535);
    assert_int_equal(say(talk, CLIENT, "ACK", 0xffffff01, 0xfffffff1, 255, 65535), 0);
    assert_int_equal(talk->facts.next_seq, 256);
    assert_int_equal(say(talk, CLIENT, "ACK", 0, 0xfffffff1, 100, 65535), 0); /* begins at 0 */
    assert_int_equal(talk->facts.bytes_in_flight, 355);
    assert_int_equal(talk->facts.relative_seq, 256);
    assert_int_equal(say(talk, SERVER, "ACK", 0xfffffff1, 0, 0, 65535), 0);
    assert_int_equal(talk->facts.rtt_of, 4);
    assert_int_equal(say(talk, SERVER, "ACK", 0xfffffff1, 0, 0, 65535), MARK_DUPLICATE_ACK);
    assert_int_equal(say(talk, CLIENT, "ACK", 200, 0xfffffff1, 10, 65535),
                     MARK_PREVIOUS_NOT_CAPTURED);
    talk->time += S;
    assert_int_equal(say(talk, CLIENT, "ACK", 0, 0xfffffff1, 100, 65535), MARK_RETRANSMISSION);
    assert_int_equal(say(talk, CLIENT, "ACK", 0xffffff01, 0xfffffff1, 100, 65535),
                     MARK_SPURIOUS_RETRANSMISSION);
}

static void one_duplicate_ack_does_not_make_a_fast_retransmission(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    for (uint32_t i = 0; i < 4; i++)
        say(talk, CLIENT, "ACK", 1001 + 100 * i, 5001, 100, 65535);
    say(talk, SERVER, "ACK", 5001, 1101, 0, 65535);
    say(talk, SERVER, "ACK", 5001, 1101, 0, 65535);
    talk->time += 5 * MS;
    assert_int_equal(say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535), MARK_RETRANSMISSION);
}

static void duplicates_are_counted_anew_for_each_ack_number(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 65535);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 65535);
    say(talk, SERVER, "ACK", 5001, 1051, 0, 65535);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1051, 0, 65535), MARK_DUPLICATE_ACK);
    assert_int_equal(talk->facts.duplicate_number, 1);
    assert_int_equal(talk->facts.duplicate_of, talk->number - 1);
}

static void newest_segment_sent_again_at_once_is_not_out_of_order(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535), MARK_RETRANSMISSION);
}

static void absurd_times_do_no_harm(void **state)
{
    struct talk *talk = *state;
    talk->time = INT64_MIN;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    talk->time = INT64_MAX - MS;
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_int_equal(talk->facts.rtt, INT64_MAX);
    talk->time = INT64_MIN;
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
    assert_true(talk->facts.rtt < 0);
    assert_int_equal(talk->facts.flow->side[SERVER].rtt_count, 0);
}

static void options_of_both_syns_are_kept(void **state)
{
    struct talk *talk = *state;
    talk->packet.tcp.options_seen = TCP_SEEN_MSS | TCP_SEEN_SACK_PERMITTED | TCP_SEEN_TIMESTAMPS;
    talk->packet.tcp.mss = 1460;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    const struct flow_side *client = &talk->facts.flow->side[CLIENT];
    assert_true(client->has_options && client->sack_permitted && client->timestamps);
    assert_int_equal(client->mss, 1460);
    assert_int_equal(client->window_scale, 255);
    assert_false(talk->facts.flow->side[SERVER].has_options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(names_are_those_of_the_ladder),
        TALK_TEST(ordinary_exchange_has_no_marks),
        TALK_TEST(relative_numbers_count_from_the_syn),
        TALK_TEST(relative_numbers_of_the_middle_begin_at_1),
        TALK_TEST(late_segment_sent_again_is_a_retransmission),
        TALK_TEST(syn_sent_again_is_a_retransmission_in_the_same_flow),
        TALK_TEST(segment_sent_again_after_two_duplicate_acks_is_fast),
        TALK_TEST(segment_sent_again_long_after_the_duplicates_is_not_fast),
        TALK_TEST(acknowledged_segment_sent_again_is_spurious),
        TALK_TEST(hole_and_its_late_filler_are_marked),
        TALK_TEST(late_filler_after_a_round_trip_is_a_retransmission),
        TALK_TEST(rst_behind_a_hole_is_not_marked),
        TALK_TEST(ack_of_uncaptured_bytes_is_marked_once),
        TALK_TEST(ack_of_data_or_with_another_ack_number_is_no_duplicate),
        TALK_TEST(new_syn_on_known_addresses_is_another_flow),
        TALK_TEST(syn_ack_with_another_number_is_marked_in_the_same_flow),
        TALK_TEST(refused_syn_sent_again_opens_the_flow_again),
        TALK_TEST(same_syn_makes_void_what_a_rst_claimed),
        TALK_TEST(rst_of_a_closed_port_says_nothing_of_the_stream),
        TALK_TEST(round_trips_are_measured_to_the_segment_that_ends_there),
        TALK_TEST(marks_hold_across_the_wrap_of_sequence_numbers),
        TALK_TEST(one_duplicate_ack_does_not_make_a_fast_retransmission),
        TALK_TEST(duplicates_are_counted_anew_for_each_ack_number),
        TALK_TEST(newest_segment_sent_again_at_once_is_not_out_of_order),
        TALK_TEST(absurd_times_do_no_harm),
        TALK_TEST(options_of_both_syns_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
