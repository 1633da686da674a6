/* How one request passes through the HTTP library: what is decided at its headers, where its body
 * is stored, and how its answer is sent.
 *
 * libmicrohttpd calls admission_handle (see intercept.c) when the headers are complete, for each
 * piece of the body, and at the end. A request that is refused at its headers is answered in the
 * first call: its body is not read, libmicrohttpd sends no "100 Continue", and the connection ends
 * with the answer. A request without a body is answered in the last call, which follows at once and
 * keeps the connection open. A body of stated length takes its memory from the budget before its
 * first byte. A chunked body takes more as it grows; if it grows too large, the stored part is
 * freed and the rest is discarded. ulfius never sees a piece of a body.
 *
 * keep_piece() is the only function that stores a body: an operation that takes its body as a
 * stream would receive the pieces there.
 *
 * In the last call, a slow request suspends its connection and runs on a thread of its own (see
 * slow_work.h). libmicrohttpd then makes the last call again, in which the answer is given. */
#include "service/http/admission.h"

#include "service/http/connection_table.h"
#include "service/http/long_poll.h"
#include "service/http/request_private.h"
#include "service/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    LONG_POLL_BLOCK = 4096,
    FIELDS_MAX = 128, /* more than framing_fault lets through */
    CHUNKS_FIRST = 16 * 1024,
    DISCARDED_MAX = 16 * 1024 * 1024,
    TRIMMED_FROM = 1024 * 1024
};

/* A request between its first line and the end of its answer. */
typedef struct incoming {
    void *inner; /* ulfius's struct connection_info_struct */
    bool begun;  /* the headers came */
    request *r;  /* NULL before the headers, after the answer, and on the admin port */
    char *body;
    size_t capacity;
    budget_loan loan;
    slow_job job; /* of a slow request */
    bool ran;     /* the request ran; its answer is not given yet */
} incoming;

/* The request for which ulfius is called: its endpoint has no other way to find it. */
static _Thread_local incoming *under_way;

/* --- memory: each worker thread keeps one arena for its next request --- */

static pthread_key_t spare_key;
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;

static void free_spare(void *memory) {
    arena_free(memory);
}

static void make_spare_key(void) {
    pthread_key_create(&spare_key, free_spare);
}

static arena *take_memory(void) {
    pthread_once(&spare_once, make_spare_key);
    arena *memory = pthread_getspecific(spare_key);
    pthread_setspecific(spare_key, NULL);
    return memory != NULL ? memory : arena_new();
}

static void give_memory_back(arena *memory) {
    if (pthread_getspecific(spare_key) != NULL) {
        arena_free(memory);
        return;
    }
    arena_reset(memory);
    pthread_setspecific(spare_key, memory);
}

/* --- the headers --- */

typedef struct field_list {
    contract_pair *pairs;
    size_t count, lines;
    arena *memory;
} field_list;

/* Joins repeated fields with a comma (RFC 9110 section 5.3). */
static enum MHD_Result add_field(void *list, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    (void)kind;
    field_list *fields = list;
    const char *text = value == NULL ? "" : value;
    if (++fields->lines > FIELDS_MAX) {
        return MHD_NO; /* enough for the request to be refused */
    }
    for (size_t i = 0; i < fields->count; i++) {
        contract_pair *one = &fields->pairs[i];
        if (strcasecmp(one->name, name) == 0) {
            one->value = arena_printf(fields->memory, "%s,%s", one->value, text);
            return MHD_YES;
        }
    }
    fields->pairs[fields->count++] = (contract_pair){name, text};
    return MHD_YES;
}

static const char *raw_target(const incoming *one) {
    return ((const struct connection_info_struct *)one->inner)->request->http_url;
}

static request *make_request(incoming *one, app_context *context, struct MHD_Connection *connection,
                             const char *method, const char *version) {
    arena *memory = take_memory();
    field_list fields = {.pairs = arena_alloc(memory, FIELDS_MAX * sizeof *fields.pairs),
                         .memory = memory};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, &fields);
    request *r = arena_alloc(memory, sizeof *r);
    *r = (request){.memory = memory,
                   .context = context,
                   .connection = connection,
                   .loan = &one->loan,
                   .raw = {.method = method,
                           .target = raw_target(one),
                           .protocol = version,
                           .headers = fields.pairs,
                           .header_count = fields.count,
                           .header_lines = fields.lines}};
    return r;
}

/* Returns whether libmicrohttpd would read a body, or ask for one with "100 Continue". */
static bool expects_more(struct MHD_Connection *connection) {
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length != NULL && strspn(length, "0") < strlen(length)) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT) != NULL;
}

static enum MHD_Result call_inner(const admission *at, incoming *one,
                                  struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version) {
    size_t nothing = 0;
    return at->inner.call(at->inner.argument, connection, url, method, version, NULL, &nothing,
                          &one->inner);
}

/* --- the body --- */

static void forget_body(incoming *one) {
    free(one->body);
    one->body = NULL;
    one->capacity = 0;
}

/* Allocates memory for the announced body, or for more chunks. Returns false when the budget has
 * too little left. */
static bool make_room(incoming *one, size_t wanted) {
    const raw_request *request = &one->r->raw;
    size_t max = one->r->operation->max_bytes;
    size_t capacity = request->announced;
    if (request->chunked) {
        capacity = one->capacity == 0 ? CHUNKS_FIRST : 2 * one->capacity;
        capacity = capacity < wanted ? wanted : capacity;
        capacity = capacity > max ? max : capacity;
        if (!request_hold_memory(one->r, capacity - one->capacity)) {
            return false;
        }
    }
    char *larger = memory_get(capacity);
    if (one->body != NULL) {
        memcpy(larger, one->body, request->body_size);
    }
    free(one->body);
    one->body = larger;
    one->capacity = capacity;
    return true;
}

/* Stores a piece of the body. A body that is too large is only counted, and request_read_body
 * refuses the request. Returns false when so much arrived that the connection need not stay open
 * for the answer. */
static bool keep_piece(incoming *one, const char *piece, size_t size) {
    request *r = one->r;
    size_t before = r->raw.body_size;
    size_t after = before + size;
    bool fits = !r->out_of_memory && after <= r->operation->max_bytes;
    if (fits && after > one->capacity) {
        r->out_of_memory = !make_room(one, after);
        fits = !r->out_of_memory;
    }
    if (fits) {
        memcpy(one->body + before, piece, size);
    } else {
        forget_body(one);
    }
    r->raw.body_size = after;
    r->raw.body = one->body;
    return fits || after <= DISCARDED_MAX;
}

/* --- the answer --- */

static void give_answer(const request *r, struct _u_response *response) {
    response->status = (unsigned int)r->status;
    for (size_t i = 0; i < r->header_count; i++) {
        u_map_put(response->map_header, r->headers[i].name, r->headers[i].value);
    }
    if (r->long_poll != NULL) {
        ulfius_set_stream_response(response, (unsigned int)r->status, long_poll_read,
                                   long_poll_free, U_STREAM_SIZE_UNKNOWN, LONG_POLL_BLOCK,
                                   r->long_poll);
    } else if (r->response_size > 0) {
        ulfius_set_binary_body_response(response, (unsigned int)r->status, r->response,
                                        r->response_size);
    }
}

/* Returns freed memory to the system before the budget lends it again: malloc would keep it,
 * separately for each thread. */
static void return_loan(incoming *one, size_t kept) {
    if (one->loan.bytes >= TRIMMED_FROM) {
        malloc_trim(0);
    }
    budget_keep(&one->loan, kept);
}

int admission_serve(const struct _u_request *ulfius_request, struct _u_response *response,
                    void *unused) {
    (void)ulfius_request;
    (void)unused;
    incoming *one = under_way;
    request *r = one->r;
    if (!one->ran) {
        request_run(r);
    }
    forget_body(one);
    give_answer(r, response);
    one->r = NULL;
    if (r->long_poll == NULL) { /* a long poll owns its memory */
        size_t kept = r->response_held ? r->response_size : 0;
        give_memory_back(r->memory);
        return_loan(one, kept);
    }
    return U_CALLBACK_COMPLETE;
}

static enum MHD_Result answer(const admission *at, incoming *one, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version) {
    under_way = one;
    enum MHD_Result result = call_inner(at, one, connection, url, method, version);
    under_way = NULL;
    connection_response_started(connection);
    return result;
}

/* --- slow requests --- */

static incoming *incoming_of(slow_job *job) {
    return (incoming *)(void *)((char *)job - offsetof(incoming, job));
}

static void suspend_request(slow_job *job) {
    MHD_suspend_connection(incoming_of(job)->r->connection);
}

static void run_request(slow_job *job) {
    request_run(incoming_of(job)->r);
    incoming_of(job)->ran = true;
}

static void resume_request(slow_job *job) {
    MHD_resume_connection(incoming_of(job)->r->connection);
}

/* Returns whether a thread of its own runs the request. */
static bool hand_over(incoming *one) {
    request *r = one->r;
    if (r == NULL || one->ran || !request_is_slow(r)) {
        return false;
    }
    one->job = (slow_job){.client = r->principal.client,
                          .suspend = suspend_request,
                          .run = run_request,
                          .resume = resume_request};
    r->no_turn = !slow_work_add(r->context->slow, &one->job);
    return !r->no_turn;
}

/* --- callbacks of libmicrohttpd --- */

/* `uri` is in the connection's own buffer, and is copied by now: see query_hide. */
void *admission_begin(void *cls, const char *uri, struct MHD_Connection *connection) {
    (void)cls;
    incoming *one = memory_get(sizeof *one);
    *one = (incoming){.inner = ulfius_uri_logger(NULL, uri)};
    connection_request_started(connection, one);
    query_hide((char *)(uintptr_t)uri);
    return one;
}

/* The first call. */
static enum MHD_Result begin(const admission *at, incoming *one, struct MHD_Connection *connection,
                             const char *url, const char *method, const char *version) {
    one->begun = true;
    connection_headers_complete(connection);
    enum MHD_Result result = call_inner(at, one, connection, url, method, version);
    if (result != MHD_YES) {
        return result;
    }
    bool admitted = false;
    if (at->context != NULL) {
        one->r = make_request(one, at->context, connection, method, version);
        admitted = request_admit(one->r);
    }
    if (admitted) {
        return MHD_YES;
    }
    bool more = expects_more(connection);
    if (one->r != NULL) {
        one->r->close = one->r->close || more;
    }
    if (more || (one->r != NULL && one->r->close)) {
        connection_discard_body(connection);
    }
    return more ? answer(at, one, connection, url, method, version) : MHD_YES;
}

enum MHD_Result admission_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *piece,
                                 size_t *piece_size, void **context) {
    const admission *at = cls;
    incoming *one = *context;
    if (!one->begun) {
        return begin(at, one, connection, url, method, version);
    }
    if (*piece_size == 0) {
        return hand_over(one) ? MHD_YES : answer(at, one, connection, url, method, version);
    }
    size_t size = *piece_size;
    *piece_size = 0;
    return keep_piece(one, piece, size) ? MHD_YES : MHD_NO;
}

/* Frees everything except what ulfius owns. */
static void clean(incoming *one) {
    forget_body(one);
    if (one->r != NULL) {
        give_memory_back(one->r->memory);
    }
    return_loan(one, 0);
}

void admission_end(void *cls, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code) {
    connection_request_completed(connection);
    incoming *one = *context;
    if (one == NULL) {
        return;
    }
    clean(one);
    mhd_request_completed(cls, connection, &one->inner, code);
    free(one);
    *context = NULL;
}

void admission_drop(void *request) {
    incoming *one = request;
    clean(one);
    mhd_request_completed(NULL, NULL, &one->inner, MHD_REQUEST_TERMINATED_WITH_ERROR);
    free(one);
}
