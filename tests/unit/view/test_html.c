#include "unit/view/trace_maker.h"

#include <jansson.h>

#include "unit/trace/random_events.h"
#include "unit/view/sample_traces.h"
#include "view/html_intern.h"

#define EVENTS 30

static const struct view_options plain = {.file_name = "a </script><b>.pcap"};

/* The page's data block, which must be JSON with no '<' in it. text stays the caller's. */
static json_t *data_of(const char *text)
{
    static const char opens[] = "<script type=\"application/json\" id=\"trace\">";
    const char *from = strstr(text, opens);
    assert_non_null(from);
    from += sizeof opens - 1;
    size_t length = strcspn(from, "<");
    assert_int_equal(strncmp(from + length, "</script>", 9), 0);
    json_error_t error;
    json_t *data = json_loadb(from, length, JSON_ALLOW_NUL, &error);
    if (data == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    assert_true(json_is_array(data));
    return data;
}

static const char *kind_of(const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    return kind == NULL ? "" : kind;
}

static size_t count(const json_t *data, const char *kind)
{
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(data); i++)
        found += strcmp(kind_of(json_array_get(data, i)), kind) == 0;
    return found;
}

static void the_page_holds_its_policy_and_all_events(void **state)
{
    (void)state;
    struct maker maker;
    sample_foreign(&maker);
    char *text = maker_render(&maker, VIEW_HTML, &plain);
    assert_non_null(strstr(text, "content=\"default-src 'none'; script-src 'sha256-"));
    static const char *const places[] = {"{{policy}}", "{{style}}", "{{trace}}", "{{program}}"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        assert_null(strstr(text, places[i]));
    assert_null(strstr(text, "a </script>"));
    json_t *data = data_of(text);
    assert_string_equal(kind_of(json_array_get(data, 0)), "report");
    assert_string_equal(kind_of(json_array_get(data, json_array_size(data) - 1)), "finish");
    char *packets = maker_render(&maker, VIEW_PACKETS, &plain);
    size_t lines = 0;
    for (const char *at = packets; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(count(data, "packet"), lines);
    json_decref(data);
    free(packets);
    free(text);
    maker_close(&maker);
}

/* A packet's fields without parts, and their texts, cover its bytes. */
static void check_packet(const json_t *packet, json_t *const *layouts, size_t layout_count)
{
    size_t number = (size_t)json_integer_value(json_object_get(packet, "layout"));
    assert_in_range(number, 1, layout_count - 1);
    const json_t *fields = layouts[number];
    assert_non_null(fields);
    json_int_t bits = 0;
    size_t texts = 0;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        assert_int_equal(json_array_size(field), 6);
        json_int_t flags = json_integer_value(json_array_get(field, 4));
        if (flags / 4 == 0)
            bits += json_integer_value(json_array_get(field, 2));
        texts += json_integer_value(json_array_get(field, 3)) == 3;
    }
    size_t length = json_string_length(json_object_get(packet, "bytes"));
    json_int_t most = (json_int_t)length / 4 * 3;
    assert_in_range(bits / 8, most > 2 ? most - 2 : 0, most);
    assert_int_equal(json_array_size(json_object_get(packet, "texts")), texts);
}

static void fields_and_bytes_agree_in_any_trace(void **state)
{
    (void)state;
    static struct random_source random;
    static struct trace_event events[EVENTS];
    for (uint64_t seed = 1; seed <= 200; seed++) {
        random_open(&random, seed);
        random_trace(&random, events, EVENTS);
        struct maker maker;
        maker_open(&maker);
        for (size_t i = 0; i < EVENTS; i++) {
            struct error error;
            if (!trace_writer_add(maker.writer, &events[i], &error))
                fail_msg("%s", error.text);
        }
        char *text = maker_render(&maker, VIEW_HTML, &plain);
        json_t *data = data_of(text);
        json_t *layouts[EVENTS + 1] = {0};
        for (size_t i = 0; i < json_array_size(data); i++) {
            json_t *event = json_array_get(data, i);
            if (strcmp(kind_of(event), "layout") == 0)
                layouts[json_integer_value(json_object_get(event, "id"))] =
                    json_object_get(event, "fields");
            else if (strcmp(kind_of(event), "packet") == 0)
                check_packet(event, layouts, EVENTS + 1);
        }
        json_decref(data);
        free(text);
        maker_close(&maker);
    }
}

static void what_comes_again_keeps_its_number(void **state)
{
    (void)state;
    static struct html_intern table;
    bool is_new;
    uint32_t a = html_intern(&table, "a", 1, &is_new);
    assert_true(is_new);
    uint32_t empty = html_intern(&table, "", 0, &is_new);
    assert_true(is_new);
    assert_int_not_equal(a, empty);
    assert_int_equal(html_intern(&table, "a", 1, &is_new), a);
    assert_false(is_new);
    html_intern_free(&table);
}

static void a_full_table_forgets_but_never_repeats_a_number(void **state)
{
    (void)state;
    static struct html_intern table;
    bool is_new;
    uint32_t last = 0;
    for (uint32_t i = 0; i < 3 * HTML_INTERN_SLOTS; i++) {
        uint32_t number = html_intern(&table, &i, sizeof i, &is_new);
        assert_true(is_new);
        assert_true(number > last);
        assert_true(table.count <= HTML_INTERN_SLOTS / 2);
        last = number;
    }
    uint32_t first = 0;
    assert_true(html_intern(&table, &first, sizeof first, &is_new) > last);
    html_intern_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_holds_its_policy_and_all_events),
        cmocka_unit_test(fields_and_bytes_agree_in_any_trace),
        cmocka_unit_test(what_comes_again_keeps_its_number),
        cmocka_unit_test(a_full_table_forgets_but_never_repeats_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
