/*
 * Judging many captures: each in a process of its own.
 *
 * Theory of operation. The lab is loaded once. For each file the process forks; the child, in
 * whose memory the lab is as fresh as at its start, judges, and sends its outcome and its part of
 * the report through a pipe: a struct check_outcome, then text up to the end. A child that dies
 * sends less, and becomes a row that says so. So whatever a file does to the one that reads it,
 * the others are judged. Parts are written in the order of the files, each as soon as all before
 * it are there.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/check.h"
#include "trace/reader.h"

#define WORKERS_LIMIT 64

/* One file. */
struct judged {
    const char *file;
    struct buffer received;
    struct check_outcome outcome;
    bool done;
};

struct worker {
    pid_t process; /* 0: free */
    int descriptor;
    size_t file;
};

struct crowd {
    const struct checking_job *job;
    struct judged *files;
    size_t count;
    size_t started, written;
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

static void judge_file(const struct crowd *crowd, size_t file, struct check_outcome *outcome,
                       struct buffer *text)
{
    struct error error;
    struct trace_reader *reader = trace_reader_open(crowd->files[file].file, &error);
    if (reader == NULL) {
        check_refuse(crowd->job, subject_of(crowd, file), &error, outcome, text);
        return;
    }
    check_judge(crowd->job, reader, subject_of(crowd, file), NULL, outcome, text);
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

/* The child's whole life. Returns its exit status. */
static int child(const struct crowd *crowd, size_t file, int descriptor)
{
    struct check_outcome outcome;
    struct buffer text = {0};
    judge_file(crowd, file, &outcome, &text);
    bool sent = !text.failed && write_all(descriptor, &outcome, sizeof outcome) &&
                write_all(descriptor, text.data, text.length);
    buffer_free(&text);
    return sent ? 0 : 1;
}

static bool start_worker(struct crowd *crowd, struct worker *worker, struct error *error)
{
    int ends[2];
    if (pipe(ends) < 0)
        return error_set(error, STATUS_NOT_ALLOWED, "cannot make a pipe: %s", strerror(errno));
    size_t file = crowd->started++;
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        for (size_t i = 0; i < crowd->worker_count; i++)
            if (crowd->workers[i].process != 0)
                close(crowd->workers[i].descriptor);
        int status = child(crowd, file, ends[1]);
        fflush(NULL);
        _exit(status);
    }
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return error_set(error, STATUS_NOT_ALLOWED, "cannot start a process: %s", strerror(errno));
    }
    *worker = (struct worker){process, ends[0], file};
    return true;
}

/* A child that did not say how its file came out. */
static void tell_lost(struct crowd *crowd, size_t file, int status)
{
    struct judged *judged = &crowd->files[file];
    struct error why;
    if (WIFSIGNALED(status))
        error_set(&why, STATUS_DAMAGED, "the process that judged %s was ended by signal %d (%s)",
                  judged->file, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        error_set(&why, STATUS_DAMAGED, "the process that judged %s ended without a verdict",
                  judged->file);
    buffer_clear(&judged->received);
    struct buffer text = {0};
    check_refuse(crowd->job, subject_of(crowd, file), &why, &judged->outcome, &text);
    buffer_append(&judged->received, &judged->outcome, sizeof judged->outcome);
    buffer_append(&judged->received, text.data, text.length);
    buffer_free(&text);
}

static void end_worker(struct crowd *crowd, struct worker *worker)
{
    struct judged *judged = &crowd->files[worker->file];
    int status = 0;
    close(worker->descriptor);
    while (waitpid(worker->process, &status, 0) < 0 && errno == EINTR)
        continue;
    bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !judged->received.failed &&
                 judged->received.length >= sizeof judged->outcome;
    if (whole)
        memcpy(&judged->outcome, judged->received.data, sizeof judged->outcome);
    else
        tell_lost(crowd, worker->file, status);
    judged->done = true;
    worker->process = 0;
}

/* Takes what a child has sent. */
static void receive(struct crowd *crowd, struct worker *worker)
{
    struct buffer *received = &crowd->files[worker->file].received;
    uint8_t bytes[65536];
    ssize_t length = read(worker->descriptor, bytes, sizeof bytes);
    if (length > 0)
        buffer_append(received, bytes, (size_t)length);
    else if (length == 0 || errno != EINTR)
        end_worker(crowd, worker);
}

/* Writes the parts that are next in order. */
static void write_done(struct crowd *crowd)
{
    while (crowd->written < crowd->count && crowd->files[crowd->written].done) {
        struct buffer *part = &crowd->files[crowd->written++].received;
        size_t head = sizeof(struct check_outcome);
        if (part->length > head)
            fwrite(part->data + head, 1, part->length - head, stdout);
        buffer_free(part);
    }
    fflush(stdout);
}

static bool wait_for_any(struct crowd *crowd, struct error *error)
{
    struct pollfd polled[WORKERS_LIMIT];
    struct worker *workers[WORKERS_LIMIT];
    nfds_t count = 0;
    for (size_t i = 0; i < crowd->worker_count; i++) {
        if (crowd->workers[i].process == 0)
            continue;
        polled[count] = (struct pollfd){.fd = crowd->workers[i].descriptor, .events = POLLIN};
        workers[count++] = &crowd->workers[i];
    }
    if (poll(polled, count, -1) < 0)
        return errno == EINTR ||
               error_set(error, STATUS_NOT_ALLOWED, "cannot wait: %s", strerror(errno));
    for (nfds_t i = 0; i < count; i++)
        if (polled[i].revents != 0)
            receive(crowd, workers[i]);
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
        if (crowd->workers[i].process == 0)
            continue;
        kill(crowd->workers[i].process, SIGKILL);
        close(crowd->workers[i].descriptor);
        waitpid(crowd->workers[i].process, NULL, 0);
    }
}

static bool judge_all(struct crowd *crowd, struct error *error)
{
    while (crowd->started < crowd->count || is_busy(crowd)) {
        for (size_t i = 0; i < crowd->worker_count && crowd->started < crowd->count; i++)
            if (crowd->workers[i].process == 0 && !start_worker(crowd, &crowd->workers[i], error))
                return false;
        if (!wait_for_any(crowd, error))
            return false;
        write_done(crowd);
    }
    return true;
}

/* A failed check counts most; else the worst of what else happened. */
static enum status end_report(const struct crowd *crowd, struct error *error)
{
    enum status status = STATUS_DONE;
    struct report_row *rows = calloc(crowd->count, sizeof *rows);
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
    check_write(&text);
    buffer_free(&text);
    free(rows);
    status = failed ? STATUS_CHECK_FAILED : status;
    /* Of several files the report has told; of one, main tells as for every other command. */
    error_set(error, status, "%s", crowd->count == 1 ? crowd->files[0].outcome.error : "");
    return status;
}

enum status check_files(const struct checking_job *job, char **files, size_t count,
                        struct error *error)
{
    struct crowd crowd = {.job = job, .count = count, .worker_count = cpus()};
    crowd.files = calloc(count, sizeof *crowd.files);
    if (crowd.files == NULL) {
        error_out_of_memory(error);
        return error->status;
    }
    for (size_t i = 0; i < count; i++)
        crowd.files[i].file = files[i];
    struct buffer text = {0};
    job->format->begin(&text, count);
    check_write(&text);
    buffer_free(&text);
    enum status status;
    if (judge_all(&crowd, error)) {
        status = end_report(&crowd, error);
    } else {
        status = error->status;
        stop_workers(&crowd);
    }
    for (size_t i = 0; i < count; i++)
        buffer_free(&crowd.files[i].received);
    free(crowd.files);
    return status;
}
