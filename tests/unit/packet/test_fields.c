/* The fields of whole packets: names, values, texts, in order. */
#include "frames.h"
#include "tiling.h"

#include <stdio.h>

/* All fields as lines "depth name: text [note]", and each by name. */
struct listing {
    char text[16384];
    size_t length;
    struct packet_field fields[256];
    size_t count;
};

static bool list_field(void *data, const struct packet_field *field)
{
    struct listing *l = data;
    int n = snprintf(l->text + l->length, sizeof l->text - l->length, "%s%*s%s: %s%s%s\n",
                     field->quoted ? ">" : "", field->depth * 2, "", field->name, field->text,
                     *field->note ? " | " : "", field->note);
    assert_true(n > 0 && l->length + (size_t)n < sizeof l->text);
    l->length += (size_t)n;
    assert_true(l->count < sizeof l->fields / sizeof *l->fields);
    l->fields[l->count++] = *field;
    return true;
}

static struct listing list(uint32_t link_type, const uint8_t *bytes, uint32_t captured,
                           uint32_t length)
{
    struct decoded d = decode_cut(link_type, bytes, captured, length);
    assert_null(tiling_wrong(&d.packet));
    struct listing l = {.length = 0};
    assert_true(packet_fields(&d.packet, list_field, &l));
    decoded_free(&d);
    return l;
}

/* The first field of that name and layer. */
static const struct packet_field *find(const struct listing *l, enum packet_layer layer,
                                       const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->fields[i].layer == layer && strcmp(l->fields[i].name, name) == 0)
            return &l->fields[i];
    fail_msg("no field %s", name);
    return NULL;
}

static void a_loopback_syn_is_listed_as_a_whole(void **state)
{
    (void)state;
    struct listing l = list(LINK_ETHERNET, frame_loopback_syn, sizeof frame_loopback_syn,
                            sizeof frame_loopback_syn);
    assert_string_equal(l.text, "Destination Address: 00:00:00:00:00:00\n"
                                "Source Address: 00:00:00:00:00:00\n"
                                "EtherType: 0x0800 IPv4\n"
                                "Version: 4\n"
                                "IHL: 5 (20 bytes) | in units of 4 bytes\n"
                                "DSCP: 0\n"
                                "ECN: 0 Not-ECT\n"
                                "Total Length: 60\n"
                                "Identification: 0x5dd3\n"
                                "Flags: DF\n"
                                "  Reserved: not set\n"
                                "  DF: set | don't fragment\n"
                                "  MF: not set | more fragments\n"
                                "Fragment Offset: 0 | in units of 8 bytes\n"
                                "Time to Live: 64\n"
                                "Protocol: 6 TCP\n"
                                "Header Checksum: 0xdee6 | good\n"
                                "Source Address: 127.0.0.1\n"
                                "Destination Address: 127.0.0.1\n"
                                "Source Port: 46580\n"
                                "Destination Port: 65432\n"
                                "Sequence Number: 1511017276\n"
                                "Acknowledgment Number: 0\n"
                                "Data Offset: 10 (40 bytes) | in units of 4 bytes\n"
                                "Reserved: 0x0\n"
                                "Flags: SYN\n"
                                "  AE: not set | accurate ECN\n"
                                "  CWR: not set | congestion window reduced\n"
                                "  ECE: not set | ECN echo\n"
                                "  URG: not set | urgent pointer counts\n"
                                "  ACK: not set | acknowledgment number counts\n"
                                "  PSH: not set | push\n"
                                "  RST: not set | reset the connection\n"
                                "  SYN: set | synchronize sequence numbers\n"
                                "  FIN: not set | no more data from sender\n"
                                "Window: 65495\n"
                                "Checksum: 0xfe30 | partial: left to the device\n"
                                "Urgent Pointer: 0\n"
                                "Maximum Segment Size: 65495\n"
                                "  Kind: 2 Maximum Segment Size\n"
                                "  Length: 4\n"
                                "  Maximum Segment Size: 65495\n"
                                "SACK Permitted: 2 bytes\n"
                                "  Kind: 4 SACK Permitted\n"
                                "  Length: 2\n"
                                "Timestamps: 10 bytes\n"
                                "  Kind: 8 Timestamps\n"
                                "  Length: 10\n"
                                "  TS Value: 287454020\n"
                                "  TS Echo Reply: 0\n"
                                "Option: 1 No-Operation\n"
                                "Window Scale: 7 (x128)\n"
                                "  Kind: 3 Window Scale\n"
                                "  Length: 3\n"
                                "  Shift Count: 7 (x128)\n");
}

static void a_field_tells_its_place_and_value(void **state)
{
    (void)state;
    struct listing l = list(LINK_ETHERNET, frame_loopback_syn, sizeof frame_loopback_syn,
                            sizeof frame_loopback_syn);
    const struct packet_field *syn = find(&l, LAYER_TCP, "SYN");
    assert_int_equal(syn->bit_at, (34 + 13) * 8 + 6);
    assert_int_equal(syn->bit_length, 1);
    assert_int_equal(syn->value, 1);
    const struct packet_field *offset = find(&l, LAYER_IPV4, "Fragment Offset");
    assert_int_equal(offset->bit_at, (14 + 6) * 8 + 3);
    assert_int_equal(offset->bit_length, 13);
    assert_false(find(&l, LAYER_IPV4, "Source Address")->quoted);
}

static void payload_and_padding_come_last(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0xf0, 0x64, 8, 0);
    frame_ipv4(&f, 17, 10);
    frame_udp(&f, 2);
    FRAME_ADD(&f, 'h', 'i', 0, 0, 0);
    struct listing l = list(LINK_ETHERNET, f.bytes, f.length, f.length);
    assert_int_equal(find(&l, LAYER_VLAN, "Priority Code Point")->value, 7);
    assert_int_equal(find(&l, LAYER_VLAN, "Drop Eligible Indicator")->value, 1);
    assert_int_equal(find(&l, LAYER_VLAN, "VLAN Identifier")->value, 100);
    assert_string_equal(find(&l, LAYER_UDP, "Checksum")->note, "none");
    const struct packet_field *payload = find(&l, LAYER_PAYLOAD, "Payload");
    assert_int_equal(payload->bit_at, (18 + 28) * 8);
    assert_int_equal(payload->bit_length, 16);
    assert_string_equal(payload->text, "2 bytes");
    assert_ptr_equal(payload, &l.fields[l.count - 2]);
    const struct packet_field *padding = find(&l, LAYER_PADDING, "Padding");
    assert_int_equal(padding->bit_length, 24);
    assert_ptr_equal(padding, &l.fields[l.count - 1]);
}

static struct listing list_options(const uint8_t *options, uint8_t length)
{
    struct frame f = {0};
    frame_ipv4(&f, 6, (uint16_t)(20 + length));
    frame_tcp(&f);
    f.bytes[32] = (uint8_t)((5 + length / 4) << 4);
    frame_add(&f, options, length);
    return list(LINK_RAW, f.bytes, f.length, f.length);
}

#define OPTIONS(...)                                                                               \
    list_options((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void assert_ends_with(const struct listing *l, const char *end)
{
    const char *from = strstr(l->text, "Urgent Pointer");
    assert_non_null(from);
    assert_string_equal(strchr(from, '\n') + 1, end);
}

static void every_tcp_option_has_its_parts(void **state)
{
    (void)state;
    struct listing l = OPTIONS(1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9);
    assert_ends_with(&l, "Option: 1 No-Operation\nOption: 1 No-Operation\nSACK: 1 block\n"
                         "  Kind: 5 SACK\n  Length: 10\n  Left Edge: 1\n  Right Edge: 9\n");
    l = OPTIONS(34, 2, 0, 0);
    assert_ends_with(&l, "Fast Open Cookie: asks for a cookie\n  Kind: 34 Fast Open Cookie\n"
                         "  Length: 2\nOption: 0 End of Option List\nPadding: 00\n");
    l = OPTIONS(34, 6, 1, 2, 3, 0xff, 1, 1);
    assert_string_equal(find(&l, LAYER_TCP, "Cookie")->text, "010203ff");
    l = OPTIONS(254, 8, 0xf9, 0x89, 1, 2, 3, 4);
    assert_ends_with(&l, "Experiment: 8 bytes\n  Kind: 254 Experiment\n  Length: 8\n"
                         "  ExID: 0xf989 Fast Open\n  Data: 01020304\n");
    l = OPTIONS(30, 4, 0x01, 0x80);
    assert_ends_with(&l, "Multipath TCP: 4 bytes\n  Kind: 30 Multipath TCP\n  Length: 4\n"
                         "  Subtype: 0 MP_CAPABLE\n  Version: 0x1\n  Data: 80\n");
    l = OPTIONS(19, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1, 1);
    assert_string_equal(find(&l, LAYER_TCP, "MD5 Digest")->text,
                        "000102030405060708090a0b0c0d0e0f");
    l = OPTIONS(28, 4, 0x80, 5);
    assert_ends_with(&l, "User Timeout: 4 bytes\n  Kind: 28 User Timeout\n  Length: 4\n"
                         "  Granularity: minutes\n  User Timeout: 5\n");
    l = OPTIONS(77, 4, 1, 2);
    assert_ends_with(&l, "Option: 4 bytes\n  Kind: 77\n  Length: 4\n  Data: 0102\n");
    l = OPTIONS(3, 3, 20, 1);
    assert_string_equal(find(&l, LAYER_TCP, "Shift Count")->text, "20 (x16384)");
}

static void broken_options_are_one_field(void **state)
{
    (void)state;
    struct listing l = OPTIONS(4, 2, 2, 9, 1, 2, 3, 4);
    assert_ends_with(&l, "SACK Permitted: 2 bytes\n  Kind: 4 SACK Permitted\n  Length: 2\n"
                         "Broken Option: 6 bytes | its length cannot be\n");
    l = OPTIONS(1, 1, 1, 2);
    assert_ends_with(&l, "Option: 1 No-Operation\nOption: 1 No-Operation\n"
                         "Option: 1 No-Operation\nBroken Option: 1 byte | its length cannot be\n");
    l = OPTIONS(2, 3, 5, 1); /* a segment size of one byte */
    assert_ends_with(&l, "Maximum Segment Size: 3 bytes\n  Kind: 2 Maximum Segment Size\n"
                         "  Length: 3\n  Not decoded: 1 byte | broken TCP option\n"
                         "Option: 1 No-Operation\n");
}

static void what_is_cut_is_one_field(void **state)
{
    (void)state;
    struct listing l = list(LINK_ETHERNET, frame_loopback_syn, 41, 74);
    const struct packet_field *rest = &l.fields[l.count - 1];
    assert_string_equal(rest->name, "Not decoded");
    assert_string_equal(rest->note, "cut short in the TCP header");
    assert_int_equal(rest->layer, LAYER_TCP);
    assert_int_equal(rest->bit_length, 24);
    assert_int_equal(find(&l, LAYER_TCP, "Destination Port")->value, 65432);
}

static void ipv6_extensions_are_groups(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 0, 8 + 8 + 8);
    FRAME_ADD(&f, 44, 0, 5, 2, 0, 0, 1, 0);
    FRAME_ADD(&f, 17, 0, 0, 0x09, 0, 0, 0, 7);
    frame_udp(&f, 100);
    struct listing l = list(LINK_RAW, f.bytes, f.length, f.length);
    const char *from = strstr(l.text, "Hop-by-Hop");
    assert_non_null(from);
    assert_string_equal(from, "Hop-by-Hop Options Header: 8 bytes\n"
                              "  Next Header: 44 fragment\n"
                              "  Hdr Ext Len: 0 (8 bytes) | in units of 8 bytes, less 1\n"
                              "  Router Alert: 4 bytes\n"
                              "    Option Type: 5 Router Alert\n"
                              "    Opt Data Len: 2\n"
                              "    Value: 0\n"
                              "  PadN: 2 bytes\n"
                              "    Option Type: 1 PadN\n"
                              "    Opt Data Len: 0\n"
                              "Fragment Header: 8 bytes\n"
                              "  Next Header: 17 UDP\n"
                              "  Reserved: 0x00\n"
                              "  Fragment Offset: 1 (8 bytes) | in units of 8 bytes\n"
                              "  Reserved: 0x0\n"
                              "  M: set | more fragments\n"
                              "  Identification: 0x00000007\n"
                              "Payload: 8 bytes\n");
}

static void a_quoted_packet_is_taken_apart_in_its_place(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 8 + 28);
    FRAME_ADD(&f, 3, 3, 0, 0, 0, 0, 0, 0);
    frame_ipv4(&f, 17, 8 + 100);
    frame_udp(&f, 100);
    struct listing l = list(LINK_RAW, f.bytes, f.length, f.length);
    assert_non_null(strstr(l.text, "Type: 3 destination unreachable: port unreachable\nCode: 3\n"));
    const struct packet_field *port = find(&l, LAYER_UDP, "Source Port");
    assert_true(port->quoted);
    assert_int_equal(port->bit_at, (20 + 8 + 20) * 8);
    assert_int_equal(port->value, 53);
    assert_string_equal(l.fields[l.count - 1].name, "Checksum");
}

static void arp_cooked_and_loopback_headers_are_listed(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 8, 6, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0);
    FRAME_ADD(&f, 0, 1, 8, 0, 6, 4, 0, 2);
    FRAME_ADD(&f, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 9, 10, 0, 0, 2);
    struct listing l = list(LINK_LINUX_SLL2, f.bytes, f.length, f.length);
    assert_string_equal(l.text, "Protocol Type: 0x0806 ARP\n"
                                "Reserved: 0x0000\n"
                                "Interface Index: 2\n"
                                "ARPHRD Type: 1 Ethernet\n"
                                "Packet Type: 4 sent by us\n"
                                "Link-Layer Address Length: 6\n"
                                "Link-Layer Address: 01:02:03:04:05:06\n"
                                "Unused: 2 bytes\n"
                                "Hardware Type: 1 Ethernet\n"
                                "Protocol Type: 0x0800 IPv4\n"
                                "Hardware Address Length: 6\n"
                                "Protocol Address Length: 4\n"
                                "Operation: 2 reply\n"
                                "Sender Hardware Address: 02:00:00:00:00:01\n"
                                "Sender Protocol Address: 10.0.0.1\n"
                                "Target Hardware Address: 00:00:00:00:00:09\n"
                                "Target Protocol Address: 10.0.0.2\n");
    struct frame g = {0};
    FRAME_ADD(&g, 30, 0, 0, 0);
    frame_ipv6(&g, 59, 0);
    l = list(LINK_NULL, g.bytes, g.length, g.length);
    assert_memory_equal(l.text, "Address Family: 30 IPv6 | little-endian\nVersion: 6\n", 51);
}

static void ipv4_options_have_their_parts(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0x48, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
    FRAME_ADD(&f, 131, 7, 4, 10, 0, 0, 9, 1, 148, 4, 0, 5);
    frame_udp(&f, 0);
    struct listing l = list(LINK_RAW, f.bytes, f.length, f.length);
    assert_non_null(strstr(l.text, "Loose Source Route: 7 bytes\n  Type: 131 Loose Source Route\n"
                                   "  Length: 7\n  Pointer: 4\n  Address: 10.0.0.9\n"
                                   "Option: 1 No Operation\nRouter Alert: 4 bytes\n"
                                   "  Type: 148 Router Alert\n  Length: 4\n  Value: 5\n"));
}

static bool stop_at_third(void *data, const struct packet_field *field)
{
    (void)field;
    unsigned *count = data;
    return ++*count < 3;
}

static void a_visit_can_end_the_list(void **state)
{
    (void)state;
    struct decoded d = decode(LINK_ETHERNET, frame_loopback_syn, sizeof frame_loopback_syn);
    unsigned count = 0;
    assert_false(packet_fields(&d.packet, stop_at_third, &count));
    assert_int_equal(count, 3);
    decoded_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loopback_syn_is_listed_as_a_whole),
        cmocka_unit_test(a_field_tells_its_place_and_value),
        cmocka_unit_test(payload_and_padding_come_last),
        cmocka_unit_test(every_tcp_option_has_its_parts),
        cmocka_unit_test(broken_options_are_one_field),
        cmocka_unit_test(what_is_cut_is_one_field),
        cmocka_unit_test(ipv6_extensions_are_groups),
        cmocka_unit_test(a_quoted_packet_is_taken_apart_in_its_place),
        cmocka_unit_test(arp_cooked_and_loopback_headers_are_listed),
        cmocka_unit_test(ipv4_options_have_their_parts),
        cmocka_unit_test(a_visit_can_end_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
