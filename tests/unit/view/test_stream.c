/*
 * Streams of traces made by hand. UPDATE_GOLDEN=1 writes the golden files anew (golden.h).
 */
#include "unit/view/golden.h"
#include "unit/view/line_widths.h"
#include "unit/view/sample_traces.h"

typedef void sample(struct maker *maker);

/* HTTP, whose lines end in both \r and \n. */
static void http(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {80, 9000}};
    maker_open(maker);
    maker_interface(maker);
    maker_handshake(maker, &flow);
    maker_data(maker, &flow.client, &flow.server, "GET / HTTP/1.0\r\nHost: \"x\"\r\n\r\n");
    maker_data(maker, &flow.server, &flow.client, "HTTP/1.0 200 OK\r\n");
    maker_data(maker, &flow.server, &flow.client,
               "\r\n<p>a line that is longer than most terminals are wide, so that it has to go "
               "on in the next</p>\n");
    maker_segment(maker, &flow.server, &flow.client, MAKER_RST | MAKER_ACK, 0, NULL);
}

/* Early, twice, over one another, and never. */
static void troubled(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {80, 9000}};
    struct maker_end *client = &flow.client;
    maker_open(maker);
    maker_interface(maker);
    maker_handshake(maker, &flow);
    uint32_t start = client->seq;
    client->seq = start + 4;
    maker_segment(maker, client, &flow.server, MAKER_ACK, 512, "efgh");
    client->seq = start;
    maker_segment(maker, client, &flow.server, MAKER_ACK, 512, "abcd");
    client->seq = start + 2;
    maker_segment(maker, client, &flow.server, MAKER_ACK, 512, "CDEFGHij");
    client->seq = start + 15;
    maker_segment(maker, client, &flow.server, MAKER_ACK, 512, "pq\n");
    maker_segment(maker, &flow.server, client, MAKER_ACK, 512, NULL);
    maker_data(maker, &flow.server, client, "thanks");
}

static void alice_and_bob(struct maker *maker)
{
    sample_three_clients(maker);
}

/* Every byte there is, and characters of several bytes over two segments. */
static void binary(struct maker *maker)
{
    char all[256];
    for (unsigned i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    struct maker_connection flow = {{51234, 1000}, {80, 9000}};
    maker_open(maker);
    maker_interface(maker);
    maker_handshake(maker, &flow);
    maker_data(maker, &flow.client, &flow.server, all);
    maker_data(maker, &flow.server, &flow.client, "你\xe5\xa5");
    maker_data(maker, &flow.server, &flow.client, "\xbd");
}

static void silent(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {80, 9000}};
    maker_open(maker);
    maker_interface(maker);
    maker_handshake(maker, &flow);
}

static struct view_options options_of(int columns, bool color, bool utf8, enum stream_form form)
{
    return (struct view_options){
        .terminal = {.columns = columns, .color = color, .utf8 = utf8},
        .file_name = "",
        .stream = form,
    };
}

static char *stream_of(sample *make, const struct view_options *options)
{
    struct maker maker;
    make(&maker);
    char *text = maker_render(&maker, VIEW_STREAM, options);
    maker_close(&maker);
    return text;
}

static void check(const char *name, sample *make, struct view_options options)
{
    char *text = stream_of(make, &options);
    golden_check(name, text);
    free(text);
}

static void check_raw(sample *make, uint32_t flow, enum stream_side side, const char *wanted)
{
    struct view_options options = options_of(80, true, true, STREAM_RAW);
    options.flow = flow;
    options.stream_from = side;
    char *text = stream_of(make, &options);
    assert_string_equal(text, wanted);
    free(text);
}

static void who_speaks_stands_above_and_beside(void **state)
{
    (void)state;
    check("stream-http.txt", http, options_of(80, false, true, STREAM_TEXT));
    check("stream-http-color.txt", http, options_of(80, true, true, STREAM_TEXT));
    check("stream-http-ascii.txt", http, options_of(80, false, false, STREAM_TEXT));
    check("stream-http-hex.txt", http, options_of(80, false, true, STREAM_HEX));
    check("stream-http-hex-40.txt", http, options_of(40, false, true, STREAM_HEX));
}

static void bytes_come_in_order_once_and_gaps_are_said(void **state)
{
    (void)state;
    check("stream-troubled.txt", troubled, options_of(80, false, true, STREAM_TEXT));
    check("stream-troubled-hex.txt", troubled, options_of(80, false, true, STREAM_HEX));
    check_raw(troubled, 0, STREAM_CLIENT, "abcdefghijpq\n");
}

static void each_datagram_stands_for_itself(void **state)
{
    (void)state;
    check("stream-datagrams.txt", sample_datagrams, options_of(80, false, true, STREAM_TEXT));
    check_raw(sample_datagrams, 0, STREAM_BOTH, "pingpong");
}

static void ends_have_their_roles_names(void **state)
{
    (void)state;
    check("stream-alice.txt", alice_and_bob, options_of(80, false, true, STREAM_TEXT));
    struct view_options options = options_of(80, false, true, STREAM_TEXT);
    options.flow = 2;
    check("stream-bob.txt", alice_and_bob, options);
}

static void nothing_dangerous_and_no_byte_is_lost(void **state)
{
    (void)state;
    check("stream-binary.txt", binary, options_of(80, false, true, STREAM_TEXT));
    check("stream-binary-hex.txt", binary, options_of(80, false, true, STREAM_HEX));
}

static void raw_is_the_bytes_and_nothing_else(void **state)
{
    (void)state;
    check_raw(alice_and_bob, 1, STREAM_BOTH, "hihi too");
    check_raw(alice_and_bob, 1, STREAM_CLIENT, "hi");
    check_raw(alice_and_bob, 1, STREAM_SERVER, "hi too");
    check_raw(alice_and_bob, 3, STREAM_BOTH, "hi");
    check_raw(silent, 0, STREAM_BOTH, "");
}

static void one_side_alone_keeps_its_turns(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true, STREAM_TEXT);
    options.stream_from = STREAM_SERVER;
    check("stream-http-server.txt", http, options);
}

static void a_flow_without_bytes_says_so(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true, STREAM_TEXT);
    char *text = stream_of(silent, &options);
    assert_string_equal(text, "No flow carries bytes.\n");
    free(text);
    options.flow = 1;
    text = stream_of(silent, &options);
    assert_string_equal(text, "Flow 1 carries no bytes.\n");
    free(text);
}

/* A turn too long to be held back: 1 MB one way, each segment a line. */
static void long_one(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {80, 9000}};
    char line[1025];
    maker_open(maker);
    maker_interface(maker);
    maker_handshake(maker, &flow);
    for (unsigned i = 0; i < 1000; i++) {
        memset(line, 'a' + (int)(i % 26), 1023);
        memcpy(line + 1023, "\n", 2);
        maker_data(maker, &flow.client, &flow.server, line);
    }
    maker_data(maker, &flow.server, &flow.client, "enough");
}

static void a_long_turn_goes_out_as_it_grows(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true, STREAM_TEXT);
    char *text = stream_of(long_one, &options);
    assert_non_null(strstr(text, "client → server  more than 262144 bytes, from packet 4 on\n"));
    assert_non_null(strstr(text, "(1024000 bytes, packets 4 to 2002)\n"));
    assert_non_null(strstr(text, "server → client  6 bytes, packet 2004\n"));
    size_t shown[26] = {0};
    for (const char *at = text; *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'z')
            shown[*at - 'a']++;
    assert_true(shown['z' - 'a'] == 38 * 1023);
    free(text);
    options = options_of(80, false, true, STREAM_HEX);
    text = stream_of(long_one, &options);
    assert_non_null(strstr(text, "→ 000f9ff0  6c 6c 6c 6c 6c 6c 6c 6c 6c 6c 6c 6c 6c 6c 6c 0a  "));
    free(text);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static sample *const samples[] = {http,   troubled,         alice_and_bob,
                                      binary, sample_datagrams, sample_troubles};
    static const int widths[] = {40, 47, 60, 79, 80, 81, 200};
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
            for (unsigned form = 0; form < 8; form++) {
                struct view_options options =
                    options_of(widths[w], form & 1, form & 2, form & 4 ? STREAM_HEX : STREAM_TEXT);
                char *text = stream_of(samples[s], &options);
                check_widths(text, widths[w], form & 2);
                free(text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_speaks_stands_above_and_beside),
        cmocka_unit_test(bytes_come_in_order_once_and_gaps_are_said),
        cmocka_unit_test(each_datagram_stands_for_itself),
        cmocka_unit_test(ends_have_their_roles_names),
        cmocka_unit_test(nothing_dangerous_and_no_byte_is_lost),
        cmocka_unit_test(raw_is_the_bytes_and_nothing_else),
        cmocka_unit_test(one_side_alone_keeps_its_turns),
        cmocka_unit_test(a_flow_without_bytes_says_so),
        cmocka_unit_test(a_long_turn_goes_out_as_it_grows),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
