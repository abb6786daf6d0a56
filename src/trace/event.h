/*
 * event.h - what a trace is made of.
 *
 * A trace is a sequence of events in time order. The same struct travels from the host and the
 * capture into the recorder, into the file and out of it again, and into the views.
 *
 * Times are nanoseconds since the epoch (CLOCK_REALTIME). Pointers in an event are borrowed: they
 * live until the function the event was handed to returns (writer, recorder), or until the next
 * trace_reader_next (reader). Texts are UTF-8 without a final zero; they came from outside, so a
 * view escapes them.
 */
#ifndef HANDLENS_TRACE_EVENT_H
#define HANDLENS_TRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/address.h"

struct trace_text {
    const char *data; /* NULL only where length is 0 */
    size_t length;
};

struct trace_bytes {
    const uint8_t *data;
    size_t length;
};

enum trace_kind {
    TRACE_EXCHANGE,   /* first: what was run, where */
    TRACE_SCRIPT,     /* the text of one script file */
    TRACE_ROLE,       /* a role, before its first call; their order is the order of the lanes */
    TRACE_CALL,       /* a role enters a socket call */
    TRACE_SYSCALL,    /* one system call of a call that is not its last one */
    TRACE_RETURN,     /* the call returns; carries its last system call */
    TRACE_SOCKET,     /* a socket got an address: whose packets these are */
    TRACE_STATE,      /* the kernel's own word for a TCP socket's state, after a call */
    TRACE_NOTE,       /* a line of text: print, an error, the host's own remarks */
    TRACE_INTERFACE,  /* where packets come from; before the first of its packets */
    TRACE_PACKET,     /* a captured frame */
    TRACE_STATISTICS, /* how many packets were captured and dropped */
    TRACE_SECRETS,    /* TLS secrets, NSS key log format */
    TRACE_CHECK,      /* one expectation of lab.check, judged; behind the end */
    TRACE_END,        /* how the exchange ended; behind it come checks alone */
};

enum trace_role_kind { TRACE_ROLE_SERVER, TRACE_ROLE_CLIENT };

enum trace_note_kind {
    TRACE_NOTE_PRINT, /* the script's print */
    TRACE_NOTE_ERROR, /* an error that ended a role: message, then the traceback, by lines */
    TRACE_NOTE_HOST,  /* what the host did or saw by itself */
    TRACE_NOTE_USER,  /* typed by the user in step mode */
    TRACE_NOTE_INPUT, /* a line that input() returned */
};

enum trace_transport { TRACE_TCP = 6, TRACE_UDP = 17 }; /* the IP protocol numbers */

enum trace_verdict { TRACE_PASSED, TRACE_FAILED, TRACE_NOT_JUDGED };

enum trace_outcome {
    TRACE_DONE,        /* every role ended, or only the server still waited for someone new */
    TRACE_ROLE_FAILED, /* an error that the script did not catch ended a role */
    TRACE_DEADLOCK,    /* all roles waited for each other */
    TRACE_TIMED_OUT,   /* --timeout */
    TRACE_INTERRUPTED, /* Ctrl-C, SIGTERM, or quit in step mode */
    TRACE_STOPPED,     /* a limit of the script (memory, instructions, sockets) */
};

struct trace_exchange {
    struct trace_text lab;     /* the name: "hello" */
    struct trace_text script;  /* the file's name without its folder: "hello.lua" */
    struct trace_text title;   /* lab.title, or the name */
    struct trace_text about;   /* lab.about, or empty */
    struct trace_text place;   /* "private loopback", "this machine's loopback", … */
    struct address address;    /* lab.host and lab.port; family 0 without lab.port */
    struct trace_text program; /* "handlens 0.1.0" */
    struct trace_text command; /* "run", "serve", "connect" */
};

struct trace_script {
    struct trace_text name; /* "hello.lua", as calls name it */
    struct trace_text text;
};

struct trace_role {
    uint32_t role; /* counted from 1 */
    enum trace_role_kind kind;
    struct trace_text name;
};

struct trace_call {
    uint32_t call; /* counted from 1, in order of entry */
    uint32_t role;
    uint32_t socket;             /* counted from 1, in order of creation; 0 for none (select) */
    struct trace_text name;      /* "connect" */
    struct trace_text arguments; /* as a script would write them: "127.0.0.1:65432", "\"Hello\"" */
    struct trace_text script;    /* "hello.lua"; empty when the host made the call by itself */
    uint32_t line;               /* 0 when the host made the call by itself */
};

/* .time of the event is the entry of the system call. */
struct trace_syscall {
    uint32_t call;
    int64_t end;   /* when it returned */
    int64_t value; /* what it returned, or -1 */
    int32_t error; /* errno, or 0 */
};

/* .time of the event is when the call returned to the script. */
struct trace_return {
    uint32_t call;
    int64_t window_start; /* its last system call; 0 and 0 when it made none (a timeout) */
    int64_t window_end;
    int64_t value;             /* bytes, a descriptor-like number, or 0; -1 on error */
    int32_t error;             /* errno, or 0 */
    struct trace_text result;  /* as a script sees it: "21", "\"Hello\"", "nil"; empty on error */
    struct trace_text message; /* on error: "connect to 127.0.0.1:9: Connection refused
                                  (ECONNREFUSED)"; empty otherwise */
};

struct trace_socket {
    uint32_t socket;
    uint32_t role;
    enum trace_transport transport;
    struct address local;
    struct address remote; /* family 0 while not connected */
};

struct trace_state {
    uint32_t socket;
    uint32_t call;        /* after which it was asked */
    uint8_t state;        /* enum tcp_state of support/tcp_state.h */
    uint32_t retransmits; /* tcpi_total_retrans */
    uint32_t rtt_us;      /* tcpi_rtt, microseconds */
    uint32_t congestion;  /* tcpi_snd_cwnd, segments */
    struct address local;
    struct address remote;
};

struct trace_note {
    enum trace_note_kind kind;
    uint32_t role; /* 0 for none */
    struct trace_text text;
    struct trace_text script; /* may be empty */
    uint32_t line;            /* 0 for none */
};

struct trace_interface {
    uint32_t interface; /* counted from 0, over all sections of a file */
    uint32_t link_type; /* LINKTYPE_ of pcap-linktype(7) */
    uint32_t snap_length;
    struct trace_text name; /* "lo"; may be empty */
};

struct trace_packet {
    uint64_t number; /* counted from 1 in the trace, as Wireshark counts */
    uint32_t interface;
    uint32_t link_type;       /* that interface's, for convenience */
    uint32_t length;          /* on the wire, bytes */
    struct trace_bytes bytes; /* as captured; may be shorter than length */
    uint32_t cause;           /* the call during whose system call it appeared; 0 for none */
    struct trace_text comment;
};

struct trace_statistics {
    uint32_t interface;
    uint64_t received; /* that passed the filter, as the kernel counts */
    uint64_t dropped;  /* by the kernel, for want of room */
};

struct trace_secrets {
    uint32_t type; /* of the Decryption Secrets Block: 0x544c534b is a TLS key log */
    struct trace_bytes bytes;
};

struct trace_check {
    enum trace_verdict verdict;
    struct trace_text expectation; /* what was expected */
    struct trace_text seen;        /* what the trace shows */
    struct trace_text packets;     /* the numbers concerned: "3, 5-7" */
    struct trace_text script;
    uint32_t line;
};

struct trace_end {
    enum trace_outcome outcome;
    struct trace_text text; /* one sentence for the user; empty for TRACE_DONE */
};

struct trace_event {
    enum trace_kind kind;
    int64_t time;
    union {
        struct trace_exchange exchange;
        struct trace_script script;
        struct trace_role role;
        struct trace_call call;
        struct trace_syscall syscall;
        struct trace_return result;
        struct trace_socket socket;
        struct trace_state state;
        struct trace_note note;
        struct trace_interface interface;
        struct trace_packet packet;
        struct trace_statistics statistics;
        struct trace_secrets secrets;
        struct trace_check check;
        struct trace_end end;
    };
};

/* A text from a C string; it is borrowed, like every pointer of an event. */
struct trace_text trace_text_of(const char *text);

/* Whether two events say the same, texts and bytes compared by content. */
bool trace_event_equal(const struct trace_event *a, const struct trace_event *b);

#endif
