#include "unit/trace/heard.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "support/clock.h"

static void without_a_capture_everything_goes_out_at_once(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_role(recorder, 10, 1, "client");
    add_call(recorder, 20, 1, 1, "", 1);
    assert_true(recorder_flush(recorder, NULL));
    assert_int_equal(heard.count, 2);
    assert_true(recorder_flush(recorder, NULL));
    assert_int_equal(heard.count, 2);
    recorder_close(recorder);
}

static void a_capture_holds_back_what_is_not_older_than_its_watermark(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 5);
    add_call(recorder, 20, 1, 1, "", 1);
    add_packet(recorder, 15);
    add_packet(recorder, 25);
    recorder_flush(recorder, NULL);
    assert_int_equal(heard.count, 0);
    recorder_set_watermark(recorder, 20);
    recorder_flush(recorder, NULL);
    assert_kinds(&heard, (enum trace_kind[]){TRACE_INTERFACE, TRACE_PACKET}, 2);
    recorder_set_watermark(recorder, 21);
    recorder_flush(recorder, NULL);
    assert_int_equal(heard.count, 3);
    assert_int_equal(recorder_packets(recorder), 1);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    assert_int_equal(heard.count, 4);
    assert_int_equal(recorder_packets(recorder), 2);
    recorder_close(recorder);
}

static void at_equal_stamps_a_packet_follows_its_call_and_precedes_the_return(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 7);
    add_call(recorder, 7, 1, 1, "", 1);
    add_return(recorder, 7, 1, 7, 7);
    add_packet(recorder, 7);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    assert_kinds(&heard,
                 (enum trace_kind[]){TRACE_INTERFACE, TRACE_CALL, TRACE_PACKET, TRACE_RETURN}, 4);
    assert_int_equal(heard.events[2].cause, 1);
    recorder_close(recorder);
}

static void a_packet_never_precedes_its_interface(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_role(recorder, 50, 1, "client");
    add_packet(recorder, 40);
    recorder_flush(recorder, NULL);
    assert_kinds(&heard, (enum trace_kind[]){TRACE_ROLE}, 1);
    add_interface(recorder, 60);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    assert_kinds(&heard, (enum trace_kind[]){TRACE_ROLE, TRACE_INTERFACE, TRACE_PACKET}, 3);
    recorder_close(recorder);
}

static void add_secrets(struct recorder *recorder, int64_t time)
{
    struct trace_event event = {.kind = TRACE_SECRETS, .time = time};
    event.secrets.type = 0x544c534b;
    event.secrets.bytes = (struct trace_bytes){(const uint8_t *)"CLIENT_RANDOM", 13};
    recorder_add(recorder, &event);
}

static void secrets_come_before_the_packets_that_are_not_written_yet(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 1);
    add_packet(recorder, 10);
    recorder_set_watermark(recorder, 15);
    recorder_flush(recorder, NULL);
    add_packet(recorder, 20);
    add_role(recorder, 21, 1, "client");
    add_secrets(recorder, 30);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    assert_kinds(
        &heard,
        (enum trace_kind[]){TRACE_INTERFACE, TRACE_PACKET, TRACE_SECRETS, TRACE_PACKET, TRACE_ROLE},
        5);
    assert_int_equal(heard.events[2].time, 20);
    recorder_close(recorder);
}

static void secrets_that_no_packet_follows_come_before_the_end(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_secrets(recorder, 30);
    add_role(recorder, 31, 1, "client");
    recorder_flush(recorder, NULL);
    recorder_add(recorder, &(struct trace_event){.kind = TRACE_END, .time = 40});
    recorder_flush(recorder, NULL);
    assert_kinds(&heard, (enum trace_kind[]){TRACE_ROLE, TRACE_SECRETS, TRACE_END}, 3);
    recorder_close(recorder);
}

static void what_the_file_holds_is_what_the_listener_heard(void **state)
{
    (void)state;
    struct error error;
    struct heard heard;
    int fd = sample_file("", 0);
    struct trace_writer *writer = trace_writer_to(fd, &error);
    struct recorder *recorder = listening(&heard, writer);
    add_interface(recorder, 1);
    add_role(recorder, 2, 1, "client");
    add_call(recorder, 10, 1, 1, "x", 14);
    add_return(recorder, 19, 1, 11, 18);
    add_packet(recorder, 12);
    add_packet(recorder, 40);
    recorder_capture_ends(recorder);
    assert_true(recorder_flush(recorder, &error));
    /* No close: whoever is killed now leaves this file. */
    struct trace_reader *reader = trace_reader_from(fd, "a", &error);
    struct trace_event event;
    size_t count = 0;
    while (trace_reader_next(reader, &event, &error) == TRACE_READ_EVENT) {
        assert_int_equal(event.kind, heard.events[count].kind);
        assert_int_equal(event.time, heard.events[count].time);
        if (event.kind == TRACE_PACKET) {
            assert_int_equal(event.packet.number, heard.events[count].number);
            assert_int_equal(event.packet.cause, heard.events[count].cause);
            assert_int_equal(event.packet.comment.length, strlen(heard.events[count].comment));
        }
        count++;
    }
    assert_int_equal(count, 6);
    assert_int_equal(heard.count, 6);
    trace_reader_close(reader);
    recorder_close(recorder);
    lseek(fd, 0, SEEK_END);
    assert_true(trace_writer_close(writer, &error));
    close(fd);
}

static void a_failed_write_is_told_once_and_the_listener_hears_on(void **state)
{
    (void)state;
    struct error error = {0};
    struct heard heard;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    struct trace_writer *writer = trace_writer_to(ends[1], &error);
    struct recorder *recorder = listening(&heard, writer);
    close(ends[0]);
    add_call(recorder, 2, 1, 1, "", 1);
    assert_false(recorder_flush(recorder, &error));
    assert_non_null(strstr(error.text, "EPIPE"));
    add_role(recorder, 3, 2, "server");
    assert_true(recorder_flush(recorder, &error));
    assert_int_equal(heard.count, 2);
    recorder_close(recorder);
    assert_false(trace_writer_close(writer, &error));
    close(ends[1]);
}

/* Two threads. */

#define THREAD_PACKETS 200000

struct capture_thread {
    struct recorder *recorder;
    atomic_bool done;
};

/* Packet n is stamped n * 10 and holds n; some are large. */
static void *capture_packets(void *data)
{
    struct capture_thread *thread = data;
    static uint8_t bytes[70000];
    for (uint32_t n = 1; n <= THREAD_PACKETS; n++) {
        struct trace_packet packet = {.link_type = 1, .length = n};
        memcpy(bytes, &n, sizeof n);
        packet.bytes = (struct trace_bytes){bytes, n % 5000 == 0 ? sizeof bytes : 4 + n % 100};
        recorder_add_packet(thread->recorder, (int64_t)n * 10, &packet);
        if (n % 7 == 0)
            recorder_set_watermark(thread->recorder, (int64_t)n * 10 + 1);
    }
    atomic_store(&thread->done, true);
    return NULL;
}

struct order {
    uint32_t packets;
    uint32_t calls;
    int64_t time;
};

static void check_order(void *data, const struct trace_event *event)
{
    struct order *order = data;
    assert_true(event->time >= order->time);
    order->time = event->time;
    if (event->kind == TRACE_CALL)
        order->calls++;
    if (event->kind != TRACE_PACKET)
        return;
    uint32_t n;
    memcpy(&n, event->packet.bytes.data, sizeof n);
    assert_int_equal(n, ++order->packets);
    assert_int_equal(n, event->packet.number);
    /* Call c has the window 1000 c to 1000 c + 500. */
    uint32_t into = n * 10 % 1000;
    assert_int_equal(event->packet.cause, into <= 500 ? n / 100 : 0);
}

static void two_threads_make_one_trace_in_order(void **state)
{
    (void)state;
    struct error error;
    struct recorder *recorder = recorder_open(NULL, &error);
    struct order order = {0};
    struct capture_thread thread = {.recorder = recorder};
    pthread_t id;
    recorder_listen(recorder, check_order, &order);
    add_interface(recorder, 0);
    /* Before the packets are: in a run no packet overtakes the report of its window. */
    const uint32_t calls = THREAD_PACKETS / 100;
    for (uint32_t call = 0; call <= calls; call++) {
        int64_t start = (int64_t)call * 1000;
        add_call(recorder, start, call, 1, "", 1);
        add_return(recorder, start + 600, call, start, start + 500);
    }
    assert_int_equal(pthread_create(&id, NULL, capture_packets, &thread), 0);
    while (!atomic_load(&thread.done))
        assert_true(recorder_flush(recorder, &error));
    pthread_join(id, NULL);
    recorder_capture_ends(recorder);
    assert_true(recorder_flush(recorder, &error));
    assert_int_equal(order.packets, THREAD_PACKETS);
    assert_int_equal(order.calls, calls + 1);
    recorder_close(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_capture_everything_goes_out_at_once),
        cmocka_unit_test(a_capture_holds_back_what_is_not_older_than_its_watermark),
        cmocka_unit_test(at_equal_stamps_a_packet_follows_its_call_and_precedes_the_return),
        cmocka_unit_test(a_packet_never_precedes_its_interface),
        cmocka_unit_test(secrets_come_before_the_packets_that_are_not_written_yet),
        cmocka_unit_test(secrets_that_no_packet_follows_come_before_the_end),
        cmocka_unit_test(what_the_file_holds_is_what_the_listener_heard),
        cmocka_unit_test(a_failed_write_is_told_once_and_the_listener_hears_on),
        cmocka_unit_test(two_threads_make_one_trace_in_order),
    };
    return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
