/*
 * open.h - a pcap handle, set up for a faithful live capture. For src/capture only.
 */
#ifndef HANDLENS_CAPTURE_OPEN_H
#define HANDLENS_CAPTURE_OPEN_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

#define CAPTURE_BLOCK      262144 /* bytes in a block of the ring, as libpcap makes them */
#define CAPTURE_BLOCK_TIME 1      /* ms after which the kernel closes a block that is not full */

/* How large a ring is made for the wanted number of bytes; 0 stands for the default. */
size_t capture_ring_size(size_t wanted);

/*
 * Opens interface in non-blocking mode with filter (or NULL) and a ring of that capture_ring_size.
 * Every packet is seen once. Returns NULL with error set; pcap_close frees it.
 */
pcap_t *capture_open(const char *interface, const char *filter, size_t ring, struct error *error);

/* Another filter for the handle (or NULL), which capture_open opened on interface. */
bool capture_filter(pcap_t *pcap, const char *interface, const char *filter, struct error *error);

/* The LINKTYPE_ number of the handle's packets, as files carry it. */
uint32_t capture_link_type(pcap_t *pcap);

#endif
