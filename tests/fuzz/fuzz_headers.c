/* Header fields: lines "name: value", looked at as every request's are. */
#include "tests/fuzz/common.h"

#include <string.h>

enum { FIELDS_MOST = 120 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    exchange x = exchange_begin(contract_find("listCases"));
    contract_pair fields[FIELDS_MOST];
    size_t count = 0;
    char *text = take_text(data, size, x.memory);
    for (char *line = text; line != NULL && count < FIELDS_MOST;) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        char *colon = strchr(line, ':');
        if (colon != NULL) {
            *colon = '\0';
            fields[count++] = (contract_pair){line, colon + 1 + strspn(colon + 1, " ")};
        }
        line = end;
    }
    x.request.headers = fields;
    x.request.header_count = count;
    const char *fault = framing_fault(&x.request);
    const char *coding = exchange_header(&x, "Transfer-Encoding");
    HOLDS(fault != NULL || coding == NULL || exchange_header(&x, "Content-Length") == NULL);
    const char *accept = exchange_header(&x, "Accept");
    (void)accept_choose(accept, (const char *const[]){"application/json", "text/csv", NULL});
    (void)accept_gzip(accept);
    (void)exchange_expected_version(&x);
    x.body = json_object();
    db_once once;
    if (exchange_once(&x, &once)) {
        HOLDS(once.key != NULL && once.request_hash != NULL);
    }
    contract_match match = {.operation = x.operation};
    violation_list faults = violation_list_make(x.memory);
    contract_check_parameters(x.operation, &match, NULL, 0, fields, count, &faults);
    exchange_answer(&x, 200, "{\"items\":[]}");
    exchange_end(&x);
    return 0;
}
