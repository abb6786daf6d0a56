/*
 * sample_traces.h - the exchanges that views are tested on, made by hand.
 */
#ifndef HANDLENS_TESTS_VIEW_SAMPLE_TRACES_H
#define HANDLENS_TESTS_VIEW_SAMPLE_TRACES_H

#include "unit/view/trace_maker.h"

enum { SERVER = 1, CLIENT = 2, BOB = 3, CAROL = 4 };

static inline void sample_simple(struct maker *maker, uint32_t role, uint32_t socket,
                                 const char *name, const char *arguments, uint32_t line,
                                 const char *result)
{
    maker_returns(maker, maker_call(maker, role, socket, name, arguments, line), result);
}

/* The server's listener, made by the host. */
static inline void sample_listener(struct maker *maker)
{
    sample_simple(maker, SERVER, 1, "socket", "tcp", 0, "");
    sample_simple(maker, SERVER, 1, "bind", "127.0.0.1:65432", 0, "");
    maker_socket(maker, 1, SERVER, TRACE_TCP, 65432, 0);
    sample_simple(maker, SERVER, 1, "listen", "128", 0, "");
}

/* The first lab: hello and an answer, in the words given. */
static inline void sample_hello(struct maker *maker, const char *hello, const char *answer)
{
    struct maker_connection flow = {{51234, 1000}, {65432, 9000}};
    char hello_quoted[256], answer_quoted[256], printed[256];
    snprintf(hello_quoted, sizeof hello_quoted, "\"%s\"", hello);
    snprintf(answer_quoted, sizeof answer_quoted, "\"%s\"", answer);
    maker_open(maker);
    maker_exchange(maker, "Hello", "A client says hello, the server answers, and both hang up.");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    maker_role(maker, CLIENT, TRACE_ROLE_CLIENT, "client");
    maker_interface(maker);
    sample_listener(maker);
    uint32_t accept = maker_call(maker, SERVER, 1, "accept", "", 7);
    maker_blocks(maker, accept);
    sample_simple(maker, CLIENT, 2, "socket", "tcp", 15, "");
    uint32_t connect = maker_call(maker, CLIENT, 2, "connect", "127.0.0.1:65432", 15);
    maker_handshake(maker, &flow);
    maker_returns(maker, connect, "");
    maker_socket(maker, 2, CLIENT, TRACE_TCP, 51234, 65432);
    maker_state(maker, 2, connect, 4, 51234, 65432);
    uint32_t send = maker_call(maker, CLIENT, 2, "sendall", hello_quoted, 16);
    maker_data(maker, &flow.client, &flow.server, hello);
    maker_returns(maker, send, "21");
    uint32_t receive = maker_call(maker, CLIENT, 2, "recv", "1024", 17);
    maker_blocks(maker, receive);
    maker_resumes(maker, accept);
    maker_returns(maker, accept, "127.0.0.1:51234");
    maker_socket(maker, 3, SERVER, TRACE_TCP, 65432, 51234);
    maker_note(maker, TRACE_NOTE_PRINT, SERVER, "connection from 127.0.0.1:51234", 8);
    sample_simple(maker, SERVER, 3, "recv", "1024", 9, hello_quoted);
    snprintf(printed, sizeof printed, "received %s", hello);
    maker_note(maker, TRACE_NOTE_PRINT, SERVER, printed, 9);
    send = maker_call(maker, SERVER, 3, "sendall", answer_quoted, 10);
    maker_data(maker, &flow.server, &flow.client, answer);
    maker_returns(maker, send, "21");
    uint32_t close = maker_call(maker, SERVER, 3, "close", "", 11);
    maker_segment(maker, &flow.server, &flow.client, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_returns(maker, close, "");
    sample_simple(maker, SERVER, 1, "close", "", 0, "");
    maker_resumes(maker, receive);
    maker_returns(maker, receive, answer_quoted);
    snprintf(printed, sizeof printed, "received %s", answer);
    maker_note(maker, TRACE_NOTE_PRINT, CLIENT, printed, 17);
    close = maker_call(maker, CLIENT, 2, "close", "", 18);
    maker_segment(maker, &flow.client, &flow.server, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_segment(maker, &flow.server, &flow.client, MAKER_ACK, 512, NULL);
    maker_returns(maker, close, "");
    maker_end(maker, TRACE_DONE, "");
}

/* Three clients of one server; the third gets a RST for an answer. */
static inline void sample_three_clients(struct maker *maker)
{
    static const char *const names[] = {"alice", "bob", "carol"};
    struct maker_connection flows[3];
    uint32_t receives[3];
    maker_open(maker);
    maker_exchange(maker, "Three clients", "One server answers three clients in turn.");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    for (uint32_t i = 0; i < 3; i++)
        maker_role(maker, CLIENT + i, TRACE_ROLE_CLIENT, names[i]);
    maker_interface(maker);
    sample_listener(maker);
    uint32_t accept = maker_call(maker, SERVER, 1, "accept", "", 7);
    maker_blocks(maker, accept);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t role = CLIENT + i;
        uint16_t port = (uint16_t)(51234 + 2 * i);
        flows[i] = (struct maker_connection){{port, 1000}, {65432, 9000}};
        uint32_t connect = maker_call(maker, role, role, "connect", "127.0.0.1:65432", 15);
        maker_handshake(maker, &flows[i]);
        maker_returns(maker, connect, "");
        maker_socket(maker, role, role, TRACE_TCP, port, 65432);
        uint32_t send = maker_call(maker, role, role, "sendall", "\"hi\"", 16);
        maker_data(maker, &flows[i].client, &flows[i].server, "hi");
        maker_returns(maker, send, "2");
        receives[i] = maker_call(maker, role, role, "recv", "1024", 17);
        maker_blocks(maker, receives[i]);
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (i > 0)
            accept = maker_call(maker, SERVER, 1, "accept", "", 7);
        char peer[32];
        snprintf(peer, sizeof peer, "127.0.0.1:%u", 51234 + 2 * i);
        maker_resumes(maker, accept);
        maker_returns(maker, accept, peer);
        maker_socket(maker, 5 + i, SERVER, TRACE_TCP, 65432, (uint16_t)(51234 + 2 * i));
        sample_simple(maker, SERVER, 5 + i, "recv", "1024", 8, "\"hi\"");
        if (i == 2) {
            uint32_t reset = maker_call(maker, SERVER, 5 + i, "reset", "", 12);
            maker_segment(maker, &flows[i].server, &flows[i].client, MAKER_RST | MAKER_ACK, 0,
                          NULL);
            maker_returns(maker, reset, "");
            continue;
        }
        uint32_t send = maker_call(maker, SERVER, 5 + i, "sendall", "\"hi too\"", 9);
        maker_data(maker, &flows[i].server, &flows[i].client, "hi too");
        maker_returns(maker, send, "6");
    }
    for (uint32_t i = 0; i < 3; i++) {
        maker_resumes(maker, receives[i]);
        if (i == 2)
            maker_fails(maker, receives[i], ECONNRESET,
                        "recv from 127.0.0.1:65432: Connection reset by peer (ECONNRESET)");
        else
            maker_returns(maker, receives[i], "\"hi too\"");
    }
    maker_note(maker, TRACE_NOTE_ERROR, CAROL,
               "hello.lua:17: recv from 127.0.0.1:65432: Connection reset by peer "
               "(ECONNRESET)\nstack traceback:\n\thello.lua:17: in function 'carol'",
               17);
    maker_end(maker, TRACE_ROLE_FAILED, "carol ended with an error.");
}

/* What the kernel does by itself, slowly: a delayed ACK, a retransmission, a keep-alive. */
static inline void sample_troubles(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {65432, 9000}};
    maker_open(maker);
    maker_exchange(maker, "Troubles", "");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    maker_role(maker, CLIENT, TRACE_ROLE_CLIENT, "client");
    maker_interface(maker);
    sample_listener(maker);
    uint32_t connect = maker_call(maker, CLIENT, 2, "connect", "127.0.0.1:65432", 15);
    maker_handshake(maker, &flow);
    maker_returns(maker, connect, "");
    maker_socket(maker, 2, CLIENT, TRACE_TCP, 51234, 65432);
    maker_state(maker, 2, connect, 1, 51234, 65432);
    uint32_t send = maker_call(maker, CLIENT, 2, "sendall", "<70000 bytes>", 16);
    maker_segment(maker, &flow.client, &flow.server, MAKER_PSH | MAKER_ACK, 512, "0123456789");
    maker_blocks(maker, send);
    maker->time += 204000000;
    flow.client.seq -= 10;
    maker_segment(maker, &flow.client, &flow.server, MAKER_PSH | MAKER_ACK, 512, "0123456789");
    maker->time += 40000000;
    maker_segment(maker, &flow.server, &flow.client, MAKER_ACK, 0, NULL);
    maker_note(maker, TRACE_NOTE_HOST, 0, "The receiver's window is closed.", 0);
    sample_simple(maker, SERVER, 3, "recv", "65536", 9,
                  "\"a long text that does not fit beside its call at all\"");
    maker_segment(maker, &flow.server, &flow.client, MAKER_ACK, 512, NULL);
    maker_resumes(maker, send);
    maker_segment(
        maker, &flow.client, &flow.server, MAKER_PSH | MAKER_ACK, 512,
        "\x16\x03\x01 binary \x02\x7f\xff and more of it, more than a line can take at any "
        "width that people use for their terminals, however wide those may be");
    maker_returns(maker, send, "70000");
    maker->time += 2500000000;
    maker_segment(maker, &flow.server, &flow.client, MAKER_ACK, 512, NULL);
    maker_segment(maker, &flow.server, &flow.client, MAKER_ACK, 512, NULL);
    maker_drops(maker, 3);
    maker_check(maker, TRACE_PASSED, "the handshake is SYN, SYN ACK, ACK", "", "1-3");
    maker_check(maker, TRACE_FAILED, "no segment is sent twice", "a retransmission", "5");
    maker_check(maker, TRACE_NOT_JUDGED, "the server closes first", "the flow did not end", "");
    maker_end(maker, TRACE_TIMED_OUT, "The exchange took longer than 3 s.");
}

/* A simultaneous open, a window that grows and shrinks, a SACK, urgent data, fragments. */
static inline void sample_rarities(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {65432, 9000}};
    struct maker_end *client = &flow.client, *server = &flow.server;
    uint8_t datagram[24] = {200, 34, 4, 210, 0, 40}; /* from 51234 to 1234 */
    uint8_t rest[16] = {0};
    maker_open(maker);
    maker_exchange(maker, "Rarities", "");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    maker_role(maker, CLIENT, TRACE_ROLE_CLIENT, "client");
    maker_interface(maker);
    maker_call(maker, CLIENT, 2, "connect", "127.0.0.1:65432", 15);
    maker_segment(maker, client, server, MAKER_SYN, 65495, NULL);
    maker_segment(maker, server, client, MAKER_SYN, 65495, NULL);
    client->seq--;
    maker_segment(maker, client, server, MAKER_SYN | MAKER_ACK, 65495, NULL);
    maker_segment(maker, server, client, MAKER_ACK, 512, NULL);
    maker_segment(maker, client, server, MAKER_PSH | MAKER_ACK, 512, "0123456789");
    maker_segment(maker, server, client, MAKER_ACK, 1023, NULL);
    maker_segment(maker, client, server, MAKER_PSH | MAKER_ACK, 512, "0123456789");
    maker_segment(maker, server, client, MAKER_ACK, 1024, NULL);
    client->seq += 10;
    maker_segment(maker, client, server, MAKER_PSH | MAKER_URG | MAKER_ACK, 512, "!");
    maker_sack(maker, server, client, client->seq - 11, client->seq - 1, client->seq);
    maker_segment(maker, server, client, MAKER_PSH | MAKER_ACK, 400,
                  "half is 512, and this is less");
    maker_fragment(maker, 7, 0, true, datagram, sizeof datagram);
    maker_fragment(maker, 7, 24, false, rest, sizeof rest);
    maker_fragment(maker, 8, 24, false, rest, sizeof rest);
    maker_end(maker, TRACE_DONE, "");
}

/* Datagrams, and one to a port where nobody listens. */
static inline void sample_datagrams(struct maker *maker)
{
    maker_open(maker);
    maker_exchange(maker, "Datagrams", "No connection: each message for itself.");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    maker_role(maker, CLIENT, TRACE_ROLE_CLIENT, "client");
    maker_interface(maker);
    sample_simple(maker, SERVER, 1, "bind", "127.0.0.1:65432", 5, "");
    maker_socket(maker, 1, SERVER, TRACE_UDP, 65432, 0);
    uint32_t receive = maker_call(maker, SERVER, 1, "recvfrom", "1024", 6);
    maker_blocks(maker, receive);
    uint32_t send = maker_call(maker, CLIENT, 2, "sendto", "\"ping\", 127.0.0.1:65432", 12);
    maker_datagram(maker, 40000, 65432, "ping");
    maker_returns(maker, send, "4");
    maker_resumes(maker, receive);
    maker_returns(maker, receive, "\"ping\", 127.0.0.1:40000");
    send = maker_call(maker, SERVER, 1, "sendto", "\"pong\", 127.0.0.1:40000", 7);
    maker_datagram(maker, 65432, 40000, "pong");
    maker_returns(maker, send, "4");
    send = maker_call(maker, CLIENT, 2, "sendto", "\"\", 127.0.0.1:9", 13);
    maker_datagram(maker, 40000, 9, "");
    maker_unreachable(maker, 40000, 9);
    maker_returns(maker, send, "0");
    maker_end(maker, TRACE_DONE, "");
}

/* A capture of somebody else's: no calls, two connections. */
static inline void sample_foreign(struct maker *maker)
{
    struct maker_connection one = {{51234, 1000}, {80, 9000}};
    struct maker_connection two = {{51236, 1000}, {80, 9000}};
    maker_open(maker);
    maker_interface(maker);
    maker_handshake(maker, &one);
    maker_segment(maker, &two.client, &two.server, MAKER_SYN, 65495, NULL);
    maker_segment(maker, &two.server, &two.client, MAKER_RST | MAKER_ACK, 0, NULL);
    maker_data(maker, &one.client, &one.server, "GET / HTTP/1.0\r\n\r\n");
    maker_segment(maker, &one.server, &one.client, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_segment(maker, &one.client, &one.server, MAKER_FIN | MAKER_ACK, 512, NULL);
    maker_segment(maker, &one.server, &one.client, MAKER_ACK, 512, NULL);
}

/* More clients than lanes fit. */
static inline void sample_crowd(struct maker *maker)
{
    maker_open(maker);
    maker_exchange(maker, "Crowd", "Twelve clients at once.");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    for (uint32_t i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "client-%u", i + 1);
        maker_role(maker, CLIENT + i, TRACE_ROLE_CLIENT, name);
    }
    maker_interface(maker);
    sample_listener(maker);
    uint32_t accept = maker_call(maker, SERVER, 1, "accept", "", 7);
    maker_blocks(maker, accept);
    uint32_t receives[12];
    struct maker_connection flows[12];
    for (uint32_t i = 0; i < 12; i++) {
        uint16_t port = (uint16_t)(51234 + 2 * i);
        flows[i] = (struct maker_connection){{port, 1000}, {65432, 9000}};
        uint32_t connect = maker_call(maker, CLIENT + i, 2 + i, "connect", "127.0.0.1:65432", 15);
        maker_handshake(maker, &flows[i]);
        maker_returns(maker, connect, "");
        maker_socket(maker, 2 + i, CLIENT + i, TRACE_TCP, port, 65432);
        receives[i] = maker_call(maker, CLIENT + i, 2 + i, "recv", "1024", 117);
        maker_blocks(maker, receives[i]);
    }
    maker_resumes(maker, accept);
    maker_returns(maker, accept, "127.0.0.1:51234");
    uint32_t send = maker_call(maker, SERVER, 20, "sendall", "\"hi\"", 9);
    maker_data(maker, &flows[0].server, &flows[0].client, "hi");
    maker_returns(maker, send, "2");
    maker_resumes(maker, receives[0]);
    maker_returns(maker, receives[0], "\"hi\"");
    maker_end(maker, TRACE_INTERRUPTED, "");
}

/* serve: the server is ours, its clients are strangers. */
static inline void sample_strangers(struct maker *maker)
{
    struct maker_connection one = {{51234, 1000}, {65432, 9000}};
    struct maker_connection two = {{51236, 1000}, {65432, 9000}};
    maker_open(maker);
    maker_exchange(maker, "Echo", "");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    maker_interface(maker);
    sample_listener(maker);
    uint32_t accept = maker_call(maker, SERVER, 1, "accept", "", 7);
    maker_blocks(maker, accept);
    maker_handshake(maker, &one);
    maker_handshake(maker, &two);
    maker_resumes(maker, accept);
    maker_returns(maker, accept, "127.0.0.1:51234");
    maker_socket(maker, 2, SERVER, TRACE_TCP, 65432, 51234);
    uint32_t receive = maker_call(maker, SERVER, 2, "recv", "1024", 8);
    maker_blocks(maker, receive);
    maker_data(maker, &one.client, &one.server, "hi");
    maker_resumes(maker, receive);
    maker_returns(maker, receive, "\"hi\"");
    uint32_t send = maker_call(maker, SERVER, 2, "sendall", "\"hi\"", 9);
    maker_data(maker, &one.server, &one.client, "hi");
    maker_returns(maker, send, "2");
    maker_end(maker, TRACE_INTERRUPTED, "");
}

/* What is no TCP and no UDP. */
static inline void sample_others(struct maker *maker)
{
    static const uint8_t arp[42] = {[12] = 8, [13] = 6,  [15] = 1, [16] = 8,  [18] = 6, [19] = 4,
                                    [21] = 1, [28] = 10, [31] = 1, [38] = 10, [41] = 2};
    static const uint8_t echo[16] = {8, 0, 0, 0, 0, 1, 0, 1};
    static const uint8_t unknown[20] = {[12] = 0x88, [13] = 0xcc};
    static const uint8_t nonsense[8] = {1, 2, 3};
    maker_open(maker);
    maker_interface(maker);
    maker_raw(maker, arp, sizeof arp);
    maker_frame(maker, 1, echo, sizeof echo);
    maker_raw(maker, unknown, sizeof unknown);
    maker_frame(maker, 132, nonsense, sizeof nonsense);
    maker_frame(maker, 6, nonsense, sizeof nonsense);
    maker_raw(maker, arp, 5);
}

/* Two clients that talk to each other, and one that talks to itself. */
static inline void sample_peers(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {7000, 9000}};
    struct maker_connection own = {{51236, 1000}, {7001, 9000}};
    maker_open(maker);
    maker_exchange(maker, "Peers", "");
    maker_role(maker, CLIENT, TRACE_ROLE_CLIENT, "alice");
    maker_role(maker, BOB, TRACE_ROLE_CLIENT, "bob");
    maker_interface(maker);
    sample_simple(maker, BOB, 1, "bind", "127.0.0.1:7000", 3, "");
    maker_socket(maker, 1, BOB, TRACE_TCP, 7000, 0);
    sample_simple(maker, BOB, 1, "listen", "128", 4, "");
    uint32_t connect = maker_call(maker, CLIENT, 2, "connect", "127.0.0.1:7000", 12);
    maker_handshake(maker, &flow);
    maker_returns(maker, connect, "");
    maker_socket(maker, 2, CLIENT, TRACE_TCP, 51234, 7000);
    sample_simple(maker, CLIENT, 3, "bind", "127.0.0.1:7001", 13, "");
    maker_socket(maker, 3, CLIENT, TRACE_TCP, 7001, 0);
    sample_simple(maker, CLIENT, 3, "listen", "128", 14, "");
    connect = maker_call(maker, CLIENT, 4, "connect", "127.0.0.1:7001", 15);
    maker_handshake(maker, &own);
    maker_returns(maker, connect, "");
    maker_end(maker, TRACE_DONE, "");
}

/* A record of so many bytes in all, whose body begins with start. */
static inline void sample_record(struct buffer *bytes, uint8_t type, const void *start,
                                 size_t start_length, size_t length)
{
    const uint8_t header[] = {type, 3, 3, (uint8_t)((length - 5) >> 8), (uint8_t)(length - 5)};
    buffer_append(bytes, header, sizeof header);
    buffer_append(bytes, start, start_length);
    buffer_append_repeated(bytes, 0xa5, length - 5 - start_length);
}

static inline void sample_flight(struct maker *maker, struct maker_end *from, struct maker_end *to,
                                 struct buffer *bytes)
{
    maker_segment_of(maker, from, to, MAKER_PSH | MAKER_ACK, 512, bytes->data, bytes->length);
    maker_segment(maker, to, from, MAKER_ACK, 512, NULL);
    buffer_clear(bytes);
}

/* TLS 1.3: a handshake, a hello at the call and ciphertext on the wire, a record in two segments,
 * an alert. */
static inline void sample_encrypted(struct maker *maker)
{
    struct maker_connection flow = {{51234, 1000}, {65432, 9000}};
    struct buffer bytes = {0};
    maker_open(maker);
    maker_exchange(maker, "Encrypted", "");
    maker_role(maker, SERVER, TRACE_ROLE_SERVER, "server");
    maker_role(maker, CLIENT, TRACE_ROLE_CLIENT, "client");
    maker_interface(maker);
    uint32_t connect = maker_call(maker, CLIENT, 2, "connect", "127.0.0.1:65432", 15);
    maker_handshake(maker, &flow);
    maker_returns(maker, connect, "");
    maker_socket(maker, 2, CLIENT, TRACE_TCP, 51234, 65432);
    maker_socket(maker, 3, SERVER, TRACE_TCP, 65432, 51234);
    uint32_t client = maker_call(maker, CLIENT, 2, "tls.client", "\"localhost\"", 16);
    sample_record(&bytes, 22, "\x01\0\0\xea", 4, 243);
    sample_flight(maker, &flow.client, &flow.server, &bytes);
    maker_blocks(maker, client);
    uint32_t server = maker_call(maker, SERVER, 3, "tls.server", "", 8);
    sample_record(&bytes, 22, "\x02\0\0\x76", 4, 127);
    sample_record(&bytes, 20, "\x01", 1, 6);
    sample_record(&bytes, 23, "", 0, 28);
    sample_record(&bytes, 23, "", 0, 457);
    sample_flight(maker, &flow.server, &flow.client, &bytes);
    maker_blocks(maker, server);
    maker_resumes(maker, client);
    maker_returns(maker, client, "TLSv1.3, TLS_AES_256_GCM_SHA384");
    uint32_t send = maker_call(maker, CLIENT, 2, "tls.sendall", "\"Hello\"", 17);
    sample_record(&bytes, 23, "", 0, 27);
    sample_flight(maker, &flow.client, &flow.server, &bytes);
    maker_returns(maker, send, "5");
    send = maker_call(maker, CLIENT, 2, "tls.sendall", "\"A long text\"…", 18);
    sample_record(&bytes, 23, "", 0, 1500);
    bytes.length = 1000;
    sample_flight(maker, &flow.client, &flow.server, &bytes);
    buffer_append_repeated(&bytes, 0xa5, 500);
    sample_record(&bytes, 21, "\x02\x30", 2, 7);
    sample_flight(maker, &flow.client, &flow.server, &bytes);
    maker_returns(maker, send, "1478");
    sample_simple(maker, CLIENT, 2, "tls.recv", "1024", 19, "nil");
    buffer_free(&bytes);
    maker_end(maker, TRACE_DONE, "");
}

#endif
