/*
 * Reading a pattern. By words: number, time, role or addresses, then flags and fields, <options>
 * and [marks]; what begins with a protocol that has no fields here is kept as text.
 */
#include "check/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "support/nearest.h"

#define WORD 128

struct reading {
    struct pattern *pattern;
    const char *at;
    char word[WORD]; /* the last one taken */
    struct error *error;
};

static const struct {
    const char *name;
    uint16_t flag;
} flag_names[] = {
    {"SYN", TCP_SYN}, {"FIN", TCP_FIN}, {"RST", TCP_RST}, {"PSH", TCP_PSH}, {"ACK", TCP_ACK},
    {"URG", TCP_URG}, {"ECE", TCP_ECE}, {"CWR", TCP_CWR}, {"AE", TCP_AE},
};
#define FLAG_NAMES (sizeof flag_names / sizeof flag_names[0])

static void skip_blanks(struct reading *reading)
{
    while (*reading->at == ' ' || *reading->at == '\t')
        reading->at++;
}

/* Looks at the next word without taking it: up to a blank, '<' or '['. Returns its length. */
static size_t peek(struct reading *reading)
{
    skip_blanks(reading);
    /* An IPv6 address stands in brackets of its own. */
    size_t length = 0;
    if (reading->at[0] == '[' && (isxdigit((unsigned char)reading->at[1]) || reading->at[1] == ':'))
        length = strcspn(reading->at, "]") + 1;
    if (length > strlen(reading->at) || (length > 0 && reading->at[length] != ':'))
        length = 0;
    length += strcspn(reading->at + length, " \t<[");
    if (length == 0 && *reading->at != '\0')
        length = 1;
    size_t kept = length < WORD - 1 ? length : WORD - 1;
    memcpy(reading->word, reading->at, kept);
    reading->word[kept] = '\0';
    return length;
}

/* Takes the next word into reading->word. Returns false at the end. */
static bool take(struct reading *reading)
{
    size_t length = peek(reading);
    reading->at += length;
    return length > 0;
}

static bool all_in(const char *word, const char *allowed)
{
    return word[0] != '\0' && strspn(word, allowed) == strlen(word);
}

static bool refuse(struct reading *reading, const char *what, const char *word,
                   const char *suggestion)
{
    if (suggestion != NULL)
        return error_set(reading->error, STATUS_USAGE,
                         "%s '%s' is not understood; did you mean %s?", what, word, suggestion);
    return error_set(reading->error, STATUS_USAGE, "%s '%s' is not understood", what, word);
}

/* A pasted line begins with the packet's number, and mostly its time. */
static void skip_number_and_time(struct reading *reading)
{
    const char *start = reading->at;
    if (!take(reading) || !all_in(reading->word, "0123456789")) {
        reading->at = start;
        return;
    }
    const char *behind = reading->at;
    if (!take(reading) || !all_in(reading->word, "-0123456789.") ||
        strchr(reading->word, '.') == NULL)
        reading->at = behind;
}

/* "127.0.0.1:80", "[::1]:80", "127.0.0.1", "::1". */
static bool read_address(const char *word, struct address *address)
{
    char host[WORD];
    const char *colon = strrchr(word, ':');
    snprintf(host, sizeof host, "%s", word);
    *address = (struct address){0};
    bool port = colon != NULL && (colon[-(colon > word)] == ']' || strchr(word, ':') == colon);
    if (port && all_in(colon + 1, "0123456789") && strlen(colon + 1) <= 5) {
        host[colon - word] = '\0';
        if (!address_parse_host(host, address))
            return false;
        address->port = (uint16_t)strtoul(colon + 1, NULL, 10);
        return true;
    }
    return address_parse_host(host, address);
}

static bool read_addresses(struct reading *reading)
{
    struct pattern *pattern = reading->pattern;
    if (!read_address(reading->word, &pattern->from))
        return refuse(reading, "the address", reading->word, NULL);
    take(reading); /* the > */
    if (!take(reading))
        return error_set(reading->error, STATUS_USAGE, "an address is missing behind the '>'");
    if (!read_address(reading->word, &pattern->to))
        return refuse(reading, "the address", reading->word, NULL);
    pattern->has_addresses = true;
    return true;
}

static uint16_t flag_named(const char *word)
{
    for (size_t i = 0; i < FLAG_NAMES; i++)
        if (strcmp(word, flag_names[i].name) == 0)
            return flag_names[i].flag;
    return 0;
}

/* "syn", as one may well write it; upper gets SYN. */
static bool is_small_flag(const char *word, char upper[WORD])
{
    for (size_t i = 0; i <= strlen(word); i++)
        upper[i] = (char)toupper((unsigned char)word[i]);
    return flag_named(upper) != 0;
}

/* Words that begin the headers, so no role can have them. */
static bool begins_headers(const char *word)
{
    return flag_named(word) != 0 || isupper((unsigned char)word[0]) || strcmp(word, "none") == 0 ||
           strcmp(word, "len") == 0 || strcmp(word, "seq") == 0 || strcmp(word, "ack") == 0 ||
           strcmp(word, "win") == 0 || word[0] == '[' || word[0] == '<';
}

static bool read_sender(struct reading *reading)
{
    const char *start = reading->at;
    if (!take(reading))
        return error_set(reading->error, STATUS_USAGE, "the pattern is empty");
    char first[WORD];
    memcpy(first, reading->word, WORD);
    const char *behind = reading->at;
    bool addresses =
        strpbrk(first, ".:") != NULL && take(reading) && strcmp(reading->word, ">") == 0;
    memcpy(reading->word, first, WORD);
    reading->at = behind;
    if (addresses)
        return read_addresses(reading);
    if (strcmp(first, "*") == 0)
        return true;
    if (begins_headers(first)) {
        reading->at = start;
        return true;
    }
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (!all_in(first, allowed) || strlen(first) >= PATTERN_ROLE)
        return refuse(reading, "the role", first, NULL);
    char upper[WORD];
    if (is_small_flag(first, upper))
        return refuse(reading, "the flag", first, upper);
    memcpy(reading->pattern->role, first, strlen(first) + 1);
    return true;
}

static bool read_digits(const char **at, uint64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *number = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0;
}

/* "21", "*", "1-1460", ">0", ">=1", "<100", "<=99". */
static bool read_range(const char *word, struct pattern_range *range)
{
    const char *at = word;
    *range = (struct pattern_range){true, 0, UINT64_MAX};
    if (strcmp(word, "*") == 0)
        return true;
    bool less = *at == '<', more = *at == '>';
    at += less || more;
    bool equal = (less || more) && *at == '=';
    at += equal;
    uint64_t number;
    if (!read_digits(&at, &number))
        return false;
    if (less) {
        range->most = equal ? number : number - 1;
        return *at == '\0' && (equal || number > 0);
    }
    range->least = more && !equal ? number + 1 : number;
    if (more)
        return *at == '\0';
    range->most = number;
    if (*at == '-') {
        at++;
        return read_digits(&at, &range->most) && *at == '\0' && range->most >= range->least;
    }
    return *at == '\0';
}

static struct pattern_range *range_named(struct pattern *pattern, const char *word)
{
    return strcmp(word, "seq") == 0   ? &pattern->seq
           : strcmp(word, "ack") == 0 ? &pattern->ack
           : strcmp(word, "win") == 0 ? &pattern->window
           : strcmp(word, "len") == 0 ? &pattern->length
                                      : NULL;
}

/* The number behind seq, ack, win or len; '<' belongs to it here. */
static bool read_field(struct reading *reading, const char *name, struct pattern_range *range)
{
    char number[WORD];
    skip_blanks(reading);
    size_t length = strcspn(reading->at, " \t[");
    snprintf(number, sizeof number, "%.*s", (int)(length < WORD ? length : WORD - 1), reading->at);
    if (length == 0)
        return error_set(reading->error, STATUS_USAGE, "a number is missing behind '%s'", name);
    if (!read_range(number, range))
        return error_set(reading->error, STATUS_USAGE,
                         "'%s %s' is no number; write '%s 21', '%s 1-99', '%s >0' or '%s *'", name,
                         number, name, name, name, name);
    reading->at += length;
    return true;
}

/* What stands between the two signs, cut at its ends. Returns its length, or -1 without an end. */
static int enclosed(struct reading *reading, char close, const char **start)
{
    const char *end = strchr(reading->at, close);
    if (end == NULL)
        return -1;
    *start = reading->at + 1;
    reading->at = end + 1;
    while (*start < end && **start == ' ')
        ++*start;
    while (end > *start && end[-1] == ' ')
        end--;
    return (int)(end - *start);
}

/* "[duplicate ACK #1 of packet 9]": which one it was is not compared. */
static bool read_mark(struct reading *reading)
{
    static const char *const faults[] = {"cut short",  "impossible length", "no room", "broken",
                                         "IP version", "neither IP",        "too many"};
    const char *start;
    char mark[PATTERN_FAULT];
    int length = enclosed(reading, ']', &start);
    if (length < 0)
        return error_set(reading->error, STATUS_USAGE, "a ']' is missing");
    snprintf(mark, sizeof mark, "%.*s", length, start);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strncmp(mark, faults[i], strlen(faults[i])) == 0) {
            snprintf(reading->pattern->fault, PATTERN_FAULT, "%s", mark);
            return true;
        }
    }
    char *count = strstr(mark, " #");
    if (count != NULL)
        *count = '\0';
    const char *names[MARK_COUNT];
    for (int bit = 0; bit < MARK_COUNT; bit++) {
        names[bit] = tcp_mark_name((enum tcp_mark)(1 << bit));
        if (strcmp(mark, names[bit]) == 0) {
            reading->pattern->marks |= (uint32_t)1 << bit;
            return true;
        }
    }
    return refuse(reading, "the mark", mark, nearest_word(mark, names, MARK_COUNT));
}

static bool read_options(struct reading *reading)
{
    struct pattern *pattern = reading->pattern;
    const char *at;
    int length = enclosed(reading, '>', &at);
    if (length < 0)
        return error_set(reading->error, STATUS_USAGE, "a '>' is missing behind the options");
    for (const char *end = at + length; at < end;) {
        size_t part = strcspn(at, ",>");
        if ((size_t)(end - at) < part)
            part = (size_t)(end - at);
        if (pattern->option_count == PATTERN_OPTIONS || part >= PATTERN_OPTION)
            return error_set(reading->error, STATUS_USAGE, "there are too many options in <>");
        snprintf(pattern->options[pattern->option_count++], PATTERN_OPTION, "%.*s", (int)part, at);
        at += part;
        while (at < end && (*at == ',' || *at == ' '))
            at++;
    }
    return true;
}

/* One word of a segment's headers, in reading->word. */
static bool read_flag(struct reading *reading)
{
    struct pattern *pattern = reading->pattern;
    const char *word = reading->word;
    uint16_t flag = flag_named(word);
    if (flag != 0 || strcmp(word, "none") == 0) {
        pattern->kind = PATTERN_TCP;
        pattern->flags |= flag;
        if (pattern->flags_given == PATTERN_FLAGS_ANY)
            pattern->flags_given = PATTERN_FLAGS_EXACT;
        return true;
    }
    if (strcmp(word, "*") == 0) {
        if (pattern->flags_given == PATTERN_FLAGS_EXACT)
            pattern->flags_given = PATTERN_FLAGS_AT_LEAST;
        return true;
    }
    char upper[WORD];
    if (is_small_flag(word, upper))
        return refuse(reading, "the flag", word, upper);
    const char *names[FLAG_NAMES + 4] = {"seq", "ack", "win", "len"};
    for (size_t i = 0; i < FLAG_NAMES; i++)
        names[i + 4] = flag_names[i].name;
    return refuse(reading, "the flag or field", word, nearest_word(word, names, FLAG_NAMES + 4));
}

static bool read_headers(struct reading *reading)
{
    struct pattern *pattern = reading->pattern;
    for (;;) {
        skip_blanks(reading);
        if (*reading->at == '\0')
            return true;
        if (*reading->at == '[') {
            if (!read_mark(reading))
                return false;
            continue;
        }
        if (*reading->at == '<') {
            pattern->kind = PATTERN_TCP;
            if (!read_options(reading))
                return false;
            continue;
        }
        take(reading);
        char name[WORD];
        memcpy(name, reading->word, WORD);
        struct pattern_range *range = range_named(pattern, name);
        if (range != NULL) {
            if (range != &pattern->length)
                pattern->kind = PATTERN_TCP;
            if (!read_field(reading, name, range))
                return false;
        } else if (!read_flag(reading)) {
            return false;
        }
    }
}

/* The protocol's word, if there is one: what follows depends on it. */
static bool read_protocol(struct reading *reading)
{
    struct pattern *pattern = reading->pattern;
    const char *start = reading->at;
    size_t length = peek(reading);
    if (strcmp(reading->word, "TCP") == 0 || strcmp(reading->word, "UDP") == 0) {
        pattern->kind = reading->word[0] == 'T' ? PATTERN_TCP : PATTERN_UDP;
        reading->at += length;
        return read_headers(reading);
    }
    if (isupper((unsigned char)reading->word[0]) && flag_named(reading->word) == 0) {
        const char *names[FLAG_NAMES];
        for (size_t i = 0; i < FLAG_NAMES; i++)
            names[i] = flag_names[i].name;
        const char *near = nearest_word(reading->word, names, FLAG_NAMES);
        if (near != NULL)
            return refuse(reading, "the flag", reading->word, near);
        skip_blanks(reading);
        pattern->kind = PATTERN_OTHER;
        snprintf(pattern->other, PATTERN_TEXT, "%s", reading->at);
        return true;
    }
    reading->at = start;
    return read_headers(reading);
}

/* Takes the comment and the blanks at both ends away. */
static bool copy_text(struct reading *reading, const char *text, char *copy, size_t size)
{
    const char *end = strstr(text, "  # ");
    size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
    while (length > 0 && isspace((unsigned char)*text))
        text++, length--;
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    if (length >= size)
        return error_set(reading->error, STATUS_USAGE, "the pattern is too long");
    if (memchr(text, '\n', length) != NULL)
        return error_set(reading->error, STATUS_USAGE,
                         "a pattern is one line; write each packet in quotes of its own");
    memcpy(copy, text, length);
    copy[length] = '\0';
    return true;
}

bool pattern_parse(struct pattern *pattern, const char *text, struct error *error)
{
    struct reading reading = {.pattern = pattern, .error = error};
    char line[PATTERN_TEXT] = "";
    *pattern = (struct pattern){0};
    if (!copy_text(&reading, text, line, sizeof line))
        return false;
    reading.at = line;
    if (strcmp(line, "...") == 0 || strcmp(line, "\xe2\x80\xa6") == 0) {
        pattern->kind = PATTERN_GAP;
        snprintf(pattern->text, PATTERN_TEXT, "...");
        return true;
    }
    skip_number_and_time(&reading);
    skip_blanks(&reading);
    snprintf(pattern->text, PATTERN_TEXT, "%s", reading.at);
    return read_sender(&reading) && read_protocol(&reading);
}
