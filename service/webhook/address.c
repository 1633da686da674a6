/* Which addresses of the network the service may connect to on behalf of clients. */
#include "service/webhook/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64, IPV4_BITS = 32, IPV6_BITS = 128 };

/* No address in these blocks is public (IANA IPv4 and IPv6 Special-Purpose Address Registries, IPv4
 * multicast and class E). IPv6 addresses outside 2000::/3 are not public either. */
static const char *const special[] =
    {
        "0.0.0.0/8",         "10.0.0.0/8",      "100.64.0.0/10",   "127.0.0.0/8",
        "169.254.0.0/16",    "172.16.0.0/12",   "192.0.0.0/24",    "192.0.2.0/24",
        "192.31.196.0/24",   "192.52.193.0/24", "192.88.99.0/24",  "192.168.0.0/16",
        "192.175.48.0/24",   "198.18.0.0/15",   "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4",       "240.0.0.0/4",     "2001::/23", /* includes Teredo, which carries IPv4
                                                                addresses */
        "2001:db8::/32",                                     /* documentation */
        "2002::/16",                                         /* 6to4: carries IPv4 addresses */
        "2620:4f:8000::/48", "3fff::/20",                    /* documentation */
};
static const char *const global_unicast = "2000::/3";

static bool read_bits(const char *text, unsigned max, unsigned *bits) {
    size_t length = strlen(text);
    if (length == 0 || length > 3 || strspn(text, "0123456789") != length) {
        return false;
    }
    *bits = (unsigned)strtoul(text, NULL, 10);
    return *bits <= max;
}

static bool bit_at(const unsigned char *bytes, unsigned place) {
    return (bytes[place / 8] >> (7 - place % 8) & 1) != 0;
}

bool network_parse(const char *text, network *into) {
    char address[TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (length >= sizeof address) {
        return false;
    }
    memcpy(address, text, length);
    address[length] = '\0';
    *into = (network){.family = strchr(address, ':') == NULL ? AF_INET : AF_INET6};
    unsigned max = into->family == AF_INET ? IPV4_BITS : IPV6_BITS;
    into->bits = max;
    if (inet_pton(into->family, address, into->bytes) != 1 ||
        (slash != NULL && !read_bits(slash + 1, max, &into->bits))) {
        return false;
    }
    for (unsigned place = into->bits; place < max; place++) {
        if (bit_at(into->bytes, place)) {
            return false;
        }
    }
    return true;
}

/* Returns the address's bytes in network order; NULL for a family that is neither. */
static const unsigned char *bytes_of(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        return (const unsigned char *)&((const struct sockaddr_in *)(const void *)address)
            ->sin_addr;
    }
    if (address->sa_family == AF_INET6) {
        return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
    }
    return NULL;
}

bool network_holds(const network *block, const struct sockaddr *address) {
    const unsigned char *bytes = bytes_of(address);
    if (bytes == NULL || address->sa_family != block->family) {
        return false;
    }
    for (unsigned place = 0; place < block->bits; place++) {
        if (bit_at(bytes, place) != bit_at(block->bytes, place)) {
            return false;
        }
    }
    return true;
}

static bool text_holds(const char *text, const struct sockaddr *address) {
    network block;
    return network_parse(text, &block) && network_holds(&block, address);
}

bool address_is_public(const struct sockaddr *address) {
    if (address->sa_family != AF_INET && !text_holds(global_unicast, address)) {
        return false;
    }
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        if (text_holds(special[i], address)) {
            return false;
        }
    }
    return true;
}
