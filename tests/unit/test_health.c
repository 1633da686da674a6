/* Tests of the readiness request, against a server that answers once. */
#include "service/cli_health.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct server {
    int door;
    const char *answer;
    char question[512];
} server;

static void *answer_once(void *argument) {
    server *one = argument;
    int link = accept(one->door, NULL, NULL);
    ssize_t got = recv(link, one->question, sizeof one->question - 1, 0);
    (void)got;
    ssize_t sent = send(link, one->answer, strlen(one->answer), MSG_NOSIGNAL);
    (void)sent;
    close(link);
    return NULL;
}

/* Returns the status of health_ask for a server with this answer; `host` is the address to ask. */
static int ask(const char *host, const char *answer) {
    server one = {.door = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char listen_at[64];
    pthread_t thread;
    cr_redirect_stderr();
    cr_assert_eq(bind(one.door, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(one.door, 1), 0);
    getsockname(one.door, (struct sockaddr *)&address, &size);
    snprintf(listen_at, sizeof listen_at, "%s:%d", host, ntohs(address.sin_port));
    pthread_create(&thread, NULL, answer_once, &one);
    FILE *out = fopen("/dev/null", "w");
    int status = health_ask(listen_at, out);
    fclose(out);
    pthread_join(thread, NULL);
    close(one.door);
    cr_expect(strncmp(one.question, "GET /readyz HTTP/1.1\r\nHost: ", 28) == 0);
    return status;
}

Test(health, a_ready_service_gives_ok, .timeout = 120) {
    cr_expect_eq(ask("127.0.0.1", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
}

Test(health, a_service_on_every_interface_is_asked_on_this_machine, .timeout = 120) {
    cr_expect_eq(ask("", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
    cr_expect_eq(ask("0.0.0.0", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
    cr_expect_eq(ask("[::]", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
}

Test(health, a_service_that_is_not_ready_gives_unavailable, .timeout = 120) {
    cr_expect_eq(ask("127.0.0.1", "HTTP/1.1 503 Service Unavailable\r\n\r\n{}"), EX_UNAVAILABLE);
}

Test(health, another_program_gives_unavailable, .timeout = 120) {
    cr_expect_eq(ask("127.0.0.1", "SSH-2.0-x 200 \r\n\r\n"), EX_UNAVAILABLE);
    cr_expect_eq(ask("127.0.0.1", "HTTP/1.1 200 OK\r\n"), EX_UNAVAILABLE);
    cr_expect_eq(ask("127.0.0.1", ""), EX_UNAVAILABLE);
}

Test(health, no_listener_or_an_invalid_address_gives_unavailable) {
    cr_redirect_stderr();
    cr_expect_eq(health_ask("127.0.0.1:1", stdout), EX_UNAVAILABLE);
    cr_expect_eq(health_ask("nowhere", stdout), EX_UNAVAILABLE);
}
