/*
 * Theory of operation. The thread sleeps in poll(2) until the ring has packets or somebody wants
 * something (an eventfd). Each turn it reads the clock, then asks the kernel how many packets it
 * has delivered so far, then takes packets out of the ring. The kernel counts a packet under the
 * same lock under which it gives it room in the ring, so when as many have been taken as were
 * counted, all that was delivered before the clock was read is with the recorder. While fewer have
 * been taken, the rest lies in a block that the kernel has not closed yet; it will within
 * CAPTURE_BLOCK_TIME (open.h), and the ring becomes readable: nobody needs to sleep.
 *
 * The watermark is that reading of the clock when all has been taken, else the stamp of the last
 * packet taken, for the ring is in order. A packet is stamped when it is put onto the loopback and
 * counted when it is received, microseconds later; to be safe the watermark stays MARGIN behind,
 * except at a sync, where the main thread waits here and sends nothing meanwhile.
 *
 * Two processors may stamp packets in one order and put them into the ring in the other. The ring's
 * order is kept, since it is the order in which TCP saw them, and the late stamp is raised to that
 * of the packet before; a step back further than MARGIN is the clock's and left as it is.
 *
 * The counts can disagree for good: packets that were in the ring before the filter was set are
 * counted and thrown away by libpcap. So a sync does not wait for ever: when nothing has come for
 * PATIENCE, in which the kernel has closed every block many times over, what is missing is not
 * coming, and is taken off the count.
 *
 * The ring overflows in two ways: in bytes, when a role sends faster than the recorder stores, and
 * in blocks, of which one is used up every CAPTURE_BLOCK_TIME however little it holds, when this
 * thread gets no processor for long. capture_make_room waits for the thread in both cases, well
 * before.
 *
 * To take a packet socket away the kernel waits for three RCU grace periods, 25 ms and more. The
 * last thread does that wait, detached, while the trace is being shown.
 */
#include "capture/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture/open.h"
#include "support/clock.h"

#define BATCH    4096 /* packets taken before the watermark is moved again */
#define OVERHEAD 1024 /* bytes in the ring for the headers of what one call sends, and its ACKs */
#define MARGIN   (2 * NANOSECONDS_PER_MILLISECOND)
#define PATIENCE 50 /* ms */
/* With nothing to take, the watermark moves on all the same: behind the last packet soon, and
 * later often enough for what roles say and do without packets. */
#define SOON 3   /* ms, more than MARGIN */
#define TICK 100 /* ms */

/* A change of the filter, done by the thread: the handle is its own. */
struct refilter {
    const char *filter;
    struct error *error;
    bool done;
};

struct capture {
    struct recorder *recorder;
    char *interface;
    pcap_t *pcap;
    uint32_t link_type;
    int64_t precision; /* ns in a unit of the stamps' second half */
    int wake;          /* eventfd: there is a request */
    size_t ring;       /* bytes */
    int64_t lag_limit; /* ns: the thread may be away for so long before blocks run out */

    /* The main thread's own. */
    size_t unsynced;        /* bytes that may have come into the ring since a sync */
    int64_t unsynced_since; /* when the first of them did */
    pthread_t thread;
    bool running;

    /* The thread's own. */
    uint64_t taken;     /* packets handed to the recorder */
    uint64_t received;  /* packets delivered or dropped, as the kernel counts */
    uint64_t dropped;   /* packets that found the ring full */
    uint64_t missing;   /* packets delivered that libpcap will never hand over */
    uint32_t last_recv; /* libpcap's counters, which wrap */
    uint32_t last_drop;
    int64_t last_stamp;
    int64_t watermark;
    bool broken;                  /* the interface is gone; reason says so */
    atomic_int_least64_t emptied; /* no closed block is older than this */

    /* Between the threads, under lock. */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    uint64_t asked; /* syncs asked for and done */
    uint64_t done;
    bool stop;
    struct refilter *refilter; /* with a sync: another filter */

    char reason[PCAP_ERRBUF_SIZE]; /* why it broke; read when the thread is gone */
};

static void take_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct capture *capture = (struct capture *)user;
    int64_t stamp = (int64_t)header->ts.tv_sec * NANOSECONDS_PER_SECOND +
                    (int64_t)header->ts.tv_usec * capture->precision;
    if (stamp < capture->last_stamp && capture->last_stamp - stamp < MARGIN)
        stamp = capture->last_stamp;
    capture->last_stamp = stamp;
    const struct trace_packet packet = {
        .link_type = capture->link_type,
        .length = header->len,
        .bytes = {.data = bytes, .length = header->caplen},
    };
    recorder_add_packet(capture->recorder, stamp, &packet);
    capture->taken++;
}

/* Returns whether the kernel told; else nobody knows how many packets are in the ring. */
static bool read_counters(struct capture *capture)
{
    struct pcap_stat now;
    if (pcap_stats(capture->pcap, &now) != 0)
        return false;
    capture->received += (uint32_t)(now.ps_recv - capture->last_recv);
    capture->dropped += (uint32_t)(now.ps_drop - capture->last_drop);
    capture->last_recv = now.ps_recv;
    capture->last_drop = now.ps_drop;
    /* What was given up and came after all. */
    uint64_t given = capture->received - capture->dropped;
    if (capture->taken + capture->missing > given)
        capture->missing = given > capture->taken ? given - capture->taken : 0;
    return true;
}

/* How many packets the kernel has put into the ring for us. The kernel counts dropped ones in. */
static uint64_t delivered(const struct capture *capture)
{
    return capture->received - capture->dropped - capture->missing;
}

static void publish(struct capture *capture, int64_t watermark)
{
    if (watermark <= capture->watermark)
        return;
    capture->watermark = watermark;
    recorder_set_watermark(capture->recorder, watermark);
}

/* Takes what is in the ring. Returns how many packets it was. */
static int drain(struct capture *capture)
{
    if (capture->broken)
        return 0;
    int count = pcap_dispatch(capture->pcap, BATCH, take_packet, (u_char *)capture);
    if (count >= 0)
        return count;
    capture->broken = true;
    snprintf(capture->reason, sizeof capture->reason, "%s", pcap_geterr(capture->pcap));
    return 0;
}

/* One turn: takes packets and moves the watermark as far as it is safe. */
static void turn(struct capture *capture)
{
    int64_t now = clock_now();
    bool counted = read_counters(capture);
    uint64_t target = delivered(capture);
    while (drain(capture) > 0 && capture->taken < target)
        publish(capture, capture->last_stamp - MARGIN);
    atomic_store_explicit(&capture->emptied, now, memory_order_relaxed);
    if ((counted && capture->taken >= target) || capture->broken)
        publish(capture, now - MARGIN);
}

/* Waits for packets, and if wanted for a request, at most for timeout ms. */
static void wait_for(struct capture *capture, bool requests, int timeout)
{
    struct pollfd files[] = {
        {.fd = capture->broken ? -1 : pcap_get_selectable_fd(capture->pcap), .events = POLLIN},
        {.fd = requests ? capture->wake : -1, .events = POLLIN},
    };
    uint64_t count;
    if (poll(files, 2, timeout) > 0 && files[1].revents != 0 &&
        read(capture->wake, &count, sizeof count) < 0)
        return; /* somebody else's request was read before; the request itself is under lock */
}

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NANOSECONDS_PER_MILLISECOND;
}

/* Takes everything that the kernel has delivered by now, and says so. */
static void catch_up(struct capture *capture)
{
    int64_t now = clock_now();
    bool counted = read_counters(capture);
    uint64_t target = delivered(capture);
    int64_t give_up = milliseconds() + PATIENCE;
    /* Uncounted, everything is there when nothing has come for so long. */
    while ((!counted || capture->taken < target) && !capture->broken) {
        if (drain(capture) > 0) {
            give_up = milliseconds() + PATIENCE;
            continue;
        }
        int64_t left = give_up - milliseconds();
        if (left <= 0) {
            if (capture->taken < target)
                capture->missing += target - capture->taken;
            break;
        }
        wait_for(capture, false, (int)left);
    }
    publish(capture, now);
}

static void *run(void *data)
{
    struct capture *capture = data;
    bool stop = false;
    while (!stop) {
        pthread_mutex_lock(&capture->lock);
        uint64_t asked = capture->asked;
        bool sync = asked != capture->done;
        stop = capture->stop;
        struct refilter *refilter = capture->refilter;
        capture->refilter = NULL;
        pthread_mutex_unlock(&capture->lock);
        if (sync || stop) {
            catch_up(capture);
            if (refilter != NULL)
                refilter->done = capture_filter(capture->pcap, capture->interface, refilter->filter,
                                                refilter->error);
            pthread_mutex_lock(&capture->lock);
            capture->done = asked;
            pthread_cond_broadcast(&capture->answered);
            pthread_mutex_unlock(&capture->lock);
            continue;
        }
        turn(capture);
        wait_for(capture, true, capture->watermark <= capture->last_stamp ? SOON : TICK);
    }
    return NULL;
}

static void wake(struct capture *capture)
{
    uint64_t one = 1;
    /* It can only fail if the counter is full, and then the thread is being woken already. */
    if (write(capture->wake, &one, sizeof one) < 0)
        return;
}

static void release(struct capture *capture)
{
    if (capture->pcap != NULL)
        pcap_close(capture->pcap);
    if (capture->wake >= 0)
        close(capture->wake);
    free(capture->interface);
    pthread_cond_destroy(&capture->answered);
    pthread_mutex_destroy(&capture->lock);
    free(capture);
}

/* Signals are the main thread's business. */
static int start_thread(pthread_t *thread, void *(*body)(void *), void *data)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(thread, NULL, body, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static void *release_thread(void *data)
{
    release(data);
    return NULL;
}

/* Nobody needs to wait for the kernel to take the ring away. */
static void release_aside(struct capture *capture)
{
    pthread_t closer;
    if (start_thread(&closer, release_thread, capture) == 0)
        pthread_detach(closer);
    else
        release(capture);
}

static void add_interface(struct capture *capture, const char *name)
{
    const struct trace_event event = {
        .kind = TRACE_INTERFACE,
        .time = clock_now(),
        .interface = {.link_type = capture->link_type,
                      .snap_length = (uint32_t)pcap_snapshot(capture->pcap),
                      .name = {.data = name, .length = strlen(name)}},
    };
    recorder_add(capture->recorder, &event);
}

struct capture *capture_new(struct recorder *recorder, const char *interface, const char *filter,
                            size_t ring, struct error *error)
{
    struct capture *capture = calloc(1, sizeof *capture);
    if (capture == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    capture->recorder = recorder;
    pthread_mutex_init(&capture->lock, NULL);
    pthread_cond_init(&capture->answered, NULL);
    capture->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    capture->interface = strdup(interface);
    if (capture->interface == NULL) {
        error_out_of_memory(error);
        release(capture);
        return NULL;
    }
    if (capture->wake < 0) {
        error_set(error, STATUS_NOT_ALLOWED,
                  "cannot capture: the kernel makes no event descriptor: %s", strerror(errno));
        release(capture);
        return NULL;
    }
    capture->ring = capture_ring_size(ring);
    int64_t blocks = (int64_t)(capture->ring / CAPTURE_BLOCK);
    capture->lag_limit = blocks / 2 * CAPTURE_BLOCK_TIME * NANOSECONDS_PER_MILLISECOND;
    capture->pcap = capture_open(interface, filter, capture->ring, error);
    if (capture->pcap == NULL) {
        release(capture);
        return NULL;
    }
    capture->link_type = capture_link_type(capture->pcap);
    bool nano = pcap_get_tstamp_precision(capture->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    capture->precision = nano ? 1 : 1000;
    add_interface(capture, interface);
    return capture;
}

bool capture_start(struct capture *capture, struct error *error)
{
    recorder_capture_starts(capture->recorder);
    int result = start_thread(&capture->thread, run, capture);
    capture->running = result == 0;
    if (result == 0)
        return true;
    recorder_capture_ends(capture->recorder);
    return error_set(error, STATUS_NOT_ALLOWED, "cannot start the capture's thread: %s",
                     strerror(result));
}

static void ask(struct capture *capture, struct refilter *refilter)
{
    pthread_mutex_lock(&capture->lock);
    capture->refilter = refilter;
    uint64_t mine = ++capture->asked;
    wake(capture);
    while (capture->done < mine)
        pthread_cond_wait(&capture->answered, &capture->lock);
    pthread_mutex_unlock(&capture->lock);
    capture->unsynced = 0;
}

void capture_sync(struct capture *capture)
{
    ask(capture, NULL);
}

bool capture_set_filter(struct capture *capture, const char *filter, struct error *error)
{
    struct refilter refilter = {.filter = filter, .error = error};
    ask(capture, &refilter);
    return refilter.done;
}

void capture_make_room(struct capture *capture, size_t bytes)
{
    int64_t now = clock_now();
    if (capture->unsynced == 0)
        capture->unsynced_since = now;
    int64_t since = atomic_load_explicit(&capture->emptied, memory_order_relaxed);
    if (since < capture->unsynced_since)
        since = capture->unsynced_since;
    size_t limit = capture->ring / 4;
    size_t need = bytes < limit - OVERHEAD ? bytes + OVERHEAD : limit;
    if (need > limit - capture->unsynced || now - since > capture->lag_limit) {
        capture_sync(capture);
        capture->unsynced_since = now;
    }
    capture->unsynced += need;
}

/* The thread is gone: what it found out goes into the trace. */
static void add_statistics(struct capture *capture)
{
    uint64_t received = capture->received - capture->missing;
    if (received < capture->taken) /* the kernel did not tell of the last ones */
        received = capture->taken;
    struct trace_event event = {
        .kind = TRACE_STATISTICS,
        .time = clock_now(),
        .statistics = {.received = received, .dropped = capture->dropped},
    };
    recorder_add(capture->recorder, &event);
    if (!capture->broken)
        return;
    char text[PCAP_ERRBUF_SIZE + 64];
    int length = snprintf(text, sizeof text, "the capture ended early: %s", capture->reason);
    event = (struct trace_event){
        .kind = TRACE_NOTE,
        .time = event.time,
        .note = {.kind = TRACE_NOTE_HOST, .text = {.data = text, .length = (size_t)length}},
    };
    recorder_add(capture->recorder, &event);
}

static void stop_thread(struct capture *capture)
{
    pthread_mutex_lock(&capture->lock);
    capture->stop = true;
    wake(capture);
    pthread_mutex_unlock(&capture->lock);
    pthread_join(capture->thread, NULL);
    recorder_capture_ends(capture->recorder);
    add_statistics(capture);
}

bool capture_stop(struct capture *capture, uint64_t *dropped, struct error *error)
{
    if (capture->running)
        stop_thread(capture);
    if (dropped != NULL)
        *dropped = capture->dropped;
    bool whole =
        !capture->broken || error_set(error, STATUS_NOT_ALLOWED,
                                      "the capture on %s ended early, so packets are missing: %s",
                                      capture->interface, capture->reason);
    release_aside(capture);
    return whole;
}
