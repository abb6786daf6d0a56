/*
 * Judging many captures: by as many processes at once as there are CPUs.
 *
 * Theory of operation. Each worker takes the next file's number from a counter that all share,
 * loads the lab afresh, so that no file's check can leave anything for another's, judges, and sends
 * a struct message and its part of the report through its pipe. A worker that dies has left the
 * number of its file in the shared memory: that file becomes a row that says so, and a new worker
 * goes on. Each works behind a fence: it can read the captures and the lab, and write to its pipe.
 * So whatever a file does to the one that reads it, the others are judged. Parts are
 * written in the order of the files, each as soon as all before it are there.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/check.h"
#include "command/fencing.h"
#include "trace/reader.h"

#define WORKERS_LIMIT 64

/* One file. */
struct judged {
    const char *file;
    struct buffer part; /* of the report */
    struct check_outcome outcome;
    bool done;
};

/* Goes before each part. */
struct message {
    size_t file;
    size_t length;
    struct check_outcome outcome;
};

struct worker {
    pid_t process; /* 0: none */
    int descriptor;
    struct buffer received;
};

/* What the processes share. */
struct shared {
    atomic_size_t next;
    atomic_size_t current[WORKERS_LIMIT]; /* the file each worker is at, + 1; 0 before its first */
};

struct crowd {
    const struct checking_job *job;
    struct judged *files;
    size_t count;
    size_t written;
    struct shared *shared;
    struct worker workers[WORKERS_LIMIT];
    size_t worker_count;
};

static size_t cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > WORKERS_LIMIT ? WORKERS_LIMIT : (size_t)count;
}

static struct report_subject subject_of(const struct crowd *crowd, size_t file)
{
    const struct lab *lab = script_lab(crowd->job->script);
    return (struct report_subject){
        .lab = lab->name,
        .script = lab->file,
        .title = lab->title,
        .file = crowd->files[file].file,
        .number = file + 1,
        .files = crowd->count,
    };
}

/* The page of the only file, which is read once more for it. */
static void write_page(const struct checking_job *job, const char *file,
                       const struct judgement *judgement, struct check_outcome *outcome)
{
    struct verdicts verdicts;
    struct error error;
    struct trace_reader *reader = trace_reader_open(file, &error);
    bool done = reader != NULL && verdicts_make(&verdicts, judgement, 0, &error);
    if (done) {
        done = check_write_page(job, reader, file, &verdicts, &error);
        verdicts_free(&verdicts);
    }
    trace_reader_close(reader);
    if (done || outcome->error[0] != '\0')
        return;
    snprintf(outcome->error, sizeof outcome->error, "%s", error.text);
    if (outcome->status == STATUS_DONE)
        outcome->status = error.status;
}

static void judge_file(const struct crowd *crowd, size_t file, struct check_outcome *outcome,
                       struct buffer *text)
{
    struct error error;
    struct checking_job job = *crowd->job;
    struct judgement judgement = {0};
    struct trace_reader *reader = trace_reader_open(crowd->files[file].file, &error);
    job.script = reader == NULL ? NULL : script_load(job.path, &(struct script_limits){0}, &error);
    if (job.script == NULL)
        check_refuse(&job, subject_of(crowd, file), &error, outcome, text);
    else
        check_judge(&job, reader, subject_of(crowd, file), NULL, &judgement, outcome, text);
    if (job.report != NULL && job.script != NULL)
        write_page(&job, crowd->files[file].file, &judgement, outcome);
    judgement_free(&judgement);
    script_close(job.script);
    trace_reader_close(reader);
}

static bool write_all(int descriptor, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(descriptor, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        length -= (size_t)written;
    }
    return true;
}

static bool fence_in(const struct crowd *crowd)
{
    const char **files = calloc(crowd->count + 1, sizeof *files);
    struct error error;
    if (files == NULL)
        return false;
    for (size_t i = 0; i < crowd->count; i++)
        files[i] = crowd->files[i].file;
    bool fenced = fence_judging(crowd->job->path, crowd->job->script, files, crowd->count, &error);
    free(files);
    return fenced;
}

/* A worker's whole life. Returns its exit status. */
static int work(const struct crowd *crowd, size_t self, int descriptor)
{
    struct buffer text = {0};
    bool sent = fence_in(crowd);
    while (sent) {
        size_t file = atomic_fetch_add(&crowd->shared->next, 1);
        if (file >= crowd->count)
            break;
        struct message message = {.file = file};
        atomic_store(&crowd->shared->current[self], file + 1);
        buffer_clear(&text);
        judge_file(crowd, file, &message.outcome, &text);
        message.length = text.length;
        sent = !text.failed && write_all(descriptor, &message, sizeof message) &&
               write_all(descriptor, text.data, text.length);
    }
    buffer_free(&text);
    return sent ? 0 : 1;
}

static bool start_worker(struct crowd *crowd, size_t number, struct error *error)
{
    int ends[2];
    if (pipe(ends) < 0)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "cannot judge captures side by side: no pipe can be made: %s",
                         strerror(errno));
    atomic_store(&crowd->shared->current[number], 0);
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        for (size_t i = 0; i < crowd->worker_count; i++)
            if (crowd->workers[i].process != 0)
                close(crowd->workers[i].descriptor);
        int status = work(crowd, number, ends[1]);
        fflush(NULL);
        _exit(status);
    }
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return error_set(error, STATUS_NOT_ALLOWED,
                         "cannot judge captures side by side: no process can be started: %s",
                         strerror(errno));
    }
    crowd->workers[number].process = process;
    crowd->workers[number].descriptor = ends[0];
    return true;
}

/* A file that got no verdict: the one at which a worker died, or whose verdict did not arrive. */
static void tell_lost(struct crowd *crowd, size_t file, int status)
{
    struct judged *judged = &crowd->files[file];
    struct error why;
    buffer_free(&judged->part);
    if (WIFSIGNALED(status))
        error_set(&why, STATUS_DAMAGED, "the process that judged %s was ended by signal %d (%s)",
                  judged->file, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        error_set(&why, STATUS_DAMAGED, "the process that judged %s ended without a verdict",
                  judged->file);
    check_refuse(crowd->job, subject_of(crowd, file), &why, &judged->outcome, &judged->part);
    judged->done = true;
}

static bool end_worker(struct crowd *crowd, size_t number, struct error *error)
{
    struct worker *worker = &crowd->workers[number];
    int status = 0;
    close(worker->descriptor);
    while (waitpid(worker->process, &status, 0) < 0 && errno == EINTR)
        continue;
    worker->process = 0;
    buffer_free(&worker->received);
    size_t current = atomic_load(&crowd->shared->current[number]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (current == 0) /* it never came to a file; others would not either */
        return error_set(error, STATUS_NOT_ALLOWED,
                         "cannot judge captures side by side: each process dies before it begins");
    if (!crowd->files[current - 1].done)
        tell_lost(crowd, current - 1, status);
    return atomic_load(&crowd->shared->next) >= crowd->count || start_worker(crowd, number, error);
}

/* Takes the whole messages out of what a worker has sent. */
static void take_messages(struct crowd *crowd, struct buffer *received)
{
    size_t at = 0;
    struct message message;
    while (received->length - at >= sizeof message) {
        memcpy(&message, received->data + at, sizeof message);
        if (received->length - at - sizeof message < message.length)
            break;
        struct judged *judged = &crowd->files[message.file];
        buffer_append(&judged->part, received->data + at + sizeof message, message.length);
        judged->outcome = message.outcome;
        judged->done = !judged->part.failed;
        at += sizeof message + message.length;
    }
    if (at == 0)
        return;
    memmove(received->data, received->data + at, received->length - at);
    received->length -= at;
}

static bool receive(struct crowd *crowd, size_t number, struct error *error)
{
    struct worker *worker = &crowd->workers[number];
    uint8_t bytes[65536];
    ssize_t length = read(worker->descriptor, bytes, sizeof bytes);
    if (length < 0)
        return errno == EINTR || error_set(error, STATUS_NOT_ALLOWED,
                                           "cannot read what was judged: %s", strerror(errno));
    if (length == 0)
        return end_worker(crowd, number, error);
    buffer_append(&worker->received, bytes, (size_t)length);
    take_messages(crowd, &worker->received);
    return !worker->received.failed || error_out_of_memory(error);
}

/* Writes the parts that are next in order. */
static void write_done(struct crowd *crowd)
{
    while (crowd->written < crowd->count && crowd->files[crowd->written].done) {
        struct buffer *part = &crowd->files[crowd->written++].part;
        if (part->length > 0)
            fwrite(part->data, 1, part->length, stdout);
        buffer_free(part);
    }
    fflush(stdout);
}

static bool wait_for_any(struct crowd *crowd, struct error *error)
{
    struct pollfd polled[WORKERS_LIMIT];
    size_t numbers[WORKERS_LIMIT];
    nfds_t count = 0;
    for (size_t i = 0; i < crowd->worker_count; i++) {
        if (crowd->workers[i].process == 0)
            continue;
        polled[count] = (struct pollfd){.fd = crowd->workers[i].descriptor, .events = POLLIN};
        numbers[count++] = i;
    }
    if (poll(polled, count, -1) < 0)
        return errno == EINTR ||
               error_set(error, STATUS_NOT_ALLOWED,
                         "cannot wait for the processes that judge captures: %s", strerror(errno));
    for (nfds_t i = 0; i < count; i++)
        if (polled[i].revents != 0 && !receive(crowd, numbers[i], error))
            return false;
    return true;
}

static bool is_busy(const struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->worker_count; i++)
        if (crowd->workers[i].process != 0)
            return true;
    return false;
}

static void stop_workers(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->worker_count; i++) {
        buffer_free(&crowd->workers[i].received);
        if (crowd->workers[i].process == 0)
            continue;
        kill(crowd->workers[i].process, SIGKILL);
        close(crowd->workers[i].descriptor);
        waitpid(crowd->workers[i].process, NULL, 0);
    }
}

static bool judge_all(struct crowd *crowd, struct error *error)
{
    for (size_t i = 0; i < crowd->worker_count; i++)
        if (!start_worker(crowd, i, error))
            return false;
    while (is_busy(crowd)) {
        if (!wait_for_any(crowd, error))
            return false;
        write_done(crowd);
    }
    /* A file without a verdict must not look like one that has passed. */
    for (size_t i = 0; i < crowd->count; i++)
        if (!crowd->files[i].done)
            tell_lost(crowd, i, 0);
    write_done(crowd);
    return true;
}

/* A failed check counts most; else the worst of what else happened. */
static enum status end_report(const struct crowd *crowd, struct error *error)
{
    enum status status = STATUS_DONE;
    struct report_row *rows = calloc(crowd->count + 1, sizeof *rows);
    if (rows == NULL) {
        error_out_of_memory(error);
        return error->status;
    }
    bool failed = false;
    for (size_t i = 0; i < crowd->count; i++) {
        const struct check_outcome *outcome = &crowd->files[i].outcome;
        rows[i] = (struct report_row){.file = crowd->files[i].file, .status = outcome->status};
        memcpy(rows[i].verdicts, outcome->verdicts, sizeof rows[i].verdicts);
        rows[i].error = outcome->error[0] != '\0' ? outcome->error : NULL;
        failed = failed || outcome->status == STATUS_CHECK_FAILED;
        status = outcome->status > status ? outcome->status : status;
    }
    struct buffer text = {0};
    crowd->job->format->end(&text, rows, crowd->count, &crowd->job->terminal);
    bool whole = check_write(&text, error);
    buffer_free(&text);
    free(rows);
    if (!whole)
        return failed ? STATUS_CHECK_FAILED : error->status;
    status = failed ? STATUS_CHECK_FAILED : status;
    /* Of several files the report has told; of one, main tells as for every other command. */
    error_set(error, status, "%s", crowd->count == 1 ? crowd->files[0].outcome.error : "");
    return status;
}

static void *share(size_t size, struct error *error)
{
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED)
        return shared;
    error_out_of_memory(error);
    return NULL;
}

enum status check_files(const struct checking_job *job, char **files, size_t count,
                        struct error *error)
{
    size_t most = cpus();
    struct crowd crowd = {.job = job, .count = count, .worker_count = count < most ? count : most};
    crowd.shared = share(sizeof *crowd.shared, error);
    if (crowd.shared == NULL)
        return error->status;
    enum status status = STATUS_NOT_ALLOWED;
    crowd.files = calloc(count + 1, sizeof *crowd.files);
    if (crowd.files == NULL) {
        error_out_of_memory(error);
    } else {
        struct buffer text = {0};
        for (size_t i = 0; i < count; i++)
            crowd.files[i].file = files[i];
        job->format->begin(&text, count);
        bool begun = check_write(&text, error);
        buffer_free(&text);
        status = begun && judge_all(&crowd, error) ? end_report(&crowd, error) : error->status;
        stop_workers(&crowd);
        for (size_t i = 0; i < count; i++)
            buffer_free(&crowd.files[i].part);
    }
    free(crowd.files);
    munmap(crowd.shared, sizeof *crowd.shared);
    return status;
}
