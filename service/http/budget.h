/* The memory that requests may hold: one budget for the process, and a share for each client.
 *
 * The client decides how long its request holds memory: while its body arrives, while the service
 * works on the document, and while the client reads the answer. Each phase first takes its memory
 * from the budget, and gives it back at the end. A request that finds too little is refused with
 * 503 and Retry-After. A client that has used all of its share is refused while the others are
 * served, and a part of the budget is reserved for clients that need little. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct budget budget;

/* The memory that one request has taken. Zeroed before the first use; give it back with
 * budget_keep(loan, 0). */
typedef struct budget_loan {
    budget *of;
    struct borrower *by;
    size_t bytes;
} budget_loan;

/* Makes a budget of `max` bytes. Returns NULL when memory is out. */
budget *budget_new(size_t max);
void budget_free(budget *of);

/* Takes `bytes` more for the loan, in the name of a client of an organisation (both empty for
 * callers without a token). The first call sets the name. Returns false, and takes nothing, when
 * the budget or the client's share has too little left. */
bool budget_take(budget *from, budget_loan *loan, const char *organisation, const char *client,
                 size_t bytes);

/* Gives back all memory of the loan beyond `bytes`. */
void budget_keep(budget_loan *loan, size_t bytes);

/* Returns how much one client may hold at a time: a request that needs more can never be served. */
size_t budget_share(const budget *of);

typedef struct budget_stats {
    size_t max, taken;
    unsigned long long refused;
} budget_stats;

budget_stats budget_stats_read(budget *of);
