/* Bodies of the batch: an array or lines, each item checked like a single push. */
#include "tests/fuzz/common.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const contract_operation *operation = contract_find("pushReferrals");
    const contract_schema *item = contract_find("pushReferral")->bodies[0].schema;
    request r = request_begin(operation);
    unsigned kind = take_byte(&data, &size);
    contract_pair type = {"Content-Type",
                          operation->bodies[kind % operation->body_count].media_type};
    r.raw.headers = &type;
    r.raw.header_count = 1;
    r.raw.body = take_text(data, size, r.memory);
    r.raw.body_size = size;
    bool read = request_expect_body(&r) && request_read_body(&r);
    size_t index;
    json_t *each;
    json_array_foreach (read ? r.body : NULL, index, each) {
        violation_list faults = violation_list_make(r.memory);
        contract_check_value(item, each, "", &faults);
        if (faults.first != NULL) {
            json_t *problem = problem_document(&r, "schema_violation", NULL, &faults, NULL);
            HOLDS(problem != NULL);
            json_decref(problem);
            continue;
        }
        contract_scan_free_text(item, each, "", r.context->scan_text, &faults);
        contract_apply_defaults(item, each);
        violation_list again = violation_list_make(r.memory);
        contract_check_value(item, each, "", &again);
        HOLDS(again.first == NULL);
    }
    request_end(&r);
    return 0;
}
