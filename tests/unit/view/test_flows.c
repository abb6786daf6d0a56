/*
 * The flows view, on traces made by hand and on flows that no trace would have.
 * UPDATE_GOLDEN=1 writes the golden files anew (golden.h).
 */
#include "unit/view/golden.h"
#include "unit/view/line_widths.h"
#include "unit/view/sample_traces.h"

#include "view/flows.h"

static struct view_options options_of(int columns, bool color, bool utf8)
{
    return (struct view_options){
        .terminal = {.columns = columns, .color = color, .utf8 = utf8},
        .file_name = "",
    };
}

/* Each way a connection can go, and what belongs to no flow. */
static void sample_all_ends(struct maker *maker)
{
    maker_open(maker);
    maker_interface(maker);
    struct maker_connection by_client = {{51234, 1000}, {80, 9000}};
    maker_handshake(maker, &by_client);
    maker_data(maker, &by_client.client, &by_client.server, "a question");
    maker_segment(maker, &by_client.client, &by_client.server, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_segment(maker, &by_client.server, &by_client.client, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_segment(maker, &by_client.client, &by_client.server, MAKER_ACK, 512, NULL);

    struct maker_connection reset = {{51235, 1000}, {80, 9000}};
    maker_handshake(maker, &reset);
    maker_segment(maker, &reset.server, &reset.client, MAKER_RST | MAKER_ACK, 0, NULL);

    struct maker_connection refused = {{51236, 1000}, {81, 0}};
    maker_segment(maker, &refused.client, &refused.server, MAKER_SYN, 65495, NULL);
    maker_segment(maker, &refused.server, &refused.client, MAKER_RST | MAKER_ACK, 0, NULL);

    struct maker_connection unanswered = {{51237, 1000}, {82, 0}};
    for (int i = 0; i < 3; i++) {
        unanswered.client.seq = 1000;
        maker_segment(maker, &unanswered.client, &unanswered.server, MAKER_SYN, 65495, NULL);
        maker->time += INT64_C(1000000000) << i;
    }
    struct maker_connection half = {{51238, 1000}, {80, 9000}};
    maker_handshake(maker, &half);
    maker_segment(maker, &half.client, &half.server, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_segment(maker, &half.server, &half.client, MAKER_ACK, 512, NULL);

    struct maker_connection half_open = {{51239, 1000}, {80, 9000}};
    maker_segment(maker, &half_open.client, &half_open.server, MAKER_SYN, 65495, NULL);
    maker_segment(maker, &half_open.server, &half_open.client, MAKER_SYN | MAKER_ACK, 65483, NULL);

    struct maker_connection middle = {{51240, 1000}, {80, 9000}};
    maker_data(maker, &middle.client, &middle.server, "in the middle of things");
    maker_data(maker, &middle.server, &middle.client, "and on it goes");
    maker_segment(maker, &middle.server, &middle.client, MAKER_RST, 0, NULL);

    maker_datagram(maker, 40000, 53, "who is it?");
    maker_unreachable(maker, 40000, 53);
}

typedef void sample(struct maker *maker);

static char *flows_of_sample(sample *make, const struct view_options *options)
{
    struct maker maker;
    make(&maker);
    char *text = maker_render(&maker, VIEW_FLOWS, options);
    maker_close(&maker);
    return text;
}

static void check(const char *name, sample *make, int columns, bool color, bool utf8)
{
    struct view_options options = options_of(columns, color, utf8);
    char *text = flows_of_sample(make, &options);
    golden_check(name, text);
    free(text);
}

static void every_way_to_end_is_told_and_by_whom(void **state)
{
    (void)state;
    check("flows-ends-80.txt", sample_all_ends, 80, false, true);
    check("flows-ends-80-ascii.txt", sample_all_ends, 80, false, false);
    check("flows-ends-80-color.txt", sample_all_ends, 80, true, true);
}

static void a_wide_terminal_shows_more_and_a_narrow_one_less(void **state)
{
    (void)state;
    check("flows-ends-140.txt", sample_all_ends, 140, false, true);
    check("flows-troubles-120.txt", sample_troubles, 120, false, true);
    check("flows-three-clients-40.txt", sample_three_clients, 40, false, true);
}

static void a_trace_without_flows_has_totals_alone(void **state)
{
    (void)state;
    struct maker maker;
    struct view_options options = options_of(80, false, true);
    maker_open(&maker);
    char *text = maker_render(&maker, VIEW_FLOWS, &options);
    assert_string_equal(text, "flows     none\npackets   none\n");
    free(text);
    maker_close(&maker);
}

static void a_selected_flow_is_alone_and_so_are_its_totals(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true);
    options.flow = 2;
    char *text = flows_of_sample(sample_all_ends, &options);
    assert_non_null(strstr(text, "  2 127.0.0.1:51235 ↔ :80"));
    assert_null(strstr(text, "  1 127.0.0.1:51234"));
    assert_non_null(strstr(text, "\nflows     1 TCP\n          1 reset\npackets   4 in "));
    free(text);
}

/* The view on flows given to it directly. */
static char *flows_of_flows(const struct flow *flows, size_t count,
                            const struct view_options *options, const struct error *damage)
{
    struct buffer out = {0};
    struct view *view = view_flows.open(options, &out);
    for (size_t i = 0; i < count; i++)
        view_flows.flow_ended(view, &flows[i]);
    view_flows.end(view, damage);
    view_flows.close(view);
    char *text = strdup(buffer_text(&out));
    assert_false(out.failed);
    buffer_free(&out);
    assert_non_null(text);
    return text;
}

static struct flow flow_between(const char *client, const char *server)
{
    struct flow flow = {.id = 1, .protocol = 6, .handshake = 7, .closed_by = 255};
    assert_true(address_parse_host(client, &flow.side[0].address));
    assert_true(address_parse_host(server, &flow.side[1].address));
    flow.side[0].address.port = 51234;
    flow.side[1].address.port = 443;
    return flow;
}

/* The first line that holds part. */
static const char *line_with(const char *text, const char *part, char line[512])
{
    const char *found = strstr(text, part);
    if (found == NULL) {
        fail_msg("there is no '%s' in:\n%s", part, text);
        return "";
    }
    while (found > text && found[-1] != '\n')
        found--;
    snprintf(line, 512, "%.*s", (int)strcspn(found, "\n"), found);
    return line;
}

static void addresses_without_room_stand_above_their_row_and_whole(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true);
    const struct flow flows[] = {
        flow_between("10.0.0.1", "10.0.0.2"),
        flow_between("192.168.100.23", "203.0.113.80"),
        flow_between("2001:db8:1111:2222:3333:4444:5555:6666", "2001:db8:7777:8888::aaaa:bbbb:1"),
    };
    char line[512];
    char *text = flows_of_flows(flows, 3, &options, NULL);
    assert_non_null(strstr(line_with(text, "10.0.0.1:51234 ↔ 10.0.0.2:443", line), " open "));
    assert_string_equal(line_with(text, "192.168", line),
                        "  1 192.168.100.23:51234 ↔ 203.0.113.80:443");
    assert_string_equal(line_with(text, "6666", line),
                        "  1 [2001:db8:1111:2222:3333:4444:5555:6666]:51234 ↔");
    assert_string_equal(line_with(text, "bbbb", line),
                        "    [2001:db8:7777:8888:0:aaaa:bbbb:1]:443");
    free(text);
}

static void one_host_is_named_twice_only_where_there_is_room(void **state)
{
    (void)state;
    struct flow flow = flow_between("127.0.0.1", "127.0.0.1");
    struct view_options narrow = options_of(80, false, true);
    struct view_options wide = options_of(90, false, true);
    char *text = flows_of_flows(&flow, 1, &narrow, NULL);
    assert_non_null(strstr(text, "127.0.0.1:51234 ↔ :443 "));
    free(text);
    text = flows_of_flows(&flow, 1, &wide, NULL);
    assert_non_null(strstr(text, "127.0.0.1:51234 ↔ 127.0.0.1:443 "));
    free(text);
}

static void without_a_handshake_the_shortest_round_trip_stands_in(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true);
    struct flow flow = flow_between("10.0.0.1", "10.0.0.2");
    char line[512];
    flow.side[0].rtt_count = flow.side[1].rtt_count = 1;
    flow.side[0].rtt_min = 7000;
    flow.side[1].rtt_min = 5000;
    flow.last_time = 2000000;
    char *text = flows_of_flows(&flow, 1, &options, NULL);
    assert_non_null(strstr(line_with(text, "10.0.0.1", line), "   5µs 2.0ms"));
    free(text);
    flow.handshake_rtt = 9000;
    text = flows_of_flows(&flow, 1, &options, NULL);
    assert_non_null(strstr(line_with(text, "10.0.0.1", line), "   9µs 2.0ms"));
    free(text);
}

static void counts_take_four_columns_at_most(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1.0k"},
        {9999, "9.9k"},
        {10000, "10k"},
        {999999, "999k"},
        {1000000, "1.0M"},
        {1234567, "1.2M"},
        {UINT64_C(5000000000), "5.0G"},
        {UINT64_MAX, "18E"},
    };
    char text[FLOWS_NUMBER];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(flows_count(cases[i].count, text), cases[i].text);
    assert_string_equal(flows_whole(1234, text), "1234");
    assert_string_equal(flows_whole(12345, text), "12 345");
    assert_string_equal(flows_whole(UINT64_MAX, text), "18 446 744 073 709 551 615");
}

static void durations_take_five_columns_at_most(void **state)
{
    (void)state;
    static const struct {
        int64_t duration;
        const char *text;
    } cases[] = {
        {-1, "-"},
        {0, "0ns"},
        {999, "999ns"},
        {1000, "1us"},
        {999999, "999us"},
        {1000000, "1.0ms"},
        {999999999, "999ms"},
        {1000000000, "1.0s"},
        {INT64_C(999999999999), "999s"},
        {INT64_C(1000000000000), "16min"},
        {INT64_C(6000000000000), "1.6h"},
        {INT64_C(3600000000000000), "41d"},
        {INT64_C(86400000000000000), "2.7y"},
        {INT64_MAX, "292y"},
    };
    static const struct flows_glyphs ascii = {.microseconds = "us"};
    struct flows flows = {.glyphs = &ascii};
    char text[FLOWS_NUMBER];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(flows_duration(&flows, cases[i].duration, text), cases[i].text);
}

/* A flow of which everything is as large as it can be. */
static struct flow largest_flow(void)
{
    struct flow flow = flow_between("2001:db8:1111:2222:3333:4444:5555:6666",
                                    "2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa");
    flow.id = UINT32_MAX;
    flow.close = FLOW_REFUSED;
    flow.closed_by = FLOW_SERVER;
    flow.from_middle = true;
    flow.first_time = INT64_MIN;
    flow.last_time = INT64_MAX;
    flow.handshake_rtt = INT64_MAX;
    for (int end = 0; end < 2; end++) {
        struct flow_side *side = &flow.side[end];
        side->packets = side->bytes = side->unique_bytes = UINT64_MAX / 4;
        side->retransmissions = UINT64_MAX / 4;
        side->marks_seen = (1u << MARK_COUNT) - 1;
    }
    return flow;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static sample *const samples[] = {sample_all_ends, sample_three_clients, sample_troubles,
                                      sample_datagrams};
    const struct flow flows[] = {largest_flow(), flow_between("255.255.255.255", "127.0.0.1"),
                                 flow_between("::1", "::1")};
    struct error damage = {.text = "A very long sentence about a damaged file whose name is also "
                                   "long:/and/has/no/spaces/in/it/at/all/so/it/must/be/broken/"
                                   "somewhere/whether/it/likes/it/or/not"};
    for (int columns = 40; columns <= 200; columns++) {
        for (int form = 0; form < 4; form++) {
            struct view_options options = options_of(columns, form & 1, form & 2);
            for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
                char *text = flows_of_sample(samples[s], &options);
                check_widths(text, columns, form & 2);
                free(text);
            }
            char *text = flows_of_flows(flows, 3, &options, &damage);
            check_widths(text, columns, form & 2);
            free(text);
        }
    }
}

static void dropped_packets_and_damage_are_told(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true);
    struct buffer out = {0};
    struct error damage = {.text = "it ends too soon"};
    struct view *view = view_flows.open(&options, &out);
    struct trace_event event = {.kind = TRACE_STATISTICS, .statistics = {.dropped = 7}};
    view_flows.add(view, &(struct view_item){.event = &event});
    view_flows.end(view, &damage);
    view_flows.close(view);
    assert_string_equal(buffer_text(&out), "flows     none\npackets   none\n"
                                           "The capture dropped 7 packets: some are missing here.\n"
                                           "it ends too soon\n");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_end_is_told_and_by_whom),
        cmocka_unit_test(a_wide_terminal_shows_more_and_a_narrow_one_less),
        cmocka_unit_test(a_trace_without_flows_has_totals_alone),
        cmocka_unit_test(a_selected_flow_is_alone_and_so_are_its_totals),
        cmocka_unit_test(addresses_without_room_stand_above_their_row_and_whole),
        cmocka_unit_test(one_host_is_named_twice_only_where_there_is_room),
        cmocka_unit_test(without_a_handshake_the_shortest_round_trip_stands_in),
        cmocka_unit_test(counts_take_four_columns_at_most),
        cmocka_unit_test(durations_take_five_columns_at_most),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(dropped_packets_and_damage_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
