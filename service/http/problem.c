/* The one place that turns an error into a problem document (RFC 9457). */
#include "service/contract/formats.h"
#include "service/contract/problems.h"
#include "service/hex.h"
#include "service/http/request_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const problem_kind *find_kind(const char *code) {
    for (size_t i = 0; i < problem_kind_count; i++) {
        if (strcmp(problem_kinds[i].code, code) == 0) {
            return &problem_kinds[i];
        }
    }
    return find_kind("internal");
}

static json_t *render_violation(const violation *one) {
    bool in_body = one->place == PLACE_BODY;
    bool in_parameter = !in_body && one->place != PLACE_STATE;
    return json_pack("{s:s?,s:s?,s:s,s:s,s:n}", "pointer", in_body ? one->name : NULL, "parameter",
                     in_parameter ? one->name : NULL, "rule", one->rule, "message", one->message,
                     "link");
}

/* Appends the faults that a database function named: {pointer or parameter, rule, message}, and
 * `link` if another resource causes the fault. */
static void append_faults(json_t *errors, const char *text) {
    json_t *faults = json_loads(text, 0, NULL);
    size_t index;
    json_t *fault;
    json_array_foreach (faults, index, fault) {
        const char *absent = json_object_get(fault, "parameter") == NULL ? "parameter" : "pointer";
        json_object_set_new(fault, absent, json_null());
        if (json_object_get(fault, "link") == NULL) {
            json_object_set_new(fault, "link", json_null());
        }
        json_array_append(errors, fault);
    }
    json_decref(faults);
}

/* Returns the fault as a sentence: the place and the message. */
static const char *describe_error(request *r, json_t *error) {
    const char *place = json_string_value(json_object_get(error, "pointer"));
    const char *parameter = json_string_value(json_object_get(error, "parameter"));
    const char *message = json_string_value(json_object_get(error, "message"));
    message = message == NULL ? "breaks a rule" : message;
    place = place == NULL ? parameter : *place == '\0' ? "The body" : place;
    size_t length = strlen(message);
    const char *end = length > 0 && strchr(".?!", message[length - 1]) != NULL ? "" : ".";
    return place == NULL ? arena_printf(r->memory, "%s%s", message, end)
                         : arena_printf(r->memory, "%s %s%s", place, message, end);
}

/* Returns what is wrong in this request, by its errors (RFC 9457, 3.1.4): clients often log the
 * detail alone. */
static const char *describe_errors(request *r, json_t *errors) {
    size_t others = json_array_size(errors) - 1;
    const char *first = describe_error(r, json_array_get(errors, 0));
    return others == 0 ? first
                       : arena_printf(r->memory, "%s %zu more error%s.", first, others,
                                      others == 1 ? "" : "s");
}

/* Returns the urn:uuid (RFC 9562, 4) of the request's identifier. An identifier of the client that
 * is no UUID gives one made of its hash (version 8). */
static const char *instance_of(request *r) {
    enum { UUID_SIZE = 16 };
    if (format_matches(FORMAT_UUID, r->request_id, strlen(r->request_id))) {
        return arena_printf(r->memory, "urn:uuid:%s", r->request_id);
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(r->request_id, strlen(r->request_id), digest, NULL, EVP_sha256(), NULL);
    char hex[2 * UUID_SIZE + 1];
    hex_write(digest, UUID_SIZE, hex);
    return arena_printf(r->memory, "urn:uuid:%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13,
                        hex + 17, hex + 20);
}

/* Returns the sentence of a problem that is explained by the operation alone; NULL for others. */
static const char *describe_operation(request *r, const char *code) {
    if (r->operation == NULL) {
        return NULL;
    }
    const char *path = r->operation->path;
    if (strcmp(code, "not_found") == 0) {
        return arena_printf(
            r->memory, "Nothing at %s has these identifiers, or the caller cannot see it.", path);
    }
    if (strcmp(code, "precondition_required") == 0) {
        return arena_printf(r->memory, "%s of %s needs the ETag of the resource in If-Match.",
                            r->operation->method, path);
    }
    if (strcmp(code, "version_stale") == 0) {
        const char *create = request_header(r, "If-None-Match");
        return arena_printf(r->memory,
                            create != NULL ? "%s exists already, although If-None-Match is *."
                                           : "If-Match does not name the current version of %s.",
                            path);
    }
    if (strcmp(code, "organisation_not_allowed") == 0) {
        return arena_printf(r->memory, "The register does not allow %s to the organisation %s.",
                            r->operation->id, r->principal.organisation);
    }
    return NULL;
}

static const char *describe_occurrence(request *r, const problem_kind *kind, json_t *errors) {
    if (json_array_size(errors) > 0) {
        return describe_errors(r, errors);
    }
    const char *detail = describe_operation(r, kind->code);
    return detail == NULL ? kind->meaning : detail;
}

json_t *problem_document(request *r, const char *code, const char *detail,
                         const violation_list *violations, const char *errors) {
    const problem_kind *kind = find_kind(code);
    json_t *list = json_array();
    for (const violation *one = violations == NULL ? NULL : violations->first; one != NULL;
         one = one->next) {
        json_array_append_new(list, render_violation(one));
    }
    if (errors != NULL) {
        append_faults(list, errors);
    }
    if (detail == NULL) {
        detail = describe_occurrence(r, kind, list);
    }
    const char *type =
        arena_printf(r->memory, "%s/v1/problems/%s", r->context->settings->public_url, kind->code);
    return json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:b,s:o}", "type", type, "title", kind->title,
                     "status", kind->status, "detail", detail, "instance", instance_of(r),
                     "request_id", r->request_id, "code", kind->code, "retryable", kind->retryable,
                     "errors", list);
}

static void answer_problem(request *r, const char *code, const char *detail,
                           const violation_list *violations, const char *errors) {
    const problem_kind *kind = find_kind(code);
    json_t *document = problem_document(r, code, detail, violations, errors);
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    r->status = kind->status;
    r->content_type = "application/problem+json";
    r->response = text == NULL ? "{}" : arena_strdup(r->memory, text);
    r->response_size = strlen(r->response);
    r->problem = kind->code;
    free(text);
    json_decref(document);
    if (kind->status == 503) {
        response_set_header(r, "Retry-After", "1");
    }
    if (kind->status == 409 && kind->retryable) {
        response_set_header(r, "Retry-After", "1");
    }
}

void respond_problem(request *r, const char *code, const char *detail) {
    answer_problem(r, code, detail, NULL, NULL);
}

void respond_violations(request *r, const char *code, const violation_list *violations) {
    answer_problem(r, code, NULL, violations, NULL);
}

void request_note_reason(request *r, const char *reason) {
    r->reason = reason;
}

void respond_db_error(request *r, const db_error *error) {
    const char *code = error->code == NULL ? "internal" : error->code;
    if (error->failure == DB_UNCERTAIN ||
        (error->failure == DB_UNAVAILABLE && error->sqlstate[0] != '\0')) {
        code = "database_unavailable";
    }
    if (r->reason == NULL && error->sqlstate[0] != '\0') {
        r->reason = arena_printf(r->memory, "SQLSTATE %s %s", error->sqlstate,
                                 error->constraint == NULL ? "" : error->constraint);
    }
    answer_problem(r, code, NULL, NULL, error->errors);
}
