#include "command/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/capture.h"
#include "command/fencing.h"
#include "command/ports.h"
#include "command/screen.h"
#include "host/folder.h"
#include "host/host.h"
#include "support/buffer.h"
#include "support/clock.h"
#include "support/terminal.h"
#include "trace/recorder.h"
#include "trace/writer.h"

#define DEFAULT_TIMEOUT (30 * NANOSECONDS_PER_SECOND)
/* Asking the kernel for its state after each call doubles the calls; a load test needs none. */
#define KERNEL_STATES_UP_TO 100

/* What a run holds while it lasts. */
struct recording {
    struct exchange *exchange;
    struct screen screen;
    struct trace_writer *copy; /* into the anonymous file that the view will read */
    struct error loss;         /* why what is shown is not all that took place; "" while it is */
    struct trace_writer *file; /* into -w's file; NULL without -w */
    struct recorder *recorder;
    struct capture *capture;
    struct ports ports; /* what is captured where others talk, too */
    bool sifts;         /* the place is such a one */
    struct host *host;
    struct folder *folder; /* for the script's files */
    uint64_t *dropped;     /* packets the kernel had no room for */
};

/* A file without a name, for the trace that the view reads. */
static int anonymous_file(struct error *error)
{
    const char *folder = getenv("TMPDIR");
    int descriptor = open(folder != NULL && folder[0] != '\0' ? folder : "/tmp",
                          O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0)
        descriptor = memfd_create("handlens", MFD_CLOEXEC);
    if (descriptor < 0)
        error_set(error, STATUS_NOT_ALLOWED, "cannot make a temporary file for the trace: %s",
                  strerror(errno));
    return descriptor;
}

/* The recorder's listener: every event into the anonymous file as well. */
static void copy_event(void *data, const struct trace_event *event)
{
    struct recording *recording = data;
    if (recording->copy != NULL && !trace_writer_add(recording->copy, event, &recording->loss)) {
        trace_writer_close(recording->copy, NULL);
        recording->copy = NULL;
    }
    if (recording->exchange->step != NULL)
        step_hear(recording->exchange->step, event);
}

/* All that has happened so far goes to the files and the listener. */
static void write_so_far(struct recording *recording)
{
    struct error error = {0};
    if (!recorder_flush(recording->recorder, &error) &&
        recording->exchange->recording.text[0] == '\0')
        recording->exchange->recording = error;
}

/* The host's before_call, with --step: what the last call led to is shown before the next. */
static bool stop(void *data, const struct host_preview *preview)
{
    struct recording *recording = data;
    if (recording->capture != NULL)
        capture_sync(recording->capture);
    write_so_far(recording);
    return step_before_call(recording->exchange->step, recording->host, preview);
}

static void hear(void *data, const struct role *role, enum trace_note_kind kind, const char *text,
                 size_t length)
{
    struct recording *recording = data;
    if (recording->exchange->step != NULL && recording->screen.prints)
        step_make_way(recording->exchange->step, false);
    screen_hear(&recording->screen, role, kind, text, length);
    if (recording->exchange->step != NULL && kind == TRACE_NOTE_INPUT)
        step_typed(recording->exchange->step);
}

static void prompt(void *data, const struct role *role, const char *text, size_t length, bool typed)
{
    struct recording *recording = data;
    if (recording->exchange->step != NULL)
        step_make_way(recording->exchange->step, typed);
    screen_prompt(&recording->screen, role, text, length, typed);
}

static void make_room(void *data, size_t bytes)
{
    struct recording *recording = data;
    if (recording->capture != NULL)
        capture_make_room(recording->capture, bytes);
}

/* The host's tidy. */
static void tidy(void *data)
{
    const struct recording *recording = data;
    script_collect(recording->exchange->script);
    place_return_memory();
}

/* The host's finish: the capture ends before the trace does. */
static void end_capture(void *data)
{
    struct recording *recording = data;
    if (recording->capture != NULL)
        capture_stop(recording->capture, recording->dropped, &recording->loss);
    recording->capture = NULL;
}

static void add_introduction(struct recording *recording, const struct exchange *exchange,
                             const struct place *place, const struct address *address)
{
    const struct lab *lab = script_lab(exchange->script);
    struct trace_event event = {
        .kind = TRACE_EXCHANGE,
        .time = clock_now(),
        .exchange =
            {
                .lab = trace_text_of(lab->name),
                .script = trace_text_of(lab->file),
                .title = trace_text_of(lab->title),
                .about = trace_text_of(lab->about),
                .place = trace_text_of(place->name),
                .address = *address,
                .program = trace_text_of("handlens " HANDLENS_VERSION),
                .command = trace_text_of(exchange->invocation->command->name),
            },
    };
    recorder_add(recording->recorder, &event);
    const char *name;
    const char *text;
    size_t length;
    for (size_t n = 0; script_text(exchange->script, n, &name, &text, &length); n++) {
        event = (struct trace_event){
            .kind = TRACE_SCRIPT,
            .time = event.time,
            .script = {.name = trace_text_of(name), .text = {text, length}},
        };
        recorder_add(recording->recorder, &event);
    }
}

/*
 * Asks the machine's name service. Of several addresses the first IPv4 one is taken: that is what
 * the other side's AF_INET means by the same name.
 */
static bool look_up(const char *name, struct address *address, struct error *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(name, NULL, &hints, &found);
    if (code != 0)
        return error_set(error, STATUS_USAGE, "cannot find the host '%s': %s", name,
                         gai_strerror(code));
    const struct addrinfo *chosen = found;
    for (const struct addrinfo *next = found; next != NULL; next = next->ai_next) {
        if (next->ai_family == AF_INET) {
            chosen = next;
            break;
        }
    }
    bool done =
        chosen != NULL && address_from_sockaddr(chosen->ai_addr, chosen->ai_addrlen, address);
    freeaddrinfo(found);
    return done || error_set(error, STATUS_USAGE, "the host '%s' has no IP address", name);
}

/* --host or lab.host. A private loopback has no name service: only its own names. */
static bool choose_host(const struct exchange *exchange, const struct place *place,
                        struct address *address, struct error *error)
{
    const struct lab *lab = script_lab(exchange->script);
    const char *given = exchange->invocation->host;
    const char *host = given != NULL ? given : lab->host;
    bool own = strcmp(host, "localhost") == 0 ||
               (strcmp(host, place->host_name) == 0 && place->kind != PLACE_NETWORK);
    if (!address_parse_host(own ? "127.0.0.1" : host, address)) {
        if (place->kind != PLACE_NETWORK)
            return error_set(error, STATUS_USAGE,
                             "%s: lab.host is '%s', which is no address of the %s", lab->file, host,
                             place->name);
        if (!look_up(host, address, error))
            return false;
    }
    if (exchange->parties == SCRIPT_SERVERS && given == NULL && !address_is_loopback(address))
        return error_set(error, STATUS_USAGE,
                         "%s would serve on %s, where others can reach it; if that is wanted, say "
                         "--host %s",
                         lab->file, host, host);
    return true;
}

/*
 * Where the listener listens and the clients connect: --host and --port, or lab.host and lab.port.
 * Without a port the script finds an address by itself; --host then only says whose.
 */
static bool choose_address(const struct exchange *exchange, const struct place *place,
                           struct address *address, struct error *error)
{
    const struct invocation *invocation = exchange->invocation;
    const struct lab *lab = script_lab(exchange->script);
    bool has_port = lab->has_port || invocation->port_given;
    *address = (struct address){0};
    if (!has_port && invocation->host == NULL)
        return true;
    if (!choose_host(exchange, place, address, error))
        return false;
    address->port = invocation->port_given ? invocation->port : lab->port;
    return true;
}

static struct place_wishes wishes_of(const struct lab *lab)
{
    return (struct place_wishes){
        .mtu = lab->mtu,
        .timestamps = lab->kernel.timestamps,
        .sack = lab->kernel.sack,
        .window_scaling = lab->kernel.window_scaling,
        .syn_retries = lab->kernel.syn_retries,
        .synack_retries = lab->kernel.synack_retries,
        .fin_timeout = lab->kernel.fin_timeout,
        .fast_open = lab->kernel.fast_open,
        .ecn = lab->kernel.ecn,
    };
}

static bool open_files(struct recording *recording, struct exchange *exchange, struct error *error)
{
    if (!exchange->record)
        return true;
    exchange->trace = anonymous_file(error);
    if (exchange->trace < 0)
        return false;
    recording->copy = trace_writer_to(exchange->trace, error);
    if (recording->copy == NULL)
        return false;
    const struct invocation *invocation = exchange->invocation;
    if (invocation->trace_path == NULL)
        return true;
    recording->file = trace_writer_create(invocation->trace_path, invocation->force, error);
    return recording->file != NULL;
}

/* Labs without lab.port bind for themselves: only the host knows when and where. */
static void announce(void *data, const struct address *address, enum trace_transport transport)
{
    struct recording *recording = data;
    screen_announce(&recording->screen, script_lab(recording->exchange->script)->name, address,
                    transport, recording->exchange->invocation->port);
}

/* The capture lets the port through before anything can be sent there. */
static void meet(void *data, const struct address *address)
{
    struct recording *recording = data;
    if (!ports_add(&recording->ports, address->port) || recording->capture == NULL)
        return;
    struct buffer filter = {0};
    struct error error = {0};
    if (!capture_set_filter(recording->capture, ports_filter(&recording->ports, &filter), &error))
        screen_hear(&recording->screen, NULL, TRACE_NOTE_HOST, error.text, strlen(error.text));
    buffer_free(&filter);
}

static void show_progress(void *data)
{
    struct recording *recording = data;
    if (recording->exchange->step != NULL) {
        step_tick(recording->exchange->step);
        return;
    }
    uint64_t all;
    uint64_t done = script_progress(recording->exchange->script, &all);
    screen_progress(&recording->screen, done, all);
}

/* What roles print is in the ladder; where there is none, or it comes late, it is said at once. */
static bool says_at_once(const struct exchange *exchange)
{
    return exchange->invocation->verbose || !exchange->record ||
           exchange->parties != SCRIPT_EVERYONE;
}

static bool open_recorder(struct recording *recording, const struct exchange *exchange,
                          const struct place *place, const struct address *address,
                          struct error *error)
{
    if (!exchange->record)
        return true;
    recording->recorder = recorder_open(recording->file, error);
    if (recording->recorder == NULL)
        return false;
    recorder_listen(recording->recorder, copy_event, recording);
    add_introduction(recording, exchange, place, address);
    return true;
}

static bool open_host(struct recording *recording, const struct exchange *exchange,
                      const struct place *place, const struct address *address, struct error *error)
{
    const struct invocation *invocation = exchange->invocation;
    const struct lab *lab = script_lab(exchange->script);
    bool everyone = exchange->parties == SCRIPT_EVERYONE;
    bool serving = exchange->parties == SCRIPT_SERVERS;
    bool wider = invocation->host != NULL && !address_is_loopback(address);
    uint64_t clients = (uint64_t)invocation->clients * invocation->repeat;
    struct host_settings settings = {
        .recorder = recording->recorder,
        .own_name = place->kind == PLACE_NETWORK ? NULL : place->host_name,
        .timeout = invocation->timeout != 0 ? invocation->timeout
                   : !everyone              ? 0
                   : lab->timeout != 0      ? lab->timeout
                                            : DEFAULT_TIMEOUT,
        .patient = invocation->timeout == 0 && lab->timeout == 0,
        .serving = serving,
        .loopback_only = serving && !wider,
        .reachable = serving ? announce : NULL,
        .tick = serving ? NULL : show_progress,
        .tidy = tidy,
        .meets = recording->sifts ? meet : NULL,
        .before_call = exchange->step != NULL ? stop : NULL,
        .alone = place->kind == PLACE_PRIVATE,
        .is_quiet = place->kind == PLACE_PRIVATE ? place_is_quiet : NULL,
        .kernel_states = exchange->record && clients <= KERNEL_STATES_UP_TO,
        .finish = end_capture,
        .make_room = exchange->invocation->no_capture ? NULL : make_room,
        .data = recording,
    };
    recording->host = host_open(&settings, error);
    if (recording->host == NULL)
        return false;
    screen_open(&recording->screen, invocation->quiet, says_at_once(exchange));
    host_listen(recording->host, hear, recording);
    host_listen_prompts(recording->host, prompt, recording);
    return true;
}

static bool open_capture(struct recording *recording, const struct exchange *exchange,
                         const struct place *place, const struct address *address,
                         struct error *error)
{
    if (!exchange->record || exchange->invocation->no_capture || !place->may_capture)
        return true;
    struct buffer filter = {0};
    ports_add(&recording->ports, address->port);
    bool serves_anywhere = exchange->parties == SCRIPT_SERVERS && address->family == 0;
    bool loopback =
        place->kind == PLACE_NETWORK && (address_is_loopback(address) || serves_anywhere);
    recording->capture =
        capture_new(recording->recorder, loopback ? "lo" : place->interface,
                    recording->sifts ? ports_filter(&recording->ports, &filter) : NULL, 0, error);
    buffer_free(&filter);
    return recording->capture != NULL;
}

static bool open_exchange(struct recording *recording, struct exchange *exchange,
                          const struct place *place, struct error *error)
{
    const struct invocation *invocation = exchange->invocation;
    struct address address;
    char host[ADDRESS_TEXT];
    if (!choose_address(exchange, place, &address, error))
        return false;
    recording->sifts = place->kind != PLACE_PRIVATE;
    bool has_port = script_lab(exchange->script)->has_port || invocation->port_given;
    struct address meeting = has_port ? address : (struct address){0};
    if (!open_recorder(recording, exchange, place, &meeting, error) ||
        !open_host(recording, exchange, place, &address, error))
        return false;
    struct script_run run = {
        .parties = exchange->parties,
        .address = meeting,
        .client_copies = invocation->clients,
        .repeats = invocation->repeat,
        .message = invocation->message,
        .host = invocation->host != NULL ? address_format_host(&address, host) : NULL,
        .port = invocation->port,
        .port_given = invocation->port_given,
        .folder = recording->folder,
    };
    if (!script_start(exchange->script, recording->host, &run, error) ||
        !open_capture(recording, exchange, place, &meeting, error))
        return false;
    if (recording->file != NULL)
        write_so_far(recording); /* the interface: from now on every program can open it */
    return true;
}

static void note_failure(struct exchange *exchange, const struct error *error)
{
    if (exchange->recording.text[0] == '\0')
        exchange->recording = *error;
}

static void close_file(struct exchange *exchange)
{
    struct error error = {0};
    if (!trace_writer_close(exchange->file, &error))
        note_failure(exchange, &error);
    exchange->file = NULL;
}

/* Everything that was recorded goes to the files; whatever is open is closed. */
static void close_recording(struct recording *recording, struct exchange *exchange)
{
    end_capture(recording);
    host_close(recording->host);
    screen_close(&recording->screen);
    folder_close(recording->folder);
    if (recording->recorder != NULL) {
        recorder_flush(recording->recorder, NULL);
        exchange->packets = recorder_packets(recording->recorder);
    }
    recorder_close(recording->recorder);
    step_close(exchange->step);
    exchange->step = NULL;
    struct error error = {0};
    trace_writer_close(recording->copy, &recording->loss);
    exchange->file = recording->file;
    if (!exchange->judged)
        close_file(exchange);
    else if (exchange->file != NULL && !trace_writer_flush(exchange->file, &error))
        note_failure(exchange, &error);
}

bool exchange_run(struct exchange *exchange, struct error *error)
{
    const struct invocation *invocation = exchange->invocation;
    struct recording recording = {.exchange = exchange, .dropped = &exchange->dropped};
    exchange->trace = -1;
    recording.folder = folder_open(invocation->files, error);
    bool done = recording.folder != NULL && open_files(&recording, exchange, error);
    struct place place = {0};
    struct place_wishes wishes = wishes_of(script_lab(exchange->script));
    bool capture = exchange->record && !invocation->no_capture;
    done = done && place_enter(&place, exchange->place, capture, &wishes, error);
    if (done && capture && place.remark[0] != '\0' && !invocation->quiet)
        fprintf(stderr, "handlens: %s\n", place.remark);
    done = done && open_exchange(&recording, exchange, &place, error);
    done = done && place_drop_privileges(error) &&
           fence_exchange(exchange->script, recording.folder, error) &&
           host_open_loop(recording.host, error);
    done = done && (recording.capture == NULL || capture_start(recording.capture, error));
    bool began = done;
    done = done && host_run(recording.host, &exchange->outcome, error);
    close_recording(&recording, exchange);
    if (done && recording.loss.text[0] != '\0') {
        *error = recording.loss; /* it all took place, but not all of it is shown */
        done = false;
    }
    if (!began) {
        exchange_close(exchange);
        if (recording.file != NULL && !invocation->force)
            unlink(invocation->trace_path); /* which was not there before */
    }
    return done;
}

void exchange_add(struct exchange *exchange, const struct trace_event *event)
{
    struct error error = {0};
    if (exchange->file != NULL && !trace_writer_add(exchange->file, event, &error))
        note_failure(exchange, &error);
}

void exchange_close(struct exchange *exchange)
{
    close_file(exchange);
    if (exchange->trace >= 0)
        close(exchange->trace);
    exchange->trace = -1;
}
