/*
 * fake_host.h - host.h and socket.h without sockets, for tests of the script module.
 *
 * Every call is noted in the log as "role call arguments @file:line" and succeeds, at once or
 * (fake_waits) after one more step. fake_fail makes a later call fail; fake_feed says what recv
 * and recvfrom give. fake_run steps all tasks in their order until none is left or one has failed.
 */
#ifndef HANDLENS_TESTS_FAKE_HOST_H
#define HANDLENS_TESTS_FAKE_HOST_H

#include "host/host.h"
#include "host/socket.h"
#include "support/buffer.h"

struct host *fake_open(void);
void fake_close(void);
void fake_waits(bool waits);
void fake_fail(const char *call, int error);
void fake_feed(const char *text);
void fake_run(void);

/* A text of lines each, "" for nothing. */
const char *fake_log(void);
const char *fake_prints(void);
/* What task_fail or task_stop said, or "". */
const char *fake_failure(void);
bool fake_stopped(void);
uint32_t fake_failure_line(void);
/* Sockets that are still held by the script, and those still open. */
unsigned fake_held(void);
unsigned fake_open_sockets(void);

#endif
