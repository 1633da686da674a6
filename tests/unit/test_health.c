/* Tests of the question whether the service is ready, against a server that answers once. */
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

/* What health_ask says to a server that answers with this; `host` is what it is told to ask. */
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

Test(health, given_it_is_ready_when_asked_then_the_status_is_good, .timeout = 120) {
    cr_expect_eq(ask("127.0.0.1", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
}

Test(health, given_it_listens_everywhere_when_asked_then_this_machine_is_called, .timeout = 120) {
    cr_expect_eq(ask("", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
    cr_expect_eq(ask("0.0.0.0", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
    cr_expect_eq(ask("[::]", "HTTP/1.1 200 OK\r\n\r\n{}"), EX_OK);
}

Test(health, given_it_is_not_ready_when_asked_then_the_status_is_bad, .timeout = 120) {
    cr_expect_eq(ask("127.0.0.1", "HTTP/1.1 503 Service Unavailable\r\n\r\n{}"), EX_UNAVAILABLE);
}

Test(health, given_something_else_answers_when_asked_then_the_status_is_bad, .timeout = 120) {
    cr_expect_eq(ask("127.0.0.1", "SSH-2.0-x 200 \r\n\r\n"), EX_UNAVAILABLE);
    cr_expect_eq(ask("127.0.0.1", "HTTP/1.1 200 OK\r\n"), EX_UNAVAILABLE);
    cr_expect_eq(ask("127.0.0.1", ""), EX_UNAVAILABLE);
}

Test(health, given_nobody_listens_or_no_address_when_asked_then_the_status_is_bad) {
    cr_redirect_stderr();
    cr_expect_eq(health_ask("127.0.0.1:1", stdout), EX_UNAVAILABLE);
    cr_expect_eq(health_ask("nowhere", stdout), EX_UNAVAILABLE);
}
