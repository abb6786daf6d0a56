#include "view/filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/buffer.h"
#include "support/terminal.h"

#define SNAP_LENGTH 262144

/* One link type's program. */
struct program {
    struct program *next;
    uint32_t link_type;
    bool rejects_all; /* "tcp and udp": libpcap refuses to compile what can never match */
    struct bpf_program code;
};

struct view_filter {
    char *text;
    struct program *programs; /* the one used last comes first */
};

/* LINKTYPE_ of a file to libpcap's DLT_; they differ for a handful of old types only. */
static int dlt_of(uint32_t link_type)
{
    switch (link_type) {
    case 101:
        return DLT_RAW;
    case 100:
        return DLT_ATM_RFC1483;
    default:
        return (int)link_type;
    }
}

enum compiled { COMPILED, REJECTS_ALL, NOT_COMPILED };

/* message holds PCAP_ERRBUF_SIZE bytes. */
static enum compiled compile(const char *text, int dlt, struct bpf_program *code, char *message)
{
    pcap_t *dead = pcap_open_dead(dlt, SNAP_LENGTH);
    if (dead == NULL) {
        snprintf(message, PCAP_ERRBUF_SIZE, "out of memory");
        return NOT_COMPILED;
    }
    enum compiled result = COMPILED;
    if (pcap_compile(dead, code, text, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        snprintf(message, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(dead));
        result = strstr(message, "rejects all packets") != NULL ? REJECTS_ALL : NOT_COMPILED;
    }
    pcap_close(dead);
    return result;
}

static bool compiles(const char *text)
{
    struct bpf_program code;
    char message[PCAP_ERRBUF_SIZE];
    enum compiled result = compile(text, DLT_EN10MB, &code, message);
    if (result == COMPILED)
        pcap_freecode(&code);
    return result != NOT_COMPILED;
}

/*
 * Whether some expression begins with the first length bytes of text. libpcap does not say where
 * a syntax error stands, so usual endings are tried.
 */
static bool can_go_on(const char *text, size_t length)
{
    static const char *const endings[] = {
        "",       " 1",        " 127.0.0.1", " host 127.0.0.1", " port 1",     " 1 = 1",
        "0] = 0", " 0] = 0",   " = 0",       ":1] = 0",         "1] = 0",      "] = 0",
        " tcp",   " net 10/8", "/8",         " proto 6",        " 0:0:0:0:0:1"};
    int open = 0;
    for (size_t i = 0; i < length; i++)
        open += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    bool found = false;
    struct buffer tried = {0};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0] && !found; i++) {
        buffer_clear(&tried);
        buffer_append(&tried, text, length);
        buffer_append_text(&tried, endings[i]);
        if (open > 0)
            buffer_append_repeated(&tried, ')', (size_t)open);
        found = compiles(buffer_text(&tried));
    }
    buffer_free(&tried);
    return found;
}

static size_t word_end(const char *text, size_t at)
{
    static const char alone[] = "()[]!&|=<>+-*/:";
    if (text[at] != '\0' && strchr(alone, text[at]) != NULL) {
        bool twice = text[at + 1] == text[at] && (text[at] == '&' || text[at] == '|');
        bool compared = strchr("!<>=", text[at]) != NULL && text[at + 1] == '=';
        return at + (twice || compared ? 2 : 1);
    }
    while (text[at] != '\0' && text[at] != ' ' && strchr("()[]!&|=<>", text[at]) == NULL)
        at++;
    return at;
}

/* Where the first word stands with which no expression can begin; the end if only more is wanted.
 */
static size_t syntax_error_at(const char *text)
{
    size_t at = strspn(text, " ");
    while (text[at] != '\0') {
        size_t end = word_end(text, at);
        if (!can_go_on(text, end))
            return at;
        at = end + strspn(text + end, " ");
    }
    return strlen(text);
}

/* Where the word stands that libpcap's message quotes: "unknown host 'nowhere'". */
static size_t quoted_at(const char *text, const char *message)
{
    const char *open = strchr(message, '\'');
    const char *shut = open == NULL ? NULL : strchr(open + 1, '\'');
    if (shut == NULL || shut - open >= 128)
        return SIZE_MAX;
    char word[128];
    snprintf(word, sizeof word, "%.*s", (int)(shut - open - 1), open + 1);
    const char *found = strstr(text, word);
    return found == NULL ? SIZE_MAX : (size_t)(found - text);
}

static bool fail(const char *text, const char *message, struct error *error)
{
    size_t at =
        strstr(message, "syntax error") != NULL ? syntax_error_at(text) : quoted_at(text, message);
    /* "can't parse filter expression: syntax error" says the same twice. */
    const char *why = strstr(message, "syntax error") != NULL ? "syntax error" : message;
    if (at == SIZE_MAX)
        return error_set(error, STATUS_USAGE, "the filter is wrong: %s\n    %s", why, text);
    return error_set(error, STATUS_USAGE, "the filter is wrong: %s\n    %s\n    %*s^", why, text,
                     (int)terminal_width(text, at), "");
}

struct view_filter *view_filter_open(const char *text, struct error *error)
{
    struct bpf_program code;
    char message[PCAP_ERRBUF_SIZE];
    enum compiled result = compile(text, DLT_EN10MB, &code, message);
    if (result == COMPILED)
        pcap_freecode(&code);
    /* Other errors may be Ethernet's alone; they are told when a packet comes. */
    if (result == NOT_COMPILED &&
        (strstr(message, "syntax error") != NULL || quoted_at(text, message) != SIZE_MAX)) {
        fail(text, message, error);
        return NULL;
    }
    struct view_filter *filter = calloc(1, sizeof *filter);
    char *copy = strdup(text);
    if (filter == NULL || copy == NULL) {
        free(filter);
        free(copy);
        error_out_of_memory(error);
        return NULL;
    }
    filter->text = copy;
    return filter;
}

/* Finds the link type's program or makes it, and puts it first. Returns NULL with error set. */
static struct program *program_for(struct view_filter *filter, uint32_t link_type,
                                   struct error *error)
{
    for (struct program **at = &filter->programs; *at != NULL; at = &(*at)->next) {
        struct program *program = *at;
        if (program->link_type == link_type) {
            *at = program->next;
            program->next = filter->programs;
            filter->programs = program;
            return program;
        }
    }
    struct program *program = calloc(1, sizeof *program);
    if (program == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    char message[PCAP_ERRBUF_SIZE];
    enum compiled result = compile(filter->text, dlt_of(link_type), &program->code, message);
    if (result == NOT_COMPILED) {
        free(program);
        fail(filter->text, message, error);
        return NULL;
    }
    program->link_type = link_type;
    program->rejects_all = result == REJECTS_ALL;
    program->next = filter->programs;
    filter->programs = program;
    return program;
}

bool view_filter_match(struct view_filter *filter, const struct trace_packet *packet, bool *matches,
                       struct error *error)
{
    struct program *program = filter->programs;
    if (program == NULL || program->link_type != packet->link_type)
        program = program_for(filter, packet->link_type, error);
    if (program == NULL)
        return false;
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)packet->bytes.length,
                                 .len = packet->length};
    *matches = !program->rejects_all &&
               pcap_offline_filter(&program->code, &header, packet->bytes.data) != 0;
    return true;
}

void view_filter_close(struct view_filter *filter)
{
    if (filter == NULL)
        return;
    while (filter->programs != NULL) {
        struct program *program = filter->programs;
        filter->programs = program->next;
        if (!program->rejects_all)
            pcap_freecode(&program->code);
        free(program);
    }
    free(filter->text);
    free(filter);
}
