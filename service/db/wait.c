/* Waits for PostgreSQL with a time limit: no call of libpq that blocks. */
#include "service/db/wait.h"

#include "service/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

/* Longer than a statement may take, shorter than a request may take (deploy/README.md, limits). */
enum { SILENCE_MAX_MS = 8000 };

bool db_wait(PGconn *link) {
    int64_t until = now_ms() + SILENCE_MAX_MS;
    for (;;) {
        int unsent = PQflush(link);
        if (unsent < 0) {
            return false;
        }
        if (!PQisBusy(link)) {
            return true;
        }
        int64_t left = until - now_ms();
        struct pollfd socket = {.fd = PQsocket(link),
                                .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
        if (left <= 0) {
            shutdown(socket.fd, SHUT_RDWR);
            return false;
        }
        if (poll(&socket, 1, (int)left) < 0 && errno != EINTR) {
            return false;
        }
        if (PQconsumeInput(link) != 1) {
            return false;
        }
    }
}
