/* The memory that requests may hold: one budget for the process, and a share for each client. */
#include "service/http/budget.h"

#include "service/auth/principal.h"
#include "service/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARE_OF = 4, /* a client may hold three quarters, */
    SHARE_IS = 3,
    RESERVE_PART = 8, /* one eighth is reserved for clients that */
    LIGHT_PART = 64   /* hold no more than one part in sixty-four */
};

/* A client that holds memory. There are at most as many as connections, and usually one or two: a
 * list is enough. */
typedef struct borrower {
    struct borrower *next;
    size_t bytes, loans;
    char name[ORGANISATION_MAX + CLIENT_MAX + 2];
} borrower;

struct budget {
    pthread_mutex_t lock;
    size_t max, taken;
    borrower *first;
    unsigned long long refused;
};

budget *budget_new(size_t max) {
    budget *made = calloc(1, sizeof *made);
    if (made != NULL) {
        pthread_mutex_init(&made->lock, NULL);
        made->max = max;
    }
    return made;
}

void budget_free(budget *of) {
    if (of == NULL) {
        return;
    }
    while (of->first != NULL) {
        borrower *next = of->first->next;
        free(of->first);
        of->first = next;
    }
    pthread_mutex_destroy(&of->lock);
    free(of);
}

size_t budget_share(const budget *of) {
    return of->max / SHARE_OF * SHARE_IS;
}

/* The caller holds the lock. */
static borrower *find_borrower(budget *of, const char *organisation, const char *client) {
    char name[sizeof of->first->name];
    snprintf(name, sizeof name, "%s %s", organisation, client);
    for (borrower *one = of->first; one != NULL; one = one->next) {
        if (strcmp(one->name, name) == 0) {
            return one;
        }
    }
    borrower *made = memory_get(sizeof *made);
    *made = (borrower){.next = of->first};
    memcpy(made->name, name, sizeof name);
    of->first = made;
    return made;
}

/* The caller holds the lock. */
static void forget_borrower(budget *of, borrower *gone) {
    borrower **link = &of->first;
    while (*link != gone) {
        link = &(*link)->next;
    }
    *link = gone->next;
    free(gone);
}

/* Returns whether the client may take so many more bytes. The caller holds the lock. */
static bool may_take(const budget *of, const borrower *by, size_t bytes) {
    size_t own = by->bytes + bytes;
    size_t max = own <= of->max / LIGHT_PART ? of->max : of->max - of->max / RESERVE_PART;
    return bytes <= of->max && own <= budget_share(of) && of->taken + bytes <= max;
}

bool budget_take(budget *from, budget_loan *loan, const char *organisation, const char *client,
                 size_t bytes) {
    pthread_mutex_lock(&from->lock);
    borrower *by = loan->by != NULL ? loan->by : find_borrower(from, organisation, client);
    bool left = may_take(from, by, bytes);
    if (left) {
        by->loans += loan->by == NULL;
        by->bytes += bytes;
        from->taken += bytes;
        *loan = (budget_loan){.of = from, .by = by, .bytes = loan->bytes + bytes};
    } else {
        from->refused++;
    }
    if (by->loans == 0) {
        forget_borrower(from, by);
    }
    pthread_mutex_unlock(&from->lock);
    return left;
}

void budget_keep(budget_loan *loan, size_t bytes) {
    budget *of = loan->of;
    if (of == NULL || (loan->bytes <= bytes && bytes > 0)) {
        return;
    }
    pthread_mutex_lock(&of->lock);
    size_t back = loan->bytes - bytes;
    of->taken -= back;
    loan->by->bytes -= back;
    loan->bytes = bytes;
    if (bytes == 0) {
        if (--loan->by->loans == 0) {
            forget_borrower(of, loan->by);
        }
        *loan = (budget_loan){0};
    }
    pthread_mutex_unlock(&of->lock);
}

budget_stats budget_stats_read(budget *of) {
    pthread_mutex_lock(&of->lock);
    budget_stats now = {.max = of->max, .taken = of->taken, .refused = of->refused};
    pthread_mutex_unlock(&of->lock);
    return now;
}
