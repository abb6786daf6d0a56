/*
 * tls_certificate.c - certificates made on the fly, for labs that bring none.
 */
#include <ctype.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "host/tls.h"

enum { SECONDS_PER_HOUR = 3600, SECONDS_PER_DAY = 86400 };

/* What stands in a name, so that it cannot add another field to the extension's text. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 64)
        return false;
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("-_.:*", *at) == NULL)
            return false;
    return true;
}

/* "DNS:localhost,IP:127.0.0.1" */
static bool list_names(const struct tls_certificate_settings *settings, struct buffer *list,
                       struct error *error)
{
    struct address address;
    for (size_t i = 0; i < settings->name_count; i++) {
        const char *name = settings->names[i];
        bool literal = is_name(name) && address_parse_host(name, &address);
        if (!is_name(name) || (!literal && strchr(name, ':') != NULL))
            return error_set(error, STATUS_USAGE, "'%.100s' is no name for a certificate", name);
        buffer_printf(list, "%s%s:%s", i == 0 ? "" : ",", literal ? "IP" : "DNS", name);
    }
    return !list->failed || error_out_of_memory(error);
}

static bool add_extension(X509 *certificate, int which, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    if (extension == NULL)
        return false;
    bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* From an hour before now (or before its end) on, so that no clock is behind it. */
static bool set_validity(X509 *certificate, double days)
{
    int whole = (int)days;
    long seconds = (long)((days - whole) * SECONDS_PER_DAY);
    int first = whole < 0 || seconds < 0 ? whole : 0;
    long first_seconds = (seconds < 0 ? seconds : 0) - SECONDS_PER_HOUR;
    return X509_time_adj_ex(X509_getm_notBefore(certificate), first, first_seconds, NULL) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), whole, seconds, NULL) != NULL;
}

static bool set_serial(X509 *certificate)
{
    uint64_t serial;
    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

static bool set_name(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

static X509 *make(const struct tls_certificate_settings *settings, const char *names, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) && set_validity(certificate, settings->days) &&
        set_name(certificate, settings->names[0]) && X509_set_pubkey(certificate, key) == 1 &&
        add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
        add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
        add_extension(certificate, NID_subject_key_identifier, "hash") &&
        add_extension(certificate, NID_subject_alt_name, names) &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static bool copy_out(BIO *writer, struct buffer *text)
{
    char *bytes;
    long length = BIO_get_mem_data(writer, &bytes);
    if (length > 0)
        buffer_append(text, bytes, (size_t)length);
    return length > 0 && !text->failed;
}

static bool write_pem(X509 *certificate, EVP_PKEY *key, struct buffer *certificate_text,
                      struct buffer *key_text)
{
    BIO *first = BIO_new(BIO_s_mem()), *second = BIO_new(BIO_s_mem());
    bool done = first != NULL && second != NULL && PEM_write_bio_X509(first, certificate) == 1 &&
                PEM_write_bio_PrivateKey(second, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                copy_out(first, certificate_text) && copy_out(second, key_text);
    BIO_free(first);
    BIO_free(second);
    return done;
}

bool tls_certificate_make(const struct tls_certificate_settings *settings,
                          struct buffer *certificate, struct buffer *key, struct error *error)
{
    struct buffer names = {0};
    bool done = list_names(settings, &names, error);
    if (done) {
        EVP_PKEY *made_key = EVP_EC_gen("P-256");
        X509 *made = made_key == NULL ? NULL : make(settings, buffer_text(&names), made_key);
        done = made != NULL && write_pem(made, made_key, certificate, key);
        if (!done)
            error_set(error, STATUS_NOT_ALLOWED, "OpenSSL could not make a certificate");
        X509_free(made);
        EVP_PKEY_free(made_key);
    }
    buffer_free(&names);
    return done;
}
