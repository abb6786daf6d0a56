/*
 * ahead.c - reads and decodes ahead.
 *
 * Theory of operation. The batches form a ring. The thread fills the one at filled and the caller
 * holds the one at taken, both counted without end; between them lie those that wait for the
 * caller, and behind taken's those that wait for the thread. A batch holds events of one turn of
 * the reader's only, so that as many turns have to be kept as there are batches. The lock guards
 * the counters; a batch itself belongs to one side at a time.
 */
#include "view/ahead.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "support/lines.h"

#define BATCHES     8
#define BATCH_ITEMS 256

static_assert(BATCHES <= TRACE_TURNS_MOST, "a turn is kept for each batch");

struct view_ahead {
    struct trace_reader *reader;
    struct view_preparation how;
    struct ahead_batch batches[BATCHES];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t filled; /* batches that the thread is done with */
    uint64_t taken;  /* batches that the caller has asked for; it holds the newest */
    bool stop;
};

/*
 * Waits until a batch is free: if none is, until half of them are, for it is dear to be woken.
 * Returns NULL when the caller wants no more.
 */
static struct ahead_batch *next_free(struct view_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    /* The caller still holds the batch at taken - 1. */
    if (ahead->filled - ahead->taken >= BATCHES - 1) {
        while (!ahead->stop && ahead->filled - ahead->taken > BATCHES / 2)
            pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    bool stop = ahead->stop;
    pthread_mutex_unlock(&ahead->lock);
    if (stop)
        return NULL;
    struct ahead_batch *batch = &ahead->batches[ahead->filled % BATCHES];
    batch->count = 0;
    return batch;
}

static void hand_over(struct view_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->filled++;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

/*
 * Fills the batch up to the turn's end. *first is the event that ended the turn before, if there
 * is one, and becomes the one that ends this.
 */
static void fill(struct view_ahead *ahead, struct ahead_batch *batch, struct trace_event *first,
                 bool *has_first)
{
    struct trace_reader *reader = ahead->reader;
    batch->end = TRACE_READ_EVENT;
    if (*has_first) {
        batch->items[0].event = *first;
        view_prepare(&ahead->how, first, &batch->items[0].prepared);
        batch->count = 1;
        *has_first = false;
    }
    unsigned turn = trace_reader_turn(reader);
    while (batch->count < BATCH_ITEMS) {
        struct ahead_item *item = &batch->items[batch->count];
        batch->end = trace_reader_next(reader, &item->event, &batch->damage);
        if (batch->end != TRACE_READ_EVENT)
            break;
        if (trace_reader_turn(reader) != turn && batch->count > 0) {
            *first = item->event;
            *has_first = true;
            break;
        }
        turn = trace_reader_turn(reader);
        view_prepare(&ahead->how, &item->event, &item->prepared);
        batch->count++;
    }
    batch->offset = trace_reader_offset(reader);
}

static void *run(void *data)
{
    struct view_ahead *ahead = data;
    struct trace_event first;
    bool has_first = false;
    struct ahead_batch *batch;
    while ((batch = next_free(ahead)) != NULL) {
        fill(ahead, batch, &first, &has_first);
        bool more = batch->end == TRACE_READ_EVENT;
        hand_over(ahead); /* the batch is not ours any more */
        if (!more)
            break;
    }
    return NULL;
}

static void release(struct view_ahead *ahead)
{
    for (size_t i = 0; i < BATCHES; i++)
        free(ahead->batches[i].items);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}

/* Signals are the main thread's business. */
static bool start_thread(struct view_ahead *ahead)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&ahead->thread, NULL, run, ahead);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

struct view_ahead *view_ahead_open(struct trace_reader *reader, struct view_preparation how)
{
    struct view_ahead *ahead = lines_calloc(sizeof *ahead);
    if (ahead == NULL)
        return NULL;
    ahead->reader = reader;
    ahead->how = how;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    bool ready = trace_reader_keep(reader, BATCHES);
    for (size_t i = 0; i < BATCHES && ready; i++) {
        ahead->batches[i].items = malloc(BATCH_ITEMS * sizeof *ahead->batches[i].items);
        ready = ahead->batches[i].items != NULL;
    }
    if (ready && start_thread(ahead))
        return ahead;
    release(ahead);
    return NULL;
}

const struct ahead_batch *view_ahead_next(struct view_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (ahead->filled == ahead->taken)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    const struct ahead_batch *batch = &ahead->batches[ahead->taken % BATCHES];
    ahead->taken++;
    if (ahead->filled - ahead->taken <= BATCHES / 2)
        pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    return batch;
}

void view_ahead_close(struct view_ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    release(ahead);
}
