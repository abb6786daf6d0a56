#include "command/step_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { CONTROL_D = 4 };

static ssize_t append_heard(void *cookie, const char *text, size_t length)
{
    struct step *step = cookie;
    buffer_append(&step->heard, text, length);
    return (ssize_t)length;
}

struct step *step_open(const struct script *script, enum color_choice color, struct error *error)
{
    struct step *step = calloc(1, sizeof *step);
    if (step == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    step->script = script;
    bool opened = step_terminal_open(&step->terminal, color, error);
    if (opened) {
        step->options = (struct view_options){.terminal = step->terminal.terminal, .file_name = ""};
        step->out = fopencookie(step, "w", (cookie_io_functions_t){.write = append_heard});
        step->flows = flow_table_open(NULL, NULL);
        opened = step->out != NULL && step->flows != NULL ? true : error_out_of_memory(error);
    }
    if (opened) {
        step->live = view_live_open(VIEW_LADDER, &step->options, step->out, true, error);
        opened = step->live != NULL;
    }
    if (opened)
        return step;
    step_close(step);
    return NULL;
}

static void keep_packet(struct step *step, const struct trace_event *event)
{
    struct step_packet *slot = &step->packets[event->packet.number % STEP_PACKETS];
    free(slot->bytes);
    size_t length = event->packet.bytes.length;
    uint8_t *copy = malloc(length + 1);
    *slot = (struct step_packet){.packet = event->packet, .bytes = copy, .time = event->time};
    slot->packet.comment = (struct trace_text){NULL, 0};
    slot->packet.bytes = (struct trace_bytes){copy, copy == NULL ? 0 : length};
    if (copy == NULL)
        slot->packet.number = 0;
    else if (length > 0)
        memcpy(copy, event->packet.bytes.data, length);
}

static void hear_packet(struct step *step, const struct trace_event *event)
{
    const struct trace_packet *frame = &event->packet;
    struct packet packet;
    struct flow_facts facts;
    keep_packet(step, event);
    packet_decode(&packet, frame->link_type, frame->bytes.data, (uint32_t)frame->bytes.length,
                  frame->length, PACKET_HEADERS);
    flow_table_add(step->flows, event->time, frame->number, &packet, &facts);
    if (packet.transport != TRANSPORT_TCP || facts.flow == NULL)
        return;
    const struct flow *flow = facts.flow;
    struct step_flow *state = &step->states[flow->id % STEP_FLOWS];
    state->id = flow->id;
    for (int end = 0; end < 2; end++) {
        state->address[end] = flow->side[end].address;
        state->state[end] = flow->side[end].state;
    }
    if (step->mode == STEP_UNTIL && step->met == 0 &&
        (packet.tcp.flags & step->flags) == step->flags)
        step->met = frame->number;
}

void step_hear(struct step *step, const struct trace_event *event)
{
    step->began = true;
    if (event->kind == TRACE_PACKET)
        hear_packet(step, event);
    struct error error = {0};
    if (!view_live_add(step->live, event, &error))
        snprintf(step->message, sizeof step->message, "%.150s", error.text);
}

static void show(struct step *step)
{
    if (step->heard.length == 0)
        return;
    step_terminal_put(&step->terminal, step->heard.data, step->heard.length);
    buffer_clear(&step->heard);
    step_terminal_clear(&step->terminal);
}

void step_make_way(struct step *step, bool types)
{
    show(step);
    step_terminal_clear(&step->terminal);
    if (types)
        step_terminal_give(&step->terminal);
    step->typing = step->typing || types;
}

void step_typed(struct step *step)
{
    if (step->typing)
        step_terminal_take(&step->terminal);
    step->typing = false;
}

/* Enter is what many press behind any letter, and so does not count. */
static void hear_keys(struct step *step)
{
    int key;
    while (!step->leaving && (key = step_terminal_pressed(&step->terminal)) != STEP_NO_KEY) {
        if (key == STEP_ENDED || key == 'q' || key == CONTROL_D)
            step->leaving = true;
        else if (key != STEP_RESIZED && key != '\r' && key != '\n')
            step->mode = STEP_NEXT;
    }
}

void step_tick(struct step *step)
{
    if (step->typing || !step->terminal.taken) {
        show(step);
        return;
    }
    bool left = step->leaving;
    if (step->mode != STEP_NEXT)
        hear_keys(step);
    if (step->leaving && !left)
        raise(SIGTERM); /* a role that waits makes no call that could be refused */
    /* Most calls are over by then, and the block of the next stop comes in this one's place. */
    if (++step->ticks > 1)
        step_draw_running(step);
}

/* Removes the last character of what was typed. */
static void rub_out(char *typed)
{
    size_t length = strlen(typed);
    while (length > 0 && ((unsigned char)typed[--length] & 0xc0) == 0x80)
        continue;
    typed[length] = '\0';
}

/* Asks for a line. Returns false if the user thought better of it; *ended: or is to quit. */
static bool ask(struct step *step, const char *label, char typed[STEP_ENTRY], bool *ended)
{
    typed[0] = '\0';
    for (;;) {
        step_draw(step, label, typed);
        int key = step_terminal_key(&step->terminal);
        size_t length = strlen(typed);
        *ended = key == STEP_ENDED;
        if (*ended || key == 27)
            return false;
        if (key == '\r' || key == '\n')
            return length > 0;
        if (key == 8 || key == 127)
            rub_out(typed);
        else if (key >= ' ' && key < STEP_RESIZED && length + 1 < STEP_ENTRY) {
            typed[length] = (char)key;
            typed[length + 1] = '\0';
        }
    }
}

/* "SYN ACK", "fin,ack": names of flags in any order. Returns 0 for anything else. */
static uint16_t flags_of(char *text)
{
    uint16_t flags = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ,+|", &rest); word != NULL;
         word = strtok_r(NULL, " ,+|", &rest)) {
        uint16_t found = 0;
        for (unsigned flag = TCP_FIN; flag <= TCP_AE; flag <<= 1) {
            char name[TCP_FLAGS_TEXT];
            if (strcasecmp(word, tcp_flags_text((uint16_t)flag, name)) == 0)
                found = (uint16_t)flag;
        }
        if (found == 0)
            return 0;
        flags |= found;
    }
    return flags;
}

static void ask_until(struct step *step, bool *ended)
{
    char typed[STEP_ENTRY];
    if (!ask(step, "run until a packet has the flags", typed, ended))
        return;
    step->flags = flags_of(typed);
    step->met = 0;
    if (step->flags != 0)
        step->mode = STEP_UNTIL;
    else
        snprintf(step->message, sizeof step->message,
                 "flags are FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE: say 'SYN ACK'");
}

/* Whatever was typed in a terminal that is no UTF-8 one, a trace's texts are UTF-8. */
static void ask_note(struct step *step, struct host *host, bool *ended)
{
    char typed[STEP_ENTRY];
    if (!ask(step, "note", typed, ended))
        return;
    struct buffer text = {0};
    terminal_append_repaired(&text, typed, strlen(typed));
    host_remark(host, (const char *)text.data, text.length);
    buffer_free(&text);
    snprintf(step->message, sizeof step->message, "noted; it is in the trace");
}

static void ask_bytes(struct step *step, bool *ended)
{
    char typed[STEP_ENTRY];
    if (ask(step, "bytes of packet", typed, ended))
        step_answer_bytes(step, typed);
}

/* Does what the key says. Returns false to quit; the exchange goes on when *stopped is false. */
static bool obey(struct step *step, struct host *host, int key, bool *stopped)
{
    bool ended = key == STEP_ENDED || key == 'q' || key == CONTROL_D;
    *stopped = false;
    switch (key) {
    case '\r':
    case '\n':
    case 'n':
        step->mode = STEP_NEXT;
        return true;
    case 'c':
        step->mode = STEP_CONTINUE;
        return true;
    case 'f':
        step->mode = STEP_FINISH;
        return true;
    case 'u':
        ask_until(step, &ended);
        *stopped = step->mode != STEP_UNTIL;
        return !ended;
    case 's':
        step_answer_states(step, host);
        break;
    case 'b':
        ask_bytes(step, &ended);
        break;
    case 't':
        ask_note(step, host, &ended);
        break;
    case '?':
    case 'h':
        step_answer_help(step);
        break;
    default:
        break;
    }
    *stopped = true;
    return !ended;
}

static bool is_to_stop(const struct step *step, const struct host_preview *preview)
{
    const char *place = preview->script == NULL ? "" : preview->script;
    switch (step->mode) {
    case STEP_CONTINUE:
        return false;
    case STEP_FINISH:
        return preview->role == step->role &&
               (preview->line != step->line || strcmp(place, step->place) != 0);
    case STEP_UNTIL:
        return step->met != 0;
    default:
        return true;
    }
}

static void come_to(struct step *step, const struct host_preview *preview)
{
    if (step->mode == STEP_UNTIL)
        snprintf(step->message, sizeof step->message, "packet %llu has the flags",
                 (unsigned long long)step->met);
    step->mode = STEP_NEXT;
    step->preview = preview;
    step->role = preview->role;
    step->line = preview->line;
    snprintf(step->place, sizeof step->place, "%s", preview->script == NULL ? "" : preview->script);
    struct buffer safe = {0};
    terminal_append_printable(&safe, preview->arguments.data, preview->arguments.length,
                              step->terminal.terminal.utf8);
    snprintf(step->arguments, sizeof step->arguments, "%s", buffer_text(&safe));
    buffer_free(&safe);
}

bool step_before_call(struct step *step, struct host *host, const struct host_preview *preview)
{
    step->ticks = 0;
    if (step->mode != STEP_NEXT && !step->typing)
        hear_keys(step);
    if (step->leaving || !is_to_stop(step, preview)) {
        show(step);
        return !step->leaving;
    }
    come_to(step, preview);
    step_terminal_take(&step->terminal);
    bool goes_on = true;
    for (bool stopped = true; stopped && goes_on;) {
        step_draw(step, NULL, NULL);
        step->message[0] = '\0';
        int key = step_terminal_key(&step->terminal);
        goes_on = obey(step, host, key, &stopped);
    }
    step->preview = NULL;
    if (step->typing)
        step_make_way(step, true);
    return goes_on;
}

void step_close(struct step *step)
{
    if (step == NULL)
        return;
    if (step->live != NULL) {
        if (step->began)
            view_live_end(step->live, NULL, NULL);
        view_live_close(step->live);
        show(step);
    }
    step_terminal_close(&step->terminal);
    flow_table_close(step->flows);
    if (step->out != NULL)
        fclose(step->out);
    for (size_t i = 0; i < STEP_PACKETS; i++)
        free(step->packets[i].bytes);
    buffer_free(&step->heard);
    free(step);
}
