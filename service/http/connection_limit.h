/* Limits the number of connections, in all and from each address, so that no address takes them
 * all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef struct connection_limit connection_limit;

/* Makes a limit of `max` connections, `address_max` of them from one address. `exempt` is a list of
 * addresses, or networks such as 10.0.0.0/8, separated by spaces: the proxies, each of which has
 * connections of many clients. An eighth of all connections is reserved for them. In IPv6 the first
 * 64 bits count as one address, because one host controls all addresses below them. Returns NULL
 * with the reason in `reason` when an entry is not an address or memory is out. */
connection_limit *connection_limit_new(int max, int address_max, const char *exempt, char *reason,
                                       size_t reason_size);
void connection_limit_free(connection_limit *limit);

/* Counts the connection with this socket, just accepted. Returns NULL, or the name of the setting
 * whose limit is reached; then the connection is not counted. */
const char *connection_limit_acquire(connection_limit *limit, int socket,
                                     const struct sockaddr *from);

/* Returns whether the address is one of `exempt`: what it says about its clients is trusted. */
bool connection_limit_is_proxy(const connection_limit *limit, const struct sockaddr *from);

/* Returns whether one more connection from this address is within the limits. */
bool connection_limit_has_room(connection_limit *limit, const struct sockaddr *from);

/* Returns whether few connections are left for clients that are not proxies: idle connections
 * should end. */
bool connection_limit_is_near(connection_limit *limit);

/* The connection has reached the worker that serves it. Returns whether it belongs to a proxy. */
bool connection_limit_arrive(connection_limit *limit, int socket);

/* Returns whether an accepted connection has not yet reached its worker. */
bool connection_limit_has_arriving(connection_limit *limit);

/* The connection continues with another descriptor. */
void connection_limit_move(connection_limit *limit, int from, int to);

/* The connection is about to be closed. The connection need not be counted. */
void connection_limit_release(connection_limit *limit, int socket);

/* Returns the number of connections refused so far. */
unsigned long long connection_limit_refused(connection_limit *limit);
