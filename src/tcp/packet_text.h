/*
 * packet_text.h - the short form of a packet's headers, one for views, checks and documents.
 *
 *     SYN seq 0 win 65495 len 0
 *     PSH ACK seq 1 ack 1 win 65536 len 21
 *     ACK seq 1 ack 1 win 65536 len 0 <sack 1449-2897>
 *     [retransmission] [duplicate ACK #2 of packet 14]
 *     UDP len 4
 *     ICMP destination unreachable: port unreachable len 28
 *
 * Flags are named as Wireshark names them, sequence numbers are relative, the window is scaled
 * where the scale is known. The functions write at to without a final zero and return the end of
 * what they wrote; none writes more than PACKET_TEXT bytes, but for packet_put_headers. They are
 * made for a million packets: nothing is allocated, no format is interpreted.
 */
#ifndef HANDLENS_TCP_PACKET_TEXT_H
#define HANDLENS_TCP_PACKET_TEXT_H

#include <stdint.h>

#include "packet/packet.h"
#include "tcp/flow.h"

#define PACKET_TEXT 512

/* A constant text. */
char *packet_put_text(char *to, const char *text);

/* "1234" */
char *packet_put_number(char *to, uint64_t number);

/* "PSH ACK" */
char *packet_put_flags(char *to, uint16_t flags);

/* "127.0.0.1:80", "[::1]:80", or without a port where there is none: "127.0.0.1". */
char *packet_put_address(char *to, const struct address *address, bool with_port);

/* "mss 65495, sack, timestamps, window scale 7"; nothing without options. */
char *packet_put_options(char *to, const struct packet_tcp *tcp);

/*
 * What a segment that is no SYN carries beside its numbers: "urgent 3" (the urgent pointer, where
 * URG is set), "sack 1001-2001 3001-4001" (relative where the flow is known); nothing without.
 */
char *packet_put_urgent(char *to, const struct packet_tcp *tcp);
char *packet_put_sack(char *to, const struct packet_tcp *tcp, const struct flow_facts *facts);

/* "[retransmission] [zero window]"; nothing without marks. */
char *packet_put_marks(char *to, const struct flow_facts *facts);

/*
 * All of the packet that is not an address: flags, numbers, options and marks of a TCP segment, the
 * protocol and length of anything else, and the fault in the end. At most PACKET_HEADERS_TEXT
 * bytes.
 */
#define PACKET_HEADERS_TEXT (3 * PACKET_TEXT)
char *packet_put_headers(char *to, const struct packet *packet, const struct flow_facts *facts);

#endif
