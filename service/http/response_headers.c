/* The last step of every answer: entity tag, 304, compression and the headers that all answers
 * have. */
#include "service/http/cors.h"
#include "service/http/request_private.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

enum { TAG_BYTES = 9, GZIP_FROM = 1024 };

/* Follows the tag of the uncompressed representation, before the closing quote. */
static const char *const gzip_mark = ".gz";

/* One year (RFC 6797): sent only when this service itself terminates TLS. */
static const char *const transport_policy = "max-age=31536000";

static const char *mark_compressed(request *r, const char *tag) {
    return arena_printf(r->memory, "%.*s%s\"", (int)strlen(tag) - 1, tag, gzip_mark);
}

/* Returns whether the field's list of entity tags names this one, compressed or not (RFC 9110
 * 13.1.2). */
static bool names_tag(request *r, const char *field, const char *tag) {
    return strcmp(field, "*") == 0 || strstr(field, tag) != NULL ||
           strstr(field, mark_compressed(r, tag)) != NULL;
}

const char *etag_of_bytes(const void *bytes, size_t bytes_size, const char *version,
                          arena *memory) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(bytes, bytes_size, digest, &size, EVP_sha256(), NULL);
    return arena_printf(memory, "\"%s-%s\"", version, base64url_encode(digest, TAG_BYTES, memory));
}

const char *response_etag_of(request *r, const void *bytes, size_t bytes_size) {
    return etag_of_bytes(bytes, bytes_size, r->etag == NULL ? "0" : r->etag, r->memory);
}

void response_set_etag(request *r, const char *tag) {
    r->entity_tag = tag;
}

bool request_has_etag(request *r, const char *tag) {
    const char *known = request_header(r, "If-None-Match");
    return known != NULL && names_tag(r, known, tag);
}

bool request_is_read(const request *r) {
    return strcmp(r->raw.method, "GET") == 0 || strcmp(r->raw.method, "HEAD") == 0;
}

/* A read has an entity tag when the contract allows If-None-Match for it. */
static bool has_tag(const request *r) {
    if (r->status < 200 || r->status >= 300 || r->operation == NULL) {
        return false;
    }
    for (size_t i = 0; request_is_read(r) && i < r->operation->parameter_count; i++) {
        if (strcasecmp(r->operation->parameters[i].name, "If-None-Match") == 0) {
            return true;
        }
    }
    return !request_is_read(r) && r->etag != NULL;
}

static void tag(request *r) {
    if (!has_tag(r)) {
        return;
    }
    const char *entity_tag =
        r->entity_tag != NULL ? r->entity_tag : response_etag_of(r, r->response, r->response_size);
    response_set_header(r, "ETag", entity_tag);
    if (request_is_read(r) && request_has_etag(r, entity_tag)) {
        r->status = 304;
        r->response_size = 0;
    }
}

/* Compressed bytes are another representation and have a tag of their own (RFC 9110 section
 * 8.8.3.3). */
static void compress(request *r) {
    const char *accepted = request_header(r, "Accept-Encoding");
    if (r->is_exact) {
        return;
    }
    if (r->is_compressed ? r->response_size == 0
                         : r->response_size < GZIP_FROM || !negotiate_gzip(accepted)) {
        return;
    }
    size_t size = r->response_size;
    const void *compressed = r->is_compressed
                                 ? r->response
                                 : gzip_bytes(r->memory, r->response, r->response_size, &size);
    if (compressed == NULL) {
        return;
    }
    r->response = compressed;
    r->response_size = size;
    response_set_header(r, "Content-Encoding", "gzip");
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, "ETag") == 0) {
            r->headers[i].value = mark_compressed(r, r->headers[i].value);
        }
    }
}

static const char *response_header(const request *r, const char *name) {
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, name) == 0) {
            return r->headers[i].value;
        }
    }
    return NULL;
}

/* RFC 9745 and RFC 8594. The link leads to what the guide says about operations that end; a page of
 * a list has another link already. */
static void announce_end(request *r) {
    static const char end[] = "</docs/guide#versioning>; rel=\"deprecation sunset\"";
    if (r->operation == NULL || r->operation->deprecation == NULL) {
        return;
    }
    response_set_header(r, "Deprecation", r->operation->deprecation);
    response_set_header(r, "Sunset", r->operation->sunset);
    const char *other = response_header(r, "Link");
    response_set_header(r, "Link",
                        other == NULL ? end : arena_printf(r->memory, "%s, %s", other, end));
}

void response_finish(request *r) {
    tag(r);
    compress(r);
    if (r->response_size > 0) {
        response_set_header(r, "Content-Type", r->content_type);
    }
    if (response_header(r, "Cache-Control") == NULL) {
        response_set_header(r, "Cache-Control", "no-store");
    }
    response_set_header(r, "X-Request-Id", r->request_id);
    response_set_header(r, "X-Content-Type-Options", "nosniff");
    cors_allow_reading(r);
    announce_end(r);
    response_set_header(r, "Vary", "Accept, Accept-Encoding, Authorization, Origin");
    if (r->trace_id[0] != '\0') {
        response_set_header(r, "traceparent", trace_parent(r));
    }
    if (r->context->settings->tls_key_file != NULL) {
        response_set_header(r, "Strict-Transport-Security", transport_policy);
    }
    if (r->close || atomic_load(&r->context->draining)) {
        response_set_header(r, "Connection", "close");
    }
}
