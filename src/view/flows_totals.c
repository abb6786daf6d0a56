/* What stands below the rows. Each paragraph is a label and items, wrapped at the right edge. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/terminal.h"
#include "tcp/span.h"
#include "view/flows.h"

#define LABEL 10

/* Begins a paragraph. */
static void put_label(struct flows *flows, const char *label)
{
    flows_put(flows, FLOWS_BOLD, label);
    flows_fill(flows, LABEL);
}

/* Puts a word or an item, on a new line where the old one has no room, and separator behind it. */
static void put_item(struct flows *flows, const char *text, const char *separator)
{
    size_t width = flows_width(text) + strlen(separator);
    if (separator[0] != '\0' && separator[strlen(separator) - 1] == ' ')
        width--;
    if (flows->line.width > LABEL &&
        flows->line.width + width > (size_t)flows->options->terminal.columns) {
        flows_end_line(flows);
        flows_fill(flows, LABEL);
    }
    flows_put(flows, FLOWS_PLAIN, text);
    flows_put(flows, FLOWS_PLAIN, separator);
}

struct item {
    const char *name;
    uint64_t count;
};

/* "12 closed, 1 reset"; those of which there are none are left out. */
static void put_items(struct flows *flows, const struct item *items, size_t count)
{
    size_t last = count;
    for (size_t i = 0; i < count; i++)
        if (items[i].count > 0)
            last = i;
    for (size_t i = 0; i < count; i++) {
        char number[FLOWS_NUMBER];
        char text[96];
        if (items[i].count == 0)
            continue;
        snprintf(text, sizeof text, "%s %s", flows_whole(items[i].count, number), items[i].name);
        put_item(flows, text, i == last ? "" : ", ");
    }
}

static void draw_flows(struct flows *flows)
{
    const struct flows_totals *totals = &flows->totals;
    const uint64_t *stories = totals->stories;
    uint64_t client = totals->first_to_close[FLOW_CLIENT];
    uint64_t server = totals->first_to_close[FLOW_SERVER];
    const struct item kinds[] = {{"TCP", totals->tcp}, {"UDP", totals->udp}};
    const struct item ends[] = {
        {"closed by the client", client},
        {"closed by the server", server},
        {"closed", stories[STORY_CLOSED] - client - server},
        {"half-closed", stories[STORY_HALF_CLOSED]},
        {"reset", stories[STORY_RESET]},
        {"refused", stories[STORY_REFUSED]},
        {"without an answer", stories[STORY_NO_ANSWER]},
        {"half-open", stories[STORY_HALF_OPEN]},
        {"still open", stories[STORY_OPEN]},
    };
    put_label(flows, "flows");
    if (totals->tcp + totals->udp == 0)
        put_item(flows, "none", "");
    put_items(flows, kinds, 2);
    flows_end_line(flows);
    if (totals->tcp == 0)
        return;
    flows_fill(flows, LABEL);
    put_items(flows, ends, sizeof ends / sizeof ends[0]);
    flows_end_line(flows);
}

/* "21 bytes", "1.2 MB" */
static char *bytes_text(uint64_t bytes, char text[FLOWS_NUMBER + 8])
{
    char number[FLOWS_NUMBER];
    flows_count(bytes, number);
    size_t length = strlen(number);
    if (bytes < 1000)
        snprintf(text, FLOWS_NUMBER + 8, "%s bytes", number);
    else
        snprintf(text, FLOWS_NUMBER + 8, "%.*s %cB", (int)length - 1, number, number[length - 1]);
    return text;
}

static void draw_packets(struct flows *flows)
{
    const struct flows_totals *totals = &flows->totals;
    char number[FLOWS_NUMBER];
    char text[96];
    char bytes[FLOWS_NUMBER + 8];
    put_label(flows, "packets");
    if (totals->packets > 0) {
        snprintf(text, sizeof text, "%s in ", flows_whole(totals->packets, number));
        int64_t time = span(totals->first_time, totals->last_time);
        flows_put(flows, FLOWS_PLAIN, text);
        put_item(flows, flows_duration(flows, time, number), ", ");
        snprintf(text, sizeof text, "%s on the wire", bytes_text(totals->bytes, bytes));
        put_item(flows, text, ", ");
        snprintf(text, sizeof text, "%s of them payload", bytes_text(totals->payload, bytes));
        put_item(flows, text, "");
    } else {
        put_item(flows, "none", "");
    }
    flows_end_line(flows);
    if (totals->flowless == 0)
        return;
    struct item items[FLOWS_STRANGERS + 1];
    uint64_t others = totals->flowless;
    for (size_t i = 0; i < FLOWS_STRANGERS; i++) {
        items[i] = (struct item){totals->strangers[i].protocol, totals->strangers[i].packets};
        others -= totals->strangers[i].packets;
    }
    items[FLOWS_STRANGERS] = (struct item){"others", others};
    flows_fill(flows, LABEL);
    put_item(flows, "without a flow:", " ");
    put_items(flows, items, FLOWS_STRANGERS + 1);
    flows_end_line(flows);
}

static void draw_marks(struct flows *flows)
{
    struct item items[MARK_COUNT];
    uint64_t all = 0;
    for (int bit = 0; bit < MARK_COUNT; bit++) {
        items[bit] =
            (struct item){tcp_mark_name((enum tcp_mark)(1 << bit)), flows->totals.marks[bit]};
        all += items[bit].count;
    }
    put_label(flows, "analysis");
    if (all == 0)
        put_item(flows, "nothing remarkable", "");
    put_items(flows, items, MARK_COUNT);
    flows_end_line(flows);
}

/* A sentence over the whole width. */
static void draw_sentence(struct flows *flows, const char *text)
{
    size_t columns = (size_t)flows->options->terminal.columns;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        size_t fits = terminal_fit(text, length, columns);
        if (fits < length && fits > 0) {
            size_t space = fits;
            while (space > 0 && text[space] != ' ')
                space--;
            fits = space > 0 ? space : fits;
        }
        char line[2048];
        snprintf(line, sizeof line, "%.*s", (int)(fits > 0 ? fits : 1), text);
        flows_put(flows, FLOWS_RED, line);
        flows_end_line(flows);
        text += fits > 0 ? fits : 1;
        while (*text == ' ' || *text == '\n')
            text++;
    }
}

void flows_draw_totals(struct flows *flows, const struct error *damage)
{
    if (flows->has_head)
        flows_end_line(flows);
    draw_flows(flows);
    draw_packets(flows);
    if (flows->totals.tcp > 0)
        draw_marks(flows);
    if (flows->totals.dropped > 0) {
        char text[96];
        snprintf(text, sizeof text,
                 "The capture dropped %" PRIu64 " packets: some are missing here.",
                 flows->totals.dropped);
        draw_sentence(flows, text);
    }
    if (damage != NULL)
        draw_sentence(flows, damage->text);
}
