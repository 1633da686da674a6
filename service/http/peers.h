/* How many connections there are, in all and of each address, so that no address takes them all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef struct peers peers;

/* Makes a count that lets there be `most` connections, of one address `address_most`. `exempt` has
 * addresses, or networks
 * such as 10.0.0.0/8, with spaces between them: of proxies, whose connections are many clients'.
 * An eighth of all connections is reserved for them.
 * Of IPv6 the first 64 bits are counted as one address, because one host has all behind them.
 * Returns NULL with the reason written when an address is none or memory is out. */
peers *peers_new(int most, int address_most, const char *exempt, char *reason, size_t reason_size);
void peers_free(peers *all);

/* Counts the connection with this socket, just accepted. Returns NULL, or when there are as many as
 * there may be the setting that says so; then it is not counted. */
const char *peers_enter(peers *all, int socket, const struct sockaddr *from);

/* Whether the address is one of `exempt`: what it says about its clients is taken. */
bool peers_trust(const peers *all, const struct sockaddr *from);

/* Whether there may be one more connection in all, from there. */
bool peers_has_room(peers *all, const struct sockaddr *from);

/* Whether few places are left for those that are not proxies: idle connections should end. */
bool peers_crowded(peers *all);

/* The connection has come to the worker that serves it. Returns whether it is that of a proxy. */
bool peers_arrive(peers *all, int socket);

/* Whether one that was let in is still on its way to its worker. */
bool peers_arriving(peers *all);

/* The connection goes on with another descriptor. */
void peers_move(peers *all, int from, int to);

/* The connection is about to be closed. One that was not counted is allowed. */
void peers_leave(peers *all, int socket);

/* Connections refused so far. */
unsigned long long peers_refused(peers *all);
