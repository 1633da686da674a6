/* The members of a request, for service/http only. */
#pragma once

#include "service/http/budget.h"
#include "service/http/request.h"

#include <stdint.h>

enum { RESPONSE_HEADERS_MAX = 24, REQUEST_ID_MAX = 64, TRACE_ID_LENGTH = 32, SPAN_ID_LENGTH = 16 };

typedef struct raw_request {
    const char *method;
    const char *target; /* as in the request line */
    const char *protocol;
    const contract_pair *headers;
    size_t header_count;
    size_t header_lines; /* as sent: `headers` joins repeated fields */
    bool has_body;       /* the headers announce a body, */
    bool chunked;        /* in chunks, */
    size_t announced;    /* or a body of this size */
    const char *body;    /* the received body; NULL when it was not stored */
    size_t body_size;
} raw_request;

struct request {
    arena *memory;
    app_context *context;
    raw_request raw;
    const char *path; /* the target without its query */
    const contract_pair *query;
    size_t query_count;
    contract_match match;
    const contract_operation *operation;
    principal principal;
    bool authenticated; /* principal is filled */
    bool admitted;      /* by request_admit: the body may follow */
    json_t *body;
    const contract_body *body_kind; /* the one of the operation's bodies that was sent */
    const char *media_type;         /* of a successful answer, as negotiated */
    budget_loan *loan;  /* the memory it holds; NULL: memory is not counted, as in unit tests */
    bool response_held; /* the loan includes memory for the answer */
    bool out_of_memory; /* the budget had no memory for the whole body */
    bool no_turn;       /* too many slow requests wait */
    char request_id[REQUEST_ID_MAX + 1];
    char trace_id[TRACE_ID_LENGTH + 1]; /* empty: the request belongs to no trace */
    char span_id[SPAN_ID_LENGTH + 1];   /* of this request within its trace */
    bool sampled;                       /* as traceparent says */
    int64_t started_us;

    int status;
    const char *content_type;
    const void *response;
    size_t response_size;
    bool is_compressed; /* the handler answered with gzip */
    bool is_exact;      /* the answer must not be compressed */
    contract_pair headers[RESPONSE_HEADERS_MAX];
    size_t header_count;
    bool close;
    const char *etag;
    const char *entity_tag;            /* set by the handler: no tag is computed then */
    struct MHD_Connection *connection; /* NULL: nothing to suspend, as in unit tests */
    struct long_poll *long_poll;       /* the request waits or has waited: see long_poll.h */
    audit_note audit;                  /* see request_audit_note */
    const char *problem;               /* code, for the log */
    const char *reason;                /* for the log only */
};

/* The phase at the headers: decides whether the body may follow. Returns false when the request is
 * answered already: with a problem, or because OPTIONS needs no more. */
bool request_admit(request *r);

/* The phase with the body: answers an admitted request, and completes every answer. Call it once
 * for each request after request_admit. */
void request_run(request *r);

/* Checks the headers that describe the body (coding, media type, length), and reserves memory for
 * it. Returns false when it answered with a problem. */
bool request_expect_body(request *r);

/* Parses the received body into r->body, after request_expect_body. Returns false when it answered
 * with a problem. */
bool request_read_body(request *r);

/* Takes memory from the budget in the client's name. Returns false when too little is left. */
bool request_hold_memory(request *r, size_t bytes);

/* Whether the method is GET or HEAD. */
bool request_is_read(const request *r);

/* The schema of the body that was sent (of one line, for a body of lines), and whether it has
 * lines. */
const contract_schema *request_body_schema(const request *r);
bool request_body_is_lines(const request *r);

/* Whether the contract allows only JSON as the body that was sent. */
bool request_body_is_json(const request *r);

/* Returns whether the admitted request belongs on a thread of its own: see slow_work.h. A long poll
 * does not, because it suspends its connection itself. */
bool request_is_slow(const request *r);

/* Sets ETag, 304, gzip and the headers of every answer. */
void response_finish(request *r);

/* Splits and decodes a query string. Returns false with one violation when it is malformed. */
bool query_parse(const char *text, contract_pair **pairs, size_t *count, violation_list *out,
                 arena *memory);

/* Removes the query from a target, for the HTTP library alone. The library would parse the query
 * again, into its 16 KiB for a connection; when they are used up (250 parameters) it neither
 * answers nor closes the connection. The service reads a copy of the whole target. */
void query_hide(char *target);

/* Random bytes for identifiers. */
void random_bytes(unsigned char *to, size_t size);

/* Reads traceparent. A valid one keeps its trace id and its flag `sampled`; an invalid one begins a
 * new trace that is not sampled; each request has a span id of its own. Without the header there is
 * no trace. */
void trace_begin(request *r);

/* The traceparent of the answer. */
const char *trace_parent(request *r);

/* Returns the fault in the framing or the headers of the request (security of intermediaries, RFC
 * 9112 section 6.3), or NULL. */
const char *framing_fault(const raw_request *request);

/* Fills in what the headers of a request without such a fault announce about its body. */
void framing_measure(raw_request *request);

/* Signed cursors: the key of a page's last item, bound to the operation and its filters. */
const char *cursor_make(request *r, const char *key, const char *filters);
/* Returns the key's JSON, or NULL when this service did not make the cursor for these filters. */
const char *cursor_read(request *r, const char *cursor, const char *filters);
/* The same for a list whose cursors come from several operations. */
const char *cursor_make_for(request *r, const char *list, const char *key, const char *filters);
const char *cursor_read_for(request *r, const char *list, const char *cursor, const char *filters);

/* Counts the answer and writes it to the log. */
void request_record(request *r);

/* Reads the row of a statement. Returns NULL when it answered with a problem. */
PGresult *run_read(request *r, const statement *statement, const char *const *parameters);

/* Answers with the items of a page, a JSON array, as CSV with the columns of the operation. */
void respond_items_csv(request *r, const char *items);

/* Chooses the media type of an answer by an Accept header (RFC 9110 section 12.5.1). `offered` ends
 * with NULL and begins with the service's own preference. Returns the type with the highest weight;
 * among equals the one that the header names most specifically, then the first. Without a header,
 * returns the first. Returns NULL when the header allows none. Ranges whose weight is not
 * well-formed do not count. */
const char *negotiate_media_type(const char *accept, const char *const *offered);

/* Returns whether an Accept-Encoding header names gzip, and does not prefer no compression (RFC
 * 9110 section 12.5.3). */
bool negotiate_gzip(const char *accept);

/* Compresses with gzip. The result lives in the request's memory; NULL when it would not be
 * smaller. */
const char *etag_of_bytes(const void *bytes, size_t size, const char *version, arena *memory);
const void *gzip_bytes(arena *memory, const void *bytes, size_t size, size_t *compressed);

/* Base64url without padding (RFC 4648 section 5). */
char *base64url_encode(const void *bytes, size_t size, arena *memory);
/* Returns NULL when the text is not canonical base64url. */
unsigned char *base64url_decode(const char *text, size_t *size, arena *memory);
