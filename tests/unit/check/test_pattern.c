/*
 * Packets in writing: what patterns are understood, what they match, and how sequences are judged.
 */
#include "unit/view/sample_traces.h"

#include "check/judge.h"
#include "check/pattern.h"

struct sample {
    struct maker maker;
    struct check_trace trace;
    char *lines; /* of the packets view */
};

static void read_sample(struct sample *sample)
{
    static const struct view_options plain = {.terminal = {.columns = 80, .utf8 = true},
                                              .file_name = ""};
    struct error error = {0};
    sample->lines = maker_render(&sample->maker, VIEW_PACKETS, &plain);
    struct trace_reader *reader =
        trace_reader_from(fileno(sample->maker.file), "the sample", &error);
    assert_non_null(reader);
    if (!check_trace_load(&sample->trace, reader, &error))
        fail_msg("%s", error.text);
    trace_reader_close(reader);
}

static void close_sample(struct sample *sample)
{
    free(sample->lines);
    check_trace_free(&sample->trace);
    maker_close(&sample->maker);
}

static void open_hello(struct sample *sample)
{
    sample_hello(&sample->maker, "Hello from the client", "Hello from the server");
    read_sample(sample);
}

static struct pattern parsed(const char *text)
{
    struct pattern pattern;
    struct error error = {0};
    if (!pattern_parse(&pattern, text, &error))
        fail_msg("\"%s\": %s", text, error.text);
    return pattern;
}

/* Which packets match, as numbers with blanks between. */
static const char *matches(const struct sample *sample, const char *text)
{
    static char numbers[256];
    struct pattern pattern = parsed(text);
    numbers[0] = '\0';
    for (size_t i = 0; i < sample->trace.packet_count; i++)
        if (pattern_match(&pattern, &sample->trace, &sample->trace.packets[i]))
            snprintf(numbers + strlen(numbers), sizeof numbers - strlen(numbers), "%s%zu",
                     numbers[0] == '\0' ? "" : " ", i + 1);
    return numbers;
}

static void what_is_written_must_be_so_and_nothing_else(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"client SYN", "1"},
        {"server SYN ACK", "2"},
        {"client ACK", "3 7"},
        {"* ACK", "3 5 7 10"},
        {"ACK", "3 5 7 10"},
        {"PSH ACK", "4 6"},
        {"client *", "1 3 4 7 9"},
        {"*", "1 2 3 4 5 6 7 8 9 10"},
        {"* FIN *", "8 9"},
        {"* SYN *", "1 2"},
        {"TCP len 21", "4 6"},
        {"client PSH ACK len 21", "4"},
        {"client PSH ACK len 20", ""},
        {"* len 1-21", "4 6"},
        {"* len >0", "4 6"},
        {"* len >=22", ""},
        {"* len <1", "1 2 3 5 7 8 9 10"},
        {"* len <=0", "1 2 3 5 7 8 9 10"},
        {"len *", "1 2 3 4 5 6 7 8 9 10"},
        {"* len\t<1", "1 2 3 5 7 8 9 10"},
        {"* len 21-21", "4 6"},
        {"* [ zero window ]", ""},
        {"SYN <sack,mss 65495,>", "1"},
        {"server ACK seq 1 ack 22", "5"},
        {"* ack 23", "9 10"},
        {"SYN <mss 65495>", "1"},
        {"* <mss *, sack>", "1 2"},
        {"* <mss 1460>", ""},
        {"* <window scale 7>", "1 2"},
        {"* [retransmission]", ""},
        {"UDP", ""},
        {"RST", ""},
        {"none", ""},
        {"client SYN  # client connect(127.0.0.1:65432)", "1"},
        {"  client SYN ", "1"},
        {"3  client ACK", "3 7"},
        {"127.0.0.1:9 > 127.0.0.1:65432  SYN", "1"},
        {"127.0.0.1:65432 > 127.0.0.1:9  SYN ACK", "2"},
        {"127.0.0.1:9 > 127.0.0.1:65433  SYN", ""},
        {"127.0.0.2:9 > 127.0.0.1:65432  SYN", ""},
        {"[::1]:9 > [::1]:65432  SYN", ""},
    };
    struct sample sample;
    open_hello(&sample);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(matches(&sample, cases[i][0]), cases[i][1]) != 0)
            fail_msg("\"%s\" matches packets %s, not %s", cases[i][0],
                     matches(&sample, cases[i][0]), cases[i][1]);
    close_sample(&sample);
}

static void what_is_not_understood_is_told(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "empty"},
        {"client SYM", "did you mean SYN?"},
        {"syn", "SYN"},
        {"client syn", "SYN"},
        {"client SYN lne 3", "did you mean len?"},
        {"client len", "missing behind 'len'"},
        {"client len x", "'len x' is no number"},
        {"client len 5-3", "is no number"},
        {"client len 5-", "is no number"},
        {"client len 5-6x", "is no number"},
        {"client len <1x", "is no number"},
        {"client len >", "is no number"},
        {"client len <=", "is no number"},
        {"client <a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t>", "too many options in <>"},
        {"1.2.3.4:123456 > 1.2.3.4:5 SYN", "1.2.3.4:123456"},
        {"1.2.3.4:x > 1.2.3.4:5 SYN", "1.2.3.4:x"},
        {"[1.2.3:4]:5 > 1.2.3.4:5 SYN", "[1.2.3:4]:5"},
        {"1.2.3.4 >", "an address is missing behind the '>'"},
        {"client len < 1", "is no number"},
        {"client len <0", "is no number"},
        {"client len 99999999999999999999999", "is no number"},
        {"client [retransmision]", "did you mean retransmission?"},
        {"client [retransmission", "']' is missing"},
        {"client SYN <mss 1460", "'>' is missing"},
        {"client SYN\nserver SYN ACK", "one line"},
        {"cl!ent SYN", "cl!ent"},
        {"1.2.3.4:5 > nobody SYN", "nobody"},
        {"1.2.3.400:5 > 1.2.3.4:5 SYN", "1.2.3.400:5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pattern pattern;
        struct error error = {0};
        if (pattern_parse(&pattern, cases[i][0], &error))
            fail_msg("\"%s\" was understood", cases[i][0]);
        if (strstr(error.text, cases[i][1]) == NULL)
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i][0], error.text, cases[i][1]);
    }
}

static void overlong_words_are_refused_or_cut_but_never_overrun(void **state)
{
    (void)state;
    struct pattern pattern;
    struct error error;
    for (size_t length = 1; length < 600; length += 7) {
        char text[640];
        static const char starts[] = "aA<[1.*>l";
        for (const char *start = starts; *start != '\0'; start++) {
            memset(text, *start, length);
            text[length] = '\0';
            pattern_parse(&pattern, text, &error);
            snprintf(text + length, sizeof text - length, " SYN <a> [b] len 3");
            pattern_parse(&pattern, text, &error);
        }
    }
}

/* Each line of the view is a pattern that its own packet matches. */
static void check_lines(struct sample *sample)
{
    char *line = strtok(sample->lines, "\n");
    for (size_t i = 0; i < sample->trace.packet_count; i++, line = strtok(NULL, "\n")) {
        assert_non_null(line);
        struct pattern pattern = parsed(line);
        if (!pattern_match(&pattern, &sample->trace, &sample->trace.packets[i]))
            fail_msg("packet %zu is not \"%s\"", i + 1, line);
        char *own = packet_line(&sample->trace, &sample->trace.packets[i]);
        pattern = parsed(own);
        if (sample->trace.packets[i].flow != 0 &&
            !pattern_match(&pattern, &sample->trace, &sample->trace.packets[i]))
            fail_msg("packet %zu is not \"%s\"", i + 1, own);
        free(own);
    }
    assert_null(line);
}

static void every_line_of_the_packets_view_matches_its_packet(void **state)
{
    (void)state;
    struct sample sample;
    open_hello(&sample);
    check_lines(&sample);
    close_sample(&sample);
    sample_troubles(&sample.maker);
    read_sample(&sample);
    check_lines(&sample);
    close_sample(&sample);
    sample_datagrams(&sample.maker);
    read_sample(&sample);
    check_lines(&sample);
    close_sample(&sample);
    sample_others(&sample.maker);
    read_sample(&sample);
    check_lines(&sample);
    close_sample(&sample);
    sample_foreign(&sample.maker);
    read_sample(&sample);
    check_lines(&sample);
    close_sample(&sample);
}

static void marks_are_found_by_their_names(void **state)
{
    (void)state;
    struct sample sample;
    sample_troubles(&sample.maker);
    read_sample(&sample);
    assert_string_equal(matches(&sample, "client PSH ACK [retransmission]"), "5");
    assert_string_equal(matches(&sample, "* [zero window]"), "6");
    assert_string_equal(matches(&sample, "* [duplicate ACK #7 of packet 1]"), "10");
    close_sample(&sample);
}

/* Judges the order; the patterns stand in one text, parted by semicolons. */
static bool in_order(const struct sample *sample, const char *texts,
                     struct expectation *expectation)
{
    struct pattern patterns[16];
    size_t count = 0;
    char copy[512];
    snprintf(copy, sizeof copy, "%s", texts);
    for (char *text = strtok(copy, ";"); text != NULL; text = strtok(NULL, ";"))
        patterns[count++] = parsed(text);
    struct packet_list list = {.trace = &sample->trace, .count = sample->trace.packet_count};
    memset(expectation, 0, sizeof *expectation);
    return sequence_judge(&list, patterns, count, expectation);
}

static void forget(struct expectation *expectation)
{
    struct judgement judgement = {0};
    struct expectation *added = judgement_add(&judgement, TRACE_FAILED);
    *added = *expectation;
    judgement_free(&judgement);
}

static void orders_that_hold(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"client SYN", "1"},
        {"client SYN;server SYN ACK;client ACK", "1-3"},
        {"client SYN;...;server FIN ACK", "1, 8"},
        {"...;client SYN;...", "1"},
        {"...", NULL},
        {"client ACK;...;client ACK", "3, 7"},
        {"server ACK;server PSH ACK", "5-6"},
        {"server FIN ACK;client FIN ACK;server ACK", "8-10"},
        {"client SYN;...;server SYN ACK", "1-2"}, /* none between is fine, too */
        {"client SYN;...;...;server SYN ACK", "1-2"},
        {"* ACK;client PSH ACK", "3-4"},
    };
    struct sample sample;
    struct expectation expectation;
    open_hello(&sample);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!in_order(&sample, cases[i][0], &expectation))
            fail_msg("\"%s\" does not hold: %s", cases[i][0], expectation.seen);
        assert_int_equal(expectation.row_count, 0);
        if (cases[i][1] == NULL)
            assert_null(expectation.packets);
        else
            assert_string_equal(expectation.packets, cases[i][1]);
        forget(&expectation);
    }
    close_sample(&sample);
}

static void the_first_difference_is_where_a_person_would_look(void **state)
{
    (void)state;
    static const struct {
        const char *patterns;
        const char *expected; /* in the row of the difference */
        uint64_t number;      /* of the packet that came there; 0: none */
        const char *seen;
    } cases[] = {
        {"client SYN;client ACK", "client ACK", 2, "behind packet 1 comes packet 2"},
        {"client SYN;server SYN ACK;client PSH ACK", "client PSH ACK", 3,
         "behind packet 2 comes packet 3"},
        {"client SYN;...;client RST", "client RST", 0,
         "'client RST' does not come behind packet 1"},
        {"client RST", "client RST", 1, "'client RST' never comes"},
        {"server FIN ACK;...;client ACK", "client ACK", 0, "does not come behind packet 8"},
        {"client FIN ACK;server ACK;client ACK", "client ACK", 0, "does not come behind packet 10"},
        /* Of two beginnings the one that goes further counts. */
        {"client ACK;server FIN ACK;server ACK", "server ACK", 9, "behind packet 8"},
    };
    struct sample sample;
    struct expectation expectation;
    open_hello(&sample);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t differences = 0;
        if (in_order(&sample, cases[i].patterns, &expectation))
            fail_msg("\"%s\" holds", cases[i].patterns);
        for (size_t row = 0; row < expectation.row_count; row++) {
            const struct ladder_row *each = &expectation.rows[row];
            if (each->kind != LADDER_DIFFERENT && each->kind != LADDER_MISSING)
                continue;
            differences++;
            assert_string_equal(each->expected, cases[i].expected);
            assert_int_equal(each->number, cases[i].number);
        }
        assert_int_equal(differences, 1);
        if (strstr(expectation.seen, cases[i].seen) == NULL)
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].patterns, expectation.seen,
                     cases[i].seen);
        forget(&expectation);
    }
    close_sample(&sample);
}

static void handshakes_and_roles_are_those_of_the_trace(void **state)
{
    (void)state;
    struct sample sample;
    open_hello(&sample);
    assert_int_equal(sample.trace.flow_count, 1);
    const struct check_flow *flow = &sample.trace.flows[0];
    assert_string_equal(flow->handshake, "SYN, SYN ACK, ACK");
    assert_string_equal(check_side_role(&sample.trace, flow, FLOW_CLIENT), "client");
    assert_int_equal(flow->side[FLOW_CLIENT].sent.length, 21);
    assert_memory_equal(flow->side[FLOW_CLIENT].sent.data, "Hello from the client", 21);
    assert_int_equal(flow->side[FLOW_CLIENT].missing, 0);
    assert_true(sample.trace.recorded);
    close_sample(&sample);
    sample_foreign(&sample.maker);
    read_sample(&sample);
    assert_false(sample.trace.recorded);
    assert_int_equal(sample.trace.flow_count, 2);
    assert_string_equal(sample.trace.flows[1].handshake, "SYN, RST ACK");
    assert_string_equal(check_side_role(&sample.trace, &sample.trace.flows[1], FLOW_SERVER),
                        "server");
    struct pattern pattern = parsed("alice SYN");
    struct error error;
    assert_false(pattern_role_known(&pattern, &sample.trace, &error));
    assert_int_equal(error.status, STATUS_DONE);
    close_sample(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_must_be_so_and_nothing_else),
        cmocka_unit_test(what_is_not_understood_is_told),
        cmocka_unit_test(overlong_words_are_refused_or_cut_but_never_overrun),
        cmocka_unit_test(every_line_of_the_packets_view_matches_its_packet),
        cmocka_unit_test(marks_are_found_by_their_names),
        cmocka_unit_test(orders_that_hold),
        cmocka_unit_test(the_first_difference_is_where_a_person_would_look),
        cmocka_unit_test(handshakes_and_roles_are_those_of_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
