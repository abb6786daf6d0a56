/*
 * Ladders of traces made by hand. Times and ports are the maker's own, so they need no normalising.
 * UPDATE_GOLDEN=1 writes the golden files anew (golden.h).
 */
#include "unit/view/golden.h"
#include "unit/view/line_widths.h"
#include "unit/view/sample_traces.h"

typedef void sample(struct maker *maker);

static void hello(struct maker *maker)
{
    sample_hello(maker, "Hello from the client", "Hello from the server");
}

static void wide_hello(struct maker *maker)
{
    sample_hello(maker, "欢迎访问服务器！", "欢迎访问服务器！欢迎访问服务器！欢迎访问服务器！");
}

static struct view_options options_of(int columns, bool color, bool utf8)
{
    return (struct view_options){
        .terminal = {.columns = columns, .color = color, .utf8 = utf8},
        .file_name = "",
    };
}

static char *ladder_of(sample *make, const struct view_options *options)
{
    struct maker maker;
    make(&maker);
    char *text = maker_render(&maker, VIEW_LADDER, options);
    maker_close(&maker);
    return text;
}

static void check(const char *name, sample *make, int columns, bool color, bool utf8)
{
    struct view_options options = options_of(columns, color, utf8);
    char *text = ladder_of(make, &options);
    golden_check(name, text);
    free(text);
}

static void hello_reads_as_ever(void **state)
{
    (void)state;
    check("hello-80.txt", hello, 80, false, true);
    check("hello-80-color.txt", hello, 80, true, true);
    check("hello-80-ascii.txt", hello, 80, false, false);
    check("hello-120.txt", hello, 120, false, true);
    check("hello-120-color-ascii.txt", hello, 120, true, false);
    check("hello-40.txt", hello, 40, false, true);
}

static void wide_characters_keep_the_lanes_straight(void **state)
{
    (void)state;
    check("wide-80.txt", wide_hello, 80, false, true);
    check("wide-80-ascii.txt", wide_hello, 80, false, false);
    check("wide-120.txt", wide_hello, 120, false, true);
}

static void each_client_has_a_lane(void **state)
{
    (void)state;
    check("three-clients-80.txt", sample_three_clients, 80, false, true);
    check("three-clients-120-color.txt", sample_three_clients, 120, true, true);
    check("three-clients-80-ascii.txt", sample_three_clients, 80, false, false);
}

static void a_crowd_shares_a_lane_and_is_named(void **state)
{
    (void)state;
    check("crowd-80.txt", sample_crowd, 80, false, true);
}

static void strangers_are_told_apart_by_their_flows(void **state)
{
    (void)state;
    check("strangers-80.txt", sample_strangers, 80, false, true);
}

static void the_kernels_own_packets_and_marks_are_named(void **state)
{
    (void)state;
    check("troubles-80.txt", sample_troubles, 80, false, true);
    check("troubles-80-color.txt", sample_troubles, 80, true, true);
}

static void what_is_rare_is_told_all_the_same(void **state)
{
    (void)state;
    check("rarities-80.txt", sample_rarities, 80, false, true);
    check("rarities-120.txt", sample_rarities, 120, false, true);
    check("rarities-40.txt", sample_rarities, 40, false, true);
}

static void datagrams_and_icmp_errors_are_arrows(void **state)
{
    (void)state;
    check("datagrams-80.txt", sample_datagrams, 80, false, true);
}

static void what_belongs_to_no_flow_is_a_plain_line(void **state)
{
    (void)state;
    check("others-80.txt", sample_others, 80, false, true);
}

static void clients_may_talk_to_each_other_and_to_themselves(void **state)
{
    (void)state;
    check("peers-80.txt", sample_peers, 80, false, true);
}

static void foreign_captures_have_lanes_by_flow(void **state)
{
    (void)state;
    check("foreign-80.txt", sample_foreign, 80, false, true);
}

static void a_selected_flow_keeps_only_its_calls(void **state)
{
    (void)state;
    struct view_options options = options_of(80, false, true);
    options.flow = 2;
    char *text = ladder_of(sample_three_clients, &options);
    golden_check("flow-2-80.txt", text);
    free(text);
    options.flow = 0;
    options.filter = "tcp[tcpflags] & tcp-syn != 0";
    text = ladder_of(hello, &options);
    golden_check("filter-syn-80.txt", text);
    free(text);
}

static void records_of_tls_have_names(void **state)
{
    (void)state;
    check("encrypted-80.txt", sample_encrypted, 80, false, true);
    check("encrypted-40.txt", sample_encrypted, 40, false, true);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static sample *const samples[] = {
        hello,           wide_hello,       sample_three_clients, sample_crowd,  sample_strangers,
        sample_troubles, sample_datagrams, sample_foreign,       sample_others, sample_peers,
        sample_encrypted};
    static const int widths[] = {40, 47, 59, 60, 61, 79, 80, 81, 99, 100, 120, 200};
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
            for (int form = 0; form < 4; form++) {
                struct view_options options = options_of(widths[w], form & 1, form & 2);
                char *text = ladder_of(samples[s], &options);
                check_widths(text, widths[w], form & 2);
                free(text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_reads_as_ever),
        cmocka_unit_test(wide_characters_keep_the_lanes_straight),
        cmocka_unit_test(each_client_has_a_lane),
        cmocka_unit_test(a_crowd_shares_a_lane_and_is_named),
        cmocka_unit_test(strangers_are_told_apart_by_their_flows),
        cmocka_unit_test(the_kernels_own_packets_and_marks_are_named),
        cmocka_unit_test(what_is_rare_is_told_all_the_same),
        cmocka_unit_test(datagrams_and_icmp_errors_are_arrows),
        cmocka_unit_test(what_belongs_to_no_flow_is_a_plain_line),
        cmocka_unit_test(clients_may_talk_to_each_other_and_to_themselves),
        cmocka_unit_test(foreign_captures_have_lanes_by_flow),
        cmocka_unit_test(a_selected_flow_keeps_only_its_calls),
        cmocka_unit_test(records_of_tls_have_names),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
