/* The last step of every answer: entity tag, 304, compression and the headers that all answers
 * have. */
#include "service/http/exchange_parts.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

enum { TAG_BYTES = 9, GZIP_FROM = 1024 };

/* What stands before the closing quote of the tag of a compressed representation. */
static const char *const gzip_mark = ".gz";

/* For a year (RFC 6797): sent only where this service is the one that speaks TLS. */
static const char *const transport_policy = "max-age=31536000";

static const char *mark_compressed(exchange *x, const char *tag) {
    return arena_printf(x->memory, "%.*s%s\"", (int)strlen(tag) - 1, tag, gzip_mark);
}

/* Whether the field's list of entity tags names this one, compressed or not (RFC 9110 13.1.2). */
static bool names_tag(exchange *x, const char *field, const char *tag) {
    return strcmp(field, "*") == 0 || strstr(field, tag) != NULL ||
           strstr(field, mark_compressed(x, tag)) != NULL;
}

const char *exchange_tag_of(exchange *x, const void *bytes, size_t bytes_size) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(bytes, bytes_size, digest, &size, EVP_sha256(), NULL);
    return arena_printf(x->memory, "\"%s-%s\"", x->etag == NULL ? "0" : x->etag,
                        base64url_encode(digest, TAG_BYTES, x->memory));
}

void exchange_set_tag(exchange *x, const char *tag) {
    x->entity_tag = tag;
}

bool exchange_knows(exchange *x, const char *tag) {
    const char *known = exchange_header(x, "If-None-Match");
    return known != NULL && names_tag(x, known, tag);
}

bool exchange_is_read(const exchange *x) {
    return strcmp(x->request.method, "GET") == 0 || strcmp(x->request.method, "HEAD") == 0;
}

/* A read has an entity tag when the contract lets it be asked for with If-None-Match. */
static bool has_tag(const exchange *x) {
    if (x->status < 200 || x->status >= 300 || x->operation == NULL) {
        return false;
    }
    for (size_t i = 0; exchange_is_read(x) && i < x->operation->parameter_count; i++) {
        if (strcasecmp(x->operation->parameters[i].name, "If-None-Match") == 0) {
            return true;
        }
    }
    return !exchange_is_read(x) && x->etag != NULL;
}

static void tag(exchange *x) {
    if (!has_tag(x)) {
        return;
    }
    const char *entity_tag =
        x->entity_tag != NULL ? x->entity_tag : exchange_tag_of(x, x->answer, x->answer_size);
    exchange_set_header(x, "ETag", entity_tag);
    if (exchange_is_read(x) && exchange_knows(x, entity_tag)) {
        x->status = 304;
        x->answer_size = 0;
    }
}

/* Compressed bytes are another representation and have a tag of their own (RFC 9110
 * section 8.8.3.3). */
static void compress(exchange *x) {
    const char *accepted = exchange_header(x, "Accept-Encoding");
    if (x->answer_size < GZIP_FROM || !accept_gzip(accepted)) {
        return;
    }
    size_t size = 0;
    const void *compressed = gzip_bytes(x, x->answer, x->answer_size, &size);
    if (compressed == NULL) {
        return;
    }
    x->answer = compressed;
    x->answer_size = size;
    exchange_set_header(x, "Content-Encoding", "gzip");
    for (size_t i = 0; i < x->header_count; i++) {
        if (strcmp(x->headers[i].name, "ETag") == 0) {
            x->headers[i].value = mark_compressed(x, x->headers[i].value);
        }
    }
}

static bool has_header(const exchange *x, const char *name) {
    for (size_t i = 0; i < x->header_count; i++) {
        if (strcmp(x->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void exchange_finish(exchange *x) {
    tag(x);
    compress(x);
    if (x->answer_size > 0) {
        exchange_set_header(x, "Content-Type", x->content_type);
    }
    if (!has_header(x, "Cache-Control")) {
        exchange_set_header(x, "Cache-Control", "no-store");
    }
    exchange_set_header(x, "X-Request-Id", x->request_id);
    exchange_set_header(x, "X-Content-Type-Options", "nosniff");
    exchange_set_header(x, "Vary", "Accept, Accept-Encoding, Authorization");
    if (x->trace_id[0] != '\0') {
        exchange_set_header(x, "traceparent", trace_parent(x));
    }
    if (x->shared->settings->tls_key_file != NULL) {
        exchange_set_header(x, "Strict-Transport-Security", transport_policy);
    }
    if (x->close || atomic_load(&x->shared->draining)) {
        exchange_set_header(x, "Connection", "close");
    }
}
