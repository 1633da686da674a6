/* Helpers of the fuzz targets: a request without a server, and an assertion. */
#include "tests/fuzz/common.h"

#include "api/free_text.h"
#include "service/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static config settings = {.public_url = (char *)(uintptr_t) "http://127.0.0.1:8080"};
static app_context context = {.settings = &settings,
                              .scan_text = free_text_scan,
                              .scan_identifier = free_text_scan_identifier};

__attribute__((constructor)) static void start(void) {
    log_set_level(LOG_ERROR);
    memset(context.cursor_key, 0x17, sizeof context.cursor_key);
    holds(contract_start(), "the contract's patterns compile", __FILE__, __LINE__);
}

void holds(bool claim, const char *text, const char *file, int line) {
    if (!claim) {
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
        abort();
    }
}

unsigned take_byte(const uint8_t **data, size_t *size) {
    if (*size == 0) {
        return 0;
    }
    --*size;
    return *(*data)++;
}

char *take_text(const uint8_t *data, size_t size, arena *memory) {
    return arena_strndup(memory, (const char *)data, size);
}

request request_begin(const contract_operation *operation) {
    return (request){.memory = arena_new(),
                     .context = &context,
                     .operation = operation,
                     .authenticated = true,
                     .principal = {.organisation = "CPC-GLA", .client = "fuzz"},
                     .raw = {.method = "POST", .target = "/", .protocol = "HTTP/1.1"}};
}

void request_end(request *r) {
    json_decref(r->body);
    arena_free(r->memory);
}

const contract_operation *choose_operation(unsigned number) {
    return &contract_operations[number % contract_operation_count];
}
