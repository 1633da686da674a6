/* Tests of the memory that requests may hold. */
#include "service/http/budget.h"

#include <criterion/criterion.h>

enum { BUDGET = 6400, SHARE = 4800, LIGHT = 100, FOR_ALL = 5600 };

static budget *memory_budget;

static void begin(void) {
    memory_budget = budget_new(BUDGET);
}

static void end(void) {
    cr_expect_eq(budget_stats_read(memory_budget).taken, 0, "what was taken came back");
    budget_free(memory_budget);
}

TestSuite(budget, .init = begin, .fini = end);

static bool take(budget_loan *loan, const char *client, size_t bytes) {
    return budget_take(memory_budget, loan, "LA-1", client, bytes);
}

Test(budget, a_client_with_its_whole_share_gets_no_more) {
    budget_loan one = {0}, another = {0};
    cr_assert_eq(budget_share(memory_budget), SHARE);
    cr_expect(take(&one, "a", SHARE - 1));
    cr_expect_not(take(&another, "a", 2));
    cr_expect_null(another.of, "a loan that got nothing owes nothing");
    cr_expect(take(&another, "a", 1));
    cr_expect_not(take(&one, "a", 1));
    cr_expect_eq(budget_stats_read(memory_budget).refused, 2);
    budget_keep(&one, 0);
    budget_keep(&another, 0);
}

Test(budget, heavy_clients_leave_the_reserve_to_light_ones) {
    budget_loan heavy = {0}, next = {0}, light[FOR_ALL / LIGHT] = {{0}};
    cr_expect(take(&heavy, "a", SHARE));
    cr_expect_not(take(&next, "b", FOR_ALL - SHARE + 1));
    cr_expect(take(&next, "b", FOR_ALL - SHARE));
    for (int i = 0; i < (BUDGET - FOR_ALL) / LIGHT; i++) {
        cr_expect(take(&light[i], (const char[]){(char)('c' + i), '\0'}, LIGHT), "%d", i);
    }
    cr_expect_eq(budget_stats_read(memory_budget).taken, BUDGET);
    cr_expect_not(take(&light[10], "z", 1));
    budget_keep(&heavy, 0);
    budget_keep(&next, 0);
    for (int i = 0; i < (BUDGET - FOR_ALL) / LIGHT; i++) {
        budget_keep(&light[i], 0);
    }
}

Test(budget, memory_given_back_is_available_to_others) {
    budget_loan one = {0}, other = {0};
    cr_expect(take(&one, "a", SHARE));
    budget_keep(&one, 200);
    budget_keep(&one, 300); /* keeps no more than it has */
    cr_expect_eq(one.bytes, 200);
    cr_expect(take(&other, "b", SHARE));
    budget_keep(&one, 0);
    budget_keep(&one, 0); /* the second call does nothing */
    budget_keep(&other, 0);
}

Test(budget, the_largest_size_is_refused) {
    budget_loan one = {0};
    cr_expect(take(&one, "a", 10));
    cr_expect_not(take(&one, "a", (size_t)-1));
    cr_expect_not(take(&one, "a", (size_t)-10));
    budget_keep(&one, 0);
}
