#include "unit/trace/random_events.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/cursor.h"
#include "trace/format.h"

static char folder[] = "/tmp/handlens-writer-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void every_kind_comes_back_as_it_was(void **state)
{
    (void)state;
    int fd = sample_written(sample_trace(), SAMPLE_COUNT);
    assert_reads_back(fd, sample_trace(), SAMPLE_COUNT);
    close(fd);
}

static void random_traces_come_back_as_they_were(void **state)
{
    (void)state;
    static struct random_source random;
    static struct trace_event events[400];
    for (uint64_t seed = 1; seed <= 200; seed++) {
        random_open(&random, seed);
        random_trace(&random, events, 400);
        int fd = sample_written(events, 400);
        assert_reads_back(fd, events, 400);
        close(fd);
    }
}

static void texts_longer_than_an_option_may_be_come_back_whole(void **state)
{
    (void)state;
    static const size_t lengths[] = {65533, 65534, 65535, 65536, 65537, TEXT_LIMIT};
    char *text = malloc(TEXT_LIMIT);
    assert_non_null(text);
    memset(text, 'x', TEXT_LIMIT);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct trace_event event = {.kind = TRACE_SCRIPT, .time = 5};
        event.script.text = (struct trace_text){text, lengths[i]};
        event.script.name = (struct trace_text)TEXT("a.lua");
        int fd = sample_written(&event, 1);
        assert_reads_back(fd, &event, 1);
        close(fd);
    }
    free(text);
}

static void a_text_beyond_the_limit_is_cut_between_characters(void **state)
{
    (void)state;
    char *text = malloc(TEXT_LIMIT + 2);
    assert_non_null(text);
    memset(text, 'x', TEXT_LIMIT + 2);
    memcpy(text + TEXT_LIMIT - 1, "\xe4\xb8\x80", 3);
    struct trace_event event = {.kind = TRACE_NOTE};
    event.note.text = (struct trace_text){text, TEXT_LIMIT + 2};
    int fd = sample_written(&event, 1);
    event.note.text.length = TEXT_LIMIT - 1;
    assert_reads_back(fd, &event, 1);
    close(fd);
    free(text);
}

/* The type of the block behind the section's header. */
static uint32_t second_block(int fd)
{
    size_t length;
    uint8_t *bytes = sample_bytes(fd, &length);
    struct cursor blocks = cursor_over(bytes, length);
    assert_int_equal(cursor_le32(&blocks), BLOCK_SECTION);
    assert_non_null(cursor_take(&blocks, cursor_le32(&blocks) - 8));
    uint32_t type = cursor_le32(&blocks);
    assert_false(blocks.failed);
    free(bytes);
    return type;
}

static void an_interface_is_the_first_block_even_without_one(void **state)
{
    (void)state;
    int fd = sample_written(sample_trace(), SAMPLE_COUNT);
    assert_int_equal(second_block(fd), BLOCK_INTERFACE);
    close(fd);

    struct trace_event event = {.kind = TRACE_NOTE, .note.text = TEXT("x")};
    fd = sample_written(&event, 1);
    assert_reads_back(fd, &event, 1); /* no event stands for it */
    assert_int_equal(second_block(fd), BLOCK_INTERFACE);
    close(fd);
}

static void an_interface_may_come_after_calls(void **state)
{
    (void)state;
    struct trace_event events[5];
    events[0] = sample_trace()[6];
    events[1] = sample_trace()[SAMPLE_INTERFACE];
    events[2] = sample_trace()[8];
    events[3] = sample_trace()[15];
    int fd = sample_written(events, 4);
    assert_reads_back(fd, events, 4);
    close(fd);
}

static void nothing_is_overwritten_without_force(void **state)
{
    (void)state;
    struct error error = {0};
    const char *path = in_folder("a.pcapng");
    struct trace_writer *writer = trace_writer_create(path, false, &error);
    assert_non_null(writer);
    assert_true(trace_writer_close(writer, &error));
    assert_null(trace_writer_create(path, false, &error));
    assert_int_equal(error.status, STATUS_USAGE);
    assert_non_null(strstr(error.text, "a.pcapng exists; --force replaces it"));

    /* A long file that is replaced leaves nothing behind. */
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(ftruncate(fd, 100000), 0);
    close(fd);
    writer = trace_writer_create(path, true, &error);
    assert_non_null(writer);
    assert_true(trace_writer_add(writer, sample_trace(), &error));
    assert_true(trace_writer_close(writer, &error));
    fd = open(path, O_RDONLY);
    assert_reads_back(fd, sample_trace(), 1);
    close(fd);
    unlink(path);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(trace_writer_create(in_folder("no/a.pcapng"), false, &error));
    assert_int_equal(error.status, STATUS_USAGE);
    assert_non_null(strstr(error.text, "there is no folder /tmp/"));
    assert_null(trace_writer_create("/dev/null/a.pcapng", false, &error));
    assert_non_null(strstr(error.text, "/dev/null is not a folder"));
    assert_null(trace_writer_create(folder, true, &error));
    assert_non_null(strstr(error.text, "is a folder"));
    assert_null(trace_writer_create("", false, &error));
    assert_non_null(strstr(error.text, "it is no file's name"));
}

static void a_folder_one_may_not_write_to_is_told(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* root may write anywhere */
    struct error error = {0};
    chmod(folder, 0500);
    struct trace_writer *writer = trace_writer_create(in_folder("a.pcapng"), false, &error);
    chmod(folder, 0700);
    assert_null(writer);
    assert_int_equal(error.status, STATUS_NOT_ALLOWED);
    assert_non_null(strstr(error.text, "EACCES"));
}

static void a_full_device_is_told_at_once_and_again(void **state)
{
    (void)state;
    struct error error = {0};
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    assert_null(trace_writer_to(fd, &error));
    assert_int_equal(error.status, STATUS_NOT_ALLOWED);
    assert_non_null(strstr(error.text, "ENOSPC"));
    close(fd);
}

/* Wherever room ends, what was written stays whole and the failure stays told. */
static void a_disk_that_fills_up_leaves_whole_blocks(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct trace_event *events = sample_trace();
    for (rlim_t room = 100; room < 1400; room += 13) {
        struct error error = {0};
        struct error again = {0};
        char path[128];
        snprintf(path, sizeof path, "%s", in_folder("full.pcapng"));
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){room, before.rlim_max});
        struct trace_writer *writer = trace_writer_create(path, true, &error);
        assert_non_null(writer);
        bool fine = true;
        for (size_t i = 0; i < SAMPLE_COUNT; i++)
            fine = trace_writer_add(writer, &events[i], &error) && fine;
        fine = trace_writer_flush(writer, &error) && fine;
        assert_false(fine);
        assert_false(trace_writer_add(writer, &events[5], &again));
        assert_string_equal(error.text, again.text);
        assert_false(trace_writer_close(writer, &error));
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(error.status, STATUS_NOT_ALLOWED);
        assert_non_null(strstr(error.text, "what was written before is whole"));
        enum trace_progress last;
        int fd = open(path, O_RDONLY);
        sample_read(fd, events, SAMPLE_COUNT, &last, &error);
        assert_int_equal(last, TRACE_READ_END);
        close(fd);
        unlink(path);
    }
}

static void a_file_removed_while_written_does_no_harm(void **state)
{
    (void)state;
    struct error error = {0};
    const char *path = in_folder("gone.pcapng");
    struct trace_writer *writer = trace_writer_create(path, false, &error);
    assert_non_null(writer);
    unlink(path);
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        assert_true(trace_writer_add(writer, &sample_trace()[i], &error));
    assert_true(trace_writer_close(writer, &error));
}

static void after_each_flush_the_file_reads_well(void **state)
{
    (void)state;
    struct error error = {0};
    int fd = sample_file("", 0);
    struct trace_writer *writer = trace_writer_to(fd, &error);
    assert_non_null(writer);
    assert_reads_back(fd, NULL, 0);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        lseek(fd, 0, SEEK_END);
        assert_true(trace_writer_add(writer, &sample_trace()[i], &error));
        assert_true(trace_writer_flush(writer, &error));
        /* What comes before the interface goes out with it. */
        assert_reads_back(fd, sample_trace(), i < SAMPLE_INTERFACE ? 0 : i + 1);
    }
    lseek(fd, 0, SEEK_END);
    assert_true(trace_writer_close(writer, &error));
    close(fd);
}

static void what_is_out_of_turn_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    static const struct trace_event wrong[] = {
        {.kind = TRACE_PACKET},
        {.kind = TRACE_STATISTICS},
        {.kind = TRACE_INTERFACE, .interface.interface = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int fd = sample_file("", 0);
        struct trace_writer *writer = trace_writer_to(fd, &error);
        assert_non_null(writer);
        assert_false(trace_writer_add(writer, &wrong[i], &error));
        assert_false(trace_writer_close(writer, &error));
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_as_it_was),
        cmocka_unit_test(random_traces_come_back_as_they_were),
        cmocka_unit_test(texts_longer_than_an_option_may_be_come_back_whole),
        cmocka_unit_test(a_text_beyond_the_limit_is_cut_between_characters),
        cmocka_unit_test(an_interface_is_the_first_block_even_without_one),
        cmocka_unit_test(an_interface_may_come_after_calls),
        cmocka_unit_test(nothing_is_overwritten_without_force),
        cmocka_unit_test(a_missing_folder_is_named),
        cmocka_unit_test(a_folder_one_may_not_write_to_is_told),
        cmocka_unit_test(a_full_device_is_told_at_once_and_again),
        cmocka_unit_test(a_disk_that_fills_up_leaves_whole_blocks),
        cmocka_unit_test(a_file_removed_while_written_does_no_harm),
        cmocka_unit_test(after_each_flush_the_file_reads_well),
        cmocka_unit_test(what_is_out_of_turn_is_refused),
    };
    return cmocka_run_group_tests_name("writer", tests, make_folder, remove_folder);
}
