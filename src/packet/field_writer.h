/*
 * field_writer.h - how the layers hand their fields to the visitor. For src/packet only.
 *
 * A writer stands at a bit and has a limit, which is where the next header starts or the captured
 * bytes end. A field that does not fit below the limit is not given, and nothing after it until
 * the limit is filled with one "Not decoded" field. So the writer of a layer puts its fields down
 * in order and need not ask how many of them are here: that fields lie side by side is seen to
 * here and nowhere else.
 */
#ifndef HANDLENS_PACKET_FIELD_WRITER_H
#define HANDLENS_PACKET_FIELD_WRITER_H

#include "packet/fields.h"

struct field_writer {
    const struct packet *packet;
    packet_field_visit *visit;
    void *data;
    uint64_t base;  /* bits of the outer frame before this packet's first one */
    uint64_t at;    /* bits from this packet's first one */
    uint64_t limit; /* fields end here */
    enum packet_layer layer;
    uint8_t depth;
    bool quoted;
    bool short_of; /* a field did not fit; cleared by fields_fill */
    bool refused;  /* a visit returned false */
};

/* What fields_open did, for fields_close. */
struct field_group {
    uint64_t limit; /* the writer's before */
    bool is_open;   /* it fitted */
};

/* How a number is written. */
enum field_form {
    FORM_DECIMAL,
    FORM_HEX, /* with as many digits as the field has nibbles */
    FORM_BIT, /* "set", "not set" */
};

/* The next bits as a number, without moving on; 0 where there are fewer. At most 64. */
uint64_t fields_peek(const struct field_writer *w, uint32_t bits);

/* How many whole bytes there are up to the limit. */
uint32_t fields_left(const struct field_writer *w);

/* Puts down a number. Returns it. */
uint64_t fields_number(struct field_writer *w, const char *name, uint32_t bits,
                       enum field_form form);

/* The same with a note. */
uint64_t fields_noted(struct field_writer *w, const char *name, uint32_t bits, enum field_form form,
                      const char *note);

/* Puts down a number whose text is the caller's. */
uint64_t fields_put(struct field_writer *w, const char *name, uint32_t bits, const char *note,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A number and what it is called, which may be NULL: "6 TCP", with hex "0x0800 IPv4". */
uint64_t fields_named(struct field_writer *w, const char *name, uint32_t bits, enum field_form form,
                      const char *meaning);

/* Puts down so many bytes: as an address, or as hex digits (cut where there are too many). */
void fields_ether(struct field_writer *w, const char *name);
void fields_ipv4(struct field_writer *w, const char *name);
void fields_ipv6(struct field_writer *w, const char *name);
void fields_hex(struct field_writer *w, const char *name, uint32_t bytes);

/* So many bytes, their text being how many they are. */
void fields_bytes(struct field_writer *w, const char *name, uint32_t bytes, const char *note);

/* A checksum field with its judgement as the note. */
void fields_checksum(struct field_writer *w, const char *name, enum packet_checksum checksum);

/*
 * Opens a group of so many bits: what follows are its parts, until fields_close, which takes what
 * this returned and fills what the parts left over.
 */
struct field_group fields_open(struct field_writer *w, const char *name, uint32_t bits,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));
void fields_close(struct field_writer *w, struct field_group group);

/* Begins a layer that ends at this byte offset (or earlier, where the capture does). */
void fields_layer(struct field_writer *w, enum packet_layer layer, uint32_t last);

/* Puts what is left below the limit into one field, if anything is. */
void fields_fill(struct field_writer *w);

/* fields_link.c, fields_ip.c, fields_tcp.c, fields_datagram.c: each from where the writer stands
 * to the byte offset end. */
void fields_of_link(struct field_writer *w, uint32_t end);
void fields_of_arp(struct field_writer *w, uint32_t end);
void fields_of_ipv4(struct field_writer *w, uint32_t end);
void fields_of_ipv6(struct field_writer *w, uint32_t end);
void fields_of_tcp(struct field_writer *w, uint32_t end);
void fields_of_udp(struct field_writer *w, uint32_t end);
void fields_of_icmp(struct field_writer *w, uint32_t end);
/* RFC 4302's header, in IPv4 as in IPv6; nothing moves if it does not fit. */
void fields_of_authentication(struct field_writer *w);

#endif
