/* Whoever is asked before each call: what it is told, and what its answer does. */
#include "unit/host/actor.h"

#include <time.h>

struct asked {
    char calls[32][32];
    uint32_t lines[32];
    const struct role *roles[32];
    size_t count;
    size_t refused; /* from this one on; 0: none */
    long pause;     /* ns that each answer takes */
};

static bool answer(void *data, const struct host_preview *preview)
{
    struct asked *asked = data;
    assert_true(asked->count < 32);
    snprintf(asked->calls[asked->count], 32, "%s(%.*s)", preview->name,
             (int)(preview->arguments.length < 20 ? preview->arguments.length : 20),
             preview->arguments.length == 0 ? "" : preview->arguments.data);
    asked->lines[asked->count] = preview->line;
    asked->roles[asked->count] = preview->role;
    asked->count++;
    /* That time passes unnoticed is what is tested: it must pass. */
    nanosleep(&(struct timespec){.tv_nsec = asked->pause}, NULL);
    return asked->refused == 0 || asked->count < asked->refused;
}

static action *const server_actions[] = {LISTENING, do_accept, do_recv, NULL};
static action *const client_actions[] = {do_tcp, do_connect, do_hello, do_close, NULL};

/* Opens a stage whose exchange may take so long. */
static void open_stage(struct stage *stage, struct asked *asked, int64_t timeout,
                       struct actor *server, struct actor *client)
{
    struct error error;
    *server = (struct actor){.actions = server_actions};
    *client = (struct actor){.actions = client_actions};
    stage->recorder = recorder_open(NULL, &error);
    assert_non_null(stage->recorder);
    recorder_listen(stage->recorder, stage_hear, stage);
    stage->settings = (struct host_settings){.recorder = stage->recorder,
                                             .alone = true,
                                             .timeout = timeout,
                                             .before_call = answer,
                                             .data = asked};
    stage->host = host_open(&stage->settings, &error);
    assert_non_null(stage->host);
    meeting = (struct address){.family = 4, .bytes = {127, 0, 0, 1}};
    add_actor(stage->host, TRACE_ROLE_SERVER, "server", server);
    add_actor(stage->host, TRACE_ROLE_CLIENT, "client", client);
}

static size_t find(const struct asked *asked, const char *start)
{
    for (size_t i = 0; i < asked->count; i++)
        if (strncmp(asked->calls[i], start, strlen(start)) == 0)
            return i;
    fail_msg("%s was not asked for", start);
    return 0;
}

static void it_is_told_of_each_call_of_each_role(void **state)
{
    (void)state;
    struct stage stage = {0};
    struct asked asked = {0};
    struct actor server, client;
    open_stage(&stage, &asked, 0, &server, &client);
    stage_run(&stage);
    assert_true(stage.done);
    size_t at = find(&asked, "sendall(\"Hello\")");
    assert_int_equal(asked.lines[at], 3);
    assert_string_equal(role_name(asked.roles[at]), "client");
    assert_string_equal(role_name(asked.roles[find(&asked, "accept()")]), "server");
    assert_true(find(&asked, "connect(127.0.0.1:") < at);
    stage_close(&stage);
}

static void the_time_it_takes_does_not_count(void **state)
{
    (void)state;
    struct stage stage = {0};
    struct asked asked = {.pause = 60 * NANOSECONDS_PER_MILLISECOND};
    struct actor server, client;
    open_stage(&stage, &asked, 200 * NANOSECONDS_PER_MILLISECOND, &server, &client);
    stage_run(&stage);
    assert_true((int64_t)asked.count * asked.pause > stage.settings.timeout);
    assert_true(stage.done);
    assert_int_equal(stage.outcome, TRACE_DONE);
    stage_close(&stage);
}

/* At each call in turn, so at those that can wait and those that cannot. */
static void a_refusal_ends_the_exchange_without_the_call(void **state)
{
    (void)state;
    struct asked all = {0};
    struct stage whole = {0};
    struct actor server, client;
    open_stage(&whole, &all, 0, &server, &client);
    stage_run(&whole);
    stage_close(&whole);
    for (size_t refused = 1; refused <= all.count; refused++) {
        struct stage stage = {0};
        struct asked asked = {.refused = refused};
        open_stage(&stage, &asked, 0, &server, &client);
        stage_run(&stage);
        assert_false(stage.done);
        assert_int_equal(stage.outcome, TRACE_INTERRUPTED);
        assert_int_equal(asked.count, refused);
        size_t calls = 0;
        for (size_t i = 0; i < stage.count; i++) {
            calls += stage.told[i].kind == TRACE_CALL && stage.told[i].line != 0;
            assert_int_not_equal(stage.told[i].kind, TRACE_NOTE); /* nobody failed */
        }
        assert_int_equal(calls, refused - 1);
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_of_each_call_of_each_role),
        cmocka_unit_test(the_time_it_takes_does_not_count),
        cmocka_unit_test(a_refusal_ends_the_exchange_without_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
