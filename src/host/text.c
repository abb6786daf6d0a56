#include "host/internal.h"

#include <string.h>

#include "support/terminal.h"

/* Columns of a quoted text; what is longer is cut. */
enum { QUOTED_COLUMNS = 62 };

void text_quote(struct buffer *buffer, const void *bytes, size_t length)
{
    /* More bytes than this never fit, whatever they are but marks without width. */
    size_t looked_at = length < 1024 ? length : 1024;
    buffer_append_byte(buffer, '"');
    size_t used = terminal_append_escaped(buffer, bytes, looked_at, QUOTED_COLUMNS, true);
    buffer_append_byte(buffer, '"');
    if (used < length)
        buffer_append_text(buffer, "…");
}

void text_address(struct buffer *buffer, const struct address *address)
{
    char text[ADDRESS_TEXT];
    buffer_append_text(buffer, address_format(address, text));
}

/* What the script sees, by the call's name. */
void text_result(const struct task *task, struct buffer *buffer)
{
    const struct call_result *result = &task->result;
    const char *name = result->call;
    if (strcmp(name, "tls.client") == 0 || strcmp(name, "tls.server") == 0 ||
        strcmp(name, "tls.handshake") == 0) {
        tls_agreed_text(task->call.socket, buffer);
        return;
    }
    if (strncmp(name, "tls.", 4) == 0)
        name += 4; /* tls.recv gives what recv gives */
    if (strncmp(name, "recv", 4) == 0) {
        if (result->end_of_stream) {
            buffer_append_text(buffer, "nil");
            return;
        }
        text_quote(buffer, result->bytes, result->length);
        if (result->address.family != 0) {
            buffer_append_text(buffer, ", ");
            text_address(buffer, &result->address);
        }
    } else if (strcmp(name, "accept") == 0 || strcmp(name, "getsockname") == 0 ||
               strcmp(name, "getpeername") == 0) {
        text_address(buffer, &result->address);
    } else if (strcmp(name, "getaddrinfo") == 0) {
        for (size_t i = 0; i < task->address_count && i < 4; i++) {
            char text[ADDRESS_TEXT];
            buffer_append_text(buffer, i == 0 ? "" : ", ");
            buffer_append_text(buffer, address_format_host(&task->addresses[i], text));
        }
    } else if (strcmp(name, "select") == 0) {
        text_selected(&task->call.wait, buffer);
    } else if (strncmp(name, "send", 4) == 0 || strcmp(name, "getoption") == 0) {
        if (result->value < 0)
            buffer_append_byte(buffer, '-');
        buffer_append_number(buffer,
                             (uint64_t)(result->value < 0 ? -result->value : result->value));
    }
}
