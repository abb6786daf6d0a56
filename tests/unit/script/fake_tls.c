/*
 * host/tls.h without TLS; a part of fake_host.c.
 */
bool tls_start(struct host_socket *socket, const struct tls_settings *settings, struct error *error)
{
    if (socket->tls)
        return error_set(error, STATUS_USAGE, "this socket speaks TLS already");
    socket->tls = true;
    buffer_printf(&fake.log, "tls %s %s verify %d ca %zu cert %.10s key %.10s alpn %zu %d-%d\n",
                  settings->server ? "server" : "client",
                  settings->server_name == NULL ? "-" : settings->server_name, settings->verify,
                  settings->ca.length,
                  settings->certificate.data == NULL ? "-" : settings->certificate.data,
                  settings->key.data == NULL ? "-" : settings->key.data, settings->alpn.length,
                  settings->least, settings->most);
    return true;
}

enum call_progress tls_handshake(struct task *task, struct host_socket *socket, const char *name)
{
    enum call_progress progress = call(task, name, "", true);
    socket->greeted = task->result.error == 0;
    return progress;
}

enum call_progress tls_send(struct task *task, struct host_socket *socket, const void *bytes,
                            size_t length)
{
    (void)socket;
    return send_call(task, "tls.send", bytes, length);
}

enum call_progress tls_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length)
{
    (void)socket;
    return send_call(task, "tls.sendall", bytes, length);
}

enum call_progress tls_recv(struct task *task, struct host_socket *socket, size_t limit)
{
    char text[24];
    (void)socket;
    snprintf(text, sizeof text, "%zu", limit);
    enum call_progress progress = call(task, "tls.recv", text, true);
    if (task->result.error == 0)
        feed(&task->result);
    return progress;
}

enum call_progress tls_close(struct task *task, struct host_socket *socket)
{
    socket->open = socket->tls = false;
    return call(task, "tls.close", "", true);
}

bool tls_info(const struct host_socket *socket, struct tls_info *info)
{
    *info = (struct tls_info){.version = "TLSv1.3",
                              .cipher = "TLS_AES_256_GCM_SHA384",
                              .alpn = "http/1.1",
                              .subject = "CN=localhost",
                              .issuer = "CN=localhost",
                              .established = socket->greeted,
                              .verified = true};
    return socket->tls;
}
