#include "check/judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Packets in question beyond this are not listed. */
#define CONCERNED_LIMIT 4096

struct expectation *judgement_add(struct judgement *judgement, enum trace_verdict verdict)
{
    if (judgement->count == judgement->capacity) {
        size_t capacity = judgement->capacity * 2 + 16;
        struct expectation *moved = realloc(judgement->list, capacity * sizeof *moved);
        if (moved == NULL) {
            judgement->failed = true;
            return NULL;
        }
        judgement->list = moved;
        judgement->capacity = capacity;
    }
    struct expectation *added = &judgement->list[judgement->count++];
    *added = (struct expectation){.verdict = verdict};
    judgement->verdicts[verdict]++;
    return added;
}

void judgement_set(struct judgement *judgement, struct expectation *expectation,
                   enum trace_verdict verdict)
{
    judgement->verdicts[expectation->verdict]--;
    judgement->verdicts[verdict]++;
    expectation->verdict = verdict;
}

void judgement_free(struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->count; i++) {
        struct expectation *each = &judgement->list[i];
        for (size_t row = 0; row < each->row_count; row++) {
            free(each->rows[row].expected);
            free(each->rows[row].came);
            free(each->rows[row].remark);
        }
        free(each->rows);
        free(each->words);
        free(each->expected);
        free(each->seen);
        free(each->remark);
        free(each->packets);
        free(each->script);
    }
    free(judgement->list);
    buffer_free(&judgement->printed);
    *judgement = (struct judgement){0};
}

void concerned_add(struct concerned *concerned, uint32_t index)
{
    size_t at = concerned->count;
    while (at > 0 && concerned->list[at - 1] > index)
        at--;
    if ((at > 0 && concerned->list[at - 1] == index) || concerned->count == CONCERNED_LIMIT)
        return;
    if (concerned->count == concerned->capacity) {
        size_t capacity = concerned->capacity * 2 + 16;
        uint32_t *moved = realloc(concerned->list, capacity * sizeof *moved);
        if (moved == NULL) {
            concerned->failed = true;
            return;
        }
        concerned->list = moved;
        concerned->capacity = capacity;
    }
    memmove(concerned->list + at + 1, concerned->list + at,
            (concerned->count - at) * sizeof *concerned->list);
    concerned->list[at] = index;
    concerned->count++;
}

char *concerned_text(const struct concerned *concerned, const struct check_trace *trace)
{
    struct buffer text = {0};
    if (concerned->failed) /* no list rather than a false one */
        return NULL;
    for (size_t i = 0; i < concerned->count;) {
        size_t last = i;
        while (last + 1 < concerned->count &&
               concerned->list[last + 1] == concerned->list[last] + 1)
            last++;
        buffer_append_text(&text, i == 0 ? "" : ", ");
        buffer_printf(&text, "%" PRIu64, trace->packets[concerned->list[i]].number);
        if (last > i)
            buffer_printf(&text, "-%" PRIu64, trace->packets[concerned->list[last]].number);
        i = last + 1;
    }
    char *copy = text.length == 0 ? NULL : strdup(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

void concerned_free(struct concerned *concerned)
{
    free(concerned->list);
    *concerned = (struct concerned){0};
}

const struct check_packet *packet_list_at(const struct packet_list *list, size_t n, uint32_t *index)
{
    uint32_t place = list->indices == NULL ? (uint32_t)n : list->indices[n];
    if (index != NULL)
        *index = place;
    return &list->trace->packets[place];
}

char *packet_line(const struct check_trace *trace, const struct check_packet *packet)
{
    struct buffer text = {0};
    const char *role = check_packet_role(trace, packet);
    char from[ADDRESS_TEXT], to[ADDRESS_TEXT];
    if (role[0] != '\0')
        buffer_printf(&text, "%s ", role);
    else if (packet->source.family != 0)
        buffer_printf(&text, "%s > %s  ", address_format_host(&packet->source, from),
                      address_format_host(&packet->destination, to));
    buffer_append_text(&text, check_text(trace, packet->headers));
    char *copy = strdup(buffer_text(&text));
    buffer_free(&text);
    return copy;
}
