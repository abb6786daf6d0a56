/*
 * Which packets were looked at. See checking.h.
 */
#include <string.h>

#include "packet/packet.h"
#include "script/checking.h"

static void add(struct checking *checking, uint32_t index, uint32_t line)
{
    if (checking->note_count == CHECKING_NOTES)
        return;
    checking->notes[checking->note_count++] = (struct checking_note){index, line};
}

void check_note_packet(lua_State *L, struct checking *checking, uint32_t index)
{
    if (checking->note_count < CHECKING_NOTES)
        add(checking, index, script_site_of(L, 0).line);
}

static bool is_about(const struct check_packet *packet, enum about about)
{
    const uint32_t repeats =
        MARK_RETRANSMISSION | MARK_FAST_RETRANSMISSION | MARK_SPURIOUS_RETRANSMISSION;
    switch (about) {
    case ABOUT_SYNS:
        return (packet->flags & TCP_SYN) != 0;
    case ABOUT_ENDS:
        return (packet->flags & (TCP_FIN | TCP_RST)) != 0;
    case ABOUT_DATA:
        return packet->length > 0;
    case ABOUT_MARKS:
        return packet->marks != 0;
    case ABOUT_REPEATS:
        return (packet->marks & repeats) != 0;
    default:
        return true;
    }
}

void check_note_flow(lua_State *L, struct checking *checking, const struct check_flow *flow,
                     int end, enum about about)
{
    if (checking->note_count == CHECKING_NOTES || flow->packet_count == 0)
        return;
    uint32_t line = script_site_of(L, 0).line;
    if (about == ABOUT_HANDSHAKE) {
        for (size_t i = 0; i < flow->handshake_count; i++)
            add(checking, flow->handshake_packets[i], line);
        if (flow->handshake_count == 0)
            add(checking, flow->packets[0], line);
        return;
    }
    if (about == ABOUT_LAST) {
        add(checking, flow->packets[flow->packet_count - 1], line);
        return;
    }
    for (size_t i = 0; i < flow->packet_count; i++) {
        const struct check_packet *packet = &checking->trace->packets[flow->packets[i]];
        if ((end == BOTH_ENDS || packet->from == end) && is_about(packet, about))
            add(checking, flow->packets[i], line);
    }
}

char *check_noted(const struct checking *checking, uint32_t line)
{
    struct concerned concerned = {0};
    for (size_t i = 0; i < checking->note_count; i++)
        if (checking->notes[i].line == line)
            concerned_add(&concerned, checking->notes[i].packet);
    for (size_t i = 0; i < checking->note_count && concerned.count == 0; i++)
        for (size_t each = 0; each < checking->note_count; each++)
            concerned_add(&concerned, checking->notes[each].packet);
    char *text = concerned_text(&concerned, checking->trace);
    concerned_free(&concerned);
    return text;
}

bool check_has_notes(const struct checking *checking)
{
    return checking->note_count > 0;
}

void check_forget_notes(struct checking *checking)
{
    checking->note_count = 0;
    checking->remark[0] = '\0';
    checking->missing_line = 0;
}
