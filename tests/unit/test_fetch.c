/* Tests of key sets from an address, and of the fetch itself, against our own server. */
#include "service/auth/fetch.h"
#include "service/auth/keys.h"
#include "service/log.h"
#include "tests/unit/auth_fixture.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static fixture *made;
static char reason[512];

static void begin(void) {
    log_set_level(LOG_ERROR + 1);
    made = fixture_begin();
    reason[0] = '\0';
}

static void end(void) {
    fixture_end(made);
}

TestSuite(fetch, .init = begin, .fini = end, .timeout = 600);

static char *set_of(char *first, char *second) {
    char *jwks[] = {first, second};
    char *text = fixture_set(second == NULL ? 1 : 2, jwks);
    free(first);
    free(second);
    return text;
}

static char *good_key(void) {
    return fixture_jwk(made->rsa, "rsa", "");
}

typedef struct server {
    int listener;
    int port;
    _Atomic(const char *) answer;
    atomic_int asked;
    pthread_t thread;
} server;

static void *serve(void *context) {
    server *here = context;
    for (;;) {
        char request[2048];
        int peer = accept(here->listener, NULL, NULL);
        if (peer < 0) {
            return NULL;
        }
        ssize_t got = read(peer, request, sizeof request);
        atomic_fetch_add(&here->asked, 1);
        const char *answer = atomic_load(&here->answer);
        if (got > 0 && answer != NULL) {
            send(peer, answer, strlen(answer), MSG_NOSIGNAL);
        }
        close(peer);
    }
}

static void start_server(server *here) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    here->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(here->listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(here->listener, 16), 0);
    getsockname(here->listener, (struct sockaddr *)&address, &size);
    here->port = ntohs(address.sin_port);
    pthread_create(&here->thread, NULL, serve, here);
}

static void stop_server(server *here) {
    shutdown(here->listener, SHUT_RDWR);
    pthread_join(here->thread, NULL);
    close(here->listener);
}

static char *answer_with(const char *head, char *body) {
    char *text = NULL;
    cr_assert(asprintf(&text, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                       head, strlen(body), body) > 0);
    free(body);
    return text;
}

static void url_of(const server *here, char *url, size_t size) {
    snprintf(url, size, "http://127.0.0.1:%d/keys", here->port);
}

Test(fetch, address_rotation_and_outage) {
    server here = {0};
    char url[64];
    char *down = answer_with("503 Down", strdup(""));
    char *first = answer_with("200 OK\r\nCache-Control: max-age=300", set_of(good_key(), NULL));
    char *secret = strdup("{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AAAA\"}");
    char *second = answer_with("200 OK", set_of(fixture_jwk(made->ec, "next", ""), secret));
    start_server(&here);
    url_of(&here, url, sizeof url);
    atomic_store(&here.answer, down);
    keys_source source = {.jwks_url = url, .dev = true};
    keys *set = keys_new(&source, reason, sizeof reason);
    cr_assert_not_null(set, "%s", reason);
    cr_expect(fixture_wait_failure(set, 0));
    cr_expect_eq(keys_stats_read(set).count, 0);
    atomic_store(&here.answer, first);
    cr_expect(fixture_wait_generation(set, 1), "a failed start is tried again");
    cr_expect(fixture_holds(set, "rsa"));
    unsigned long long failures = keys_stats_read(set).failures;
    atomic_store(&here.answer, down);
    keys_reload(set);
    cr_expect(fixture_wait_failure(set, failures));
    cr_expect(fixture_holds(set, "rsa"), "an outage keeps the keys");
    atomic_store(&here.answer, second);
    keys_reload(set);
    cr_expect(fixture_wait_generation(set, 2));
    cr_expect(fixture_holds(set, "next"));
    cr_expect_not(fixture_holds(set, "rsa"));
    cr_expect_not(fixture_holds(set, "o"));
    cr_expect_eq(keys_stats_read(set).count, 1);
    keys_free(set);
    stop_server(&here);
    free(down);
    free(first);
    free(second);
}

static char *good_token(void) {
    char *claims = fixture_claims(NULL, NULL);
    char *text = fixture_token(made, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", claims, BY_RSA);
    free(claims);
    return text;
}

/* The clock is the argument of token_verify. */
Test(fetch, keys_of_a_silent_issuer_are_accepted_for_a_limited_time) {
    server here = {0};
    char url[64];
    principal principal;
    char *first = answer_with("200 OK", set_of(good_key(), NULL));
    start_server(&here);
    url_of(&here, url, sizeof url);
    atomic_store(&here.answer, first);
    int accept_seconds = (int)(FIXTURE_NOW - time(NULL));
    cr_assert_gt(accept_seconds, 3600, "the tests' clock is ahead of this machine's");
    keys_source source = {.jwks_url = url, .dev = true, .accept_seconds = accept_seconds};
    keys *set = keys_new(&source, reason, sizeof reason);
    cr_assert_not_null(set, "%s", reason);
    cr_assert(fixture_wait_kid(set, "rsa"));
    token_rules rules = fixture_rules();
    token_verifier *verifier = token_verifier_new(set, &rules);
    char *token = good_token();
    int64_t last = keys_stats_read(set).loaded_at + accept_seconds;
    cr_expect_null(token_verify(verifier, token, last, &principal));
    cr_expect_null(token_verify(verifier, token, last, &principal), "from the cache");
    cr_expect_str_eq(token_verify(verifier, token, last + 1, &principal), "keys");
    cr_expect_str_empty(principal.client, "a verified token that is remembered is refused, too");
    cr_expect(keys_are_accepted(set, last));
    cr_expect_not(keys_are_accepted(set, last + 1));
    cr_expect(keys_stats_read(set).accepted, "by this machine's clock they are fresh");
    token_verifier_free(verifier);
    keys_free(set);
    stop_server(&here);
    free(token);
    free(first);
}

Test(fetch, an_issuer_that_never_answered_is_not_a_fault_of_the_token) {
    principal principal;
    keys_source source = {
        .jwks_url = "http://127.0.0.1:1/keys", .dev = true, .accept_seconds = 3600};
    keys *set = keys_new(&source, reason, sizeof reason);
    cr_assert_not_null(set, "%s", reason);
    token_rules rules = fixture_rules();
    token_verifier *verifier = token_verifier_new(set, &rules);
    char *token = good_token();
    cr_expect_str_eq(token_verify(verifier, token, FIXTURE_NOW, &principal), "keys");
    cr_expect_not(keys_stats_read(set).accepted);
    token_verifier_free(verifier);
    keys_free(set);
    free(token);
}

Test(fetch, an_unknown_kid_causes_one_fetch) {
    server here = {0};
    char url[64];
    char *first = answer_with("200 OK", set_of(good_key(), NULL));
    char *second = answer_with("200 OK", set_of(good_key(), fixture_jwk(made->ec, "next", "")));
    char *third = answer_with("200 OK", set_of(good_key(), NULL));
    start_server(&here);
    url_of(&here, url, sizeof url);
    atomic_store(&here.answer, first);
    keys_source source = {.jwks_url = url, .dev = true};
    keys *set = keys_new(&source, reason, sizeof reason);
    cr_assert_not_null(set);
    cr_expect(fixture_wait_generation(set, 1));
    cr_expect_eq(atomic_load(&here.asked), 1);
    atomic_store(&here.answer, second);
    cr_expect(fixture_wait_kid(set, "next"));
    for (int round = 0; round < 1000; round++) {
        cr_expect_not(fixture_holds(set, "invented"));
    }
    atomic_store(&here.answer, third);
    keys_reload(set);
    cr_expect(fixture_wait_generation(set, 3));
    cr_expect_eq(atomic_load(&here.asked), 3, "a flood of unknown kids makes no fetches");
    keys_free(set);
    stop_server(&here);
    free(first);
    free(second);
    free(third);
}

/* ---- fetching ---- */

static bool fetch_answer(const char *answer, fetched *into) {
    server here = {0};
    atomic_bool stop = false;
    char url[64];
    atomic_store(&here.answer, answer);
    start_server(&here);
    url_of(&here, url, sizeof url);
    bool done = fetch_get(url, NULL, &stop, into, reason, sizeof reason);
    stop_server(&here);
    return done;
}

Test(fetch, fetch_respects_its_limits) {
    fetched document;
    static const struct {
        const char *head;
        long fresh;
    } cases[] = {{"200 OK", -1},
                 {"200 OK\r\nCache-Control: public, max-age=600", 600},
                 {"200 OK\r\nCache-Control: MAX-AGE=600\r\nAge: 100", 500},
                 {"200 OK\r\nCache-Control: max-age=60\r\nAge: 100", 0},
                 {"200 OK\r\nCache-Control: no-store, max-age=60", 0},
                 {"200 OK\r\nCache-Control: max-age=99999999999999999999", 86400},
                 {"200 OK\r\nCache-Control: max-age=x", -1}};
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char *answer = answer_with(cases[at].head, strdup("body"));
        cr_assert(fetch_answer(answer, &document), "case %zu: %s", at, reason);
        cr_expect_eq(document.fresh_seconds, cases[at].fresh, "case %zu", at);
        cr_expect_eq(document.size, 4);
        free(document.bytes);
        free(answer);
    }
    static const char *const bad[] = {"302 Found\r\nLocation: http://127.0.0.1/", "404 Not Found",
                                      "204 No Content", "500 Oh"};
    for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
        char *answer = answer_with(bad[at], strdup(""));
        cr_expect_not(fetch_answer(answer, &document), "%s", bad[at]);
        cr_expect_not_null(strstr(reason, "status"), "%s", reason);
        free(answer);
    }
    char *large = malloc(FETCH_BYTES_MAX + 200);
    cr_assert_not_null(large);
    memset(large, 'a', FETCH_BYTES_MAX + 199);
    large[FETCH_BYTES_MAX + 199] = '\0';
    memcpy(large, "HTTP/1.1 200 OK\r\n\r\n", 19);
    cr_expect_not(fetch_answer(large, &document), "more than the limit without Content-Length");
    cr_expect_null(document.bytes);
    free(large);
    cr_expect_not(fetch_answer(NULL, &document), "no answer at all");
}
