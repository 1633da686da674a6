/* Query strings of every operation: one byte for the operation, then the query. */
#include "service/contract/formats.h"
#include "tests/fuzz/common.h"

#include <string.h>

/* Every accepted pair is UTF-8 without control bytes. */
static void look_at(const contract_pair *pair) {
    HOLDS(*pair->name != '\0' && utf8_is_valid(pair->name, strlen(pair->name)));
    HOLDS(utf8_is_valid(pair->value, strlen(pair->value)));
    for (const char *byte = pair->value; *byte != '\0'; byte++) {
        HOLDS((unsigned char)*byte >= 0x20 && *byte != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    request r = request_begin(choose_operation(take_byte(&data, &size)));
    const char *text = take_text(data, size, r.memory);
    violation_list faults = violation_list_make(r.memory);
    contract_pair *pairs = NULL;
    size_t count = 0;
    if (query_parse(text, &pairs, &count, &faults, r.memory)) {
        HOLDS(faults.first == NULL && count <= 50);
        for (size_t i = 0; i < count; i++) {
            look_at(&pairs[i]);
        }
        contract_match match = {.operation = r.operation};
        contract_check_parameters(r.operation, &match, pairs, count, NULL, 0, &faults);
        if (faults.first != NULL) {
            respond_violations(&r, violations_code(&faults), &faults);
            HOLDS(r.status == 400);
        }
    } else {
        HOLDS(faults.first != NULL);
    }
    request_end(&r);
    return 0;
}
