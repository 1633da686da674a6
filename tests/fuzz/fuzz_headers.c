/* Header fields: lines "name: value", checked like those of every request. */
#include "tests/fuzz/common.h"

#include <string.h>

enum { FIELDS_MAX = 120 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    request r = request_begin(contract_find("listCases"));
    contract_pair fields[FIELDS_MAX];
    size_t count = 0;
    char *text = take_text(data, size, r.memory);
    for (char *line = text; line != NULL && count < FIELDS_MAX;) {
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
    r.raw.headers = fields;
    r.raw.header_count = count;
    const char *fault = framing_fault(&r.raw);
    const char *coding = request_header(&r, "Transfer-Encoding");
    HOLDS(fault != NULL || coding == NULL || request_header(&r, "Content-Length") == NULL);
    const char *accept = request_header(&r, "Accept");
    (void)negotiate_media_type(accept, (const char *const[]){"application/json", "text/csv", NULL});
    (void)negotiate_gzip(accept);
    (void)request_expected_version(&r);
    r.body = json_object();
    db_idempotency idempotency;
    if (request_idempotency(&r, &idempotency)) {
        HOLDS(idempotency.key != NULL && idempotency.request_hash != NULL);
    }
    contract_match match = {.operation = r.operation};
    violation_list faults = violation_list_make(r.memory);
    contract_check_parameters(r.operation, &match, NULL, 0, fields, count, &faults);
    respond(&r, 200, "{\"items\":[]}");
    request_end(&r);
    return 0;
}
