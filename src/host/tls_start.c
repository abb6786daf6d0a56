#include "host/tls_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* SSL's own number for a version. */
static int version_number(enum tls_version version)
{
    return version == TLS_VERSION_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

static void note_secret(const SSL *ssl, const char *line)
{
    struct tls_stream *stream = SSL_get_app_data(ssl);
    buffer_append_text(&stream->secrets, line);
    buffer_append_byte(&stream->secrets, '\n');
}

static BIO *reader_of(struct trace_text text)
{
    return text.length > INT32_MAX ? NULL : BIO_new_mem_buf(text.data, (int)text.length);
}

/* The passphrase of whatever has one: nobody is asked. */
static char no_passphrase[] = "";

/* Reads all certificates of the text. Returns how many, or -1 if one cannot be taken. */
static int each_certificate(struct trace_text text, bool (*take)(SSL_CTX *, X509 *, int),
                            SSL_CTX *context)
{
    BIO *reader = reader_of(text);
    if (reader == NULL)
        return -1;
    int count = 0;
    X509 *certificate;
    while (count >= 0 &&
           (certificate = PEM_read_bio_X509(reader, NULL, NULL, no_passphrase)) != NULL) {
        count = take(context, certificate, count) ? count + 1 : -1;
        X509_free(certificate);
    }
    BIO_free(reader);
    /* The text's end is a failure to find the next one, and a broken one is no end. */
    unsigned long last = ERR_peek_last_error();
    if (count >= 0 && ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        count = -1;
    ERR_clear_error();
    return count;
}

static bool take_trusted(SSL_CTX *context, X509 *certificate, int nth)
{
    (void)nth;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1;
}

static bool take_own(SSL_CTX *context, X509 *certificate, int nth)
{
    if (nth == 0)
        return SSL_CTX_use_certificate(context, certificate) == 1;
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

static bool use_key(SSL_CTX *context, struct trace_text text, struct error *error)
{
    BIO *reader = reader_of(text);
    EVP_PKEY *key =
        reader == NULL ? NULL : PEM_read_bio_PrivateKey(reader, NULL, NULL, no_passphrase);
    BIO_free(reader);
    if (key == NULL)
        return error_set(error, STATUS_USAGE, "the key is no private key in PEM");
    bool fits =
        SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    if (!fits)
        return error_set(error, STATUS_USAGE, "the key does not belong to the certificate");
    return true;
}

/* The first of our own protocols that the client offers too. */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *length,
                           const unsigned char *offered, unsigned int offered_length, void *data)
{
    const struct tls_stream *stream = SSL_get_app_data(ssl);
    unsigned char *found;
    (void)data;
    if (SSL_select_next_proto(&found, length, stream->alpn.data, (unsigned)stream->alpn.length,
                              offered, offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up_server(SSL_CTX *context, const struct tls_settings *settings,
                          struct error *error)
{
    /* Nobody here resumes a session, and tickets that a client closes without having read would
     * make its kernel answer them with an RST. */
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    if (settings->alpn.length > 0)
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (each_certificate(settings->certificate, take_own, context) < 1)
        return error_set(error, STATUS_USAGE, "the certificate is no certificate in PEM");
    return use_key(context, settings->key, error);
}

static bool set_up_client(SSL_CTX *context, const struct tls_settings *settings,
                          struct error *error)
{
    SSL_CTX_set_verify(context, settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (settings->alpn.length > 0 &&
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)settings->alpn.data,
                                (unsigned)settings->alpn.length) != 0)
        return error_set(error, STATUS_USAGE, "the protocols cannot be offered");
    if (settings->ca.data == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1 ||
               error_set(error, STATUS_USAGE, "the system's certificates cannot be read");
    if (each_certificate(settings->ca, take_trusted, context) < 1)
        return error_set(error, STATUS_USAGE, "ca has no certificate in PEM");
    return true;
}

/* Whom the client expects: in the certificate, and if it is a name, in the Client Hello. */
static bool expect_peer(SSL *ssl, const struct host_socket *socket,
                        const struct tls_settings *settings, struct error *error)
{
    char text[ADDRESS_TEXT], asked[256]; /* no name is longer */
    struct address address;
    const char *name = settings->server_name;
    if (name == NULL)
        name = socket->remote.family == 0 ? "" : address_format_host(&socket->remote, text);
    bool set;
    if (address_parse_host(name, &address)) {
        address.scope = 0;
        set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
                                            address_format_host(&address, text)) == 1;
    } else {
        int length = snprintf(asked, sizeof asked, "%s", name);
        set = length > 0 && (size_t)length < sizeof asked && SSL_set1_host(ssl, asked) == 1 &&
              SSL_set_tlsext_host_name(ssl, asked) == 1;
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    }
    return set || error_set(error, STATUS_USAGE, "'%.100s' cannot be a server's name", name);
}

static SSL_CTX *make_context(const struct tls_settings *settings, struct error *error)
{
    SSL_CTX *context = SSL_CTX_new(settings->server ? TLS_server_method() : TLS_client_method());
    if (context == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_keylog_callback(context, note_secret);
    bool made = SSL_CTX_set_min_proto_version(context, version_number(settings->least)) == 1 &&
                SSL_CTX_set_max_proto_version(context, version_number(settings->most)) == 1;
    if (!made)
        error_set(error, STATUS_USAGE, "these versions of TLS are not to be had here");
    else
        made = settings->server ? set_up_server(context, settings, error)
                                : set_up_client(context, settings, error);
    if (made)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* Takes the reference to the context, which lives as long as the stream. */
static bool fill_stream(struct tls_stream *stream, SSL_CTX *context,
                        const struct host_socket *socket, const struct tls_settings *settings,
                        struct error *error)
{
    stream->ssl = SSL_new(context);
    SSL_CTX_free(context);
    stream->in = BIO_new(BIO_s_mem());
    stream->out = BIO_new(BIO_s_mem());
    buffer_append(&stream->alpn, settings->alpn.data, settings->alpn.length);
    if (stream->ssl == NULL || stream->in == NULL || stream->out == NULL || stream->alpn.failed) {
        BIO_free(stream->in);
        BIO_free(stream->out);
        return error_out_of_memory(error);
    }
    SSL_set_bio(stream->ssl, stream->in, stream->out);
    SSL_set_app_data(stream->ssl, stream);
    if (settings->server) {
        SSL_set_accept_state(stream->ssl);
        return true;
    }
    SSL_set_connect_state(stream->ssl);
    return expect_peer(stream->ssl, socket, settings, error);
}

bool tls_start(struct host_socket *socket, const struct tls_settings *settings, struct error *error)
{
    if (socket->tls != NULL)
        return error_set(error, STATUS_USAGE, "this socket speaks TLS already");
    if (socket->transport != TRACE_TCP)
        return error_set(error, STATUS_USAGE, "TLS needs a TCP socket");
    ERR_clear_error();
    SSL_CTX *context = make_context(settings, error);
    struct tls_stream *stream = context == NULL ? NULL : calloc(1, sizeof *stream);
    if (stream == NULL) {
        SSL_CTX_free(context);
        ERR_clear_error();
        return context == NULL ? false : error_out_of_memory(error);
    }
    if (!fill_stream(stream, context, socket, settings, error)) {
        tls_free(stream);
        return false;
    }
    socket->tls = stream;
    return true;
}

bool tls_is_started(const struct host_socket *socket)
{
    return socket->tls != NULL;
}

void tls_free(struct tls_stream *stream)
{
    if (stream == NULL)
        return;
    SSL_free(stream->ssl);
    buffer_free(&stream->secrets);
    buffer_free(&stream->alpn);
    free(stream);
}

static void write_name(const X509_NAME *name, char *text, size_t room)
{
    BIO *writer = BIO_new(BIO_s_mem());
    if (writer == NULL)
        return;
    X509_NAME_print_ex(writer, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    int length = BIO_read(writer, text, (int)room - 1);
    text[length < 0 ? 0 : length] = '\0';
    BIO_free(writer);
}

bool tls_info(const struct host_socket *socket, struct tls_info *info)
{
    *info = (struct tls_info){0};
    if (socket->tls == NULL)
        return false;
    const SSL *ssl = socket->tls->ssl;
    info->established = SSL_is_init_finished(ssl);
    if (!info->established)
        return true;
    snprintf(info->version, sizeof info->version, "%s", SSL_get_version(ssl));
    snprintf(info->cipher, sizeof info->cipher, "%s", SSL_get_cipher_name(ssl));
    const unsigned char *protocol;
    unsigned int length;
    SSL_get0_alpn_selected(ssl, &protocol, &length);
    if (length > 0 && length < sizeof info->alpn)
        memcpy(info->alpn, protocol, length);
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate != NULL) {
        write_name(X509_get_subject_name(certificate), info->subject, sizeof info->subject);
        write_name(X509_get_issuer_name(certificate), info->issuer, sizeof info->issuer);
        info->verified = (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 &&
                         SSL_get_verify_result(ssl) == X509_V_OK;
    }
    return true;
}

void tls_agreed_text(const struct host_socket *socket, struct buffer *text)
{
    struct tls_info info;
    if (socket != NULL && tls_info(socket, &info) && info.established)
        buffer_printf(text, "%s, %s", info.version, info.cipher);
}
