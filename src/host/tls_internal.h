/*
 * tls_internal.h - what the files of TLS share.
 *
 *   tls_start.c        a stream's life: settings to OpenSSL's objects, and what they agreed upon
 *   tls.c              the calls
 *   tls_error.c        OpenSSL's errors in words
 *   tls_certificate.c  certificates made on the fly
 */
#ifndef HANDLENS_HOST_TLS_INTERNAL_H
#define HANDLENS_HOST_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "host/internal.h"
#include "host/tls.h"

/* A record's plaintext, and a record with its header (RFC 8446, section 5.2; in TLS 1.2 a little
 * more than in 1.3). */
#define TLS_PLAIN_LIMIT  16384
#define TLS_RECORD_LIMIT (16384 + 2048 + 5)

struct tls_stream {
    SSL *ssl;
    BIO *in, *out;         /* records that came, and those to send; owned by ssl */
    uint64_t sent;         /* bytes of records, in all */
    struct buffer secrets; /* key log lines not told yet */
    struct buffer alpn;    /* our protocols, as in struct tls_settings */
    uint8_t first[24];     /* the first bytes that came, to say what they are if they are no TLS */
    size_t first_length;
};

/* Ends the call with the error that OpenSSL has noted; why is SSL_get_error's. */
enum need tls_fail(struct task *task, const struct tls_stream *stream, int why);
/* The same for recv(2) having said that the connection has ended. */
enum need tls_fail_at_end(struct task *task, const struct tls_stream *stream);

#endif
