/*
 * format.h - the numbers of a capture file, for the writer and the reader. For src/trace only.
 *
 * What they mean: trace/FORMAT.md.
 */
#ifndef HANDLENS_TRACE_FORMAT_H
#define HANDLENS_TRACE_FORMAT_H

#include <stdint.h>

/* Block types of pcapng. */
#define BLOCK_INTERFACE    UINT32_C(1)
#define BLOCK_OLD_PACKET   UINT32_C(2)
#define BLOCK_SIMPLE       UINT32_C(3)
#define BLOCK_STATISTICS   UINT32_C(5)
#define BLOCK_PACKET       UINT32_C(6)
#define BLOCK_SECRETS      UINT32_C(10)
#define BLOCK_SECTION      UINT32_C(0x0a0d0d0a)
#define SECTION_BYTE_ORDER UINT32_C(0x1a2b3c4d)

/* Options of pcapng. */
#define OPTION_END             0
#define OPTION_COMMENT         1
#define OPTION_APPLICATION     4  /* of a section */
#define OPTION_NAME            2  /* of an interface */
#define OPTION_TIME_RESOLUTION 9  /* of an interface */
#define OPTION_TIME_OFFSET     14 /* of an interface */
#define OPTION_RECEIVED        4  /* of statistics */
#define OPTION_DROPPED         5  /* of statistics */

/* Ours. The high bit says "local use"; the low half reads "HL" in a dump of the file. */
#define BLOCK_TRACE    UINT32_C(0x80004c48)
#define OPTION_TRACE   0xcc48
#define FORMAT_MARK    "handlens"
#define FORMAT_VERSION 1
/* Our option in an interface's description says whether a block of ours tells of it, or whether
 * it counts for nothing. */
#define INTERFACE_STANDS_IN 0
#define INTERFACE_TOLD      1
/* A field this long says its length once more, in 32 bits. */
#define FIELD_LONG 0xffff

/* Type, length, length: the least that any block has. */
#define BLOCK_OVERHEAD 12
/* A longer block is taken for damage. */
#define BLOCK_LIMIT (UINT32_C(16) << 20)
/* What the writer keeps to, so that every block stays below the limit. */
#define TEXT_LIMIT   (UINT32_C(1) << 20)
#define BYTES_LIMIT  (UINT32_C(8) << 20)
#define OPTION_LIMIT 65535

#endif
