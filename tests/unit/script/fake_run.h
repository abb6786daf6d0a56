/*
 * fake_run.h - runs labs with the fake host, which is compiled in.
 */
#ifndef HANDLENS_TESTS_FAKE_RUN_H
#define HANDLENS_TESTS_FAKE_RUN_H

#include "lab_file.h"

#include "fake_host.c"

/* Runs all roles of a loaded lab to their end. The fake host stays open for questions. */
static void run_roles(struct script *script, struct host *host)
{
    struct script_run run = {.parties = SCRIPT_EVERYONE, .client_copies = 1, .repeats = 1};
    if (script_lab(script)->has_port)
        run.address = (struct address){
            .family = 4, .port = script_lab(script)->port, .bytes = {127, 0, 0, 1}};
    if (!script_start(script, host, &run, &lab_error))
        fail_msg("%s", lab_error.text);
    fake_run();
    assert_int_equal(fake_held(), 0);
}

__attribute__((unused)) static void run_lab(const char *text, bool waits)
{
    struct script *script = load_text(text);
    if (script == NULL)
        fail_msg("%s", lab_error.text);
    struct host *host = fake_open();
    fake_waits(waits);
    run_roles(script, host);
    script_close(script);
}

/* Runs a client's body, both with calls that wait and with calls that do not. */
__attribute__((unused)) static void expect_prints(const char *body, const char *prints)
{
    for (int waits = 0; waits < 2; waits++) {
        char text[4096];
        snprintf(text, sizeof text, "function lab.client()\n%s\nend\n", body);
        run_lab(text, waits);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(fake_prints(), prints);
        fake_close();
    }
}

__attribute__((unused)) static void expect_failure(const char *body, const char *failure)
{
    for (int waits = 0; waits < 2; waits++) {
        char text[4096];
        snprintf(text, sizeof text, "function lab.client()\n%s\nend\n", body);
        run_lab(text, waits);
        assert_string_equal(fake_failure(), failure);
        fake_close();
    }
}

#endif
