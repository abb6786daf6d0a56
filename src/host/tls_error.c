/*
 * tls_error.c - OpenSSL's errors in words that say what the peer did.
 */
#include "host/tls_internal.h"

#include <openssl/err.h>
#include <stdio.h>

/* Every record begins with its type, 20 to 24, and a version whose first byte is 3. */
static bool is_tls(const struct tls_stream *stream)
{
    const uint8_t *first = stream->first;
    if (stream->first_length == 0)
        return true;
    return first[0] >= 20 && first[0] <= 24 && (stream->first_length < 2 || first[1] == 3);
}

static enum need fail_as_plain(struct task *task, const struct tls_stream *stream)
{
    char reason[160];
    struct buffer text = {0};
    text_quote(&text, stream->first, stream->first_length);
    snprintf(reason, sizeof reason, "the peer does not speak TLS, it said %.120s",
             buffer_text(&text));
    buffer_free(&text);
    return call_fail_because(task, ERROR_TLS, reason);
}

static enum need fail_by_certificate(struct task *task, const struct tls_stream *stream)
{
    char reason[160];
    long result = SSL_get_verify_result(stream->ssl);
    snprintf(reason, sizeof reason, "certificate verify failed: %s",
             X509_verify_cert_error_string(result));
    return call_fail_because(task, ERROR_CERTIFICATE, reason);
}

enum need tls_fail(struct task *task, const struct tls_stream *stream, int why)
{
    unsigned long code = ERR_peek_error();
    int number = ERR_GET_REASON(code);
    char reason[160];
    if (why == SSL_ERROR_ZERO_RETURN)
        return call_fail_because(task, ERROR_TLS_EOF, "the peer has said goodbye (close_notify)");
    if (!SSL_is_init_finished(stream->ssl) && !is_tls(stream))
        return fail_as_plain(task, stream);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && number == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return fail_by_certificate(task, stream);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && number > SSL_AD_REASON_OFFSET)
        snprintf(reason, sizeof reason, "the peer sent the alert \"%s\"",
                 SSL_alert_desc_string_long(number - SSL_AD_REASON_OFFSET));
    else
        snprintf(reason, sizeof reason, "%s",
                 code == 0 ? "TLS has failed on this socket before"
                           : ERR_reason_error_string(code));
    return call_fail_because(task, ERROR_TLS, reason);
}

enum need tls_fail_at_end(struct task *task, const struct tls_stream *stream)
{
    if (!SSL_is_init_finished(stream->ssl) && !is_tls(stream))
        return fail_as_plain(task, stream);
    return call_fail_because(task, ERROR_TLS_EOF,
                             SSL_is_init_finished(stream->ssl)
                                 ? "the peer closed the connection without close_notify"
                                 : "the peer closed the connection during the handshake");
}
