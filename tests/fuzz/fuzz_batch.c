/* Bodies of the batch: an array or lines, each item checked like a single push. */
#include "tests/fuzz/common.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const contract_operation *operation = contract_find("pushReferrals");
    const contract_schema *item = contract_find("pushReferral")->bodies[0].schema;
    exchange x = exchange_begin(operation);
    unsigned kind = take_byte(&data, &size);
    contract_pair type = {"Content-Type",
                          operation->bodies[kind % operation->body_count].media_type};
    x.request.headers = &type;
    x.request.header_count = 1;
    x.request.body = take_text(data, size, x.memory);
    x.request.body_size = size;
    bool read = exchange_expect_body(&x) && exchange_read_body(&x);
    size_t index;
    json_t *each;
    json_array_foreach (read ? x.body : NULL, index, each) {
        violation_list faults = violation_list_make(x.memory);
        contract_check_value(item, each, "", &faults);
        if (faults.first != NULL) {
            json_t *problem = exchange_problem(&x, "schema_violation", NULL, &faults, NULL);
            HOLDS(problem != NULL);
            json_decref(problem);
            continue;
        }
        contract_scan_free_text(item, each, "", x.shared->scan_text, &faults);
        contract_apply_defaults(item, each);
        violation_list again = violation_list_make(x.memory);
        contract_check_value(item, each, "", &again);
        HOLDS(again.first == NULL);
    }
    exchange_end(&x);
    return 0;
}
