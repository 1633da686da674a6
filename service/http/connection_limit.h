/* How many connections there are, in all and of each address, so that no address takes them all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef struct connection_limit connection_limit;

/* Makes a limit of `max` connections, `address_max` of one address. `exempt` has
 * addresses, or networks
 * such as 10.0.0.0/8, with spaces between them: of proxies, whose connections are many clients'.
 * An eighth of all connections is reserved for them.
 * Of IPv6 the first 64 bits are counted as one address, because one host has all behind them.
 * Returns NULL with the reason written when an address is none or memory is out. */
connection_limit *connection_limit_new(int max, int address_max, const char *exempt, char *reason,
                                       size_t reason_size);
void connection_limit_free(connection_limit *limit);

/* Counts the connection with this socket, just accepted. Returns NULL, or when there are as many as
 * there may be the setting that says so; then it is not counted. */
const char *connection_limit_acquire(connection_limit *limit, int socket,
                                     const struct sockaddr *from);

/* Whether the address is one of `exempt`: what it says about its clients is taken. */
bool connection_limit_is_proxy(const connection_limit *limit, const struct sockaddr *from);

/* Whether there may be one more connection in all, from there. */
bool connection_limit_has_room(connection_limit *limit, const struct sockaddr *from);

/* Whether few places are left for those that are not proxies: idle connections should end. */
bool connection_limit_is_near(connection_limit *limit);

/* The connection has come to the worker that serves it. Returns whether it is that of a proxy. */
bool connection_limit_arrive(connection_limit *limit, int socket);

/* Whether one that was let in is still on its way to its worker. */
bool connection_limit_has_arriving(connection_limit *limit);

/* The connection goes on with another descriptor. */
void connection_limit_move(connection_limit *limit, int from, int to);

/* The connection is about to be closed. One that was not counted is allowed. */
void connection_limit_release(connection_limit *limit, int socket);

/* Connections refused so far. */
unsigned long long connection_limit_refused(connection_limit *limit);
