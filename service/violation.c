/* The faults of an input and their places: collected all at once, rendered in one problem. */
#include "service/violation.h"

#include <string.h>

violation_list violation_list_make(arena *memory) {
    return violation_list_make_for(memory, VIOLATIONS_MAX);
}

violation_list violation_list_make_for(arena *memory, size_t max) {
    return (violation_list){.memory = memory, .max = max < VIOLATIONS_MAX ? max : VIOLATIONS_MAX};
}

void violation_add(violation_list *list, violation_place place, const char *name, const char *rule,
                   const char *message) {
    if (list->count >= list->max) {
        return;
    }
    violation *added = arena_alloc(list->memory, sizeof *added);
    added->place = place;
    added->name = arena_strdup(list->memory, name);
    added->rule = rule;
    added->message = arena_strdup(list->memory, message);
    if (list->last == NULL) {
        list->first = added;
    } else {
        list->last->next = added;
    }
    list->last = added;
    list->count++;
}

bool violation_list_all(const violation_list *list, const char *rule) {
    for (const violation *each = list->first; each != NULL; each = each->next) {
        if (strcmp(each->rule, rule) != 0) {
            return false;
        }
    }
    return list->first != NULL;
}
