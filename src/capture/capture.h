/*
 * capture.h - libpcap, live, in a thread of its own.
 *
 * Packets go to the recorder with nanosecond stamps from the kernel, and so does the watermark:
 * how far in time everything has been handed over. The kernel copies each packet into the ring
 * while it sends it, so a packet of a system call is in the ring when the call returns; the
 * thread has seen everything when it has read as many packets as the kernel says it delivered.
 */
#ifndef HANDLENS_CAPTURE_CAPTURE_H
#define HANDLENS_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"
#include "trace/recorder.h"

struct capture;

/*
 * Opens the interface ("lo", "any"): from now on its packets are kept. filter is tcpdump's
 * language, or NULL; ring is the kernel's buffer in bytes (0: a default that suits run). Adds
 * TRACE_INTERFACE events. Returns NULL with error set.
 */
struct capture *capture_new(struct recorder *recorder, const char *interface, const char *filter,
                            size_t ring, struct error *error);

/* Starts the thread, which needs no privilege, and calls recorder_capture_starts. All below wants
 * it running, but for capture_stop. Returns false with error set. */
bool capture_start(struct capture *capture, struct error *error);

/*
 * Main thread: from now on another filter (or NULL for all packets). No packet that both filters
 * let through may be on its way, for the change drops what comes while it is made. Returns false
 * with error set; then nothing may be said of what is captured.
 */
bool capture_set_filter(struct capture *capture, const char *filter, struct error *error);

/*
 * Main thread: waits until every packet that the kernel had delivered when this was called has
 * been handed to the recorder, and the watermark says so.
 */
void capture_sync(struct capture *capture);

/*
 * Main thread: says that a call is about to send so many bytes (0 for connect, close and the like).
 * Now and then it syncs, before the ring might overflow; so whoever sends faster than packets can
 * be stored is slowed down, and nothing is lost.
 */
void capture_make_room(struct capture *capture, size_t bytes);

/*
 * Syncs, ends the thread, adds TRACE_STATISTICS and calls recorder_capture_ends. dropped (may be
 * NULL) is how many packets the kernel had no room for. Frees the capture. Returns false with
 * error set if the capture broke in the middle.
 */
bool capture_stop(struct capture *capture, uint64_t *dropped, struct error *error);

#endif
