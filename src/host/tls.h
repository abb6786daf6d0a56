/*
 * tls.h - TLS over a task's TCP socket.
 *
 * The socket calls stay the host's own: OpenSSL works on memory, and the records it makes and
 * takes go through send(2) and recv(2) like any other bytes, stamped and recorded. Each function
 * below that takes a task is one call in the trace, named tls.client, tls.server, tls.handshake,
 * tls.send, tls.sendall, tls.recv or tls.close, whose arguments and result are the plaintext and
 * whose system calls move the records. The secrets that decrypt them are told as TRACE_SECRETS
 * before the first record that they encrypt.
 *
 * A failed call has, besides the errors of socket.h, one of enum error_code (support/error.h):
 * ERROR_CERTIFICATE when this end does not accept the peer's certificate, ERROR_TLS for an alert
 * from the peer or bytes that are no TLS, ERROR_TLS_EOF when the connection ends without a
 * close_notify (RFC 8446, section 6.1), which may be an attacker's doing.
 */
#ifndef HANDLENS_HOST_TLS_H
#define HANDLENS_HOST_TLS_H

#include "host/socket.h"
#include "support/buffer.h"

enum tls_version { TLS_VERSION_1_2 = 12, TLS_VERSION_1_3 = 13 };

/* Everything is borrowed until tls_start returns. Texts with data NULL are not given. */
struct tls_settings {
    bool server;
    /* Client: the name or literal address that the server's certificate must be for, and, a name,
     * what the Client Hello asks for. NULL: the peer's address. */
    const char *server_name;
    bool verify;          /* client: whether the server's certificate is verified */
    struct trace_text ca; /* client: PEM, the certificates to trust; not given: the system's */
    struct trace_text certificate, key; /* server: PEM; a chain, its own certificate first */
    struct trace_text alpn;             /* protocols in order, each behind its length, a byte */
    enum tls_version least, most;
};

/* Makes the socket speak TLS from now on; not a call. Returns false with error set (without a full
 * stop, to stand behind the call's name) if the settings are wrong, or the socket speaks it. */
bool tls_start(struct host_socket *socket, const struct tls_settings *settings,
               struct error *error);
bool tls_is_started(const struct host_socket *socket);

/*
 * name: the call's, one of the three above; lives for ever. This and the calls below are for
 * sockets that tls_start was called for. Closing the socket, by whatever call, ends its TLS.
 */
enum call_progress tls_handshake(struct task *task, struct host_socket *socket, const char *name);

/* As socket_send, socket_sendall and socket_recv, with plaintext. send takes at most one record's
 * (16 KiB); recv gives at most one record's, and its end of stream is a close_notify. */
enum call_progress tls_send(struct task *task, struct host_socket *socket, const void *bytes,
                            size_t length);
enum call_progress tls_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length);
enum call_progress tls_recv(struct task *task, struct host_socket *socket, size_t limit);

/*
 * Sends close_notify, waits for the peer's, and closes the socket. It waits at most a second, or
 * the socket's time-out if that is shorter: closing before the peer's has come would answer it
 * with an RST. What the peer sends meanwhile is dropped. Never
 * fails on the peer's account.
 */
enum call_progress tls_close(struct task *task, struct host_socket *socket);

/* Names are empty while they are not known. */
struct tls_info {
    char version[16];               /* "TLSv1.3" */
    char cipher[64];                /* "TLS_AES_256_GCM_SHA384" */
    char alpn[256];                 /* the protocol agreed upon */
    char subject[256], issuer[256]; /* of the peer's certificate: "CN=localhost" */
    bool established;               /* the handshake is over */
    bool verified;                  /* the peer's certificate was asked for and accepted */
};
/* Returns false if the socket speaks no TLS. */
bool tls_info(const struct host_socket *socket, struct tls_info *info);

struct tls_certificate_settings {
    const char *const *names; /* names and literal addresses; the first is the subject's too */
    size_t name_count;        /* at least 1 */
    double days;              /* valid for so long from now on; negative: expired so long ago */
};
/*
 * A new EC P-256 key, and a certificate for it that the key itself has signed, both as PEM.
 * Returns false with error set, without a full stop, if a name cannot stand in a certificate.
 */
bool tls_certificate_make(const struct tls_certificate_settings *settings,
                          struct buffer *certificate, struct buffer *key, struct error *error);

#endif
