/* The addresses that the service listens on, in the form of the settings LR_LISTEN and
 * LR_ADMIN_LISTEN. */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct listen_address {
    char host[256]; /* a name or an address, without brackets; "" for every interface */
    char port[6];
} listen_address;

/* Reads `host:port`, `[v6]:port` or `:port`. Returns NULL, or the fault as the end of a sentence
 * ("has no port"). */
const char *listen_parse(const char *text, listen_address *into);

/* Returns whether the address means every interface, so that clients cannot connect to it. */
bool listen_is_everywhere(const listen_address *address);

/* Returns whether only this machine can reach the address. */
bool listen_is_loopback(const struct sockaddr *address);

/* Returns the address to bind, or with `to_call` the one to connect to (for every interface: this
 * machine). Returns a list for freeaddrinfo, or NULL with one sentence in `reason` that names the
 * setting. */
struct addrinfo *listen_resolve(const char *setting, const char *text, bool to_call, char *reason,
                                size_t reason_size);

/* Tries to listen on the address. Returns 0, or the errno of the failure. */
int listen_try(const struct addrinfo *address);

/* Writes why the service cannot listen on it (with the errno of the fault) and the repair to
 * `reason`. */
void listen_explain(const char *setting, const char *text, int error, char *reason,
                    size_t reason_size);
