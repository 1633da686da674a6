/* Bodies of every operation: one byte for the operation, one for the media type, then the body. */
#include "service/http/exchange_parts.h"
#include "tests/fuzz/common.h"

#include <stdlib.h>
#include <string.h>

static violation_list check(const contract_schema *schema, const json_t *value, arena *memory) {
    violation_list faults = violation_list_make(memory);
    contract_check_value(schema, value, "", &faults);
    return faults;
}

/* What kept the contract keeps it with its defaults, and comes out of its own text again. */
static void follow_valid(exchange *x, json_t *value) {
    const contract_schema *schema = exchange_body_schema(x);
    violation_list found = violation_list_make(x->memory);
    contract_scan_free_text(schema, value, "", x->shared->scan_text, &found);
    contract_apply_defaults(schema, value);
    HOLDS(check(schema, value, x->memory).first == NULL);
    const char *text = exchange_body_text(x);
    json_t *again = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    HOLDS(again != NULL && json_equal(again, x->body));
    json_decref(again);
}

static void follow_lines(exchange *x) {
    size_t index;
    json_t *line;
    json_array_foreach (x->body, index, line) {
        check(exchange_body_schema(x), line, x->memory);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const contract_operation *operation = choose_operation(take_byte(&data, &size));
    unsigned kind = take_byte(&data, &size);
    if (operation->body_count == 0) {
        return -1;
    }
    exchange x = exchange_begin(operation);
    contract_pair type = {"Content-Type",
                          operation->bodies[kind % operation->body_count].media_type};
    x.request.headers = &type;
    x.request.header_count = 1;
    x.request.body = take_text(data, size, x.memory);
    x.request.body_size = size;
    if (!exchange_expect_body(&x) || !exchange_read_body(&x)) {
        HOLDS(x.status >= 400 && x.status < 500 && x.answer_size > 2);
    } else if (x.body != NULL && exchange_body_is_lines(&x)) {
        follow_lines(&x);
    } else if (x.body != NULL) {
        violation_list faults = check(exchange_body_schema(&x), x.body, x.memory);
        if (faults.first == NULL) {
            follow_valid(&x, x.body);
        } else {
            exchange_refuse_violations(&x, exchange_code_of(&faults), &faults);
            HOLDS(x.status == 400 && x.answer_size > 2);
        }
    }
    exchange_end(&x);
    return 0;
}
