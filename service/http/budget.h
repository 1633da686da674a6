/* The memory that requests may hold: one amount for the process, and a share of it for each client.
 *
 * A request holds memory for as long as its sender likes to take: while its body arrives, while the
 * document made of it is worked on, and while its answer is read. Each of them takes that memory
 * from the budget first, and gives it back at the end. A request that finds too little is refused
 * with 503 and Retry-After. A client that takes all of its share is refused, the others are not;
 * and a part is kept for clients that need little. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct budget budget;

/* What one request has taken. Zeroed before the first use; give it back with budget_keep(loan, 0).
 */
typedef struct budget_loan {
    budget *of;
    struct borrower *by;
    size_t bytes;
} budget_loan;

/* Makes a budget of `max` bytes. Returns NULL when memory is out. */
budget *budget_new(size_t max);
void budget_free(budget *of);

/* Takes `bytes` more for the loan, in the name of a client of an organisation (both empty for
 * callers without a token). The first call decides about the name. Returns false, and takes
 * nothing, when the budget or the client's share has not that much left. */
bool budget_take(budget *from, budget_loan *loan, const char *organisation, const char *client,
                 size_t bytes);

/* Gives back what the loan has beyond `bytes`. */
void budget_keep(budget_loan *loan, size_t bytes);

/* What one client may have at a time: a request that needs more can never be served. */
size_t budget_share(const budget *of);

typedef struct budget_stats {
    size_t max, taken;
    unsigned long long refused;
} budget_stats;

budget_stats budget_stats_read(budget *of);
