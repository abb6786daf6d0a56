#include "view/tls_text.h"

#include <openssl/ssl.h>

#include "support/cursor.h"

/* RFC 8446 section 5.1; a record in TLS 1.2 may grow by 2048 bytes when it is encrypted. */
#define HEADER_LENGTH 5
#define RECORD_LIMIT  (16384 + 2048)

enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23 };

struct record {
    uint8_t type;
    size_t length;      /* without its header */
    struct cursor body; /* what was captured of it */
};

/* Kinds of handshake messages, RFC 8446 section 4 and RFC 5246 section 7.4. */
static const char *message_name(uint8_t type)
{
    switch (type) {
    case 1:
        return "Client Hello";
    case 2:
        return "Server Hello";
    case 4:
        return "New Session Ticket";
    case 8:
        return "Encrypted Extensions";
    case 11:
        return "Certificate";
    case 12:
        return "Server Key Exchange";
    case 13:
        return "Certificate Request";
    case 14:
        return "Server Hello Done";
    case 15:
        return "Certificate Verify";
    case 16:
        return "Client Key Exchange";
    case 20:
        return "Finished";
    default:
        return NULL;
    }
}

static bool read_record(struct cursor *at, struct record *record)
{
    struct cursor header = *at;
    record->type = cursor_u8(&header);
    uint8_t major = cursor_u8(&header), minor = cursor_u8(&header);
    record->length = cursor_be16(&header);
    if (header.failed || record->type < CHANGE_CIPHER_SPEC || record->type > APPLICATION_DATA ||
        major != 3 || minor > 4 || record->length == 0 || record->length > RECORD_LIMIT)
        return false;
    size_t left = cursor_left(&header);
    size_t captured = record->length < left ? record->length : left;
    record->body = cursor_over(cursor_take(&header, captured), captured);
    *at = header;
    return true;
}

/* The names of a handshake record's messages. One that does not fit into its record is no message
 * but encrypted. */
static void append_messages(struct buffer *text, const struct record *record)
{
    struct cursor body = record->body;
    size_t start = 0;
    const char *between = "";
    while (start < record->length) {
        uint8_t type = cursor_u8(&body);
        size_t length = (size_t)cursor_u8(&body) << 16;
        length |= cursor_be16(&body);
        const char *name = message_name(type);
        if (body.failed || name == NULL || length > record->length - start - 4) {
            if (start == 0)
                buffer_append_text(text, "Encrypted Handshake");
            return;
        }
        buffer_printf(text, "%s%s", between, name);
        between = ", ";
        start += 4 + length;
        cursor_take(&body, length);
    }
}

static void append_name(struct buffer *text, const struct record *record)
{
    struct cursor body = record->body;
    buffer_append_text(text, "TLS ");
    switch (record->type) {
    case CHANGE_CIPHER_SPEC:
        buffer_append_text(text, "Change Cipher Spec");
        break;
    case ALERT:
        cursor_u8(&body);
        if (record->length == 2 && cursor_left(&body) == 1)
            buffer_printf(text, "Alert: %s", SSL_alert_desc_string_long(cursor_u8(&body)));
        else
            buffer_append_text(text, "Encrypted Alert");
        break;
    case HANDSHAKE:
        append_messages(text, record);
        break;
    default:
        buffer_append_text(text, "Application Data");
        break;
    }
}

/* Appends all records that begin at the cursor. Returns how many bytes the last one lacks. */
static size_t append_records(struct buffer *text, struct cursor *at, const char *between,
                             bool *known)
{
    struct record record;
    size_t lacking = 0;
    bool data = false; /* the line to go on with is of Application Data */
    while (cursor_left(at) > 0 && read_record(at, &record)) {
        size_t size = HEADER_LENGTH + record.length;
        if (data && record.type == APPLICATION_DATA) {
            buffer_printf(text, " + %zu", size);
        } else {
            buffer_append_text(text, data ? " bytes" : "");
            buffer_append_text(text, between);
            append_name(text, &record);
            buffer_printf(text, ", %zu", size);
            if (record.type != APPLICATION_DATA)
                buffer_append_text(text, " bytes");
        }
        data = record.type == APPLICATION_DATA;
        between = "\n";
        lacking = record.length - record.body.length;
    }
    buffer_append_text(text, data ? " bytes" : "");
    *known = cursor_left(at) == 0;
    if (!*known) /* a piece of a header, or no TLS any more */
        buffer_printf(text, "%s%zu bytes more", between, cursor_left(at));
    return lacking;
}

/* Whether TLS may begin here: encrypted messages do not come first. */
static bool may_be_first(const struct record *record)
{
    struct cursor body = record->body;
    return record->type != HANDSHAKE || message_name(cursor_u8(&body)) != NULL;
}

bool tls_text_append(struct buffer *text, struct tls_place *place, uint32_t sequence,
                     const uint8_t *bytes, size_t captured, size_t length)
{
    struct cursor at = cursor_over(bytes, captured);
    struct record record;
    if (sequence - place->seen < UINT32_C(1) << 31 && sequence != place->seen)
        place->known = false; /* something is missing before it */
    bool in_order = !place->known || sequence == place->seen;
    size_t rest = place->known && in_order ? place->next - sequence : 0;
    if (rest > captured)
        rest = captured;
    struct cursor first = at;
    cursor_take(&first, rest);
    bool begins = read_record(&first, &record) && (place->known || may_be_first(&record));
    if (!begins && rest == 0) {
        place->known = place->known && !in_order;
        return false;
    }
    if (rest > 0)
        buffer_printf(text, "TLS, %zu bytes more of the record", rest);
    cursor_take(&at, rest);
    size_t lacking = 0;
    bool known = true;
    if (cursor_left(&at) > 0)
        lacking = append_records(text, &at, rest > 0 ? "\n" : "", &known);
    else
        lacking = place->next - sequence - rest;
    if (in_order) {
        place->seen = sequence + (uint32_t)length;
        place->next = sequence + (uint32_t)captured + (uint32_t)lacking;
        place->known = known && (captured == length || lacking >= length - captured);
    }
    return true;
}
