/* One request and its answer, as a handler sees them. */
#pragma once

#include "service/auth/principal.h"
#include "service/contract/contract.h"
#include "service/db/call.h"
#include "service/http/app_context.h"

#include <jansson.h>

/* The memory of the request: freed after the answer is sent. */
arena *request_memory(request *r);

app_context *request_context(request *r);

/* The caller; NULL without a token, in a handler of an operation that needs none. */
const principal *request_principal(const request *r);

/* A checked value of the path; NULL when the contract has no such parameter. */
const char *request_path_value(const request *r, const char *name);

/* A checked value of the query, or NULL when it was not sent. */
const char *request_query_value(const request *r, const char *name);

/* Returns the value of a header, or NULL. The case of the name does not matter. */
const char *request_header(const request *r, const char *name);

/* The media type, among those of the operation, that the request prefers by its Accept header: a
 * handler with several answers in it. NULL when the answer has no body. */
const char *request_media_type(const request *r);

/* The checked body with the contract's defaults; borrowed. NULL when there is no body. */
json_t *request_body(request *r);

/* The body as compact JSON text with sorted members. */
const char *request_body_text(request *r);

/* The body as it was received, and its media type, of an operation whose body is not JSON. */
const void *request_body_bytes(const request *r, size_t *size);
const char *request_body_type(const request *r);

/* The version that If-Match names, as text. -1 when the contract requires the header and it is
 * missing (428 by the function refuse_stale, after 404). NULL when the contract has none. */
const char *request_expected_version(request *r);

/* --- answering --- */

/* Sets a header of the answer. Both strings must live as long as the request. */
void response_set_header(request *r, const char *name, const char *value);

/* Returns the entity tag of bytes, for a cached answer. */
const char *response_etag_of(request *r, const void *bytes, size_t size);

/* Answers with this entity tag instead of computing one. It must live as long as the request. */
void response_set_etag(request *r, const char *tag);

/* Returns whether If-None-Match names the tag: then the answer will be 304 whatever its body. */
bool request_has_etag(request *r, const char *tag);

/* Answers with JSON text, which must live as long as the request. */
void respond(request *r, int status, const char *body);

/* Answers with bytes of another type. */
void respond_bytes(request *r, const char *type, const void *bytes, size_t size);

/* Takes memory from the budget for an answer of so many bytes, before the handler reads them.
 * Returns false when it answered with a problem. */
bool request_hold_answer(request *r, size_t size);

/* Answers with 200 or 206 and bytes that request_hold_answer has counted; they are sent as they
 * are, without compression. */
void respond_content(request *r, int status, const char *type, const void *bytes, size_t size);

/* Returns whether the answer must be CSV: by the parameter `format`, or by the Accept header. */
bool request_wants_csv(const request *r);

/* Answers with CSV, which a program saves as `name` with the date of today. */
void respond_csv(request *r, const char *name, const char *text, size_t length);

/* Answers with a problem (RFC 9457) of the catalogue. `detail` is a sentence, or NULL for the
 * default one of this problem. */
void respond_problem(request *r, const char *code, const char *detail);

/* The same with the list of violations. */
void respond_violations(request *r, const char *code, const violation_list *violations);

/* Answers that the request needs a token (401). */
void respond_token_missing(request *r);

/* Takes the request from the quotas of the caller; callers without a token share one. Returns false
 * when it answered with 429. */
bool request_limit_rate(request *r);

/* Answers with the error of the database. */
void respond_db_error(request *r, const db_error *error);

/* Records, for the log alone, why the request will be refused: a literal code, or NULL for none. */
void request_note_reason(request *r, const char *reason);

/* Returns the problem code for these violations of the contract. */
const char *violations_code(const violation_list *violations);

/* Returns the problem document for an error without answering with it (for a batch's items). */
json_t *problem_document(request *r, const char *code, const char *detail,
                         const violation_list *violations, const char *errors);

/* --- default handlers --- */

/* An operation without a handler in api/ has respond_get, respond_list, respond_page or
 * respond_submit: see service/contract/defaults.py. */

/* Reads one resource: the statement's row {version, body}; no row means 404. */
void respond_read(request *r, const statement *statement, const char *const *parameters);

/* Reads one resource as a page for browsers: the statement's row {body}. Returns false, after it
 * answered with a problem, when there is none. */
bool respond_read_page(request *r, const statement *statement, const char *const *parameters);

/* Reads a short list as a whole: the statement's row {items}; no row means 404. */
void respond_read_items(request *r, const statement *statement, const char *const *parameters);

/* Reads one page. The statement takes the path's values and the query's filters as a JSON object,
 * the cursor's key (or null) and the limit. It returns {items, next}; `next` is the last item's key
 * when there are more. */
void respond_page(request *r, const statement *list);

/* The same for the resource or the short list at the request's address: the statement takes the
 * values of the path in their order. */
void respond_get(request *r, const statement *statement);
void respond_list(request *r, const statement *statement);

/* Runs a statement that takes the values of the path in their order, and then, as far as it has
 * parameters for them: whether the resource must not exist yet (If-None-Match: *; 400 if If-Match
 * is sent too, RFC 9110 section 13.1), the expected version, and the body if there is one. */
void respond_submit(request *r, const statement *statement);

/* Reads a page of the change feed. The statement takes the position (or null), the limit, the
 * number up to which the feed is complete and whether the caller requests CloudEvents. It returns
 * {items, onward, more, topics}. When the page is empty and the query's `wait` allows, the request
 * waits until one of the topics may have something: then the handler runs again. */
void respond_feed(request *r, const statement *statement);

/* Reads a page of the present resources: {items, onward, feed}; `feed` says that `onward` is a
 * position of the feed at the path `feed_path`. */
void respond_snapshot(request *r, const statement *statement, const char *feed_path);

/* Runs a statement that returns a reply row {status, version, location, body}, once for an
 * Idempotency-Key. */
void respond_write(request *r, const statement *statement, const char *const *parameters);

/* The same without answering: returns false when it refused the request. */
bool run_write(request *r, const statement *statement, const char *const *parameters,
               db_reply *reply);
/* The answer's entry for the audit trail, as the contract defines it; NULL when the answer is not
 * recorded. */
const audit_note *request_audit_note(request *r);

/* The identifier of the request in the log and the audit trail. */
const char *request_identifier(const request *r);

/* Answers with a reply. */
void respond_reply(request *r, const db_reply *reply);

/* Reads the Idempotency-Key without its quotes, or NULL; its hash covers method, path and body. */
bool request_idempotency(request *r, db_idempotency *idempotency);
