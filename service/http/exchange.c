/* One request and its answer: what a handler reads and sets. */
#include "service/http/exchange_parts.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

arena *exchange_memory(exchange *x) {
    return x->memory;
}

service *exchange_service(exchange *x) {
    return x->shared;
}

const principal *exchange_principal(const exchange *x) {
    return x->known ? &x->who : NULL;
}

const char *exchange_path_value(const exchange *x, const char *name) {
    for (size_t i = 0; i < x->match.value_count; i++) {
        if (strcmp(x->match.names[i], name) == 0) {
            return x->match.values[i];
        }
    }
    return NULL;
}

const char *exchange_query_value(const exchange *x, const char *name) {
    for (size_t i = 0; i < x->query_count; i++) {
        if (strcmp(x->query[i].name, name) == 0) {
            return x->query[i].value;
        }
    }
    return NULL;
}

const char *exchange_header(const exchange *x, const char *name) {
    for (size_t i = 0; i < x->request.header_count; i++) {
        if (strcasecmp(x->request.headers[i].name, name) == 0) {
            return x->request.headers[i].value;
        }
    }
    return NULL;
}

const char *exchange_media_type(const exchange *x) {
    return x->media_type;
}

bool exchange_hold(exchange *x, size_t bytes) {
    return x->loan == NULL ||
           budget_take(x->shared->memory, x->loan, x->who.organisation, x->who.client, bytes);
}

json_t *exchange_body(exchange *x) {
    return x->body;
}

const char *exchange_body_text(exchange *x) {
    size_t size = json_dumpb(x->body, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *text = arena_alloc(x->memory, size + 1);
    json_dumpb(x->body, text, size, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    return text;
}

static bool needs_version(const exchange *x) {
    for (size_t i = 0; i < x->operation->parameter_count; i++) {
        const contract_parameter *one = &x->operation->parameters[i];
        if (one->in == IN_HEADER && strcasecmp(one->name, "If-Match") == 0) {
            return true;
        }
    }
    return false;
}

/* An entity tag is "<version>-<hash of the representation>": changes compare the version alone, so
 * that a derived member (overdue, counts) never refuses a change that nobody raced. */
const char *exchange_expected_version(exchange *x) {
    const char *tag = exchange_header(x, "If-Match");
    if (tag == NULL) {
        return needs_version(x) ? "-1" : NULL;
    }
    size_t digits = *tag == '"' ? strspn(tag + 1, "0123456789") : 0;
    /* A tag that is none of ours matches no version; versions begin at 1. */
    return digits == 0 || digits > 18 ? "0" : arena_strndup(x->memory, tag + 1, digits);
}

void exchange_set_header(exchange *x, const char *name, const char *value) {
    for (size_t i = 0; i < x->header_count; i++) {
        if (strcmp(x->headers[i].name, name) == 0) {
            x->headers[i].value = value;
            return;
        }
    }
    if (x->header_count < ANSWER_HEADERS_MOST) {
        x->headers[x->header_count++] = (contract_pair){name, value};
    }
}

void exchange_answer(exchange *x, int status, const char *body) {
    x->status = status;
    x->content_type = "application/json";
    x->answer = body;
    x->answer_size = strlen(body);
}

void exchange_answer_bytes(exchange *x, const char *type, const void *bytes, size_t size) {
    x->status = 200;
    x->content_type = type;
    x->answer = bytes;
    x->answer_size = size;
}

const audit_note *exchange_audit(exchange *x) {
    const contract_operation *operation = x->operation;
    if (operation->audit == AUDIT_NONE) {
        return NULL;
    }
    x->audit = (audit_note){.operation = operation->id,
                            .kind = operation->audit == AUDIT_CHANGE ? "change" : "read",
                            .request = x->request_id,
                            .collection = operation->collection,
                            .id = x->match.value_count > 0 ? x->match.values[0] : NULL,
                            .part = x->match.value_count > 1 ? x->match.values[1] : NULL};
    return &x->audit;
}

const char *exchange_request_id(const exchange *x) {
    return x->request_id;
}

bool exchange_once(exchange *x, db_once *once) {
    const char *key = exchange_header(x, "Idempotency-Key");
    if (key == NULL) {
        return false;
    }
    size_t length = strlen(key);
    bool quoted = length >= 2 && key[0] == '"' && key[length - 1] == '"';
    once->key = quoted ? arena_strndup(x->memory, key + 1, length - 2) : key;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const char *text = arena_printf(x->memory, "%s %s\n%s", x->request.method, x->request.target,
                                    x->body == NULL ? "" : exchange_body_text(x));
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL);
    once->request_hash = base64url_encode(digest, size, x->memory);
    once->path = x->path;
    return true;
}
