/* Writes one JSON object per line to standard error; never a body, a token or a client's value. */
#include "service/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_LENGTH_MAX = 4096, MESSAGE_MAX = 1024 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static atomic_int lowest_level = LOG_INFO;

typedef struct line {
    char text[LINE_LENGTH_MAX];
    size_t used;
} line;

/* Leaves room for the closing brace and the newline. */
static void put_byte(line *out, char byte) {
    if (out->used < LINE_LENGTH_MAX - 3) {
        out->text[out->used++] = byte;
    }
}

static void put_text(line *out, const char *text) {
    for (; *text != '\0'; text++) {
        put_byte(out, *text);
    }
}

static void put_string(line *out, const char *text) {
    put_byte(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            put_byte(out, '\\');
            put_byte(out, (char)byte);
        } else {
            put_byte(out, byte < 0x20 || byte >= 0x7f ? '?' : (char)byte);
        }
    }
    put_byte(out, '"');
}

static void put_member(line *out, const char *name, const char *value) {
    if (value == NULL || *value == '\0') {
        return;
    }
    put_byte(out, ',');
    put_string(out, name);
    put_byte(out, ':');
    put_string(out, value);
}

static void put_number(line *out, const char *name, uint64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_byte(out, ',');
    put_string(out, name);
    put_byte(out, ':');
    put_text(out, digits);
}

static void open_line(line *out, log_level level) {
    struct timespec now;
    struct tm parts;
    char stamp[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t length = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(stamp + length, sizeof stamp - length, ".%03ldZ", now.tv_nsec / 1000000);
    out->used = 0;
    put_text(out, "{\"time\":");
    put_string(out, stamp);
    put_member(out, "level", level_names[level]);
}

static void close_line(line *out) {
    out->text[out->used++] = '}';
    out->text[out->used++] = '\n';
    /* When the log cannot be written, there is nowhere to report it. */
    ssize_t ignored = write(STDERR_FILENO, out->text, out->used);
    (void)ignored;
}

void log_set_level(log_level lowest) {
    atomic_store(&lowest_level, (int)lowest);
}

int log_level_parse(const char *name) {
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        if (strcmp(name, level_names[level]) == 0) {
            return level;
        }
    }
    return -1;
}

void log_write(log_level level, const char *format, ...) {
    if ((int)level < atomic_load(&lowest_level)) {
        return;
    }
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    line out;
    open_line(&out, level);
    put_member(&out, "message", message);
    close_line(&out);
}

void log_answer(const log_request *request) {
    log_level level = request->status >= 500 ? LOG_ERROR : LOG_INFO;
    if ((int)level < atomic_load(&lowest_level)) {
        return;
    }
    line out;
    open_line(&out, level);
    put_member(&out, "message", "answered");
    put_member(&out, "request_id", request->request_id);
    put_member(&out, "trace_id", request->trace_id);
    put_member(&out, "span_id", request->span_id);
    put_member(&out, "method", request->method);
    put_member(&out, "path", request->path);
    put_member(&out, "address", request->address);
    put_member(&out, "operation", request->operation);
    put_number(&out, "status", (uint64_t)request->status);
    put_member(&out, "problem", request->problem);
    put_member(&out, "reason", request->reason);
    put_member(&out, "organisation", request->organisation);
    put_member(&out, "client", request->client);
    put_member(&out, "subject", request->subject);
    put_number(&out, "duration_us", request->duration_us);
    put_number(&out, "bytes_in", request->bytes_in);
    put_number(&out, "bytes_out", request->bytes_out);
    close_line(&out);
}
