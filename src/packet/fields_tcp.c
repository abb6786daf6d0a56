/*
 * fields_tcp.c - the fields of the TCP header, RFC 9293 section 3.1, and of its options.
 */
#include "packet/field_writer.h"

#include "packet/decode.h"

static const char *option_name(uint64_t kind)
{
    switch (kind) {
    case 0:
        return "End of Option List";
    case 1:
        return "No-Operation";
    case 2:
        return "Maximum Segment Size";
    case 3:
        return "Window Scale";
    case 4:
        return "SACK Permitted";
    case 5:
        return "SACK";
    case 8:
        return "Timestamps";
    case 19:
        return "MD5 Signature";
    case 28:
        return "User Timeout";
    case 29:
        return "TCP Authentication";
    case 30:
        return "Multipath TCP";
    case 34:
        return "Fast Open Cookie";
    case 69:
        return "Encryption Negotiation";
    case 253:
    case 254:
        return "Experiment";
    default:
        return NULL;
    }
}

/* RFC 8684 section 8.2. */
static const char *mptcp_subtype_name(uint64_t subtype)
{
    static const char *const names[] = {"MP_CAPABLE", "MP_JOIN",      "DSS",
                                        "ADD_ADDR",   "REMOVE_ADDR",  "MP_PRIO",
                                        "MP_FAIL",    "MP_FASTCLOSE", "MP_TCPRST"};
    return subtype < sizeof names / sizeof *names ? names[subtype] : NULL;
}

static void put_window_scale(struct field_writer *w)
{
    unsigned shift = (unsigned)fields_peek(w, 8);
    /* RFC 7323 section 2.3: a receiver takes more than 14 for 14. */
    if (shift > 14)
        fields_put(w, "Shift Count", 8, "more than 14 counts as 14", "%u (x16384)", shift);
    else
        fields_put(w, "Shift Count", 8, "", "%u (x%u)", shift, 1u << shift);
}

static void put_mptcp(struct field_writer *w)
{
    uint64_t subtype = fields_peek(w, 4);
    fields_named(w, "Subtype", 4, FORM_DECIMAL, mptcp_subtype_name(subtype));
    fields_number(w, subtype == 0 ? "Version" : "Flags", 4, FORM_HEX);
}

/* The parts of an option behind its kind and length, for the kinds that are known. */
static void put_option_parts(struct field_writer *w, uint64_t kind)
{
    switch (kind) {
    case 2:
        fields_number(w, "Maximum Segment Size", 16, FORM_DECIMAL);
        break;
    case 3:
        put_window_scale(w);
        break;
    case 5:
        while (fields_left(w) >= 8) {
            fields_number(w, "Left Edge", 32, FORM_DECIMAL);
            fields_number(w, "Right Edge", 32, FORM_DECIMAL);
        }
        break;
    case 8:
        fields_number(w, "TS Value", 32, FORM_DECIMAL);
        fields_number(w, "TS Echo Reply", 32, FORM_DECIMAL);
        break;
    case 19:
        fields_hex(w, "MD5 Digest", 16);
        break;
    case 28: /* RFC 5482 */
        fields_put(w, "Granularity", 1, "", "%s", fields_peek(w, 1) ? "minutes" : "seconds");
        fields_number(w, "User Timeout", 15, FORM_DECIMAL);
        break;
    case 29: /* RFC 5925 */
        fields_number(w, "KeyID", 8, FORM_DECIMAL);
        fields_number(w, "RNextKeyID", 8, FORM_DECIMAL);
        if (fields_left(w) > 0)
            fields_hex(w, "MAC", fields_left(w));
        break;
    case 30:
        put_mptcp(w);
        break;
    case 34:
        if (fields_left(w) > 0)
            fields_hex(w, "Cookie", fields_left(w));
        break;
    case 253:
    case 254:
        fields_named(w, "ExID", 16, FORM_HEX, fields_peek(w, 16) == 0xf989 ? "Fast Open" : NULL);
        break;
    default:
        break;
    }
}

/* An option's value in short, for its group. */
static struct field_group open_option(struct field_writer *w, uint64_t kind, uint32_t length)
{
    const char *name = option_name(kind);
    if (name == NULL)
        name = "Option";
    uint32_t bits = length * 8;
    if (kind == 2 && length == 4)
        return fields_open(w, name, bits, "%u", (unsigned)(fields_peek(w, 32) & 0xffff));
    if (kind == 3 && length == 3) {
        unsigned shift = (unsigned)(fields_peek(w, 24) & 0xff);
        return fields_open(w, name, bits, "%u (x%u)", shift, 1u << (shift > 14 ? 14 : shift));
    }
    if (kind == 5 && length >= 10)
        return fields_open(w, name, bits, length < 18 ? "%u block" : "%u blocks", (length - 2) / 8);
    if (kind == 34 && length == 2)
        return fields_open(w, name, bits, "asks for a cookie");
    return fields_open(w, name, bits, "%u bytes", length);
}

static void put_option(struct field_writer *w, uint64_t kind, uint32_t length)
{
    struct field_group group = open_option(w, kind, length);
    fields_named(w, "Kind", 8, FORM_DECIMAL, option_name(kind));
    fields_number(w, "Length", 8, FORM_DECIMAL);
    put_option_parts(w, kind);
    if (fields_left(w) > 0)
        fields_hex(w, "Data", fields_left(w));
    fields_close(w, group);
}

static void fields_of_options(struct field_writer *w, uint32_t length)
{
    uint64_t end = w->at + (uint64_t)length * 8;
    while (w->at < end && fields_left(w) > 0) {
        uint64_t kind = fields_peek(w, 8);
        uint32_t left = (uint32_t)((end - w->at) / 8);
        if (kind <= 1) {
            fields_named(w, "Option", 8, FORM_DECIMAL, option_name(kind));
            if (kind == 0 && left > 1)
                fields_hex(w, "Padding", left - 1);
            continue;
        }
        if (left >= 2 && fields_left(w) < 2)
            return; /* cut by the capture */
        uint32_t size = (uint32_t)(fields_peek(w, 16) & 0xff);
        if (size < 2 || size > left) {
            fields_bytes(w, "Broken Option", left, "its length cannot be");
            continue;
        }
        put_option(w, kind, size);
    }
}

static void put_flags(struct field_writer *w)
{
    static const struct {
        const char *name;
        const char *note;
    } flags[] = {
        {"AE", "accurate ECN"},
        {"CWR", "congestion window reduced"},
        {"ECE", "ECN echo"},
        {"URG", "urgent pointer counts"},
        {"ACK", "acknowledgment number counts"},
        {"PSH", "push"},
        {"RST", "reset the connection"},
        {"SYN", "synchronize sequence numbers"},
        {"FIN", "no more data from sender"},
    };
    char text[TCP_FLAGS_TEXT];
    tcp_flags_text((uint16_t)fields_peek(w, 9), text);
    struct field_group group = fields_open(w, "Flags", 9, "%s", text);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        fields_noted(w, flags[i].name, 1, FORM_BIT, flags[i].note);
    fields_close(w, group);
}

void fields_of_tcp(struct field_writer *w, uint32_t end)
{
    fields_layer(w, LAYER_TCP, end);
    fields_number(w, "Source Port", 16, FORM_DECIMAL);
    fields_number(w, "Destination Port", 16, FORM_DECIMAL);
    fields_number(w, "Sequence Number", 32, FORM_DECIMAL);
    fields_number(w, "Acknowledgment Number", 32, FORM_DECIMAL);
    uint32_t offset = (uint32_t)fields_peek(w, 4);
    fields_put(w, "Data Offset", 4, "in units of 4 bytes", "%u (%u bytes)", offset, offset * 4);
    fields_number(w, "Reserved", 3, FORM_HEX);
    put_flags(w);
    fields_number(w, "Window", 16, FORM_DECIMAL);
    fields_checksum(w, "Checksum", w->packet->transport_checksum);
    fields_number(w, "Urgent Pointer", 16, FORM_DECIMAL);
    if (offset > 5 && w->packet->tcp.header_length != 0)
        fields_of_options(w, (offset - 5) * 4);
    fields_fill(w);
}
