/* Tests of looking up the hosts of webhooks while the resolver is slow. */
#include "service/webhook/target.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum { LOOKUPS_MAX = 2 };
static const char *const slow_url = "https://slow.example/";

static sem_t asked, released;

/* Replaces the system's function, for one name. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *wanted,
                struct addrinfo **found) {
    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (host != NULL && strcmp(host, "slow.example") == 0) {
        sem_post(&asked);
        sem_wait(&released);
        return EAI_AGAIN;
    }
    return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(host, port, wanted, found);
}

static bool check(targets *targets, const char *expected) {
    arena *memory = arena_new();
    violation_list faults = violation_list_make(memory);
    const char *reason = "";
    bool looked_up = targets_check(targets, slow_url, "/url", &faults, &reason);
    cr_expect_str_eq(reason == NULL ? "" : reason, *expected == '\0' ? "" : "address_unresolved");
    cr_expect_str_eq(faults.first == NULL ? "" : faults.first->rule, expected);
    arena_free(memory);
    return looked_up;
}

static void *check_unresolved(void *allowed) {
    cr_expect(check(allowed, "address_not_public"));
    return NULL;
}

Test(lookup, a_third_concurrent_lookup_is_not_started, .timeout = 120) {
    char reason[300];
    pthread_t threads[LOOKUPS_MAX];
    targets *targets = targets_new("slow.example", NULL, reason, sizeof reason);
    sem_init(&asked, 0, 0);
    sem_init(&released, 0, 0);
    for (int i = 0; i < LOOKUPS_MAX; i++) {
        pthread_create(&threads[i], NULL, check_unresolved, targets);
        sem_wait(&asked);
    }
    cr_expect_not(check(targets, ""));
    for (int i = 0; i < LOOKUPS_MAX; i++) {
        sem_post(&released); /* either of them took it */
    }
    for (int i = 0; i < LOOKUPS_MAX; i++) {
        pthread_join(threads[i], NULL);
    }
    sem_post(&released);
    cr_expect(check(targets, "address_not_public"), "there is room again");
    targets_free(targets);
}

/* Expects the violation that a client sees, without the reason for the log. */
static void expect_told(targets *targets, const char *url, const char *reason) {
    arena *memory = arena_new();
    violation_list faults = violation_list_make(memory);
    const char *why = NULL;
    cr_assert(targets_check(targets, url, "/url", &faults, &why));
    cr_assert_not_null(faults.first, "%s", url);
    cr_expect_str_eq(faults.first->rule, "address_not_public", "%s", url);
    cr_expect_str_eq(faults.first->message,
                     "has a host that does not lead to public addresses alone");
    cr_expect_null(faults.first->next);
    cr_expect_str_eq(why == NULL ? "none" : why, reason, "%s", url);
    arena_free(memory);
}

Test(lookup, clients_cannot_distinguish_unresolved_and_private_names) {
    char reason[300];
    targets *targets = targets_new("*.invalid,localhost,10.1.2.3", NULL, reason, sizeof reason);
    expect_told(targets, "https://nothing.invalid/", "address_unresolved");
    expect_told(targets, "https://localhost/", "address_private");
    expect_told(targets, "https://10.1.2.3/", "address_private");
    targets_free(targets);
}
