/* One request and its answer, as a handler sees them. */
#pragma once

#include "service/auth/principal.h"
#include "service/contract/contract.h"
#include "service/db/call.h"
#include "service/http/service.h"

#include <jansson.h>

/* The memory of the request: freed after the answer is sent. */
arena *exchange_memory(exchange *x);

service *exchange_service(exchange *x);

/* Who asks; never NULL in a handler of an operation that needs a token. */
const principal *exchange_principal(const exchange *x);

/* A checked value of the path; NULL when the contract has no such parameter. */
const char *exchange_path_value(const exchange *x, const char *name);

/* A checked value of the query, or NULL when it was not sent. */
const char *exchange_query_value(const exchange *x, const char *name);

/* A header's value, or NULL. The name in any case. */
const char *exchange_header(const exchange *x, const char *name);

/* The one of the operation's media types that the request asks for with Accept: what a handler
 * answers with when there are several. NULL when the answer has no body. */
const char *exchange_media_type(const exchange *x);

/* The checked body with the contract's defaults; borrowed. NULL when there is none. */
json_t *exchange_body(exchange *x);

/* The body as compact JSON text with sorted members. */
const char *exchange_body_text(exchange *x);

/* The version that If-Match asks for, as text; -1 when the contract asks for the header and it is
 * missing (428 by the function refuse_stale, after 404); NULL when the contract has no such header.
 */
const char *exchange_expected_version(exchange *x);

/* --- answering --- */

/* Sets a header of the answer. Both strings have to live as long as the request. */
void exchange_set_header(exchange *x, const char *name, const char *value);

/* The entity tag of bytes, for an answer that is kept. */
const char *exchange_tag_of(exchange *x, const void *bytes, size_t size);

/* Answers with this entity tag instead of making one. It has to live as long as the request. */
void exchange_set_tag(exchange *x, const char *tag);

/* Whether If-None-Match names the tag: then the answer will be 304 whatever its body. */
bool exchange_knows(exchange *x, const char *tag);

/* Answers with JSON text, which has to live as long as the request. */
void exchange_answer(exchange *x, int status, const char *body);

/* Answers with bytes of another type. */
void exchange_answer_bytes(exchange *x, const char *type, const void *bytes, size_t size);

/* Answers with a problem (RFC 9457) of the catalogue; `detail` is a sentence or NULL for the kind's
 * own. */
void exchange_refuse(exchange *x, const char *code, const char *detail);

/* The same with what is wrong and where. */
void exchange_refuse_violations(exchange *x, const char *code, const violation_list *violations);

/* Answers with what the database refused. */
void exchange_refuse_error(exchange *x, const db_error *error);

/* Notes for the log alone why the request will be refused: a literal code, or NULL for nothing. */
void exchange_note_reason(exchange *x, const char *reason);

/* The problem code that fits violations of the contract. */
const char *exchange_code_of(const violation_list *violations);

/* The problem document for an error without answering with it (for a batch's items). */
json_t *exchange_problem(exchange *x, const char *code, const char *detail,
                         const violation_list *violations, const char *errors);

/* --- the usual ways of a handler --- */

/* Reads one resource: the statement's row {version, body}; no row is 404. */
void exchange_read(exchange *x, const statement *what, const char *const *parameters);

/* Reads a short list whole: the statement's row {items}; no row is 404. */
void exchange_read_items(exchange *x, const statement *what, const char *const *parameters);

/* Reads one page: the statement takes the path's values and the query's filters as a JSON object,
 * the cursor's key (or null) and the limit, and returns {items, next}: the last item's key when
 * there is more. */
void exchange_read_page(exchange *x, const statement *what);

/* The same for the resource or the short list at the request's address: the statement takes the
 * values of the path in their order. */
void exchange_get(exchange *x, const statement *what);
void exchange_get_items(exchange *x, const statement *what);

/* Runs a statement that takes the values of the path in their order, then what it has parameters
 * for: whether nothing may be there yet (If-None-Match: *; 400 when If-Match is there too, RFC 9110
 * section 13.1), the expected version, and always the body. */
void exchange_submit(exchange *x, const statement *what);
/* Reads a page of the change feed: the statement takes the position (or null), the limit, the
 * number up to which the feed is complete and whether CloudEvents are asked for, and returns
 * {items, onward, more, topics}. Where there is nothing and the query's `wait` allows, the request
 * is parked until there may be something in one of the topics: then the handler runs again. */
void exchange_read_feed(exchange *x, const statement *what);

/* Reads a page of what there is now: {items, onward, feed}; `feed` says that `onward` is a position
 * of the feed at the path `feed_path`. */
void exchange_read_snapshot(exchange *x, const statement *what, const char *feed_path);

/* Runs a statement that returns a reply row {status, version, location, body}, once for an
 * Idempotency-Key. */
void exchange_write(exchange *x, const statement *what, const char *const *parameters);

/* The same without answering: returns false when it refused. */
bool exchange_ask(exchange *x, const statement *what, const char *const *parameters,
                  db_reply *reply);
/* What the audit trail is told of the answer, as the contract says; NULL when it is not recorded.
 */
const audit_note *exchange_audit(exchange *x);

/* The identifier of the request, as the log and the audit trail have it. */
const char *exchange_request_id(const exchange *x);

/* Answers with a reply. */
void exchange_answer_reply(exchange *x, const db_reply *reply);

/* The Idempotency-Key without its quotes, or NULL; its hash covers method, path and body. */
bool exchange_once(exchange *x, db_once *once);
