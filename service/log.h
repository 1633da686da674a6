/* Writes one JSON object per line to standard error; never a body, a token or a client's value. */
#pragma once

#include <stdint.h>

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } log_level;

/* Sets the lowest level that is written; LOG_INFO until then. */
void log_set_level(log_level lowest);

/* Returns the level of that name (debug, info, warning, error), or -1. */
int log_level_parse(const char *name);

/* Writes one line: {"time":...,"level":...,"message":...}. The message is a sentence of ours;
 * the whole line goes out in one write. */
void log_write(log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The log entry of one request. All strings except request_id are ours, from the contract or from
 * the token; `path` and `address` are set only for requests that belong to no operation. */
typedef struct log_request {
    const char *request_id, *trace_id, *span_id, *operation, *method, *path, *address,
        *organisation, *client, *subject, *problem, *reason;
    int status;
    uint64_t duration_us;
    uint64_t bytes_in, bytes_out;
} log_request;
void log_answer(const log_request *request);
