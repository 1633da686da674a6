/* Tests of the rate limiter with a clock of their own. */
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

/* What the client's own quota says. */
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

Test(rate, given_a_new_client_when_it_asks_then_the_rest_of_the_quota_is_left) {
    rate_left state = take("a", 1000);
    cr_expect(state.allowed);
    cr_expect_eq(state.quota, QUOTA);
    cr_expect_eq(state.remaining, QUOTA - 1);
}

Test(rate, given_the_quota_is_used_up_when_one_more_is_asked_then_it_is_refused) {
    use_up("a", 1000);
    rate_left state = take("a", 1000);
    cr_expect_not(state.allowed);
    cr_expect_eq(state.remaining, 0);
}

Test(rate, given_a_refusal_when_the_stated_seconds_have_passed_then_the_next_is_allowed) {
    use_up("a", 1000);
    rate_left refused = take("a", 1000);
    cr_assert_not(refused.allowed);
    cr_expect(take("a", 1000 + refused.reset_seconds * INT64_C(1000)).allowed);
}

Test(rate, given_a_refusal_then_the_stated_seconds_are_those_of_one_request) {
    use_up("a", 1000);
    rate_left refused = take("a", 1000);
    cr_expect_geq(refused.reset_seconds, REFILL_MS / 1000);
    cr_expect_leq(refused.reset_seconds, REFILL_MS / 1000 + 1);
}

Test(rate, given_an_empty_bucket_when_one_refill_passes_then_one_request_is_allowed_and_no_more) {
    use_up("a", 1000);
    cr_expect_not(take("a", 1000 + REFILL_MS - 100).allowed);
    cr_expect(take("a", 1000 + REFILL_MS + 1).allowed);
    cr_expect_not(take("a", 1000 + REFILL_MS + 1).allowed);
}

Test(rate, given_refused_requests_when_they_go_on_then_they_do_not_put_off_the_refill) {
    use_up("a", 1000);
    for (int i = 0; i < 100; i++) {
        take("a", 1000 + i);
    }
    cr_expect(take("a", 1000 + REFILL_MS + 1).allowed);
}

Test(rate, given_a_long_pause_when_it_is_over_then_no_more_than_the_quota_is_there) {
    use_up("a", 1000);
    int64_t later = 1000 + INT64_C(100) * WINDOW * 1000;
    use_up("a", later);
    cr_expect_not(take("a", later).allowed);
}

Test(rate, given_one_client_used_up_when_another_asks_then_it_has_its_own_quota) {
    use_up("a", 1000);
    cr_expect_eq(take("b", 1000).remaining, QUOTA - 1);
    cr_expect_not(take("a", 1000).allowed);
}

Test(rate, given_one_client_name_in_two_organisations_then_each_has_its_own_quota) {
    use_up("a", 1000);
    cr_expect(rate_take(limiter, "CPC-EDH", "a", 1000).allowed);
}

Test(rate, given_names_that_join_to_the_same_text_then_each_has_its_own_quota) {
    for (int i = 0; i < QUOTA; i++) {
        cr_assert(rate_take(limiter, "ab", "c", 1000).allowed);
    }
    cr_expect_not(rate_take(limiter, "ab", "c", 1000).allowed);
    cr_expect(rate_take(limiter, "a", "bc", 1000).allowed);
}

Test(rate, given_a_used_quota_when_the_reset_has_passed_then_it_is_whole_again) {
    rate_left state = {0};
    for (int i = 0; i < QUOTA / 2; i++) {
        state = take("a", 1000);
    }
    cr_expect_eq(state.remaining, QUOTA / 2);
    int64_t later = 1000 + state.reset_seconds * INT64_C(1000);
    cr_expect_eq(take("a", later).remaining, QUOTA - 1);
}

Test(rate, given_a_clock_read_out_of_order_by_two_workers_then_no_quota_is_lost) {
    take("a", 5000);
    take("a", 4000);
    cr_expect_eq(take("a", 5000).remaining, QUOTA - 3);
}

Test(rate,
     given_clients_of_one_organisation_when_they_used_its_quota_up_then_the_next_has_to_wait) {
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

Test(rate, given_the_organisation_refuses_then_the_client_keeps_what_it_had) {
    use_up("a", 1000);
    use_up("b", 1000);
    for (int i = 0; i < QUOTA; i++) {
        rate_take(limiter, "CPC-GLA", "c", 1000);
    }
    rate_state refused = rate_take(limiter, "CPC-GLA", "c", 1000);
    cr_assert_not(refused.allowed);
    cr_expect_eq(refused.client.remaining, QUOTA - (TOGETHER - 2 * QUOTA));
}

Test(rate, given_a_client_beyond_its_quota_then_it_takes_nothing_from_its_organisation) {
    use_up("a", 1000);
    for (int i = 0; i < 100; i++) {
        cr_assert_not(rate_take(limiter, "CPC-GLA", "a", 1000).allowed);
    }
    cr_expect_eq(rate_take(limiter, "CPC-GLA", "b", 1000).organisation.remaining,
                 TOGETHER - QUOTA - 1);
}

Test(rate, given_no_limiter_when_it_is_freed_then_nothing_happens) {
    rate_limiter_free(NULL);
}
