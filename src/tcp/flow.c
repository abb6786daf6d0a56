#include "tcp/flow.h"

const char *tcp_mark_name(enum tcp_mark mark)
{
    switch (mark) {
    case MARK_RETRANSMISSION:
        return "retransmission";
    case MARK_FAST_RETRANSMISSION:
        return "fast retransmission";
    case MARK_SPURIOUS_RETRANSMISSION:
        return "spurious retransmission";
    case MARK_OUT_OF_ORDER:
        return "out-of-order";
    case MARK_DUPLICATE_ACK:
        return "duplicate ACK";
    case MARK_PREVIOUS_NOT_CAPTURED:
        return "previous segment not captured";
    case MARK_ACKED_UNSEEN:
        return "ACKed unseen segment";
    case MARK_ZERO_WINDOW:
        return "zero window";
    case MARK_WINDOW_UPDATE:
        return "window update";
    case MARK_WINDOW_FULL:
        return "window full";
    case MARK_ZERO_WINDOW_PROBE:
        return "zero window probe";
    case MARK_ZERO_WINDOW_PROBE_ACK:
        return "zero window probe ACK";
    case MARK_KEEP_ALIVE:
        return "keep-alive";
    case MARK_KEEP_ALIVE_ACK:
        return "keep-alive ACK";
    case MARK_PORT_REUSED:
        return "port reused";
    }
    return "?";
}

const char *flow_handshake_text(const struct flow *flow)
{
    static const char *const texts[8] = {
        "none", "SYN",      "SYN ACK",      "SYN, SYN ACK",
        "ACK",  "SYN, ACK", "SYN ACK, ACK", "SYN, SYN ACK, ACK",
    };
    return texts[flow->handshake & 7];
}

const char *flow_close_text(const struct flow *flow)
{
    switch (flow->close) {
    case FLOW_OPEN:
        return "open";
    case FLOW_CLOSED:
        return "closed";
    case FLOW_HALF_CLOSED:
        return "half-closed";
    case FLOW_RESET:
        return "reset";
    case FLOW_REFUSED:
        return "refused";
    }
    return "?";
}
