/* One request and its answer: the values that a handler reads and sets. */
#include "service/http/request_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

arena *request_memory(request *r) {
    return r->memory;
}

app_context *request_context(request *r) {
    return r->context;
}

const principal *request_principal(const request *r) {
    return r->authenticated ? &r->principal : NULL;
}

const char *request_path_value(const request *r, const char *name) {
    for (size_t i = 0; i < r->match.value_count; i++) {
        if (strcmp(r->match.names[i], name) == 0) {
            return r->match.values[i];
        }
    }
    return NULL;
}

const char *request_query_value(const request *r, const char *name) {
    for (size_t i = 0; i < r->query_count; i++) {
        if (strcmp(r->query[i].name, name) == 0) {
            return r->query[i].value;
        }
    }
    return NULL;
}

const char *request_header(const request *r, const char *name) {
    for (size_t i = 0; i < r->raw.header_count; i++) {
        if (strcasecmp(r->raw.headers[i].name, name) == 0) {
            return r->raw.headers[i].value;
        }
    }
    return NULL;
}

const char *request_media_type(const request *r) {
    return r->media_type;
}

bool request_hold_memory(request *r, size_t bytes) {
    return r->loan == NULL || budget_take(r->context->memory, r->loan, r->principal.organisation,
                                          r->principal.client, bytes);
}

json_t *request_body(request *r) {
    return r->body;
}

const char *request_body_text(request *r) {
    size_t size = json_dumpb(r->body, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *text = arena_alloc(r->memory, size + 1);
    json_dumpb(r->body, text, size, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    return text;
}

static bool needs_version(const request *r) {
    for (size_t i = 0; i < r->operation->parameter_count; i++) {
        const contract_parameter *one = &r->operation->parameters[i];
        if (one->in == IN_HEADER && strcasecmp(one->name, "If-Match") == 0) {
            return true;
        }
    }
    return false;
}

/* An entity tag is "<version>-<hash of the representation>". Changes compare the version alone, so
 * that a derived member (overdue, counts) never refuses a change without a real conflict. */
const char *request_expected_version(request *r) {
    const char *tag = request_header(r, "If-Match");
    if (tag == NULL) {
        return needs_version(r) ? "-1" : NULL;
    }
    size_t digits = *tag == '"' ? strspn(tag + 1, "0123456789") : 0;
    /* A tag that this service did not make matches no version; versions begin at 1. */
    return digits == 0 || digits > 18 ? "0" : arena_strndup(r->memory, tag + 1, digits);
}

void response_set_header(request *r, const char *name, const char *value) {
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, name) == 0) {
            r->headers[i].value = value;
            return;
        }
    }
    if (r->header_count < RESPONSE_HEADERS_MAX) {
        r->headers[r->header_count++] = (contract_pair){name, value};
    }
}

void respond(request *r, int status, const char *body) {
    r->status = status;
    r->content_type = "application/json";
    r->response = body;
    r->response_size = strlen(body);
}

void respond_bytes(request *r, const char *type, const void *bytes, size_t size) {
    r->status = 200;
    r->content_type = type;
    r->response = bytes;
    r->response_size = size;
}

const void *request_body_bytes(const request *r, size_t *size) {
    *size = r->raw.body_size;
    return r->raw.body;
}

const char *request_body_type(const request *r) {
    return r->body_kind->media_type;
}

bool request_hold_answer(request *r, size_t size) {
    enum { COPIES = 2 }; /* one is made here, and one stays until the client has read it */
    r->response_held = request_hold_memory(r, COPIES * size);
    if (!r->response_held) {
        respond_problem(r, "overloaded", NULL);
    }
    return r->response_held;
}

void respond_content(request *r, int status, const char *type, const void *bytes, size_t size) {
    respond_bytes(r, type, bytes, size);
    r->status = status;
    r->is_exact = true;
}

const audit_note *request_audit_note(request *r) {
    const contract_operation *operation = r->operation;
    if (operation->audit == AUDIT_NONE) {
        return NULL;
    }
    r->audit = (audit_note){.operation = operation->id,
                            .kind = operation->audit == AUDIT_CHANGE ? "change" : "read",
                            .request = r->request_id,
                            .collection = operation->collection,
                            .id = r->match.value_count > 0 ? r->match.values[0] : NULL,
                            .part = r->match.value_count > 1 ? r->match.values[1] : NULL};
    return &r->audit;
}

const char *request_identifier(const request *r) {
    return r->request_id;
}

bool request_idempotency(request *r, db_idempotency *idempotency) {
    const char *key = request_header(r, "Idempotency-Key");
    if (key == NULL) {
        return false;
    }
    size_t length = strlen(key);
    bool quoted = length >= 2 && key[0] == '"' && key[length - 1] == '"';
    idempotency->key = quoted ? arena_strndup(r->memory, key + 1, length - 2) : key;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const char *text = arena_printf(r->memory, "%s %s\n%s", r->raw.method, r->raw.target,
                                    r->body == NULL ? "" : request_body_text(r));
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL);
    idempotency->request_hash = base64url_encode(digest, size, r->memory);
    idempotency->path = r->path;
    return true;
}
