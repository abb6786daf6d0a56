/*
 * JSON Lines: every line is parsed by jansson, and says what the trace holds.
 */
#include "unit/view/sample_traces.h"

#include <jansson.h>
#include <unistd.h>

#include "view/json_line.h"
#include "view/render.h"

static const struct view_options plain = {.terminal = {.columns = 80, .utf8 = true},
                                          .file_name = "made.pcapng"};

/* The objects of a trace, a line each. The array is the caller's. */
static json_t *objects_of_text(const char *text)
{
    json_t *objects = json_array();
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        json_error_t error;
        assert_int_equal(line[length], '\n');
        assert_memory_equal(line, "{\"event\":\"", 10);
        json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (object == NULL)
            fail_msg("%s at %d: %.*s", error.text, error.position, (int)length, line);
        json_array_append_new(objects, object);
        line += length + 1;
    }
    return objects;
}

static json_t *objects_of(struct maker *maker, const struct view_options *options)
{
    char *text = maker_render(maker, VIEW_JSON, options);
    json_t *objects = objects_of_text(text);
    free(text);
    maker_close(maker);
    return objects;
}

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail_msg("there is no text '%s'", key);
    return text;
}

static json_int_t number_in(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    if (!json_is_integer(number))
        fail_msg("there is no number '%s'", key);
    return json_integer_value(number);
}

/* The nth object of that event, counted from 0. */
static json_t *find(json_t *objects, const char *event, size_t n)
{
    size_t i;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        if (strcmp(text_in(object, "event"), event) == 0 && n-- == 0)
            return object;
    }
    fail_msg("there are not so many '%s'", event);
    return NULL;
}

static size_t count(json_t *objects, const char *event)
{
    size_t i, found = 0;
    json_t *object;
    json_array_foreach(objects, i, object) found += strcmp(text_in(object, "event"), event) == 0;
    return found;
}

static void check_keys(const json_t *object, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (json_object_get(object, *keys) == NULL)
            fail_msg("%s has no '%s'", text_in(object, "event"), *keys);
}

static void every_event_has_the_fields_that_are_promised(void **state)
{
    (void)state;
    static const char *const capture[] = {"file", "link_type", "interfaces", "dropped", NULL};
    static const char *const call[] = {"id", "role", "call", "args", "line", "time", "end", NULL};
    static const char *const packet[] = {
        "number",           "time",           "protocol", "source",
        "source_port",      "destination",    "flow",     "from",
        "destination_port", "flags",          "seq",      "ack",
        "relative_seq",     "relative_ack",   "window",   "options",
        "analysis",         "payload_length", "payload",  "cause",
        "state_client",     "state_server",   NULL};
    static const char *const flow[] = {"id",           "client",          "server", "handshake",
                                       "state_client", "state_server",    "close",  "packets",
                                       "bytes",        "retransmissions", "rtt_ms", NULL};
    struct maker maker;
    sample_hello(&maker, "Hello from the client", "Hello from the server");
    json_t *objects = objects_of(&maker, &plain);
    assert_string_equal(text_in(json_array_get(objects, 0), "event"), "capture");
    check_keys(find(objects, "capture", 0), capture);
    check_keys(find(objects, "call", 0), call);
    check_keys(find(objects, "packet", 0), packet);
    check_keys(find(objects, "flow", 0), flow);
    assert_int_equal(number_in(find(objects, "capture", 0), "dropped"), 0);
    assert_string_equal(text_in(find(objects, "capture", 0), "file"), "made.pcapng");
    json_decref(objects);
}

static void a_packet_says_what_is_on_the_wire(void **state)
{
    (void)state;
    struct maker maker;
    sample_hello(&maker, "Hello from the client", "Hello from the server");
    json_t *objects = objects_of(&maker, &plain);
    const json_t *syn = find(objects, "packet", 0);
    const json_t *hello = find(objects, "packet", 3);
    assert_string_equal(text_in(syn, "protocol"), "TCP");
    assert_string_equal(text_in(syn, "source"), "127.0.0.1");
    assert_string_equal(text_in(syn, "from"), "client");
    assert_int_equal(number_in(syn, "destination_port"), 65432);
    assert_int_equal(number_in(syn, "relative_seq"), 0);
    assert_int_equal(json_array_size(json_object_get(syn, "flags")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(syn, "flags"), 0)), "SYN");
    assert_int_equal(number_in(json_object_get(syn, "options"), "mss"), 65495);
    assert_int_equal(number_in(hello, "payload_length"), 21);
    assert_string_equal(text_in(hello, "payload"), "SGVsbG8gZnJvbSB0aGUgY2xpZW50");
    assert_int_equal(number_in(hello, "relative_seq"), 1);
    const json_t *flow = find(objects, "flow", 0);
    assert_string_equal(text_in(flow, "handshake"), "SYN, SYN ACK, ACK");
    assert_int_equal(number_in(flow, "bytes"), 42);
    /* The cause is the call in which it was sent. */
    size_t i;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        if (strcmp(text_in(object, "event"), "call") == 0 &&
            number_in(object, "id") == number_in(hello, "cause"))
            assert_string_equal(text_in(object, "call"), "sendall");
    }
    json_decref(objects);
}

static void what_is_no_tcp_has_null_for_what_only_tcp_has(void **state)
{
    (void)state;
    struct maker maker;
    sample_datagrams(&maker);
    json_t *objects = objects_of(&maker, &plain);
    const json_t *packet = find(objects, "packet", 0);
    assert_string_equal(text_in(packet, "protocol"), "UDP");
    assert_true(json_is_null(json_object_get(packet, "seq")));
    assert_true(json_is_null(json_object_get(packet, "options")));
    assert_int_equal(json_array_size(json_object_get(packet, "flags")), 0);
    const json_t *flow = find(objects, "flow", 0);
    assert_true(json_is_null(json_object_get(flow, "handshake")));
    json_decref(objects);
}

/* Events with a time are in its order; flows, which are sums, come at the end. */
static void events_are_in_time_order(void **state)
{
    (void)state;
    struct maker maker;
    sample_three_clients(&maker);
    json_t *objects = objects_of(&maker, &plain);
    const char *last = "0";
    bool flows = false;
    size_t i;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        const json_t *time = json_object_get(object, "time");
        bool is_flow = strcmp(text_in(object, "event"), "flow") == 0;
        assert_true(is_flow || !flows);
        flows = is_flow;
        if (time == NULL)
            continue;
        assert_true(strcmp(json_string_value(time), last) >= 0);
        last = json_string_value(time);
    }
    assert_true(flows);
    json_decref(objects);
}

static void a_failed_call_has_an_error_and_no_result(void **state)
{
    (void)state;
    struct maker maker;
    maker_open(&maker);
    maker_role(&maker, 1, TRACE_ROLE_CLIENT, "client");
    uint32_t call = maker_call(&maker, 1, 1, "connect", "127.0.0.1:9", 3);
    maker_fails(&maker, call, ECONNREFUSED, "connect to 127.0.0.1:9: Connection refused");
    json_t *objects = objects_of(&maker, &plain);
    const json_t *object = find(objects, "call", 0);
    assert_string_equal(text_in(object, "error"), "ECONNREFUSED");
    assert_null(json_object_get(object, "result"));
    assert_string_equal(text_in(object, "role"), "client");
    assert_int_equal(number_in(object, "line"), 3);
    json_decref(objects);
}

static void hostile_texts_are_valid_json_and_nothing_is_lost_but_what_is_no_utf8(void **state)
{
    (void)state;
    static const char hostile[] =
        "\"\\\n\r\t\x1b[31m\x7f</script>\xff\xc3(\xe2\x82 \xed\xa0\x80 \xf0\x9f\x99\x82";
    struct maker maker;
    maker_open(&maker);
    maker_exchange(&maker, hostile, hostile);
    maker_role(&maker, 1, TRACE_ROLE_SERVER, hostile);
    uint32_t call = maker_call(&maker, 1, 1, hostile, hostile, 3);
    maker_note(&maker, TRACE_NOTE_PRINT, 1, hostile, 3);
    maker_returns(&maker, call, hostile);
    struct view_options options = plain;
    options.file_name = hostile;
    json_t *objects = objects_of(&maker, &options);
    const char *note = text_in(find(objects, "note", 0), "text");
    assert_memory_equal(note, "\"\\\n\r\t\x1b[31m\x7f</script>\xef\xbf\xbd", 23);
    assert_non_null(strstr(note, "\xf0\x9f\x99\x82"));
    assert_string_equal(text_in(find(objects, "capture", 0), "file"), note);
    assert_string_equal(text_in(find(objects, "call", 0), "result"), note);
    json_decref(objects);
}

static void a_call_that_never_returns_has_no_end(void **state)
{
    (void)state;
    struct maker maker;
    maker_open(&maker);
    maker_role(&maker, 1, TRACE_ROLE_SERVER, "server");
    maker_call(&maker, 1, 1, "accept", "", 3);
    maker_note(&maker, TRACE_NOTE_PRINT, 1, "meanwhile", 0);
    json_t *objects = objects_of(&maker, &plain);
    const json_t *call = find(objects, "call", 0);
    assert_true(json_is_null(json_object_get(call, "end")));
    assert_null(json_object_get(call, "result"));
    assert_int_equal(count(objects, "note"), 1);
    json_decref(objects);
}

/* More than can be held comes while a call waits: it is told in two parts, and nothing is lost. */
static void a_call_that_waits_too_long_is_told_in_two_parts(void **state)
{
    (void)state;
    enum { NOTES = 9000 };
    struct maker maker;
    maker_open(&maker);
    maker_role(&maker, 1, TRACE_ROLE_SERVER, "server");
    uint32_t call = maker_call(&maker, 1, 1, "accept", "", 3);
    for (int i = 0; i < NOTES; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        maker_note(&maker, TRACE_NOTE_PRINT, 1, text, 0);
    }
    maker_returns(&maker, call, "\"done\"");
    json_t *objects = objects_of(&maker, &plain);
    assert_true(json_is_null(json_object_get(find(objects, "capture", 0), "dropped")));
    assert_true(json_is_null(json_object_get(find(objects, "call", 0), "end")));
    const json_t *returned = find(objects, "return", 0);
    assert_int_equal(number_in(returned, "id"), call);
    assert_string_equal(text_in(returned, "result"), "\"done\"");
    assert_int_equal(count(objects, "note"), NOTES);
    int next = 0;
    size_t i;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        if (strcmp(text_in(object, "event"), "note") == 0)
            assert_int_equal(strtol(text_in(object, "text"), NULL, 10), next++);
    }
    json_decref(objects);
}

static void a_damaged_file_says_so_in_its_first_line(void **state)
{
    (void)state;
    struct maker maker;
    sample_hello(&maker, "Hello", "Hello");
    struct error error;
    assert_true(trace_writer_close(maker.writer, &error));
    maker.writer = NULL;
    off_t size = lseek(fileno(maker.file), 0, SEEK_END);
    assert_int_equal(ftruncate(fileno(maker.file), size - 7), 0);
    struct trace_reader *reader = trace_reader_from(fileno(maker.file), "made", &error);
    assert_non_null(reader);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(view_render(reader, VIEW_JSON, &plain, out, &error), VIEW_DAMAGED);
    fclose(out);
    trace_reader_close(reader);
    json_t *objects = objects_of_text(text);
    assert_string_equal(text_in(find(objects, "capture", 0), "damage"), error.text);
    assert_int_equal(count(objects, "flow"), 1);
    json_decref(objects);
    free(text);
    maker_close(&maker);
}

/* The object that is filled again and again ends up as one made from nothing. */
static void a_line_filled_again_is_as_if_new(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f"};
    struct json_line line = {0};
    uint32_t random = 1;
    for (int round = 0; round < 2000; round++) {
        json_t *wanted = json_object();
        json_line_begin(&line);
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            random = random * 1664525 + 1013904223;
            char text[2] = {(char)('a' + (random >> 24) % 3), '\0'};
            switch (random >> 28) {
            case 0:
            case 1:
                json_line_number(&line, keys[i], random);
                json_object_set_new(wanted, keys[i], json_integer(random));
                break;
            case 2:
            case 3:
            case 4:
                json_line_text(&line, keys[i], text, 1);
                json_object_set_new(wanted, keys[i], json_string(text));
                break;
            case 5:
                json_line_null(&line, keys[i]);
                json_object_set_new(wanted, keys[i], json_null());
                break;
            case 6:
                json_line_new(&line, keys[i], json_array());
                json_object_set_new(wanted, keys[i], json_array());
                break;
            case 7:
                json_line_shared(&line, keys[i], json_true());
                json_object_set_new(wanted, keys[i], json_true());
                break;
            default: /* this time without it */
                break;
            }
        }
        char *seen = json_dumps(json_line_end(&line), JSON_COMPACT);
        char *right = json_dumps(wanted, JSON_COMPACT);
        assert_string_equal(seen, right);
        free(seen);
        free(right);
        json_decref(wanted);
    }
    json_line_free(&line);
}

static void numbers_beyond_what_json_holds_are_its_largest(void **state)
{
    (void)state;
    struct json_line line = {0};
    json_line_begin(&line);
    json_line_number(&line, "n", UINT64_MAX);
    assert_int_equal(number_in(json_line_end(&line), "n"), INT64_MAX);
    json_line_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_has_the_fields_that_are_promised),
        cmocka_unit_test(a_packet_says_what_is_on_the_wire),
        cmocka_unit_test(what_is_no_tcp_has_null_for_what_only_tcp_has),
        cmocka_unit_test(events_are_in_time_order),
        cmocka_unit_test(a_failed_call_has_an_error_and_no_result),
        cmocka_unit_test(hostile_texts_are_valid_json_and_nothing_is_lost_but_what_is_no_utf8),
        cmocka_unit_test(a_call_that_never_returns_has_no_end),
        cmocka_unit_test(a_call_that_waits_too_long_is_told_in_two_parts),
        cmocka_unit_test(a_damaged_file_says_so_in_its_first_line),
        cmocka_unit_test(a_line_filled_again_is_as_if_new),
        cmocka_unit_test(numbers_beyond_what_json_holds_are_its_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
