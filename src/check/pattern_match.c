/*
 * Whether a packet is one that a pattern describes, and if not, what differs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/pattern.h"
#include "packet/packet.h"

/* * stands for any bytes, none too. whole: else the text may go on behind a word. */
static bool glob(const char *pattern, const char *text, bool whole)
{
    const char *star = NULL, *resume = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '\0' &&
                   (*text == '\0' || (!whole && strchr(" :,", *text) != NULL))) {
            return true;
        } else if (*text != '\0' && *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL && *resume != '\0') {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
}

static bool same_host(const struct address *a, const struct address *b)
{
    struct address first = *a, second = *b;
    first.port = second.port = 0;
    return address_equal(&first, &second);
}

/* The client's port is the kernel's choice, another one in every run; the server's is not. */
static bool match_addresses(const struct pattern *pattern, const struct check_packet *packet)
{
    if (!same_host(&pattern->from, &packet->source) ||
        !same_host(&pattern->to, &packet->destination))
        return false;
    if (packet->flow == 0)
        return true;
    return packet->from == FLOW_CLIENT ? pattern->to.port == packet->destination.port
                                       : pattern->from.port == packet->source.port;
}

static bool match_role(const struct pattern *pattern, const struct check_trace *trace,
                       const struct check_packet *packet)
{
    if (pattern->has_addresses)
        return match_addresses(pattern, packet);
    if (pattern->role[0] == '\0')
        return true;
    const char *role = check_packet_role(trace, packet);
    if (strcmp(pattern->role, role) == 0)
        return true;
    /* alice is a client, too; but who is called server is none, even where it connects. */
    if (packet->flow == 0 || strcmp(role, "client") == 0 || strcmp(role, "server") == 0)
        return false;
    return strcmp(pattern->role, packet->from == FLOW_CLIENT ? "client" : "server") == 0;
}

static bool in_range(const struct pattern_range *range, uint64_t number)
{
    return !range->given || (number >= range->least && number <= range->most);
}

static bool match_flags(const struct pattern *pattern, uint16_t flags)
{
    switch (pattern->flags_given) {
    case PATTERN_FLAGS_EXACT:
        return flags == pattern->flags;
    case PATTERN_FLAGS_AT_LEAST:
        return (flags & pattern->flags) == pattern->flags;
    case PATTERN_FLAGS_ANY:
        break;
    }
    return true;
}

/* Whether the option stands in the headers' <…>. */
static bool has_option(const char *headers, const char *option)
{
    const char *at = strchr(headers, '<');
    const char *end = at == NULL ? NULL : strchr(at, '>');
    if (end == NULL)
        return false;
    for (at++; at < end;) {
        char item[PATTERN_OPTION];
        size_t length = strcspn(at, ",>");
        snprintf(item, sizeof item, "%.*s", (int)length, at);
        if (glob(option, item, true))
            return true;
        at += length + strspn(at + length, ", ");
        if (*at == '>')
            break;
    }
    return false;
}

static bool match_options(const struct pattern *pattern, const char *headers)
{
    for (size_t i = 0; i < pattern->option_count; i++)
        if (!has_option(headers, pattern->options[i]))
            return false;
    return true;
}

static bool match_kind(const struct pattern *pattern, const struct check_packet *packet,
                       const char *headers)
{
    switch (pattern->kind) {
    case PATTERN_ANY:
        return true;
    case PATTERN_TCP: /* one whose header is no header has its name alone */
        return packet->tcp ||
               (pattern->flags_given == PATTERN_FLAGS_ANY && strncmp(headers, "TCP", 3) == 0);
    case PATTERN_UDP:
        return packet->udp;
    case PATTERN_OTHER:
        return !packet->tcp && !packet->udp && glob(pattern->other, headers, false);
    case PATTERN_GAP:
        break;
    }
    return false;
}

bool pattern_match(const struct pattern *pattern, const struct check_trace *trace,
                   const struct check_packet *packet)
{
    const char *headers = check_text(trace, packet->headers);
    return match_kind(pattern, packet, headers) && match_role(pattern, trace, packet) &&
           match_flags(pattern, packet->flags) && in_range(&pattern->seq, packet->seq) &&
           in_range(&pattern->ack, packet->ack) && in_range(&pattern->window, packet->window) &&
           in_range(&pattern->length, packet->length) &&
           (packet->marks & pattern->marks) == pattern->marks && match_options(pattern, headers) &&
           (pattern->fault[0] == '\0' || strstr(headers, pattern->fault) != NULL);
}

static const char *sender_word(const struct pattern *pattern)
{
    return pattern->role[0] != '\0' ? pattern->role : "those addresses";
}

static bool tell_range(const char *name, const struct pattern_range *range, uint64_t number,
                       char *text, size_t size)
{
    if (in_range(range, number))
        return false;
    if (range->least == range->most)
        snprintf(text, size, "%s is %" PRIu64 ", not %" PRIu64, name, number, range->least);
    else if (range->most == UINT64_MAX)
        snprintf(text, size, "%s is %" PRIu64 ", not at least %" PRIu64, name, number,
                 range->least);
    else
        snprintf(text, size, "%s is %" PRIu64 ", not %" PRIu64 " to %" PRIu64, name, number,
                 range->least, range->most);
    return true;
}

/* Options and marks that are asked for and are not there. */
static void tell_missing(const struct pattern *pattern, const struct check_packet *packet,
                         const char *headers, char *text, size_t size)
{
    for (size_t i = 0; i < pattern->option_count; i++) {
        if (!has_option(headers, pattern->options[i])) {
            snprintf(text, size, "the option '%s' is not there", pattern->options[i]);
            return;
        }
    }
    for (int bit = 0; bit < MARK_COUNT; bit++) {
        if ((pattern->marks & ~packet->marks & (uint32_t)1 << bit) != 0) {
            snprintf(text, size, "it is no %s", tcp_mark_name((enum tcp_mark)(1 << bit)));
            return;
        }
    }
    if (pattern->fault[0] != '\0' && strstr(headers, pattern->fault) == NULL)
        snprintf(text, size, "it is not %s", pattern->fault);
}

const char *pattern_difference(const struct pattern *pattern, const struct check_trace *trace,
                               const struct check_packet *packet, char *text, size_t size)
{
    const char *headers = check_text(trace, packet->headers);
    const char *role = check_packet_role(trace, packet);
    text[0] = '\0';
    if (!match_kind(pattern, packet, headers)) {
        snprintf(text, size, "it is another kind of packet");
    } else if (!match_role(pattern, trace, packet)) {
        snprintf(text, size, "it comes from %s, not from %s", role[0] == '\0' ? "elsewhere" : role,
                 sender_word(pattern));
    } else if (!match_flags(pattern, packet->flags)) {
        char is[TCP_FLAGS_TEXT], wanted[TCP_FLAGS_TEXT];
        snprintf(text, size, "its flags are %s, not %s", tcp_flags_text(packet->flags, is),
                 tcp_flags_text(pattern->flags, wanted));
    } else if (!tell_range("its length", &pattern->length, packet->length, text, size) &&
               !tell_range("seq", &pattern->seq, packet->seq, text, size) &&
               !tell_range("ack", &pattern->ack, packet->ack, text, size) &&
               !tell_range("its window", &pattern->window, packet->window, text, size)) {
        tell_missing(pattern, packet, headers, text, size);
    }
    return text;
}

bool pattern_role_known(const struct pattern *pattern, const struct check_trace *trace,
                        struct error *error)
{
    if (pattern->role[0] == '\0' || strcmp(pattern->role, "client") == 0 ||
        strcmp(pattern->role, "server") == 0)
        return true;
    if (trace->role_count == 0)
        return error_set(error, STATUS_DONE, "the capture does not say which packets are %s's",
                         pattern->role);
    struct buffer names = {0};
    bool known = false;
    for (size_t i = 0; i < trace->role_count; i++) {
        const char *name = check_text(trace, trace->roles[i].name);
        known = known || strcmp(name, pattern->role) == 0;
        buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", name);
    }
    if (!known)
        error_set(error, STATUS_CHECK_FAILED, "there is no role '%s' in the trace, only %s",
                  pattern->role, buffer_text(&names));
    buffer_free(&names);
    return known;
}
