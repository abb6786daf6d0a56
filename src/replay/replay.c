#include "replay/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/socket.h"

#define RECV_LIMIT      ((size_t)65536)
#define ADDRESSES_LIMIT 8

enum phase { RESOLVE, OPEN, SET_OPTION, BIND, LISTEN, ACCEPT, CONNECT, TURNS, CLOSE, OVER };

struct replay {
    const struct replay_settings *settings;
    struct replay_finding *finding;
    enum phase phase;
    bool calling; /* a call is under way */
    bool played;  /* it came to a result */
    struct address addresses[ADDRESSES_LIMIT];
    size_t address_count, address;
    struct host_socket *listener, *socket;
    size_t turn;
    size_t done; /* bytes of the turn that have come */
    char failure[256];
};

static const struct turn *turn_now(const struct replay *replay)
{
    return &replay->settings->turns->list[replay->turn];
}

static bool is_own(const struct replay *replay, const struct turn *turn)
{
    return turn->from == replay->settings->as;
}

static const uint8_t *bytes_of(const struct replay *replay, const struct turn *turn)
{
    return replay->settings->flow->side[turn->from].sent.data + turn->at;
}

static void next_turn(struct replay *replay)
{
    replay->turn++;
    replay->done = 0;
    if (replay->turn == replay->settings->turns->count)
        replay->phase = CLOSE;
}

static enum call_progress begin_turn(struct task *task, struct replay *replay)
{
    const struct turn *turn = turn_now(replay);
    if (!is_own(replay, turn)) {
        size_t left = turn->kind == TURN_BYTES ? turn->length - replay->done : RECV_LIMIT;
        return socket_recv(task, replay->socket, left < RECV_LIMIT ? left : RECV_LIMIT);
    }
    if (turn->kind == TURN_BYTES)
        return socket_sendall(task, replay->socket, bytes_of(replay, turn), turn->length);
    if (turn->kind == TURN_END)
        return socket_shutdown(task, replay->socket, SHUTDOWN_WRITE);
    return socket_reset(task, replay->socket);
}

static enum call_progress begin(struct task *task, struct replay *replay)
{
    const struct replay_settings *settings = replay->settings;
    const struct address *address = &replay->addresses[replay->address];
    switch (replay->phase) {
    case RESOLVE:
        return host_resolve(task, settings->host, settings->port);
    case OPEN:
        return socket_open(task, address->family, TRACE_TCP);
    case SET_OPTION:
        return socket_setoption(task, replay->listener, "SO_REUSEADDR", 1);
    case BIND:
        return socket_bind(task, replay->listener, address);
    case LISTEN:
        return socket_listen(task, replay->listener, 1);
    case ACCEPT:
        return socket_accept(task, replay->listener);
    case CONNECT:
        return socket_connect(task, replay->socket, address);
    case TURNS:
        return begin_turn(task, replay);
    default:
        return socket_close(task, replay->socket);
    }
}

static void differ(struct replay *replay, const char *what, size_t into,
                   const struct call_result *result)
{
    struct replay_finding *finding = replay->finding;
    finding->different = true;
    finding->what = what;
    finding->turn = replay->turn;
    finding->offset = turn_now(replay)->at + replay->done + into;
    if (turn_now(replay)->kind != TURN_BYTES)
        finding->offset = replay->settings->flow->side[turn_now(replay)->from].sent.length;
    if (result->error != 0) {
        snprintf(finding->detail, sizeof finding->detail, "%s", result->message);
    } else if (into < result->length) {
        size_t length = result->length - into;
        finding->received_length = length < sizeof finding->received ? length : 16;
        memcpy(finding->received, result->bytes + into, finding->received_length);
    }
    replay->phase = CLOSE;
}

/* The peer's turn was bytes, and something came. */
static void compare(struct replay *replay, const struct call_result *result)
{
    const struct turn *turn = turn_now(replay);
    const uint8_t *expected = bytes_of(replay, turn) + replay->done;
    size_t same = 0;
    while (same < result->length && result->bytes[same] == expected[same])
        same++;
    if (same < result->length) {
        differ(replay, "other bytes came", same, result);
        return;
    }
    replay->done += result->length;
    if (replay->done == turn->length)
        next_turn(replay);
}

/* Whoever has heard the peer's end already hears of no reset behind it. */
static bool has_ended(const struct replay *replay, enum flow_end from)
{
    for (size_t i = 0; i < replay->turn; i++) {
        const struct turn *turn = &replay->settings->turns->list[i];
        if (turn->from == from && turn->kind == TURN_END)
            return true;
    }
    return false;
}

/* Whether the call did what the turn says, bytes apart. */
static bool is_as_recorded(const struct replay *replay, const struct turn *turn,
                           const struct call_result *result)
{
    if (is_own(replay, turn))
        return result->error == 0;
    if (turn->kind == TURN_END)
        return result->end_of_stream;
    return turn->kind == TURN_RESET && (result->error == ECONNRESET ||
                                        (result->end_of_stream && has_ended(replay, turn->from)));
}

static void end_turn(struct replay *replay, const struct call_result *result)
{
    const struct turn *turn = turn_now(replay);
    if (is_as_recorded(replay, turn, result)) {
        next_turn(replay);
    } else if (is_own(replay, turn)) {
        differ(replay, "what was recorded could not be sent", 0, result);
    } else if (result->error == ETIMEDOUT) {
        differ(replay, "nothing more came", 0, result);
    } else if (result->error != 0) {
        differ(replay, "the connection broke", 0, result);
    } else if (result->end_of_stream) {
        differ(replay, "the peer hung up", 0, result);
    } else if (turn->kind == TURN_BYTES) {
        compare(replay, result);
    } else {
        differ(replay, "more bytes came", 0, result);
    }
}

/* There is no connection, and will be none. */
static void give_up(struct replay *replay, const struct call_result *result)
{
    snprintf(replay->failure, sizeof replay->failure, "%s", result->message);
    replay->phase = OVER;
}

static void take_addresses(struct task *task, struct replay *replay)
{
    int64_t count = task_result(task)->value;
    replay->address_count = count < ADDRESSES_LIMIT ? (size_t)count : ADDRESSES_LIMIT;
    memcpy(replay->addresses, task_addresses(task),
           replay->address_count * sizeof replay->addresses[0]);
    replay->phase = OPEN;
}

static void take_connection(struct replay *replay, struct host_socket *socket)
{
    replay->socket = socket;
    socket_set_timeout(socket, replay->settings->timeout);
    replay->played = true;
    replay->phase = TURNS;
}

/* The call has ended: what comes next? */
static void end(struct task *task, struct replay *replay)
{
    const struct call_result *result = task_result(task);
    bool serves = replay->settings->as == FLOW_SERVER;
    if (replay->phase == TURNS) {
        end_turn(replay, result);
    } else if (replay->phase == CLOSE) {
        replay->phase = OVER;
    } else if (replay->phase == CONNECT && result->error != 0 &&
               replay->address + 1 < replay->address_count) {
        replay->address++;
        replay->phase = OPEN;
    } else if (result->error != 0) {
        give_up(replay, result);
    } else if (replay->phase == RESOLVE) {
        take_addresses(task, replay);
    } else if (replay->phase == OPEN) {
        *(serves ? &replay->listener : &replay->socket) = result->socket;
        replay->phase = serves ? SET_OPTION : CONNECT;
        if (!serves)
            socket_set_timeout(result->socket, replay->settings->timeout);
    } else if (replay->phase == ACCEPT) {
        take_connection(replay, result->socket);
    } else if (replay->phase == CONNECT) {
        take_connection(replay, replay->socket);
    } else {
        replay->phase = (enum phase)(replay->phase + 1); /* up to ACCEPT */
    }
}

static void step(struct task *task, void *data)
{
    struct replay *replay = data;
    if (replay->calling)
        end(task, replay);
    replay->calling = true;
    while (replay->phase != OVER) {
        if (begin(task, replay) == CALL_WAITING)
            return;
        end(task, replay);
    }
    task_end(task);
}

static void cancel(struct task *task, void *data)
{
    (void)task;
    (void)data;
}

static void reachable(void *data, const struct address *address, enum trace_transport transport)
{
    const struct replay *replay = data;
    (void)transport;
    if (replay->settings->reachable != NULL)
        replay->settings->reachable(address);
}

static bool run(struct host *host, struct replay *replay, struct error *error)
{
    static const struct task_behavior behavior = {step, cancel};
    bool serves = replay->settings->as == FLOW_SERVER;
    struct role *role = host_add_role(host, serves ? TRACE_ROLE_SERVER : TRACE_ROLE_CLIENT,
                                      serves ? "server" : "client");
    if (role == NULL || task_add(role, &behavior, replay) == NULL)
        return error_set(error, STATUS_NOT_ALLOWED, "out of memory");
    enum trace_outcome outcome;
    if (!host_run(host, &outcome, error) && error->status != STATUS_DONE)
        return false;
    if (replay->failure[0] != '\0')
        return error_set(error, STATUS_USAGE, "%s", replay->failure);
    if (replay->phase != OVER)
        return error_set(error, STATUS_CHECK_FAILED, "interrupted %s",
                         replay->played ? "before the last turn" : "before anybody connected");
    error->text[0] = '\0';
    return true;
}

bool replay_play(const struct replay_settings *settings, struct replay_finding *finding,
                 struct error *error)
{
    struct replay replay = {.settings = settings, .finding = finding};
    struct host_settings host_settings = {
        .serving = settings->as == FLOW_SERVER,
        .loopback_only = settings->as == FLOW_SERVER && !settings->others_may_come,
        .reachable = reachable,
        .data = &replay,
    };
    *finding = (struct replay_finding){.turn = settings->turns->count};
    struct host *host = host_open(&host_settings, error);
    if (host == NULL)
        return false;
    bool played = run(host, &replay, error);
    host_close(host);
    return played;
}
