/*
 * What view_render does for every view: selection, filters, and output that fails.
 */
#include "unit/view/sample_traces.h"

#include <fcntl.h>
#include <signal.h>

#include "view/filter.h"
#include "view/live.h"

static const struct view_options plain = {.terminal = {.columns = 80, .utf8 = true},
                                          .file_name = ""};

static void every_view_has_a_name_that_finds_it(void **state)
{
    (void)state;
    for (int i = 0; i < VIEW_KINDS; i++) {
        enum view_kind kind;
        assert_true(view_kind_from_name(view_kind_name((enum view_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    enum view_kind kind;
    assert_false(view_kind_from_name("laddder", &kind));
    assert_false(view_kind_from_name("", &kind));
}

/* The numbers of the packets that were shown: "1 2 7 ". */
static void shown_numbers(const struct view_options *options, char *numbers, size_t room)
{
    struct maker maker;
    sample_foreign(&maker);
    char *text = maker_render(&maker, VIEW_PACKETS, options);
    size_t length = 0;
    numbers[0] = '\0';
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        length += (size_t)snprintf(numbers + length, room - length, "%d ", atoi(line));
    free(text);
    maker_close(&maker);
}

static void packets_are_selected_by_filter_flow_and_number(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        uint32_t flow;
        uint64_t number;
        const char *shown;
    } cases[] = {
        {NULL, 0, 0, "1 2 3 4 5 6 7 8 9 10 "},
        {"", 0, 0, "1 2 3 4 5 6 7 8 9 10 "},
        {"tcp[tcpflags] & tcp-syn != 0", 0, 0, "1 2 4 "},
        {"port 51236", 0, 0, "4 5 "},
        {"tcp and udp", 0, 0, ""},
        {NULL, 2, 0, "4 5 "},
        {NULL, 3, 0, ""},
        {NULL, 0, 7, "7 "},
        {"src port 80", 1, 0, "2 7 8 10 "},
        {"src port 80", 2, 7, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view_options options = plain;
        options.filter = cases[i].filter;
        options.flow = cases[i].flow;
        options.number = cases[i].number;
        char numbers[256];
        shown_numbers(&options, numbers, sizeof numbers);
        assert_string_equal(numbers, cases[i].shown);
    }
}

/* A filter hides packets, but they count: numbers stay relative to the connection's start. */
static void hidden_packets_still_count_for_their_flow(void **state)
{
    (void)state;
    struct maker maker;
    struct view_options options = plain;
    options.number = 9;
    sample_foreign(&maker);
    char *text = maker_render(&maker, VIEW_PACKETS, &options);
    assert_non_null(strstr(text, "FIN ACK seq 19 ack 2 "));
    assert_memory_equal(text, "9  0.000090  ", 13);
    free(text);
    maker_close(&maker);
}

static void a_wrong_filter_is_shown_with_a_caret(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        int column;
    } cases[] = {
        {"tcp prot 80", 4},        {"tcp port", 8}, {"(tcp and port 80", 16},
        {"tcp and and udp", 8},    {"tcp)", 3},     {"src port == 5", 9},
        {"tcp port eighty", 9},    {"tcp[13", 6},   {"udp or tcp[0] & & 1 = 1", 16},
        {"port 80 or wibble", 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        assert_null(view_filter_open(cases[i].filter, &error));
        assert_int_equal(error.status, STATUS_USAGE);
        const char *caret = strrchr(error.text, '\n');
        assert_non_null(caret);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\n    %*s^", cases[i].column, "");
        if (strcmp(caret, wanted) != 0)
            fail_msg("%s", error.text);
        assert_non_null(strstr(error.text, cases[i].filter));
    }
}

static void a_filter_of_another_link_type_is_refused_when_a_packet_comes(void **state)
{
    (void)state;
    struct error error = {0};
    struct view_filter *filter = view_filter_open("ether host 1:2:3:4:5:6", &error);
    assert_non_null(filter);
    static const uint8_t frame[40] = {0x45};
    struct trace_packet packet = {.link_type = 101, .length = 40, .bytes = {frame, sizeof frame}};
    bool matches;
    assert_false(view_filter_match(filter, &packet, &matches, &error));
    assert_int_equal(error.status, STATUS_USAGE);
    packet.link_type = 1;
    assert_true(view_filter_match(filter, &packet, &matches, &error));
    assert_false(matches);
    view_filter_close(filter);
}

/* Renders the foreign sample onto a file that cannot take it. */
static enum view_result render_onto(FILE *out, struct error *error)
{
    struct maker maker;
    sample_foreign(&maker);
    assert_true(trace_writer_close(maker.writer, error));
    maker.writer = NULL;
    rewind(maker.file);
    struct trace_reader *reader = trace_reader_from(fileno(maker.file), "made", error);
    assert_non_null(reader);
    enum view_result result = view_render(reader, VIEW_PACKETS, &plain, out, error);
    trace_reader_close(reader);
    maker_close(&maker);
    return result;
}

static void a_closed_pipe_ends_a_view_quietly(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    FILE *out = fdopen(ends[1], "w");
    assert_non_null(out);
    struct error error = {.text = "untouched"};
    assert_int_equal(render_onto(out, &error), VIEW_SHOWN);
    assert_string_equal(error.text, "untouched");
    fclose(out);
}

static void a_full_disk_is_a_failure(void **state)
{
    (void)state;
    FILE *out = fopen("/dev/full", "w");
    if (out == NULL)
        skip();
    struct error error = {0};
    assert_int_equal(render_onto(out, &error), VIEW_FAILED);
    assert_int_equal(error.status, STATUS_NOT_ALLOWED);
    assert_non_null(strstr(error.text, "No space left"));
    fclose(out);
}

static void a_damaged_file_is_shown_up_to_the_damage(void **state)
{
    (void)state;
    struct maker maker;
    struct error error = {0};
    sample_foreign(&maker);
    assert_true(trace_writer_close(maker.writer, &error));
    maker.writer = NULL;
    assert_int_equal(fseek(maker.file, 0, SEEK_END), 0);
    assert_int_equal(ftruncate(fileno(maker.file), ftell(maker.file) - 5), 0);
    rewind(maker.file);
    struct trace_reader *reader = trace_reader_from(fileno(maker.file), "cut", &error);
    assert_non_null(reader);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(view_render(reader, VIEW_LADDER, &plain, out, &error), VIEW_DAMAGED);
    fclose(out);
    assert_int_equal(error.status, STATUS_DAMAGED);
    assert_non_null(strstr(text, " 9 "));
    assert_null(strstr(text, " 10 "));
    assert_non_null(strstr(text, "9 packets in "));
    free(text);
    trace_reader_close(reader);
    maker_close(&maker);
}

/* The text so far of a live ladder that gets the file's events up to the first of a kind. */
static void add_until(struct view_live *live, struct trace_reader *reader, enum trace_kind kind)
{
    struct trace_event event;
    struct error error;
    do {
        assert_int_equal(trace_reader_next(reader, &event, &error), TRACE_READ_EVENT);
        assert_true(view_live_add(live, &event, &error));
    } while (event.kind != kind);
}

static void a_live_view_shows_each_event_as_it_comes(void **state)
{
    (void)state;
    struct maker maker;
    struct error error = {0};
    sample_hello(&maker, "Hello", "Hello");
    assert_true(trace_writer_close(maker.writer, &error));
    maker.writer = NULL;
    rewind(maker.file);
    struct trace_reader *reader = trace_reader_from(fileno(maker.file), "made", &error);
    assert_non_null(reader);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct view_live *live = view_live_open(VIEW_LADDER, &plain, out, true, &error);
    assert_non_null(live);
    add_until(live, reader, TRACE_CALL);
    assert_null(strstr(text, "socket(tcp)")); /* it may return at once: on one line */
    add_until(live, reader, TRACE_RETURN);
    assert_non_null(strstr(text, "socket(tcp)"));
    add_until(live, reader, TRACE_PACKET);
    assert_non_null(strstr(text, "┏ connect"));
    assert_non_null(strstr(text, "SYN  seq 0"));
    assert_null(strstr(text, "SYN ACK"));
    assert_true(view_live_end(live, NULL, &error));
    assert_non_null(strstr(text, "1 packet in "));
    assert_false(view_live_is_over(live));
    view_live_close(live);
    fclose(out);
    free(text);
    trace_reader_close(reader);
    maker_close(&maker);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_has_a_name_that_finds_it),
        cmocka_unit_test(packets_are_selected_by_filter_flow_and_number),
        cmocka_unit_test(hidden_packets_still_count_for_their_flow),
        cmocka_unit_test(a_wrong_filter_is_shown_with_a_caret),
        cmocka_unit_test(a_filter_of_another_link_type_is_refused_when_a_packet_comes),
        cmocka_unit_test(a_closed_pipe_ends_a_view_quietly),
        cmocka_unit_test(a_full_disk_is_a_failure),
        cmocka_unit_test(a_live_view_shows_each_event_as_it_comes),
        cmocka_unit_test(a_damaged_file_is_shown_up_to_the_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
