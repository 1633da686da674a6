/* Answers, for each line "operationId<TAB>media type<TAB>JSON", whether the contract allows it:
 * "ok" or the sorted violations as "pointer rule", separated by "; ". With the argument --time it
 * checks each line many times and prints the nanoseconds that one check takes. */
#include "service/contract/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 100000 };

static const contract_schema *find_schema(const char *operation, const char *media_type) {
    for (size_t i = 0; i < contract_operation_count; i++) {
        const contract_operation *each = &contract_operations[i];
        for (size_t j = 0; strcmp(each->id, operation) == 0 && j < each->body_count; j++) {
            if (strcmp(each->bodies[j].media_type, media_type) == 0) {
                return each->bodies[j].schema;
            }
        }
    }
    return NULL;
}

static int compare_texts(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void print_violations(const violation_list *list) {
    const char *texts[VIOLATIONS_MAX];
    size_t count = 0;
    for (const violation *each = list->first; each != NULL; each = each->next) {
        texts[count++] = arena_printf(list->memory, "%s %s", each->name, each->rule);
    }
    qsort(texts, count, sizeof texts[0], compare_texts);
    for (size_t i = 0; i < count; i++) {
        printf("%s%s", i > 0 ? "; " : "", texts[i]);
    }
    puts(count == 0 ? "ok" : "");
}

static void measure(const contract_schema *schema, const json_t *value, arena *memory) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < ROUNDS; i++) {
        violation_list list = violation_list_make(memory);
        contract_check_value(schema, value, "", &list);
        arena_reset(memory);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double passed =
        (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
    printf("%.0f ns\n", passed / ROUNDS);
}

static void answer_line(char *line, bool timed, arena *memory) {
    char *rest = NULL;
    const char *operation = strtok_r(line, "\t", &rest);
    const char *media_type = strtok_r(NULL, "\t", &rest);
    const char *body = strtok_r(NULL, "\n", &rest);
    if (body == NULL) {
        puts("bad line");
        return;
    }
    const contract_schema *schema = find_schema(operation, media_type);
    json_t *value = json_loads(body, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (schema == NULL || value == NULL) {
        puts(schema == NULL ? "no such body" : "not json");
    } else if (timed) {
        measure(schema, value, memory);
    } else {
        violation_list list = violation_list_make(memory);
        contract_check_value(schema, value, "", &list);
        print_violations(&list);
    }
    json_decref(value);
}

int main(int count, char **arguments) {
    bool timed = count > 1 && strcmp(arguments[1], "--time") == 0;
    if (!contract_start()) {
        fputs("a pattern of the contract does not compile\n", stderr);
        return 1;
    }
    arena *memory = arena_new();
    char *line = NULL;
    size_t size = 0;
    while (memory != NULL && getline(&line, &size, stdin) > 0) {
        answer_line(line, timed, memory);
        arena_reset(memory);
    }
    free(line);
    arena_free(memory);
    contract_stop();
    return 0;
}
