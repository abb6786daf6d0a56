/*
 * frames.h - frames written by hand, and how the tests decode them.
 *
 * Every decode works on a heap copy of exactly the captured size, so that the address sanitizer
 * sees a read of one byte too many.
 */
#ifndef HANDLENS_TESTS_PACKET_FRAMES_H
#define HANDLENS_TESTS_PACKET_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/packet.h"

struct decoded {
    struct packet packet;
    uint8_t *copy; /* owned */
};

static inline struct decoded decode_cut(uint32_t link_type, const uint8_t *bytes, uint32_t captured,
                                        uint32_t length)
{
    struct decoded decoded;
    decoded.copy = calloc(1, captured);
    if (captured > 0) {
        assert_non_null(decoded.copy);
        memcpy(decoded.copy, bytes, captured);
    }
    /* Garbage in the struct must not shine through. */
    memset(&decoded.packet, 0xa5, sizeof decoded.packet);
    packet_decode(&decoded.packet, link_type, decoded.copy, captured, length, PACKET_CHECKSUMS);
    return decoded;
}

static inline struct decoded decode(uint32_t link_type, const uint8_t *bytes, uint32_t length)
{
    return decode_cut(link_type, bytes, length, length);
}

static inline void decoded_free(struct decoded *decoded)
{
    free(decoded->copy);
}

static inline void assert_host(const struct address *address, const char *text)
{
    char formatted[ADDRESS_TEXT];
    assert_string_equal(address_format_host(address, formatted), text);
}

/* A frame put together piece by piece. */
struct frame {
    uint8_t bytes[1024];
    uint32_t length;
};

static inline void frame_add(struct frame *frame, const void *bytes, size_t length)
{
    assert_true(frame->length + length <= sizeof frame->bytes);
    if (length > 0)
        memcpy(frame->bytes + frame->length, bytes, length);
    frame->length += (uint32_t)length;
}

#define FRAME_ADD(frame, ...)                                                                      \
    frame_add(frame, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* An IPv4 header without options: 10.0.0.1 to 10.0.0.2. */
static inline void frame_ipv4(struct frame *frame, uint8_t protocol, uint16_t payload)
{
    uint16_t total = (uint16_t)(payload + 20);
    FRAME_ADD(frame, 0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, 0x12, 0x34, 0x40, 0, 64,
              protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
}

/* An IPv6 header: 2001:db8::1 to 2001:db8::2. */
static inline void frame_ipv6(struct frame *frame, uint8_t next, uint16_t payload)
{
    FRAME_ADD(frame, 0x60, 0, 0, 0, (uint8_t)(payload >> 8), (uint8_t)payload, next, 64);
    FRAME_ADD(frame, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    FRAME_ADD(frame, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

/* A TCP header of five words: port 1000 to 2000, PSH ACK. */
static inline void frame_tcp(struct frame *frame)
{
    FRAME_ADD(frame, 0x03, 0xe8, 0x07, 0xd0, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0x10, 0, 0, 0, 0,
              0);
}

/* A UDP header with no checksum: port 53 to 5353. */
static inline void frame_udp(struct frame *frame, uint16_t payload)
{
    uint16_t length = (uint16_t)(payload + 8);
    FRAME_ADD(frame, 0, 53, 0x14, 0xe9, (uint8_t)(length >> 8), (uint8_t)length, 0, 0);
}

/* What Linux sends over lo to open a connection: 127.0.0.1:46580 to :65432, its TCP checksum left
 * to a device that there is not. */
static const uint8_t frame_loopback_syn[] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x08, 0x00,                                                             /* Ethernet */
    0x45, 0x00, 0x00, 0x3c, 0x5d, 0xd3, 0x40, 0x00, 0x40, 0x06, 0xde, 0xe6, /* IPv4 */
    0x7f, 0x00, 0x00, 0x01, 0x7f, 0x00, 0x00, 0x01,                         /* */
    0xb5, 0xf4, 0xff, 0x98, 0x5a, 0x10, 0x4b, 0x3c, 0x00, 0x00, 0x00, 0x00, /* TCP */
    0xa0, 0x02, 0xff, 0xd7, 0xfe, 0x30, 0x00, 0x00,                         /* */
    0x02, 0x04, 0xff, 0xd7, 0x04, 0x02, 0x08, 0x0a,                         /* options */
    0x11, 0x22, 0x33, 0x44, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

#endif
