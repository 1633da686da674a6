/* The addresses that the service listens on, as the settings LR_LISTEN and LR_ADMIN_LISTEN write
 * them. */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct listen_address {
    char host[256]; /* a name or an address, without brackets; "" for every interface */
    char port[6];
} listen_address;

/* Reads `host:port`, `[v6]:port` or `:port`. Returns NULL, or what is wrong as the end of a
 * sentence
 * ("has no port"). */
const char *listen_parse(const char *text, listen_address *into);

/* Whether it stands for every interface, so that clients cannot call it by this name. */
bool listen_is_everywhere(const listen_address *address);

/* Whether only this machine can reach the address. */
bool listen_is_loopback(const struct sockaddr *address);

/* The address to bind, or with `to_call` the one to connect to (of every interface: this machine).
 * Returns a list for freeaddrinfo, or NULL with one sentence in `reason` that names the setting. */
struct addrinfo *listen_resolve(const char *setting, const char *text, bool to_call, char *reason,
                                size_t reason_size);

/* Tries whether the address can be listened on. Returns 0 or the errno of what failed. */
int listen_try(const struct addrinfo *address);

/* Writes why it cannot be listened on, with the errno of the fault, and the repair, to `reason`. */
void listen_explain(const char *setting, const char *text, int error, char *reason,
                    size_t reason_size);
