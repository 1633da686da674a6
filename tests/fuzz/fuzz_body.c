/* Bodies of every operation: one byte for the operation, one for the media type, then the body. */
#include "service/http/request_private.h"
#include "tests/fuzz/common.h"

#include <stdlib.h>
#include <string.h>

static violation_list check(const contract_schema *schema, const json_t *value, arena *memory) {
    violation_list faults = violation_list_make(memory);
    contract_check_value(schema, value, "", &faults);
    return faults;
}

/* A valid value is still valid with its defaults, and is parsed again from its own text. */
static void follow_valid(request *r, json_t *value) {
    const contract_schema *schema = request_body_schema(r);
    violation_list found = violation_list_make(r->memory);
    contract_scan_free_text(schema, value, "", r->context->scan_text, &found);
    contract_apply_defaults(schema, value);
    HOLDS(check(schema, value, r->memory).first == NULL);
    const char *text = request_body_text(r);
    json_t *again = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    HOLDS(again != NULL && json_equal(again, r->body));
    json_decref(again);
}

static void follow_lines(request *r) {
    size_t index;
    json_t *line;
    json_array_foreach (r->body, index, line) {
        check(request_body_schema(r), line, r->memory);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const contract_operation *operation = choose_operation(take_byte(&data, &size));
    unsigned kind = take_byte(&data, &size);
    if (operation->body_count == 0) {
        return -1;
    }
    request r = request_begin(operation);
    contract_pair type = {"Content-Type",
                          operation->bodies[kind % operation->body_count].media_type};
    r.raw.headers = &type;
    r.raw.header_count = 1;
    r.raw.body = take_text(data, size, r.memory);
    r.raw.body_size = size;
    if (!request_expect_body(&r) || !request_read_body(&r)) {
        HOLDS(r.status >= 400 && r.status < 500 && r.response_size > 2);
    } else if (r.body != NULL && request_body_is_lines(&r)) {
        follow_lines(&r);
    } else if (r.body != NULL) {
        violation_list faults = check(request_body_schema(&r), r.body, r.memory);
        if (faults.first == NULL) {
            follow_valid(&r, r.body);
        } else {
            respond_violations(&r, violations_code(&faults), &faults);
            HOLDS(r.status == 400 && r.response_size > 2);
        }
    }
    request_end(&r);
    return 0;
}
