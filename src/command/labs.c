/*
 * labs.c - the labs, by groups.
 *
 * Labs stand by lab.order, then by name; a group where its first lab does, and those without a
 * group come last. Labs that do not load are listed with their error, for their author to see.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command/command.h"
#include "command/lab_path.h"
#include "script/script.h"
#include "support/buffer.h"

struct entry {
    const char *name; /* borrowed from the list */
    char *group;      /* "" for none; owned */
    char *text;       /* its first line says what the lab is about; owned */
    int order;
    int group_order; /* the least one in its group */
};

static bool is_same_group(const struct entry *a, const struct entry *b)
{
    return strcasecmp(a->group, b->group) == 0;
}

static bool read_entry(struct entry *entry, const char *name, const char *path)
{
    struct error error;
    struct script *script = script_load(path, &(struct script_limits){0}, &error);
    const struct lab *lab = script == NULL ? NULL : script_lab(script);
    const char *text = lab == NULL ? error.text : lab->about[0] != '\0' ? lab->about : lab->title;
    *entry = (struct entry){.name = name,
                            .group = strdup(lab == NULL ? "" : lab->group),
                            .text = strdup(text),
                            .order = lab == NULL ? INT_MAX : lab->order};
    script_close(script);
    return entry->group != NULL && entry->text != NULL;
}

static void order_groups(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].group_order = INT_MAX;
        for (size_t j = 0; j < count; j++)
            if (is_same_group(&entries[i], &entries[j]) &&
                entries[j].order < entries[i].group_order)
                entries[i].group_order = entries[j].order;
    }
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    bool a_alone = a->group[0] == '\0', b_alone = b->group[0] == '\0';
    if (a_alone != b_alone)
        return a_alone - b_alone;
    if (a->group_order != b->group_order)
        return a->group_order < b->group_order ? -1 : 1;
    int groups = strcasecmp(a->group, b->group);
    if (groups != 0)
        return groups;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The group's name with a capital letter, on a line of its own. */
static void append_heading(struct buffer *out, const struct entry *entry,
                           const struct terminal *terminal)
{
    const char *name = entry->group[0] == '\0' ? "Others" : entry->group;
    size_t start = out->length + (terminal->color ? strlen("\033[1m") : 0);
    buffer_append_text(out, terminal->color ? "\033[1m" : "");
    terminal_append_escaped(out, name, strlen(name), (size_t)terminal->columns, terminal->utf8);
    if (out->length > start && out->data[start] >= 'a' && out->data[start] <= 'z')
        out->data[start] = (uint8_t)(out->data[start] - 'a' + 'A');
    buffer_append_text(out, terminal->color ? "\033[0m\n" : "\n");
}

static void append_lab(struct buffer *out, const struct entry *entry, int width,
                       const struct terminal *terminal)
{
    buffer_printf(out, "  %s%-*s%s  ", terminal->color ? "\033[36m" : "", width, entry->name,
                  terminal->color ? "\033[0m" : "");
    size_t room = terminal->columns > width + 8 ? (size_t)(terminal->columns - width - 4) : 4;
    size_t length = strcspn(entry->text, "\n");
    size_t fits = terminal_fit(entry->text, length, room);
    if (fits < length)
        fits = terminal_fit(entry->text, length, room - 1);
    terminal_append_escaped(out, entry->text, fits, 0, terminal->utf8);
    if (fits < length)
        buffer_append_text(out, terminal->utf8 ? "…" : "~");
    buffer_append_byte(out, '\n');
}

static void append_all(struct buffer *out, const struct entry *entries, size_t count,
                       const struct terminal *terminal)
{
    int width = 0;
    bool grouped = false; /* one list without a group needs no heading */
    for (size_t i = 0; i < count; i++) {
        int length = (int)strlen(entries[i].name);
        width = length > width ? length : width;
        grouped = grouped || entries[i].group[0] != '\0';
    }
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || !is_same_group(&entries[i - 1], &entries[i]);
        if (first && i > 0)
            buffer_append_byte(out, '\n');
        if (first && grouped)
            append_heading(out, &entries[i], terminal);
        append_lab(out, &entries[i], width, terminal);
    }
}

static bool show(const struct lab_list *list, const struct invocation *invocation)
{
    struct terminal terminal = terminal_of(1, invocation->color);
    struct buffer out = {0};
    struct entry *entries = calloc(list->count, sizeof *entries);
    size_t count = 0;
    bool done = entries != NULL;
    for (; done && count < list->count; count++)
        done = read_entry(&entries[count], list->names[count], list->paths[count]);
    if (done) {
        order_groups(entries, count);
        qsort(entries, count, sizeof *entries, compare);
        append_all(&out, entries, count, &terminal);
        if (!invocation->quiet)
            buffer_append_text(&out, "\nRun one with:  handlens run NAME\n");
        fwrite(out.data, 1, out.length, stdout);
    }
    for (size_t i = 0; i < count; i++) {
        free(entries[i].group);
        free(entries[i].text);
    }
    free(entries);
    buffer_free(&out);
    return done;
}

static enum status run_labs(const struct invocation *invocation, struct error *error)
{
    struct lab_list list;
    if (!lab_list_open(&list, error))
        return error->status;
    enum status status = STATUS_DONE;
    if (list.count == 0) {
        error_set(error, STATUS_USAGE,
                  "there are no labs, neither in ./scripts nor beside this program");
        status = STATUS_USAGE;
    } else if (!show(&list, invocation)) {
        error_out_of_memory(error);
        status = error->status;
    }
    lab_list_close(&list);
    return status;
}

const struct command command_labs = {
    .bit = COMMAND_LABS,
    .name = "labs",
    .operands = "",
    .summary = "list the labs, a line each",
    .about = "Lists the labs that can be run by name: those of ./scripts, and those that came\n"
             "with the program. They stand in the order of a course, group by group.",
    .examples = "",
    .least_operands = 0,
    .most_operands = 0,
    .run = run_labs,
};
