/* Asks the running service whether it is ready: for health checks where there is no other client.
 */
#include "service/cli_health.h"

#include "service/cli.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

enum { ANSWER_MOST = 4096, WAIT_SECONDS = 3 };

/* The address to call: where it listens everywhere, this machine. NULL when there is none. */
static struct addrinfo *resolve(const char *listen) {
    char host[256];
    const char *colon = strrchr(listen, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (colon == NULL || (size_t)(colon - listen) >= sizeof host) {
        return NULL;
    }
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen), listen);
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0) {
        host[0] = '\0';
    }
    size_t length = strlen(host);
    char *name = host;
    if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        name = host + 1;
    }
    return getaddrinfo(*name == '\0' ? NULL : name, colon + 1, &hints, &found) == 0 ? found : NULL;
}

static int connect_to(const char *listen) {
    const struct timeval wait = {.tv_sec = WAIT_SECONDS};
    struct addrinfo *found = resolve(listen);
    int link = -1;
    for (const struct addrinfo *each = found; each != NULL && link < 0; each = each->ai_next) {
        link = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (link < 0) {
            continue;
        }
        setsockopt(link, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        if (connect(link, each->ai_addr, each->ai_addrlen) != 0) {
            close(link);
            link = -1;
        }
    }
    if (found != NULL) {
        freeaddrinfo(found);
    }
    return link;
}

/* Reads until the other side closes. */
static void read_answer(int link, char *answer) {
    size_t size = 0;
    ssize_t got = 0;
    while (size < ANSWER_MOST - 1 &&
           (got = recv(link, answer + size, ANSWER_MOST - 1 - size, 0)) > 0) {
        size += (size_t)got;
    }
    answer[size] = '\0';
}

int health_ask(const char *listen, FILE *out) {
    static const char request[] =
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[ANSWER_MOST] = "";
    int link = connect_to(listen);
    if (link < 0) {
        return cli_fail(EX_UNAVAILABLE, "nothing answers at LR_ADMIN_LISTEN; is it serving?");
    }
    if (send(link, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof request - 1)) {
        read_answer(link, answer);
    }
    close(link);
    const char *body = strstr(answer, "\r\n\r\n");
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || body == NULL) {
        return cli_fail(EX_UNAVAILABLE, "what answers at LR_ADMIN_LISTEN is not the service.");
    }
    fputs(body + 4, out);
    return strncmp(answer + 9, "200 ", 4) == 0 ? EX_OK : EX_UNAVAILABLE;
}
