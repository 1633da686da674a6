/* Describes, for the log, a request that belongs to no operation: an unknown address or method, or
 * a message that is not HTTP. An operator must find the client and its request. But the address of
 * a mistaken request may contain anything, even a secret or a person's number.
 *
 * So the log shows at most 200 bytes of the path, without its query or anything that looks like
 * one, and with every byte that is not plain percent-encoded. It does not show a segment that is
 * longer than any identifier of the contract, or a path that seems to identify a person.
 *
 * The client's address is that of the connection. If that is one of LR_TRUSTED_PROXIES, it is the
 * last address in X-Forwarded-For that is none of them: the one that the outermost trusted proxy
 * saw. */
#include "service/http/unmatched.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LENGTH_MAX = 200, SEGMENT_MAX = 40, METHOD_MAX = 20, ADDRESS_TEXT_MAX = 64 };

/* ---- method and path ---- */

static bool is_plain(char byte) {
    return isalnum((unsigned char)byte) || (byte != '\0' && strchr("-._~%/*", byte) != NULL);
}

/* Percent-encodes bytes that are not plain. */
static const char *escape(const char *text, size_t length, arena *memory) {
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(memory, length * 3 + 1);
    char *end = out;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (is_plain(text[i])) {
            *end++ = text[i];
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return out;
}

static const char *decode(const char *text, size_t length, arena *memory) {
    char *out = arena_alloc(memory, length + 1);
    char *end = out;
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {0};
        if (text[i] == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
            isxdigit((unsigned char)text[i + 2])) {
            memcpy(pair, text + i + 1, 2);
            char byte = (char)strtol(pair, NULL, 16);
            *end++ = (char)(byte == '\0' ? ' ' : byte); /* the text continues after it */
            i += 2;
        } else {
            *end++ = text[i];
        }
    }
    return out;
}

const char *unmatched_path(const char *target, const char *(*scan)(const char *text),
                           arena *memory) {
    size_t whole = strcspn(target, "?#&;=");
    const char *identifier = scan == NULL ? NULL : scan(decode(target, whole, memory));
    if (identifier != NULL) {
        return arena_printf(memory, "(withheld: looks like %s)", identifier);
    }
    const char *path = "";
    size_t length = whole > PATH_LENGTH_MAX ? PATH_LENGTH_MAX : whole;
    for (size_t at = 0; at < length;) {
        size_t size = strcspn(target + at, "/");
        size = size > whole - at ? whole - at : size;
        size_t shown = at + size > length ? length - at : size;
        path = size > SEGMENT_MAX
                   ? arena_printf(memory, "%s(%zu bytes)", path, size)
                   : arena_printf(memory, "%s%s", path, escape(target + at, shown, memory));
        at += size;
        if (at < length) {
            path = arena_printf(memory, "%s/", path);
            at++;
        }
    }
    return length < whole ? arena_printf(memory, "%s...", path) : path;
}

/* ---- the client's address ---- */

typedef union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} any_address;

/* Reads `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` or either with a port. */
static bool read_address(const char *text, size_t length, any_address *into) {
    char copy[ADDRESS_TEXT_MAX];
    *into = (any_address){0};
    if (length == 0 || length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    bool bracketed = copy[0] == '[';
    char *host = copy + (bracketed ? 1 : 0);
    char *first_colon = strchr(host, ':');
    bool v4_with_port = first_colon != NULL && strchr(first_colon + 1, ':') == NULL;
    char *end = bracketed ? strchr(host, ']') : v4_with_port ? first_colon : NULL;
    if (end != NULL) {
        *end = '\0';
    }
    into->v4.sin_family = AF_INET;
    if (inet_pton(AF_INET, host, &into->v4.sin_addr) == 1) {
        return true;
    }
    *into = (any_address){.v6 = {.sin6_family = AF_INET6}};
    return inet_pton(AF_INET6, host, &into->v6.sin6_addr) == 1;
}

static const char *print_address(const struct sockaddr *from, arena *memory) {
    char text[INET6_ADDRSTRLEN] = "";
    if (from->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, text,
                  sizeof text);
    } else if (from->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, text,
                  sizeof text);
    }
    return arena_strdup(memory, text);
}

const char *unmatched_address(const struct sockaddr *peer, const char *forwarded,
                              const connection_limit *trusting, arena *memory) {
    any_address seen;
    const char *address = print_address(peer, memory);
    if (forwarded == NULL || !connection_limit_is_proxy(trusting, peer)) {
        return address;
    }
    const char *end = forwarded + strlen(forwarded);
    while (end > forwarded) {
        const char *begin = end;
        while (begin > forwarded && begin[-1] != ',') {
            begin--;
        }
        const char *text = begin + strspn(begin, " \t");
        size_t length = text > end ? 0 : strcspn(text, " \t,");
        if (!read_address(text, length, &seen)) {
            return address;
        }
        address = print_address(&seen.any, memory);
        if (!connection_limit_is_proxy(trusting, &seen.any)) {
            return address;
        }
        end = begin > forwarded ? begin - 1 : begin;
    }
    return address;
}

/* ---- the log entry ---- */

static const char *client_of(request *r) {
    const union MHD_ConnectionInfo *facts =
        r->connection == NULL
            ? NULL
            : MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (facts == NULL || facts->client_addr == NULL || r->context->connection_limit == NULL) {
        return NULL;
    }
    return unmatched_address(facts->client_addr, request_header(r, "X-Forwarded-For"),
                             r->context->connection_limit, r->memory);
}

void unmatched_describe(request *r, log_request *into) {
    into->method = escape(r->raw.method, strnlen(r->raw.method, METHOD_MAX), r->memory);
    into->path = unmatched_path(r->raw.target, r->context->scan_text, r->memory);
    into->address = client_of(r);
}
