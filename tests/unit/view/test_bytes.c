/*
 * Bytes of traces made by hand. UPDATE_GOLDEN=1 writes the golden files anew (golden.h).
 */
#include "unit/view/golden.h"
#include "unit/view/line_widths.h"
#include "unit/view/sample_traces.h"

typedef void sample(struct maker *maker);

static void hello(struct maker *maker)
{
    sample_hello(maker, "Hello from the client", "你好 from the \"server\"");
}

/* IPv6 with a hop-by-hop header, and TCP behind it. */
static void sample_ipv6(struct maker *maker)
{
    static const uint8_t payload[] = "from six to six";
    uint8_t frame[14 + 40 + 8 + 20 + sizeof payload - 1] = {[12] = 0x86, [13] = 0xdd};
    uint8_t *ip = frame + 14;
    maker_put32(ip, 0x6abcdef1);
    maker_put16(ip + 4, sizeof frame - 54);
    ip[6] = 0;
    ip[7] = 64;
    maker_put32(ip + 8, 0x20010db8);
    ip[23] = 1;
    maker_put32(ip + 24, 0x20010db8);
    ip[39] = 2;
    static const uint8_t alert[8] = {6, 0, 5, 2, 0, 0, 1, 0};
    memcpy(ip + 40, alert, sizeof alert);
    uint8_t *tcp = ip + 48;
    maker_put16(tcp, 40000);
    maker_put16(tcp + 2, 80);
    tcp[12] = 0x50;
    tcp[13] = 0x18;
    memcpy(tcp + 20, payload, sizeof payload - 1);
    maker_open(maker);
    maker_interface(maker);
    maker_raw(maker, frame, sizeof frame);
}

/* A SYN whose capture ends inside its options; one whose option cannot be; an impossible header. */
static void sample_broken(struct maker *maker)
{
    uint8_t frame[14 + 20 + 24] = {[12] = 0x08};
    uint8_t *ip = frame + 14;
    ip[0] = 0x45;
    maker_put16(ip + 2, 44);
    ip[8] = 64;
    ip[9] = 6;
    ip[12] = ip[16] = 127;
    ip[15] = ip[19] = 1;
    maker_put16(ip + 20, 40000);
    maker_put16(ip + 22, 80);
    ip[32] = 0x60;
    ip[33] = 2;
    ip[40] = 2;
    ip[41] = 40; /* longer than all options together */
    maker_open(maker);
    maker_interface(maker);
    maker_raw(maker, frame, sizeof frame);
    maker_raw(maker, frame, 50);
    ip[32] = 0x20;
    maker_raw(maker, frame, sizeof frame);
    maker_raw(maker, frame, 20);
    maker_raw(maker, frame, 0);
}

/* Payload that would take a terminal over, and more of it than fits. */
static void sample_hostile(struct maker *maker)
{
    static char payload[1001];
    static const char nasty[] = "\033[2J\033]0;owned\a\r\x9b"
                                "1m\xe2\x80\xae\xd7\x90\xcc\x81\xf0\x9f\x98\x80\xff\xfe";
    for (size_t i = 0; i < sizeof payload - 1; i++)
        payload[i] = nasty[i % (sizeof nasty - 1)];
    struct maker_connection flow = {{51234, 1000}, {65432, 9000}};
    maker_open(maker);
    maker_interface(maker);
    maker->comment[0] = '\0';
    maker_handshake(maker, &flow);
    maker_data(maker, &flow.client, &flow.server, payload);
}

static struct view_options options_of(int columns, bool color, bool utf8, uint64_t number)
{
    return (struct view_options){
        .terminal = {.columns = columns, .color = color, .utf8 = utf8},
        .file_name = "",
        .number = number,
    };
}

static char *bytes_of(sample *make, const struct view_options *options)
{
    struct maker maker;
    make(&maker);
    char *text = maker_render(&maker, VIEW_BYTES, options);
    maker_close(&maker);
    return text;
}

static void check(const char *name, sample *make, struct view_options options)
{
    char *text = bytes_of(make, &options);
    golden_check(name, text);
    free(text);
}

static void each_packet_is_fields_beside_bytes(void **state)
{
    (void)state;
    check("bytes-hello.txt", hello, options_of(80, false, true, 0));
    check("bytes-hello-ascii.txt", hello, options_of(80, false, false, 0));
    check("bytes-hello-40.txt", hello, options_of(40, false, true, 0));
    check("bytes-datagrams.txt", sample_datagrams, options_of(80, false, true, 0));
    check("bytes-others.txt", sample_others, options_of(80, false, true, 0));
}

static void one_packet_is_drawn_listed_and_dumped(void **state)
{
    (void)state;
    check("bytes-syn.txt", hello, options_of(80, false, true, 1));
    check("bytes-data.txt", hello, options_of(80, false, true, 6));
    check("bytes-data-color.txt", hello, options_of(80, true, true, 6));
    check("bytes-data-ascii.txt", hello, options_of(80, false, false, 6));
    check("bytes-data-132.txt", hello, options_of(132, false, true, 6));
    check("bytes-ipv6.txt", sample_ipv6, options_of(80, false, true, 1));
    check("bytes-udp.txt", sample_datagrams, options_of(80, false, true, 1));
    check("bytes-icmp.txt", sample_datagrams, options_of(80, false, true, 4));
}

static void what_is_cut_or_absurd_is_shown_up_to_there(void **state)
{
    (void)state;
    check("bytes-broken.txt", sample_broken, options_of(80, false, true, 0));
    check("bytes-cut.txt", sample_broken, options_of(80, false, true, 2));
    check("bytes-absurd.txt", sample_broken, options_of(80, false, true, 3));
}

static void payload_is_shown_safely_and_cut(void **state)
{
    (void)state;
    check("bytes-hostile.txt", sample_hostile, options_of(80, false, true, 0));
}

static void a_packet_that_is_not_there_is_said(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true, 99);
    char *text = bytes_of(hello, &options);
    assert_string_equal(text, "No packet to show.\n");
    free(text);
}

/* All digits of a hexdump, in order, are the frame's bytes. */
static void the_dump_has_every_byte_once(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true, 6);
    char *text = bytes_of(hello, &options);
    const char *dump = strstr(text, "\nEthernet 0000");
    assert_non_null(dump);
    unsigned wanted = 0;
    while (*dump == '\n' && dump[1] != '\0') {
        unsigned offset, byte;
        int used = 0;
        assert_int_equal(sscanf(dump + 10, "%4x  %n", &offset, &used), 1);
        assert_int_equal(offset, wanted);
        for (const char *at = dump + 10 + used; sscanf(at, "%2x", &byte) == 1 && at[2] == ' ';
             at += 3)
            wanted++;
        if (offset == wanted)
            break;
        dump = strchr(dump + 1, '\n');
    }
    assert_true(wanted == 14 + 20 + 20 + strlen("你好 from the \"server\""));
    free(text);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static sample *const samples[] = {hello,         sample_datagrams, sample_others,  sample_ipv6,
                                      sample_broken, sample_hostile,   sample_troubles};
    static const int widths[] = {40, 47, 63, 64, 65, 70, 71, 72, 79, 80, 81, 109, 110, 200};
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
            for (unsigned form = 0; form < 4 * 8; form++) {
                struct view_options options = options_of(widths[w], form & 1, form & 2, form / 4);
                char *text = bytes_of(samples[s], &options);
                check_widths(text, widths[w], form & 2);
                free(text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_is_fields_beside_bytes),
        cmocka_unit_test(one_packet_is_drawn_listed_and_dumped),
        cmocka_unit_test(what_is_cut_or_absurd_is_shown_up_to_there),
        cmocka_unit_test(payload_is_shown_safely_and_cut),
        cmocka_unit_test(a_packet_that_is_not_there_is_said),
        cmocka_unit_test(the_dump_has_every_byte_once),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
