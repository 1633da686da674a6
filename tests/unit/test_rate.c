/* Tests of the rate limiter with their own clock. */
#include "service/http/rate.h"

#include <criterion/criterion.h>

enum { QUOTA = 10, TOGETHER = 25, WINDOW = 60, REFILL_MS = WINDOW * 1000 / QUOTA };

static rate_limiter *limiter;

static void begin(void) {
    limiter = rate_limiter_new(QUOTA, TOGETHER, WINDOW);
}

static void end(void) {
    rate_limiter_free(limiter);
}

/* Takes one request and returns the rest of the client's own quota. */
static rate_left take(const char *client, int64_t now_ms) {
    return rate_take(limiter, "CPC-GLA", client, now_ms).client;
}

/* Takes the whole quota at one moment. */
static void use_up(const char *client, int64_t now_ms) {
    for (int i = 0; i < QUOTA; i++) {
        cr_assert(take(client, now_ms).allowed, "request %d", i);
    }
}

TestSuite(rate, .init = begin, .fini = end);

Test(rate, a_new_client_has_the_rest_of_its_quota) {
    rate_left state = take("a", 1000);
    cr_expect(state.allowed);
    cr_expect_eq(state.quota, QUOTA);
    cr_expect_eq(state.remaining, QUOTA - 1);
}

Test(rate, a_request_over_the_quota_is_refused) {
    use_up("a", 1000);
    rate_left state = take("a", 1000);
    cr_expect_not(state.allowed);
    cr_expect_eq(state.remaining, 0);
}

Test(rate, after_the_stated_seconds_the_next_request_is_allowed) {
    use_up("a", 1000);
    rate_left refused = take("a", 1000);
    cr_assert_not(refused.allowed);
    cr_expect(take("a", 1000 + refused.reset_seconds * INT64_C(1000)).allowed);
}

Test(rate, the_stated_seconds_are_those_of_one_request) {
    use_up("a", 1000);
    rate_left refused = take("a", 1000);
    cr_expect_geq(refused.reset_seconds, REFILL_MS / 1000);
    cr_expect_leq(refused.reset_seconds, REFILL_MS / 1000 + 1);
}

Test(rate, one_refill_allows_exactly_one_request) {
    use_up("a", 1000);
    cr_expect_not(take("a", 1000 + REFILL_MS - 100).allowed);
    cr_expect(take("a", 1000 + REFILL_MS + 1).allowed);
    cr_expect_not(take("a", 1000 + REFILL_MS + 1).allowed);
}

Test(rate, refused_requests_do_not_delay_the_refill) {
    use_up("a", 1000);
    for (int i = 0; i < 100; i++) {
        take("a", 1000 + i);
    }
    cr_expect(take("a", 1000 + REFILL_MS + 1).allowed);
}

Test(rate, a_long_pause_gives_no_more_than_the_quota) {
    use_up("a", 1000);
    int64_t later = 1000 + INT64_C(100) * WINDOW * 1000;
    use_up("a", later);
    cr_expect_not(take("a", later).allowed);
}

Test(rate, each_client_has_its_own_quota) {
    use_up("a", 1000);
    cr_expect_eq(take("b", 1000).remaining, QUOTA - 1);
    cr_expect_not(take("a", 1000).allowed);
}

Test(rate, the_same_client_name_in_two_organisations_has_two_quotas) {
    use_up("a", 1000);
    cr_expect(rate_take(limiter, "CPC-EDH", "a", 1000).allowed);
}

Test(rate, names_that_join_to_the_same_text_have_their_own_quotas) {
    for (int i = 0; i < QUOTA; i++) {
        cr_assert(rate_take(limiter, "ab", "c", 1000).allowed);
    }
    cr_expect_not(rate_take(limiter, "ab", "c", 1000).allowed);
    cr_expect(rate_take(limiter, "a", "bc", 1000).allowed);
}

Test(rate, after_the_reset_the_quota_is_full_again) {
    rate_left state = {0};
    for (int i = 0; i < QUOTA / 2; i++) {
        state = take("a", 1000);
    }
    cr_expect_eq(state.remaining, QUOTA / 2);
    int64_t later = 1000 + state.reset_seconds * INT64_C(1000);
    cr_expect_eq(take("a", later).remaining, QUOTA - 1);
}

Test(rate, out_of_order_clock_readings_lose_no_quota) {
    take("a", 5000);
    take("a", 4000);
    cr_expect_eq(take("a", 5000).remaining, QUOTA - 3);
}

Test(rate, clients_that_used_up_their_organisations_quota_must_wait) {
    use_up("a", 1000);
    use_up("b", 1000);
    for (int i = 0; i < TOGETHER - 2 * QUOTA; i++) {
        cr_assert(rate_take(limiter, "CPC-GLA", "c", 1000).allowed);
    }
    rate_state refused = rate_take(limiter, "CPC-GLA", "c", 1000);
    cr_expect_not(refused.allowed);
    cr_expect(refused.client.allowed);
    cr_expect_not(refused.organisation.allowed);
    cr_expect_eq(refused.organisation.remaining, 0);
    cr_expect_eq(refused.window, WINDOW);
    cr_expect(rate_take(limiter, "CPC-EDH", "c", 1000).allowed);
    int64_t later = 1000 + refused.organisation.reset_seconds * INT64_C(1000);
    cr_expect(rate_take(limiter, "CPC-GLA", "c", later).allowed);
}

Test(rate, a_refusal_of_the_organisation_leaves_the_clients_quota) {
    use_up("a", 1000);
    use_up("b", 1000);
    for (int i = 0; i < QUOTA; i++) {
        rate_take(limiter, "CPC-GLA", "c", 1000);
    }
    rate_state refused = rate_take(limiter, "CPC-GLA", "c", 1000);
    cr_assert_not(refused.allowed);
    cr_expect_eq(refused.client.remaining, QUOTA - (TOGETHER - 2 * QUOTA));
}

Test(rate, a_client_over_its_quota_takes_nothing_from_its_organisation) {
    use_up("a", 1000);
    for (int i = 0; i < 100; i++) {
        cr_assert_not(rate_take(limiter, "CPC-GLA", "a", 1000).allowed);
    }
    cr_expect_eq(rate_take(limiter, "CPC-GLA", "b", 1000).organisation.remaining,
                 TOGETHER - QUOTA - 1);
}

Test(rate, freeing_null_does_nothing) {
    rate_limiter_free(NULL);
}
