/* The faults of an input and their places: collected all at once, rendered in one problem. */
#pragma once

#include "service/arena.h"

#include <stdbool.h>

typedef enum violation_place {
    PLACE_BODY,   /* name is a JSON pointer (RFC 6901), "" for the whole document */
    PLACE_QUERY,  /* name is the parameter's name */
    PLACE_PATH,   /* name is the parameter's name */
    PLACE_HEADER, /* name is the header's name */
    PLACE_STATE   /* name is NULL: the input is valid, a condition is not met */
} violation_place;

typedef struct violation {
    violation_place place;
    const char *name;
    const char
        *rule; /* stable, snake_case: required, type, enum, max_length, unknown_member, ... */
    const char *message; /* one English sentence that never repeats the value sent */
    struct violation *next;
} violation;

/* At most VIOLATIONS_MAX are kept, so that a hostile document cannot cause a huge answer. */
enum { VIOLATIONS_MAX = 100 };

typedef struct violation_list {
    arena *memory;
    violation *first;
    violation *last;
    size_t count, max;
} violation_list;

/* Returns an empty list whose entries will live in `memory`. */
violation_list violation_list_make(arena *memory);

/* The same for at most `max` entries, or VIOLATIONS_MAX if that is less. */
violation_list violation_list_make_for(arena *memory, size_t max);

/* Appends one violation. `name` and `message` are copied; `rule` must be a literal or outlive the
 * list. */
void violation_add(violation_list *list, violation_place place, const char *name, const char *rule,
                   const char *message);

/* Returns whether every violation of the (non-empty) list has this rule. */
bool violation_list_all(const violation_list *list, const char *rule);
