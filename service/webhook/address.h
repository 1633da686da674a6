/* Which addresses of the network the service may connect to on behalf of clients: public ones, and
 * those that the operator lists. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* A block of addresses (RFC 4632, RFC 4291 section 2.3). */
typedef struct network {
    unsigned char bytes[16]; /* in network order; IPv4 uses the first four */
    int family;              /* AF_INET or AF_INET6 */
    unsigned bits;
} network;

/* Reads `10.0.0.0/8`, `fd00::/8` or a single address. Returns false for any other text, or when
 * bits beyond the prefix are set. */
bool network_parse(const char *text, network *into);

/* Returns whether the block contains the address; never for another family: an IPv4 address inside
 * an IPv6 one (RFC 4291 section 2.5.5.2) is an IPv6 address. */
bool network_holds(const network *block, const struct sockaddr *address);

/* Returns whether the address is public by IANA's special-purpose registries (RFC 6890). In IPv6
 * only global unicast addresses that are not translated to IPv4 are public. */
bool address_is_public(const struct sockaddr *address);
