#include "command/step_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void hear_state(void *data, const struct role *role, const struct address *local,
                       const struct address *remote, enum tcp_state state)
{
    struct step *step = data;
    char near[ADDRESS_TEXT];
    char far[ADDRESS_TEXT];
    bool connected = remote->family != 0;
    bool utf8 = step->terminal.terminal.utf8;
    buffer_append_text(&step->heard, "    ");
    terminal_append_printable(&step->heard, role_name(role), strlen(role_name(role)), utf8);
    buffer_printf(&step->heard, "  %s%s%s  %s\n",
                  local->family != 0 ? address_format(local, near) : "", connected ? " to " : "",
                  connected ? address_format(remote, far) : "", tcp_state_name(state));
}

void step_answer_states(struct step *step, const struct host *host)
{
    struct buffer *heard = &step->heard;
    buffer_append_text(heard, "  states by the packets so far, client and server:\n");
    bool any = false;
    for (size_t i = 0; i < STEP_FLOWS; i++) {
        const struct step_flow *flow = &step->states[i];
        char ends[2][ADDRESS_TEXT];
        if (flow->id == 0)
            continue;
        any = true;
        buffer_printf(heard, "    flow %" PRIu32 "  %s  %s  %s  %s\n", flow->id,
                      address_format(&flow->address[FLOW_CLIENT], ends[0]),
                      tcp_state_name(flow->state[FLOW_CLIENT]),
                      address_format(&flow->address[FLOW_SERVER], ends[1]),
                      tcp_state_name(flow->state[FLOW_SERVER]));
    }
    if (!any)
        buffer_append_text(heard, "    no TCP packet yet\n");
    buffer_append_text(heard, "  states by the kernel now:\n");
    size_t before = heard->length;
    host_visit_states(host, hear_state, step);
    if (heard->length == before)
        buffer_append_text(heard, "    no TCP socket listens or is connected\n");
}

void step_answer_help(struct step *step)
{
    buffer_append_text(
        &step->heard,
        "  Enter, n   make this call, and stop before the next one of any role\n"
        "  c          continue; Space stops before the next call, Ctrl-C ends it\n"
        "  f          finish this line: stop when this role is at another one\n"
        "  u FLAGS    run until a packet has these flags: u, then SYN ACK or FIN\n"
        "  s          states of the connections, by the packets and by the kernel\n"
        "  b N        the bytes of packet N\n"
        "  t TEXT     a note, kept in the trace\n"
        "  q, Ctrl-C  quit; the trace so far is kept\n"
        "  Time-outs of the script do not run while this is stopped; the kernel's do.\n");
}

/* The packets kept go through a view of their own, so that it knows the flow of the one asked for.
 */
static bool show_bytes(struct step *step, uint64_t number, struct error *error)
{
    struct view_options options = step->options;
    options.number = number;
    struct view_live *live = view_live_open(VIEW_BYTES, &options, step->out, true, error);
    if (live == NULL)
        return false;
    bool done = true;
    for (uint64_t n = number < STEP_PACKETS ? 1 : number - STEP_PACKETS + 1; done && n <= number;
         n++) {
        const struct step_packet *kept = &step->packets[n % STEP_PACKETS];
        if (kept->packet.number != n)
            continue;
        struct trace_event event = {
            .kind = TRACE_PACKET, .time = kept->time, .packet = kept->packet};
        done = view_live_add(live, &event, error);
    }
    done = done && view_live_end(live, NULL, error);
    view_live_close(live);
    return done;
}

void step_answer_bytes(struct step *step, const char *number)
{
    char *end = NULL;
    unsigned long long wanted = strtoull(number, &end, 10);
    if (wanted == 0 || *end != '\0')
        snprintf(step->message, sizeof step->message, "'%.40s' is no packet's number", number);
    else if (step->packets[wanted % STEP_PACKETS].packet.number != wanted)
        snprintf(step->message, sizeof step->message, "packet %llu is not here", wanted);
    else {
        struct error error = {0};
        if (!show_bytes(step, wanted, &error))
            snprintf(step->message, sizeof step->message, "%.150s", error.text);
    }
}
