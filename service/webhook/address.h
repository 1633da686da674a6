/* Which addresses of the network may be connected to on behalf of clients: public ones, and what
 * the operator lists besides. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* A block of addresses (RFC 4632, RFC 4291 section 2.3). */
typedef struct network {
    unsigned char bytes[16]; /* in network order; IPv4 has the first four */
    int family;              /* AF_INET or AF_INET6 */
    unsigned bits;
} network;

/* Reads `10.0.0.0/8`, `fd00::/8` or a single address. Returns false when the text is none, or when
 * bits beyond the prefix are set. */
bool network_parse(const char *text, network *into);

/* Whether the block holds the address; never for another family: an IPv4 address inside an IPv6
 * one (RFC 4291 section 2.5.5.2) is an IPv6 address. */
bool network_holds(const network *block, const struct sockaddr *address);

/* Whether the address is one of the public Internet by IANA's special-purpose registries
 * (RFC 6890): of IPv6 only what is global unicast and not handed on to IPv4. */
bool address_is_public(const struct sockaddr *address);
