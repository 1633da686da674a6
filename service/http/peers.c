/* How many connections there are, in all and of each address, so that no address takes them all. */
#include "service/http/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 128, IPV4_BITS = 32, HOST_BITS = 64, ADDRESS_TEXT_MOST = 64 };
enum { RESERVED_PART = 8, SPARE_PART = 16 }; /* of all connections: one in eight, one in sixteen */

typedef struct address {
    unsigned char bytes[ADDRESS_BITS / 8]; /* IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2) */
} address;

typedef struct network {
    address first;
    int bits;
} network;

/* What a socket is taken by; a descriptor that is used again is a connection that has ended. */
typedef struct seat {
    bool taken;
    bool exempt, arrived;
    address by; /* all zero, which nobody has, where the address does not count */
} seat;

struct peers {
    pthread_mutex_t lock;
    int most, address_most;
    seat *seats; /* by descriptor */
    size_t seat_count, taken, arriving;
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

/* Returns false for what has no address. */
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
    char host[ADDRESS_TEXT_MOST];
    struct in_addr four;
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (length >= sizeof host) {
        return false;
    }
    snprintf(host, sizeof host, "%.*s", (int)length, text);
    int bits_most = ADDRESS_BITS;
    if (inet_pton(AF_INET, host, &four) == 1) {
        into->first = map_ipv4(&four);
        bits_most = IPV4_BITS;
    } else if (inet_pton(AF_INET6, host, into->first.bytes) != 1) {
        return false;
    }
    char *end = NULL;
    long bits = slash == NULL ? bits_most : strtol(slash + 1, &end, 10);
    into->bits = (int)bits + ADDRESS_BITS - bits_most;
    return (slash == NULL || (end != slash + 1 && *end == '\0')) && bits >= 0 && bits <= bits_most;
}

static bool is_in(const address *one, const network *where) {
    size_t whole = (size_t)where->bits / 8;
    unsigned int rest = (unsigned int)where->bits % 8;
    return memcmp(one->bytes, where->first.bytes, whole) == 0 &&
           (rest == 0 || (one->bytes[whole] ^ where->first.bytes[whole]) >> (8 - rest) == 0);
}

static bool is_exempt(const peers *all, const address *one) {
    for (size_t i = 0; i < all->exempt_count; i++) {
        if (is_in(one, &all->exempt[i])) {
            return true;
        }
    }
    return false;
}

bool peers_trust(const peers *all, const struct sockaddr *from) {
    address one;
    return read_socket_address(from, &one) && is_exempt(all, &one);
}

static bool read_exempt(peers *all, char *list) {
    char *rest = NULL;
    for (char *each = strtok_r(list, " ", &rest); each != NULL; each = strtok_r(NULL, " ", &rest)) {
        network *more = realloc(all->exempt, (all->exempt_count + 1) * sizeof *more);
        if (more == NULL) {
            return false;
        }
        all->exempt = more;
        if (!read_network(each, &all->exempt[all->exempt_count])) {
            return false;
        }
        all->exempt_count++;
    }
    return true;
}

peers *peers_new(int most, int address_most, const char *exempt, char *reason, size_t reason_size) {
    peers *all = calloc(1, sizeof *all);
    char *list = strdup(exempt);
    if (all == NULL || list == NULL) {
        snprintf(reason, reason_size, "Memory is out.");
        free(all);
        free(list);
        return NULL;
    }
    pthread_mutex_init(&all->lock, NULL);
    all->most = most;
    all->address_most = address_most;
    if (!read_exempt(all, list)) {
        snprintf(reason, reason_size,
                 "LR_TRUSTED_PROXIES must be addresses, or networks such as 10.0.0.0/8, with "
                 "spaces between them.");
        peers_free(all);
        all = NULL;
    }
    free(list);
    return all;
}

void peers_free(peers *all) {
    if (all == NULL) {
        return;
    }
    pthread_mutex_destroy(&all->lock);
    free(all->seats);
    free(all->exempt);
    free(all);
}

/* Under the lock. */
static bool make_room(peers *all, size_t wanted) {
    if (wanted <= all->seat_count) {
        return true;
    }
    size_t count = 2 * wanted;
    seat *more = realloc(all->seats, count * sizeof *more);
    if (more == NULL) {
        return false;
    }
    memset(more + all->seat_count, 0, (count - all->seat_count) * sizeof *more);
    all->seats = more;
    all->seat_count = count;
    return true;
}

/* Under the lock. A look at all seats takes microseconds, and only when so many are taken that it
 * may matter. */
static bool has_all_it_may(const peers *all, const address *one) {
    int found = 0;
    if (all->taken < (size_t)all->address_most) {
        return false;
    }
    for (size_t i = 0; i < all->seat_count; i++) {
        found += all->seats[i].taken &&
                 memcmp(all->seats[i].by.bytes, one->bytes, sizeof one->bytes) == 0;
    }
    return found >= all->address_most;
}

/* Under the lock. */
static void clear_seat(peers *all, size_t index) {
    if (index < all->seat_count && all->seats[index].taken) {
        all->seats[index].taken = false;
        all->taken--;
        all->arriving -= !all->seats[index].arrived;
    }
}

/* How many connections there may be before one more that is (not) a proxy's is too many. Where no
 * proxy is named, nothing is reserved. */
static size_t most_for(const peers *all, bool exempt) {
    int reserved = exempt || all->exempt_count == 0 ? 0 : all->most / RESERVED_PART;
    return (size_t)(all->most - reserved);
}

/* The address as it counts. Returns false when it has no limit of its own. */
static bool find_address(const peers *all, const struct sockaddr *from, address *into) {
    if (!read_socket_address(from, into) || is_exempt(all, into)) {
        *into = (address){{0}};
        return false;
    }
    if (!is_ipv4(into)) {
        memset(into->bytes + HOST_BITS / 8, 0, HOST_BITS / 8);
    }
    return true;
}

const char *peers_enter(peers *all, int socket, const struct sockaddr *from) {
    address one;
    bool counts = find_address(all, from, &one);
    size_t index = (size_t)socket;
    const char *full = NULL;
    pthread_mutex_lock(&all->lock);
    clear_seat(all, index);
    if (all->taken >= most_for(all, !counts) || !make_room(all, index + 1)) {
        full = "LR_CONNECTION_LIMIT";
    } else if (counts && has_all_it_may(all, &one)) {
        full = "LR_ADDRESS_CONNECTION_LIMIT";
    }
    if (full == NULL) {
        all->seats[index] = (seat){.taken = true, .exempt = !counts, .by = one};
        all->taken++;
        all->arriving++;
    } else {
        all->refused++;
    }
    pthread_mutex_unlock(&all->lock);
    return full;
}

void peers_leave(peers *all, int socket) {
    pthread_mutex_lock(&all->lock);
    clear_seat(all, (size_t)socket);
    pthread_mutex_unlock(&all->lock);
}

bool peers_has_room(peers *all, const struct sockaddr *from) {
    address one;
    bool counts = find_address(all, from, &one);
    pthread_mutex_lock(&all->lock);
    bool room = all->taken < most_for(all, !counts);
    pthread_mutex_unlock(&all->lock);
    return room;
}

bool peers_crowded(peers *all) {
    pthread_mutex_lock(&all->lock);
    bool crowded = all->taken + (size_t)(all->most / SPARE_PART) >= most_for(all, false);
    pthread_mutex_unlock(&all->lock);
    return crowded;
}

bool peers_arrive(peers *all, int socket) {
    size_t index = (size_t)socket;
    bool exempt = false;
    pthread_mutex_lock(&all->lock);
    if (index < all->seat_count && all->seats[index].taken) {
        all->arriving -= !all->seats[index].arrived;
        all->seats[index].arrived = true;
        exempt = all->seats[index].exempt;
    }
    pthread_mutex_unlock(&all->lock);
    return exempt;
}

bool peers_arriving(peers *all) {
    pthread_mutex_lock(&all->lock);
    bool arriving = all->arriving > 0;
    pthread_mutex_unlock(&all->lock);
    return arriving;
}

void peers_move(peers *all, int from, int to) {
    size_t old = (size_t)from;
    pthread_mutex_lock(&all->lock);
    clear_seat(all, (size_t)to);
    if (old < all->seat_count && all->seats[old].taken && make_room(all, (size_t)to + 1)) {
        all->seats[to] = all->seats[old];
        all->seats[old].taken = false;
    }
    pthread_mutex_unlock(&all->lock);
}

unsigned long long peers_refused(peers *all) {
    pthread_mutex_lock(&all->lock);
    unsigned long long refused = all->refused;
    pthread_mutex_unlock(&all->lock);
    return refused;
}
