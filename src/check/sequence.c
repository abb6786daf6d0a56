/*
 * Whether packets come in an order.
 *
 * Theory of operation. The patterns fall into runs, parted by gaps ("..."). The packets of a run
 * stand one directly behind the other; between two runs, before the first and behind the last one
 * may stand anything. Each run is looked for behind the one before it, and its first place is
 * taken: a later place could never leave more room for the rest. When a run is found nowhere, the
 * place that agrees with most of its beginning is what is shown, and where that ends is the first
 * difference. So the mark stands where a person would look first.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"

/* Rows behind the first difference. */
#define ROWS_AFTER 4

/* A run of patterns and the place that was found for it. */
struct run {
    size_t first, count; /* patterns */
    size_t place;        /* of its first packet */
    size_t agreed;       /* patterns that match from there on */
};

struct search {
    const struct packet_list *list;
    const struct pattern *patterns;
    size_t count;
    struct expectation *expectation;
    struct concerned concerned;
};

static size_t agree(const struct search *search, const struct run *run, size_t place)
{
    size_t n = 0;
    while (n < run->count && place + n < search->list->count &&
           pattern_match(&search->patterns[run->first + n], search->list->trace,
                         packet_list_at(search->list, place + n, NULL)))
        n++;
    return n;
}

/* Looks for the run from the place on. Returns whether all of it is there. */
static bool find(const struct search *search, struct run *run, size_t from)
{
    run->place = from;
    run->agreed = 0;
    for (size_t place = from; place < search->list->count; place++) {
        size_t agreed = agree(search, run, place);
        if (agreed > run->agreed) {
            run->place = place;
            run->agreed = agreed;
        }
        if (agreed == run->count)
            return true;
    }
    return false;
}

static struct ladder_row *add_row(struct expectation *expectation, enum ladder_row_kind kind)
{
    struct ladder_row *rows =
        realloc(expectation->rows, (expectation->row_count + 1) * sizeof *rows);
    if (rows == NULL)
        return NULL;
    expectation->rows = rows;
    rows[expectation->row_count] = (struct ladder_row){.kind = kind};
    return &rows[expectation->row_count++];
}

static void set_came(struct search *search, struct ladder_row *row, size_t place)
{
    const struct check_packet *packet = packet_list_at(search->list, place, NULL);
    row->came = packet_line(search->list->trace, packet);
    row->number = packet->number;
}

static void add_skipped(struct search *search, size_t from, size_t to, bool expected)
{
    if (to == from && !expected)
        return;
    struct ladder_row *row = add_row(search->expectation, LADDER_SKIPPED);
    if (row == NULL)
        return;
    row->expected = expected ? strdup("...") : NULL;
    row->count = to - from;
    row->number = to > from ? packet_list_at(search->list, from, NULL)->number : 0;
}

static void add_matched(struct search *search, const struct run *run)
{
    for (size_t i = 0; i < run->agreed; i++) {
        uint32_t index;
        packet_list_at(search->list, run->place + i, &index);
        concerned_add(&search->concerned, index);
        struct ladder_row *row = add_row(search->expectation, LADDER_MATCHED);
        if (row == NULL)
            return;
        row->expected = strdup(search->patterns[run->first + i].text);
        set_came(search, row, run->place + i);
    }
}

/* The run begins nowhere behind the gap: everything there is was looked at. */
static void add_never(struct search *search, const struct run *run)
{
    add_skipped(search, run->place, search->list->count, true);
    struct ladder_row *row = add_row(search->expectation, LADDER_MISSING);
    if (row != NULL)
        row->expected = strdup(search->patterns[run->first].text);
}

/* The first difference, and a few rows behind it. */
static void add_difference(struct search *search, const struct run *run)
{
    size_t pattern = run->first + run->agreed, place = run->place + run->agreed;
    bool came = place < search->list->count;
    struct ladder_row *row = add_row(search->expectation, came ? LADDER_DIFFERENT : LADDER_MISSING);
    if (row == NULL)
        return;
    row->expected = strdup(search->patterns[pattern].text);
    if (came) {
        uint32_t index;
        char text[160];
        const struct check_packet *packet = packet_list_at(search->list, place, &index);
        concerned_add(&search->concerned, index);
        set_came(search, row, place);
        row->remark = strdup(pattern_difference(&search->patterns[pattern], search->list->trace,
                                                packet, text, sizeof text));
    }
    bool more = true;
    for (size_t i = 1; i <= ROWS_AFTER && more; i++) {
        bool expected = pattern + i < search->count;
        more = place + i < search->list->count;
        if (!expected && !more)
            return;
        row = add_row(search->expectation, LADDER_AFTER);
        if (row == NULL)
            return;
        row->expected = expected ? strdup(search->patterns[pattern + i].text) : NULL;
        if (more)
            set_came(search, row, place + i);
        more = more || expected;
    }
}

static struct run next_run(const struct search *search, size_t from)
{
    struct run run = {.first = from};
    while (run.first < search->count && search->patterns[run.first].kind == PATTERN_GAP)
        run.first++;
    while (run.first + run.count < search->count &&
           search->patterns[run.first + run.count].kind != PATTERN_GAP)
        run.count++;
    return run;
}

static void tell_seen(struct search *search, const struct run *run)
{
    struct buffer text = {0};
    const struct pattern *pattern = &search->patterns[run->first + run->agreed];
    size_t place = run->place + run->agreed;
    uint64_t behind = place > 0 ? packet_list_at(search->list, place - 1, NULL)->number : 0;
    if (search->list->count == 0)
        buffer_append_text(&text, "there are no packets");
    else if (run->agreed == 0 && behind == 0)
        buffer_printf(&text, "'%s' never comes", pattern->text);
    else if (run->agreed == 0 || place >= search->list->count)
        buffer_printf(&text, "'%s' does not come behind packet %" PRIu64, pattern->text, behind);
    else
        buffer_printf(&text, "behind packet %" PRIu64 " comes packet %" PRIu64 ", not '%s'", behind,
                      packet_list_at(search->list, place, NULL)->number, pattern->text);
    search->expectation->seen = strdup(buffer_text(&text));
    buffer_free(&text);
}

static void forget_rows(struct expectation *expectation)
{
    for (size_t i = 0; i < expectation->row_count; i++) {
        free(expectation->rows[i].expected);
        free(expectation->rows[i].came);
        free(expectation->rows[i].remark);
    }
    free(expectation->rows);
    expectation->rows = NULL;
    expectation->row_count = 0;
}

bool sequence_judge(const struct packet_list *list, const struct pattern *patterns, size_t count,
                    struct expectation *expectation)
{
    struct search search = {list, patterns, count, expectation, {0}};
    size_t place = 0;
    bool holds = true;
    for (struct run run = next_run(&search, 0); run.count > 0 && holds;
         run = next_run(&search, run.first + run.count)) {
        holds = find(&search, &run, place);
        bool begins = holds || run.agreed > 0 || run.first == 0;
        if (begins)
            add_skipped(&search, place, run.place, run.first > 0);
        add_matched(&search, &run);
        if (!holds && begins)
            add_difference(&search, &run);
        else if (!holds)
            add_never(&search, &run);
        if (!holds)
            tell_seen(&search, &run);
        place = run.place + run.count;
    }
    expectation->packets = concerned_text(&search.concerned, list->trace);
    concerned_free(&search.concerned);
    if (holds)
        forget_rows(expectation);
    return holds;
}
