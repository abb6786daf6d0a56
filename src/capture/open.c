/*
 * Theory of operation. On Linux libpcap offers two rings. In immediate mode (TPACKET_V2) each
 * packet has a slot as long as the longest packet, which on a loopback with an MTU of 64 KiB
 * makes 128 slots of 16 MiB: a burst of small segments overruns them at once. Otherwise
 * (TPACKET_V3) packets lie close together in blocks of 256 KiB, and a block is handed over when it
 * is full or its time is up. The second holds a thousand small packets a block, wakes the reader
 * once a block instead of once a packet, and with a time of 1 ms is as good as immediate: so that.
 *
 * 16 MiB is a ring that costs nothing to speak of to set up (64 MiB takes 40 ms, as the kernel
 * clears it) and holds what the loopback carries in the few milliseconds for which the reader may
 * have to wait for a processor.
 *
 * A loopback shows every packet twice, going out and coming in. libpcap throws the first away, but
 * only after it took its room in the ring and was counted. The kernel is told not to deliver it:
 * on one interface by PACKET_IGNORE_OUTGOING, on "any" (where outgoing packets of the others are
 * wanted) by the filter. Then the kernel's count is ours.
 *
 * libpcap asks for time stamps (SO_TIMESTAMPNS), so a packet is stamped when the sender's system
 * call puts it onto the loopback, even if it is received a little later.
 */
#include "capture/open.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "support/buffer.h"

#define SNAP_LENGTH  262144 /* more than any packet of a loopback, 64 KiB and its header */
#define DEFAULT_RING ((size_t)16 << 20)
#define LEAST_RING   ((size_t)1 << 20)

static bool fail(struct error *error, const char *interface, const char *reason)
{
    return error_set(error, STATUS_NOT_ALLOWED, "cannot capture on %s: %s", interface, reason);
}

static bool activate(pcap_t *pcap, const char *interface, struct error *error)
{
    int result = pcap_activate(pcap);
    if (result >= 0)
        return true; /* a positive result is a warning about something we can do without */
    switch (result) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return fail(error, interface, "there is no such interface");
    case PCAP_ERROR_IFACE_NOT_UP:
        return fail(error, interface, "the interface is not up");
    case PCAP_ERROR_PERM_DENIED:
        return fail(error, interface,
                    "this process may not open a packet socket (it lacks CAP_NET_RAW)");
    default:
        return fail(error, interface,
                    result == PCAP_ERROR ? pcap_geterr(pcap) : pcap_statustostr(result));
    }
}

size_t capture_ring_size(size_t wanted)
{
    if (wanted == 0)
        return DEFAULT_RING;
    if (wanted < LEAST_RING)
        return LEAST_RING;
    return wanted > INT_MAX ? INT_MAX : wanted;
}

/* Before activation. These fail only on a handle that is active. */
static void configure(pcap_t *pcap, size_t ring)
{
    pcap_set_snaplen(pcap, SNAP_LENGTH);
    pcap_set_promisc(pcap, 0);
    pcap_set_timeout(pcap, CAPTURE_BLOCK_TIME);
    pcap_set_buffer_size(pcap, (int)ring);
    pcap_set_tstamp_type(pcap, PCAP_TSTAMP_HOST);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static bool compile(pcap_t *pcap, const char *filter, struct bpf_program *program)
{
    return pcap_compile(pcap, program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
}

static bool install(pcap_t *pcap, const char *filter, struct error *error)
{
    struct bpf_program program;
    if (!compile(pcap, filter, &program))
        return error_set(error, STATUS_USAGE, "the filter '%s' is not understood: %s", filter,
                         pcap_geterr(pcap));
    bool done = pcap_setfilter(pcap, &program) == 0;
    pcap_freecode(&program);
    return done || error_set(error, STATUS_NOT_ALLOWED, "the filter '%s' cannot be used: %s",
                             filter, pcap_geterr(pcap));
}

/* 0: there is none. if_nametoindex would open a socket of its own, which may be forbidden by now.
 */
static int loopback_index(pcap_t *pcap)
{
    struct ifreq request = {.ifr_name = "lo"};
    return ioctl(pcap_fileno(pcap), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

/* The filter, without what leaves the loopback. */
static bool filter_any(pcap_t *pcap, const char *filter, struct error *error)
{
    struct bpf_program alone;
    if (filter != NULL && compile(pcap, filter, &alone))
        pcap_freecode(&alone);
    else if (filter != NULL)
        return install(pcap, filter, error); /* says what is wrong with the user's own words */
    int loopback = loopback_index(pcap);
    if (loopback == 0)
        return filter == NULL || install(pcap, filter, error);
    struct buffer text = {0};
    if (filter != NULL && strspn(filter, " \t\n") < strlen(filter))
        buffer_printf(&text, "(%s) and ", filter);
    buffer_printf(&text, "not (outbound and ifindex %d)", loopback);
    bool done = text.failed ? error_out_of_memory(error) : install(pcap, buffer_text(&text), error);
    buffer_free(&text);
    return done;
}

bool capture_filter(pcap_t *pcap, const char *interface, const char *filter, struct error *error)
{
    if (strcmp(interface, "any") == 0)
        return filter_any(pcap, filter, error);
    return install(pcap, filter == NULL ? "" : filter, error);
}

static void see_each_packet_once(pcap_t *pcap, const char *interface)
{
    /* Of the cooked headers the second version tells interfaces apart, which the filter needs. */
    if (strcmp(interface, "any") == 0)
        pcap_set_datalink(pcap, DLT_LINUX_SLL2);
    /* Before Linux 4.20 the ring holds both, and libpcap throws one away. */
    if (strcmp(interface, "lo") == 0) {
        int on = 1;
        setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    }
}

pcap_t *capture_open(const char *interface, const char *filter, size_t ring, struct error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(interface, reason);
    if (pcap == NULL) {
        fail(error, interface, reason);
        return NULL;
    }
    configure(pcap, ring);
    bool active = activate(pcap, interface, error);
    if (active)
        see_each_packet_once(pcap, interface);
    if (!active || !capture_filter(pcap, interface, filter, error)) {
        pcap_close(pcap);
        return NULL;
    }
    if (pcap_setnonblock(pcap, 1, reason) != 0) {
        fail(error, interface, reason);
        pcap_close(pcap);
        return NULL;
    }
    return pcap;
}

uint32_t capture_link_type(pcap_t *pcap)
{
    int type = pcap_datalink(pcap);
    return type == DLT_RAW ? 101 /* LINKTYPE_RAW */ : (uint32_t)type;
}
