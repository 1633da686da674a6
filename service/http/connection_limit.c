/* Limits the number of connections, in all and from each address, so that no address takes them
 * all. */
#include "service/http/connection_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 128, IPV4_BITS = 32, HOST_BITS = 64, ADDRESS_TEXT_MAX = 64 };
enum { RESERVED_PART = 8, SPARE_PART = 16 }; /* one in eight, one in sixteen connections */

typedef struct address {
    unsigned char bytes[ADDRESS_BITS / 8]; /* IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2) */
} address;

typedef struct network {
    address first;
    int bits;
} network;

/* Identifies the connection that takes a socket: a descriptor that is used again belongs to a new
 * connection, so the old one has ended. */
typedef struct slot {
    bool taken;
    bool exempt, arrived;
    address by; /* the address that is counted; all zero, which is no client's, when it is not
                   limited */
} slot;

struct connection_limit {
    pthread_mutex_t lock;
    int max, address_max;
    slot *slots; /* indexed by descriptor */
    size_t slot_count, taken, arriving;
    network *exempt;
    size_t exempt_count;
    unsigned long long refused;
};

static address map_ipv4(const struct in_addr *from) {
    address made = {{0}};
    made.bytes[10] = made.bytes[11] = 0xff;
    memcpy(made.bytes + 12, from, sizeof *from);
    return made;
}

static bool is_ipv4(const address *one) {
    const address any = map_ipv4(&(struct in_addr){0});
    return memcmp(one->bytes, any.bytes, 12) == 0;
}

/* Returns false for a socket that has no address. */
static bool read_socket_address(const struct sockaddr *from, address *into) {
    if (from->sa_family == AF_INET) {
        struct sockaddr_in whole;
        memcpy(&whole, from, sizeof whole);
        *into = map_ipv4(&whole.sin_addr);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 whole;
        memcpy(&whole, from, sizeof whole);
        memcpy(into->bytes, &whole.sin6_addr, sizeof into->bytes);
    } else {
        return false;
    }
    return true;
}

static bool read_network(const char *text, network *into) {
    char host[ADDRESS_TEXT_MAX];
    struct in_addr four;
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (length >= sizeof host) {
        return false;
    }
    snprintf(host, sizeof host, "%.*s", (int)length, text);
    int bits_max = ADDRESS_BITS;
    if (inet_pton(AF_INET, host, &four) == 1) {
        into->first = map_ipv4(&four);
        bits_max = IPV4_BITS;
    } else if (inet_pton(AF_INET6, host, into->first.bytes) != 1) {
        return false;
    }
    char *end = NULL;
    long bits = slash == NULL ? bits_max : strtol(slash + 1, &end, 10);
    into->bits = (int)bits + ADDRESS_BITS - bits_max;
    return (slash == NULL || (end != slash + 1 && *end == '\0')) && bits >= 0 && bits <= bits_max;
}

static bool is_in(const address *one, const network *where) {
    size_t whole = (size_t)where->bits / 8;
    unsigned int rest = (unsigned int)where->bits % 8;
    return memcmp(one->bytes, where->first.bytes, whole) == 0 &&
           (rest == 0 || (one->bytes[whole] ^ where->first.bytes[whole]) >> (8 - rest) == 0);
}

static bool is_exempt(const connection_limit *limit, const address *one) {
    for (size_t i = 0; i < limit->exempt_count; i++) {
        if (is_in(one, &limit->exempt[i])) {
            return true;
        }
    }
    return false;
}

bool connection_limit_is_proxy(const connection_limit *limit, const struct sockaddr *from) {
    address one;
    return read_socket_address(from, &one) && is_exempt(limit, &one);
}

static bool read_exempt(connection_limit *limit, char *list) {
    char *rest = NULL;
    for (char *each = strtok_r(list, " ", &rest); each != NULL; each = strtok_r(NULL, " ", &rest)) {
        network *more = realloc(limit->exempt, (limit->exempt_count + 1) * sizeof *more);
        if (more == NULL) {
            return false;
        }
        limit->exempt = more;
        if (!read_network(each, &limit->exempt[limit->exempt_count])) {
            return false;
        }
        limit->exempt_count++;
    }
    return true;
}

connection_limit *connection_limit_new(int max, int address_max, const char *exempt, char *reason,
                                       size_t reason_size) {
    connection_limit *limit = calloc(1, sizeof *limit);
    char *list = strdup(exempt);
    if (limit == NULL || list == NULL) {
        snprintf(reason, reason_size, "Memory is out.");
        free(limit);
        free(list);
        return NULL;
    }
    pthread_mutex_init(&limit->lock, NULL);
    limit->max = max;
    limit->address_max = address_max;
    if (!read_exempt(limit, list)) {
        snprintf(reason, reason_size,
                 "LR_TRUSTED_PROXIES must be addresses, or networks such as 10.0.0.0/8, with "
                 "spaces between them.");
        connection_limit_free(limit);
        limit = NULL;
    }
    free(list);
    return limit;
}

void connection_limit_free(connection_limit *limit) {
    if (limit == NULL) {
        return;
    }
    pthread_mutex_destroy(&limit->lock);
    free(limit->slots);
    free(limit->exempt);
    free(limit);
}

/* The caller holds the lock. */
static bool grow(connection_limit *limit, size_t wanted) {
    if (wanted <= limit->slot_count) {
        return true;
    }
    size_t count = 2 * wanted;
    slot *more = realloc(limit->slots, count * sizeof *more);
    if (more == NULL) {
        return false;
    }
    memset(more + limit->slot_count, 0, (count - limit->slot_count) * sizeof *more);
    limit->slots = more;
    limit->slot_count = count;
    return true;
}

/* The caller holds the lock. Reading all slots takes microseconds, and happens only when so many
 * are taken that the limit may be near. */
static bool is_address_at_limit(const connection_limit *limit, const address *one) {
    int found = 0;
    if (limit->taken < (size_t)limit->address_max) {
        return false;
    }
    for (size_t i = 0; i < limit->slot_count; i++) {
        found += limit->slots[i].taken &&
                 memcmp(limit->slots[i].by.bytes, one->bytes, sizeof one->bytes) == 0;
    }
    return found >= limit->address_max;
}

/* The caller holds the lock. */
static void release_slot(connection_limit *limit, size_t index) {
    if (index < limit->slot_count && limit->slots[index].taken) {
        limit->slots[index].taken = false;
        limit->taken--;
        limit->arriving -= !limit->slots[index].arrived;
    }
}

/* Returns how many connections may be open before one more is refused, for a proxy (`exempt`) or
 * another client. Without named proxies nothing is reserved. */
static size_t limit_for(const connection_limit *limit, bool exempt) {
    int reserved = exempt || limit->exempt_count == 0 ? 0 : limit->max / RESERVED_PART;
    return (size_t)(limit->max - reserved);
}

/* Finds the address under which the connection is counted. Returns false when it has no limit of
 * its own. */
static bool find_address(const connection_limit *limit, const struct sockaddr *from,
                         address *into) {
    if (!read_socket_address(from, into) || is_exempt(limit, into)) {
        *into = (address){{0}};
        return false;
    }
    if (!is_ipv4(into)) {
        memset(into->bytes + HOST_BITS / 8, 0, HOST_BITS / 8);
    }
    return true;
}

const char *connection_limit_acquire(connection_limit *limit, int socket,
                                     const struct sockaddr *from) {
    address one;
    bool counts = find_address(limit, from, &one);
    size_t index = (size_t)socket;
    const char *full = NULL;
    pthread_mutex_lock(&limit->lock);
    release_slot(limit, index);
    if (limit->taken >= limit_for(limit, !counts) || !grow(limit, index + 1)) {
        full = "LR_CONNECTION_LIMIT";
    } else if (counts && is_address_at_limit(limit, &one)) {
        full = "LR_ADDRESS_CONNECTION_LIMIT";
    }
    if (full == NULL) {
        limit->slots[index] = (slot){.taken = true, .exempt = !counts, .by = one};
        limit->taken++;
        limit->arriving++;
    } else {
        limit->refused++;
    }
    pthread_mutex_unlock(&limit->lock);
    return full;
}

void connection_limit_release(connection_limit *limit, int socket) {
    pthread_mutex_lock(&limit->lock);
    release_slot(limit, (size_t)socket);
    pthread_mutex_unlock(&limit->lock);
}

bool connection_limit_has_room(connection_limit *limit, const struct sockaddr *from) {
    address one;
    bool counts = find_address(limit, from, &one);
    pthread_mutex_lock(&limit->lock);
    bool room = limit->taken < limit_for(limit, !counts);
    pthread_mutex_unlock(&limit->lock);
    return room;
}

bool connection_limit_is_near(connection_limit *limit) {
    pthread_mutex_lock(&limit->lock);
    bool near = limit->taken + (size_t)(limit->max / SPARE_PART) >= limit_for(limit, false);
    pthread_mutex_unlock(&limit->lock);
    return near;
}

bool connection_limit_arrive(connection_limit *limit, int socket) {
    size_t index = (size_t)socket;
    bool exempt = false;
    pthread_mutex_lock(&limit->lock);
    if (index < limit->slot_count && limit->slots[index].taken) {
        limit->arriving -= !limit->slots[index].arrived;
        limit->slots[index].arrived = true;
        exempt = limit->slots[index].exempt;
    }
    pthread_mutex_unlock(&limit->lock);
    return exempt;
}

bool connection_limit_has_arriving(connection_limit *limit) {
    pthread_mutex_lock(&limit->lock);
    bool arriving = limit->arriving > 0;
    pthread_mutex_unlock(&limit->lock);
    return arriving;
}

void connection_limit_move(connection_limit *limit, int from, int to) {
    size_t old = (size_t)from;
    pthread_mutex_lock(&limit->lock);
    release_slot(limit, (size_t)to);
    if (old < limit->slot_count && limit->slots[old].taken && grow(limit, (size_t)to + 1)) {
        limit->slots[to] = limit->slots[old];
        limit->slots[old].taken = false;
    }
    pthread_mutex_unlock(&limit->lock);
}

unsigned long long connection_limit_refused(connection_limit *limit) {
    pthread_mutex_lock(&limit->lock);
    unsigned long long refused = limit->refused;
    pthread_mutex_unlock(&limit->lock);
    return refused;
}
