/* Asks the running service whether it is ready: for health checks without another client. */
#include "service/cli_health.h"

#include "service/cli.h"
#include "service/listen.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096, WAIT_SECONDS = 3 };

static int connect_to(const char *listen) {
    const struct timeval wait = {.tv_sec = WAIT_SECONDS};
    char reason[512];
    struct addrinfo *found = listen_resolve("LR_ADMIN_LISTEN", listen, true, reason, sizeof reason);
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
    while (size < ANSWER_MAX - 1 &&
           (got = recv(link, answer + size, ANSWER_MAX - 1 - size, 0)) > 0) {
        size += (size_t)got;
    }
    answer[size] = '\0';
}

/* Returns the answer's body within `answer`. Returns NULL when nothing answers (`*reached` is
 * false), or when something other than the service does. */
static const char *ask(const char *listen, char *answer, bool *reached) {
    static const char request[] =
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int link = connect_to(listen);
    *reached = link >= 0;
    if (link < 0) {
        return NULL;
    }
    if (send(link, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof request - 1)) {
        read_answer(link, answer);
    }
    close(link);
    const char *body = strstr(answer, "\r\n\r\n");
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 && body != NULL ? body + 4 : NULL;
}

bool health_answers(const char *listen) {
    char answer[ANSWER_MAX] = "";
    bool reached = false;
    const char *body = ask(listen, answer, &reached);
    return body != NULL && strstr(body, "\"ready\":") != NULL;
}

int health_ask(const char *listen, FILE *out) {
    char answer[ANSWER_MAX] = "";
    bool reached = false;
    const char *body = ask(listen, answer, &reached);
    if (body == NULL) {
        return cli_fail(EX_UNAVAILABLE, reached
                                            ? "what answers at LR_ADMIN_LISTEN is not the service."
                                            : "nothing answers at LR_ADMIN_LISTEN; is it serving?");
    }
    fputs(body, out);
    return strncmp(answer + 9, "200 ", 4) == 0 ? EX_OK : EX_UNAVAILABLE;
}
