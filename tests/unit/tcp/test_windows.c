#include "unit/tcp/talk.h"

static void windows_that_close_and_open_are_marked(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1001, 0, 0), MARK_ZERO_WINDOW);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1001, 0, 500), MARK_WINDOW_UPDATE);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1001, 0, 500), MARK_DUPLICATE_ACK);
}

static void rst_and_fin_with_window_0_are_not_marked(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    assert_int_equal(say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 0), 0);
    assert_int_equal(say(talk, SERVER, "RST ACK", 5001, 1002, 0, 0), 0);
}

static void byte_into_a_closed_window_is_a_probe(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 0);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 1, 65535), MARK_ZERO_WINDOW_PROBE);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1001, 0, 0),
                     MARK_ZERO_WINDOW | MARK_ZERO_WINDOW_PROBE_ACK);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 1000);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535), 0); /* the byte again */
    assert_int_equal(talk->facts.flow->side[CLIENT].unique_bytes, 100);
}

static void byte_into_an_open_window_is_no_probe(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 1, 65535), 0);
}

static void segment_up_to_the_windows_edge_fills_it(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 300);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 200, 65535), 0);
    assert_int_equal(say(talk, CLIENT, "ACK", 1201, 5001, 100, 65535), MARK_WINDOW_FULL);
}

static void window_of_unknown_scale_is_never_full(void **state)
{
    struct talk *talk = *state;
    say(talk, SERVER, "ACK", 5001, 1001, 0, 300);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 300, 65535), 0);
}

static void windows_are_scaled_if_both_syns_say_so(void **state)
{
    struct talk *talk = *state;
    with_scale(talk, 7);
    say(talk, CLIENT, "SYN", 1000, 0, 0, 1000);
    assert_int_equal(talk->facts.window, 1000);
    assert_false(talk->facts.window_scaled);
    with_scale(talk, 2);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 1000);
    assert_int_equal(talk->facts.window, 1000);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 1000);
    assert_int_equal(talk->facts.window, 128000);
    assert_true(talk->facts.window_scaled);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 1000);
    assert_int_equal(talk->facts.window, 4000);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 4000, 1000), MARK_WINDOW_FULL);
    assert_int_equal(talk->facts.flow->side[CLIENT].window_scale, 7);
}

static void windows_are_not_scaled_if_one_syn_is_silent(void **state)
{
    struct talk *talk = *state;
    with_scale(talk, 7);
    say(talk, CLIENT, "SYN", 1000, 0, 0, 1000);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 1000);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 1000);
    assert_int_equal(talk->facts.window, 1000);
    assert_false(talk->facts.window_scaled);
}

static void syn_whose_options_are_cut_is_not_silent(void **state)
{
    struct talk *talk = *state;
    with_scale(talk, 7);
    say(talk, CLIENT, "SYN", 1000, 0, 0, 1000);
    with_cut_options(talk);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 1000);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 1000);
    assert_int_equal(talk->facts.window, 128000);
    assert_true(talk->facts.window_scaled);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 1000);
    assert_false(talk->facts.window_scaled);
}

static void scale_above_14_counts_as_14(void **state)
{
    struct talk *talk = *state;
    with_scale(talk, 200);
    say(talk, CLIENT, "SYN", 1000, 0, 0, 1000);
    with_scale(talk, 200);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 1000);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 2);
    assert_int_equal(talk->facts.window, 2 << 14);
}

static void keep_alive_and_its_ack_are_marked(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, SERVER, "ACK", 5001, 1001, 0, 65535);
    talk->time += 60 * S;
    assert_int_equal(say(talk, CLIENT, "ACK", 1000, 5001, 0, 65535), MARK_KEEP_ALIVE);
    assert_int_equal(say(talk, SERVER, "ACK", 5001, 1001, 0, 65535), MARK_KEEP_ALIVE_ACK);
    assert_int_equal(say(talk, CLIENT, "ACK", 1000, 5001, 1, 65535), MARK_KEEP_ALIVE);
    assert_int_equal(talk->facts.flow->side[CLIENT].unique_bytes, 0);
}

static void fin_one_byte_back_is_no_keep_alive(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    talk->time += S;
    assert_int_equal(say(talk, CLIENT, "FIN ACK", 1000, 5001, 0, 65535), MARK_RETRANSMISSION);
}

static void bytes_in_flight_are_those_not_acknowledged(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 100);
    say(talk, CLIENT, "ACK", 1101, 5001, 200, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 300);
    say(talk, SERVER, "ACK", 5001, 1051, 0, 65535);
    say(talk, CLIENT, "ACK", 1301, 5001, 10, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 260);
    talk->time += S;
    say(talk, CLIENT, "ACK", 1101, 5001, 200, 65535); /* again */
    assert_int_equal(talk->facts.bytes_in_flight, 260);
    talk->packet.tcp.options_seen = TCP_SEEN_SACK;
    talk->packet.tcp.sack_count = 1;
    talk->packet.tcp.sack[0][0] = 1101;
    talk->packet.tcp.sack[0][1] = 1301;
    say(talk, SERVER, "ACK", 5001, 1051, 0, 65535);
    say(talk, CLIENT, "FIN ACK", 1311, 5001, 5, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 65);
}

static void bytes_in_flight_stay_right_beyond_what_is_remembered(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    for (uint32_t i = 0; i < 70000; i++)
        say(talk, CLIENT, "ACK", 1001 + i, 5001, 1, 65535);
    assert_true(talk->facts.bytes_in_flight > 0);
    say(talk, SERVER, "ACK", 5001, 71001, 0, 65535);
    say(talk, CLIENT, "ACK", 71001, 5001, 7, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 7);
}

static void window_of_a_syn_ack_is_not_scaled_when_it_fills(void **state)
{
    struct talk *talk = *state;
    with_scale(talk, 7);
    say(talk, CLIENT, "SYN", 1000, 0, 0, 1000);
    with_scale(talk, 7);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 300);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 1000);
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 300, 1000), MARK_WINDOW_FULL);
}

static void bytes_in_flight_are_known_again_after_an_ack(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1101, 5001, 100, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 0);
    say(talk, SERVER, "ACK", 5001, 1201, 0, 65535);
    say(talk, CLIENT, "ACK", 1201, 5001, 100, 65535);
    assert_int_equal(talk->facts.bytes_in_flight, 100);
}

static void new_bytes_behind_a_probes_one_are_no_repetition(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "ACK", 1001, 5001, 1, 65535);
    talk->time += S;
    assert_int_equal(say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535), 0);
    assert_int_equal(talk->facts.flow->side[CLIENT].unique_bytes, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(windows_that_close_and_open_are_marked),
        TALK_TEST(rst_and_fin_with_window_0_are_not_marked),
        TALK_TEST(byte_into_a_closed_window_is_a_probe),
        TALK_TEST(byte_into_an_open_window_is_no_probe),
        TALK_TEST(segment_up_to_the_windows_edge_fills_it),
        TALK_TEST(window_of_unknown_scale_is_never_full),
        TALK_TEST(windows_are_scaled_if_both_syns_say_so),
        TALK_TEST(windows_are_not_scaled_if_one_syn_is_silent),
        TALK_TEST(syn_whose_options_are_cut_is_not_silent),
        TALK_TEST(scale_above_14_counts_as_14),
        TALK_TEST(keep_alive_and_its_ack_are_marked),
        TALK_TEST(fin_one_byte_back_is_no_keep_alive),
        TALK_TEST(bytes_in_flight_are_those_not_acknowledged),
        TALK_TEST(bytes_in_flight_stay_right_beyond_what_is_remembered),
        TALK_TEST(window_of_a_syn_ack_is_not_scaled_when_it_fills),
        TALK_TEST(bytes_in_flight_are_known_again_after_an_ack),
        TALK_TEST(new_bytes_behind_a_probes_one_are_no_repetition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
