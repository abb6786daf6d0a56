/*
 * exchange.h - what the capture's tests share: a private loopback, and traffic on it.
 *
 * Include after cmocka.h.
 */
#ifndef HANDLENS_TESTS_CAPTURE_EXCHANGE_H
#define HANDLENS_TESTS_CAPTURE_EXCHANGE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/capture.h"
#include "fake_recorder.h"
#include "place/place.h"

/* The whole program goes to a private loopback once; where there is none, nothing can be tested. */
static struct place place;
static struct error place_error;
static bool is_private;

static inline void go_to_private_loopback(void)
{
    static const struct place_wishes no_wishes = PLACE_NO_WISHES;
    is_private = place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &place_error) &&
                 place.kind == PLACE_PRIVATE;
}

#define NEEDS_PRIVATE_LOOPBACK()                                                                   \
    do {                                                                                           \
        if (!is_private) {                                                                         \
            print_message("no private loopback: %s%s\n", place.remark, place_error.text);          \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static inline union any_address loopback_address(int family, socklen_t *length)
{
    union any_address address = {0};
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *length = sizeof address.v4;
    } else {
        address.v6.sin6_addr = in6addr_loopback;
        *length = sizeof address.v6;
    }
    return address;
}

/* A listening TCP socket or a bound UDP socket; address is where. */
static inline int open_server(int family, int type, union any_address *address, socklen_t *length)
{
    int server = socket(family, type | SOCK_CLOEXEC, 0);
    assert_true(server >= 0);
    *address = loopback_address(family, length);
    assert_int_equal(bind(server, &address->any, *length), 0);
    assert_int_equal(getsockname(server, &address->any, length), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(server, 128), 0);
    return server;
}

static inline struct capture *start(struct recorder *recorder, const char *interface,
                                    const char *filter, size_t ring)
{
    struct error error = {0};
    struct capture *capture = capture_new(recorder, interface, filter, ring, &error);
    if (capture == NULL || !capture_start(capture, &error))
        fail_msg("%s", error.text);
    return capture;
}

/* Sends count datagrams of the given length to address. */
static inline void send_datagrams(const union any_address *address, socklen_t length, size_t count,
                                  size_t size)
{
    static uint8_t bytes[65000];
    int client = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sendto(client, bytes, size, 0, &address->any, length), size);
    close(client);
}

#endif
