/* The addresses that the service listens on, in the form of the settings LR_LISTEN and
 * LR_ADMIN_LISTEN. */
#include "service/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_MAX = 65535 };

static bool is_port(const char *text) {
    size_t length = strlen(text);
    long port = strtol(text, NULL, 10);
    return length > 0 && length <= 5 && strspn(text, "0123456789") == length && port > 0 &&
           port <= PORT_MAX;
}

const char *listen_parse(const char *text, listen_address *into) {
    *into = (listen_address){.host = ""};
    const char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return "has no port";
    }
    if (!is_port(colon + 1)) {
        return "has no port from 1 to 65535 behind its last colon";
    }
    size_t length = (size_t)(colon - text);
    bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
    const char *host = bracketed ? text + 1 : text;
    length -= bracketed ? 2 : 0;
    if (length >= sizeof into->host) {
        return "has a host that is too long";
    }
    memcpy(into->host, host, length);
    snprintf(into->port, sizeof into->port, "%s", colon + 1);
    if (strpbrk(into->host, "[]/@ \t") != NULL) {
        return "has a host that is neither a name nor an address";
    }
    if (!bracketed && strchr(into->host, ':') != NULL) {
        return "has an IPv6 address without brackets";
    }
    return NULL;
}

bool listen_is_everywhere(const listen_address *address) {
    return address->host[0] == '\0' || strcmp(address->host, "0.0.0.0") == 0 ||
           strcmp(address->host, "::") == 0;
}

bool listen_is_loopback(const struct sockaddr *address) {
    enum { LOOPBACK_NETWORK = 127 };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        return ntohl(four.sin_addr.s_addr) >> 24 == LOOPBACK_NETWORK;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) &&
                six.sin6_addr.s6_addr[12] == LOOPBACK_NETWORK);
    }
    return false;
}

struct addrinfo *listen_resolve(const char *setting, const char *text, bool to_call, char *reason,
                                size_t reason_size) {
    listen_address address;
    const char *fault = listen_parse(text, &address);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | (to_call ? 0 : AI_PASSIVE)};
    struct addrinfo *found = NULL;
    if (fault != NULL) {
        snprintf(reason, reason_size,
                 "%s is \"%.200s\", which %s. Write HOST:PORT, such as 127.0.0.1:8080.", setting,
                 text, fault);
        return NULL;
    }
    bool anywhere = address.host[0] == '\0' || (to_call && listen_is_everywhere(&address));
    int status = getaddrinfo(anywhere ? NULL : address.host, address.port, &hints, &found);
    if (status != 0) {
        snprintf(reason, reason_size,
                 "%s is \"%.200s\", whose host cannot be resolved: %s. Write a name or an address "
                 "of this machine.",
                 setting, text, gai_strerror(status));
        return NULL;
    }
    return found;
}

int listen_try(const struct addrinfo *address) {
    const int on = 1;
    int made =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (made < 0) {
        return errno;
    }
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int error = bind(made, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    close(made);
    return error;
}

void listen_explain(const char *setting, const char *text, int error, char *reason,
                    size_t reason_size) {
    const char *repair =
        error == EADDRINUSE      ? "Another program has this port: stop it, or choose another port."
        : error == EADDRNOTAVAIL ? "Write an address that this machine has."
        : error == EACCES ? "Ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one."
                          : "Look at the limits of this process and machine.";
    snprintf(reason, reason_size, "%s: cannot listen on \"%.200s\": %s. %s", setting, text,
             strerror(error), repair);
}
