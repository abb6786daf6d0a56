#include "unit/tcp/talk.h"

static void handshake_follows_figure_6(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_int_equal(talk->facts.before[CLIENT], TCP_STATE_CLOSED);
    assert_int_equal(talk->facts.before[SERVER], TCP_STATE_LISTEN);
    assert_states(talk, "SYN-SENT", "LISTEN");
    assert_true(talk->facts.new_flow);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_int_equal(talk->facts.before[CLIENT], TCP_STATE_SYN_SENT);
    assert_states(talk, "ESTABLISHED", "SYN-RECEIVED");
    assert_false(talk->facts.new_flow);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_string_equal(flow_handshake_text(talk->facts.flow), "SYN, SYN ACK, ACK");
    assert_int_equal(talk->facts.flow->handshake_rtt, 2 * MS);
    assert_false(talk->facts.flow->from_middle);
}

static void handshake_again_changes_nothing(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_int_equal(talk->facts.flow->handshake_rtt, 2 * MS);
}

static void handshake_completed_by_data(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    say(talk, CLIENT, "PSH ACK", 1001, 5001, 10, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_string_equal(flow_handshake_text(talk->facts.flow), "SYN, SYN ACK, ACK");
}

static void close_by_the_client(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    assert_states(talk, "FIN-WAIT-1", "CLOSE-WAIT");
    assert_string_equal(flow_close_text(talk->facts.flow), "half-closed");
    say(talk, SERVER, "ACK", 5001, 1002, 0, 65535);
    assert_states(talk, "FIN-WAIT-2", "CLOSE-WAIT");
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "LAST-ACK");
    assert_string_equal(flow_close_text(talk->facts.flow), "half-closed");
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "CLOSED");
    assert_string_equal(flow_close_text(talk->facts.flow), "closed");
    assert_int_equal(talk->facts.flow->closed_by, CLIENT);
}

static void close_by_the_server_with_data_in_the_fin(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, SERVER, "FIN PSH ACK", 5001, 1001, 7, 65535);
    assert_states(talk, "CLOSE-WAIT", "FIN-WAIT-1");
    assert_int_equal(talk->facts.next_seq, 9);
    say(talk, CLIENT, "ACK", 1001, 5008, 0, 65535); /* the data, not the FIN */
    assert_states(talk, "CLOSE-WAIT", "FIN-WAIT-1");
    say(talk, CLIENT, "ACK", 1001, 5009, 0, 65535);
    assert_states(talk, "CLOSE-WAIT", "FIN-WAIT-2");
    assert_int_equal(talk->facts.flow->closed_by, SERVER);
}

static void fin_that_acknowledges_a_fin_leads_to_time_wait(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "LAST-ACK");
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "CLOSED");
}

static void fins_that_cross_lead_both_to_closing_and_time_wait(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "FIN ACK", 5001, 1001, 0, 65535);
    assert_states(talk, "CLOSING", "CLOSING");
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    assert_states(talk, "CLOSING", "TIME-WAIT");
    say(talk, SERVER, "ACK", 5002, 1002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "TIME-WAIT");
    assert_string_equal(flow_close_text(talk->facts.flow), "closed");
}

static void half_closed_connection_still_carries_data(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "ACK", 5001, 1002, 0, 65535);
    say(talk, SERVER, "PSH ACK", 5001, 1002, 100, 65535);
    assert_states(talk, "FIN-WAIT-2", "CLOSE-WAIT");
    say(talk, CLIENT, "ACK", 1002, 5101, 0, 65535);
    assert_states(talk, "FIN-WAIT-2", "CLOSE-WAIT");
    assert_string_equal(flow_close_text(talk->facts.flow), "half-closed");
}

static void retransmitted_fin_changes_nothing(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    assert_states(talk, "FIN-WAIT-1", "CLOSE-WAIT");
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "LAST-ACK");
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "CLOSED");
}

static void fin_behind_a_hole_is_taken_when_it_is_acknowledged(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1101, 5001, 0, 65535);
    assert_states(talk, "FIN-WAIT-1", "ESTABLISHED");
    say(talk, SERVER, "ACK", 5001, 1001, 0, 65535);
    assert_states(talk, "FIN-WAIT-1", "ESTABLISHED");
    say(talk, CLIENT, "ACK", 1001, 5001, 100, 65535);
    say(talk, SERVER, "ACK", 5001, 1102, 0, 65535);
    assert_states(talk, "FIN-WAIT-2", "CLOSE-WAIT");
}

static void syns_that_cross_establish_both(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN", 5000, 0, 0, 65535);
    assert_states(talk, "SYN-RECEIVED", "SYN-RECEIVED");
    say(talk, CLIENT, "SYN ACK", 1000, 5001, 0, 65535);
    assert_states(talk, "SYN-RECEIVED", "ESTABLISHED");
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_int_equal(talk->facts.flow->id, 1);
}

static void refused_connection_is_closed_at_both_ends(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "RST ACK", 0, 1001, 0, 0);
    assert_states(talk, "CLOSED", "CLOSED");
    assert_string_equal(flow_close_text(talk->facts.flow), "refused");
    assert_string_equal(flow_handshake_text(talk->facts.flow), "SYN");
    assert_int_equal(talk->facts.flow->closed_by, SERVER);
}

static void rst_that_does_not_acknowledge_the_syn_is_not_believed(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "RST ACK", 0, 777, 0, 0);
    assert_int_equal(talk->facts.after[CLIENT], TCP_STATE_SYN_SENT);
    assert_string_equal(flow_close_text(talk->facts.flow), "open");
}

static void rst_from_the_unconnected_client_returns_the_server_to_listen(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    say(talk, CLIENT, "RST", 1001, 0, 0, 0);
    assert_states(talk, "CLOSED", "LISTEN");
    assert_string_equal(flow_close_text(talk->facts.flow), "reset");
}

static void rst_after_syns_that_crossed_closes_both(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN", 5000, 0, 0, 65535);
    say(talk, CLIENT, "RST", 1001, 0, 0, 0);
    assert_states(talk, "CLOSED", "CLOSED");
}

static void rst_closes_both_ends_in_any_later_state(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "RST ACK", 1001, 5001, 0, 0);
    assert_states(talk, "CLOSED", "CLOSED");
    assert_string_equal(flow_close_text(talk->facts.flow), "reset");
    assert_int_equal(talk->facts.flow->closed_by, CLIENT);

    talk->ends[CLIENT].port++;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "RST", 5001, 0, 0, 0);
    assert_states(talk, "CLOSED", "CLOSED");
    assert_string_equal(flow_close_text(talk->facts.flow), "reset");
    assert_int_equal(talk->facts.flow->closed_by, CLIENT);
}

static void rst_after_an_orderly_close_leaves_it_closed(void **state)
{
    struct talk *talk = *state;
    shake_hands(talk);
    say(talk, CLIENT, "FIN ACK", 1001, 5001, 0, 65535);
    say(talk, SERVER, "FIN ACK", 5001, 1002, 0, 65535);
    say(talk, CLIENT, "ACK", 1002, 5002, 0, 65535);
    say(talk, SERVER, "RST", 5002, 0, 0, 0);
    assert_states(talk, "CLOSED", "CLOSED");
    assert_string_equal(flow_close_text(talk->facts.flow), "closed");
}

static void half_open_connection_is_discovered_as_in_figure_9(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "ACK", 5001, 700, 0, 65535); /* still in its old connection */
    assert_states(talk, "SYN-SENT", "ESTABLISHED");
    say(talk, CLIENT, "RST", 700, 0, 0, 0);
    assert_states(talk, "SYN-SENT", "CLOSED");
}

static void middle_of_a_connection_is_taken_as_established(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "PSH ACK", 1001, 5001, 10, 500);
    assert_int_equal(talk->facts.before[CLIENT], TCP_STATE_UNKNOWN);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_true(talk->facts.flow->from_middle);
    assert_string_equal(flow_handshake_text(talk->facts.flow), "none");
    say(talk, SERVER, "FIN ACK", 5001, 1011, 0, 500);
    assert_states(talk, "CLOSE-WAIT", "FIN-WAIT-1");
}

static void syn_ack_first_comes_from_the_server(void **state)
{
    struct talk *talk = *state;
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    assert_int_equal(talk->facts.from, FLOW_SERVER);
    assert_int_equal(talk->facts.flow->side[FLOW_SERVER].address.port, 80);
    assert_states(talk, "ESTABLISHED", "SYN-RECEIVED");
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    assert_string_equal(flow_handshake_text(talk->facts.flow), "SYN ACK, ACK");
    assert_true(talk->facts.flow->from_middle);
}

static void missing_syn_ack_is_inferred_from_the_clients_ack(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
}

static void socket_connected_to_itself_goes_through_simultaneous_open(void **state)
{
    struct talk *talk = *state;
    talk->ends[SERVER] = talk->ends[CLIENT];
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    assert_states(talk, "SYN-RECEIVED", "SYN-RECEIVED");
    say(talk, CLIENT, "SYN ACK", 1000, 1001, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    say(talk, CLIENT, "FIN ACK", 1001, 1001, 0, 65535);
    assert_states(talk, "CLOSING", "CLOSING");
    say(talk, CLIENT, "ACK", 1002, 1002, 0, 65535);
    assert_states(talk, "TIME-WAIT", "TIME-WAIT");
    assert_string_equal(flow_close_text(talk->facts.flow), "closed");
}

static void states_hold_across_the_wrap_of_sequence_numbers(void **state)
{
    struct talk *talk = *state;
    say(talk, CLIENT, "SYN", 0xffffffff, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 0xfffffff0, 0, 0, 65535);
    assert_states(talk, "ESTABLISHED", "SYN-RECEIVED");
    say(talk, CLIENT, "ACK", 0, 0xfffffff1, 0, 65535);
    assert_states(talk, "ESTABLISHED", "ESTABLISHED");
    say(talk, SERVER, "FIN PSH ACK", 0xfffffff1, 0, 14, 65535);
    assert_states(talk, "CLOSE-WAIT", "FIN-WAIT-1");
    say(talk, CLIENT, "FIN ACK", 0, 0, 0, 65535);
    assert_states(talk, "LAST-ACK", "TIME-WAIT");
    say(talk, SERVER, "ACK", 0, 1, 0, 65535);
    assert_states(talk, "CLOSED", "TIME-WAIT");
}

static void udp_has_no_states(void **state)
{
    struct talk *talk = *state;
    say_udp(talk, CLIENT, 5);
    assert_int_equal(talk->facts.after[CLIENT], TCP_STATE_UNKNOWN);
    assert_int_equal(talk->facts.after[SERVER], TCP_STATE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(handshake_follows_figure_6),
        TALK_TEST(handshake_again_changes_nothing),
        TALK_TEST(handshake_completed_by_data),
        TALK_TEST(close_by_the_client),
        TALK_TEST(close_by_the_server_with_data_in_the_fin),
        TALK_TEST(fin_that_acknowledges_a_fin_leads_to_time_wait),
        TALK_TEST(fins_that_cross_lead_both_to_closing_and_time_wait),
        TALK_TEST(half_closed_connection_still_carries_data),
        TALK_TEST(retransmitted_fin_changes_nothing),
        TALK_TEST(fin_behind_a_hole_is_taken_when_it_is_acknowledged),
        TALK_TEST(syns_that_cross_establish_both),
        TALK_TEST(refused_connection_is_closed_at_both_ends),
        TALK_TEST(rst_that_does_not_acknowledge_the_syn_is_not_believed),
        TALK_TEST(rst_from_the_unconnected_client_returns_the_server_to_listen),
        TALK_TEST(rst_after_syns_that_crossed_closes_both),
        TALK_TEST(rst_closes_both_ends_in_any_later_state),
        TALK_TEST(rst_after_an_orderly_close_leaves_it_closed),
        TALK_TEST(half_open_connection_is_discovered_as_in_figure_9),
        TALK_TEST(middle_of_a_connection_is_taken_as_established),
        TALK_TEST(syn_ack_first_comes_from_the_server),
        TALK_TEST(missing_syn_ack_is_inferred_from_the_clients_ack),
        TALK_TEST(socket_connected_to_itself_goes_through_simultaneous_open),
        TALK_TEST(states_hold_across_the_wrap_of_sequence_numbers),
        TALK_TEST(udp_has_no_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
