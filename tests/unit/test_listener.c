/* Tests of accepting connections when the system call fails. */
#include "service/http/listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { WATCHDOG_S = 60 };

static atomic_int failures_left; /* the number of calls that fail first */
static int failure;

/* Replaces the system's function. */
int accept4(int socket, struct sockaddr *from, socklen_t *size, int flags) {
    if (atomic_load(&failures_left) > 0) {
        atomic_fetch_sub(&failures_left, 1);
        errno = failure;
        return -1;
    }
    return (int)syscall(SYS_accept4, socket, from, size, flags);
}

static struct sockaddr_in free_address(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(probe, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    close(probe);
    return address;
}

/* Returns whether a connection is accepted: the limit is reached, so an accepted connection is
 * closed at once. */
static bool is_accepted(const struct sockaddr_in *address) {
    const struct timeval patience = {.tv_sec = WATCHDOG_S};
    char byte;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(client, (const struct sockaddr *)address, sizeof *address), 0);
    ssize_t got = recv(client, &byte, 1, 0);
    bool closed = got == 0 || (got < 0 && errno == ECONNRESET);
    close(client);
    return closed;
}

static void accept_after(int error) {
    char reason[300];
    struct sockaddr_in address = free_address();
    const struct addrinfo where = {.ai_family = AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_addr = (struct sockaddr *)&address,
                                   .ai_addrlen = sizeof address};
    connection_limit *full = connection_limit_new(1, 1, "", reason, sizeof reason);
    cr_assert_null(connection_limit_acquire(full, 1000, (struct sockaddr *)&address));
    failure = error;
    atomic_store(&failures_left, 3);
    discarder *unread = discarder_new(1, 1);
    connection_table *connections =
        connection_table_new(&(connection_timeouts){1, 1, 1}, unread, NULL);
    const port_connections port = {.table = connections, .limit = full};
    listener *self = listener_new(&where, NULL, &port);
    cr_assert_not_null(self);
    cr_expect(is_accepted(&address), "after error %d", error);
    cr_expect_eq(atomic_load(&failures_left), 0);
    listener_free(self); /* the thread ends */
    connection_table_free(connections);
    discarder_free(unread);
    connection_limit_free(full);
}

Test(accept, accepting_continues_after_transient_errors, .timeout = 600) {
    const int errors[] = {EPERM,  ENETDOWN,  EHOSTUNREACH, EOPNOTSUPP, ENONET,
                          EPROTO, ETIMEDOUT, ENETUNREACH,  EMFILE,     ECONNABORTED};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        accept_after(errors[i]);
    }
}
