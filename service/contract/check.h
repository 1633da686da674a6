/* Checks that bodies and parameters share. */
#pragma once

#include "service/contract/report.h"

/* Checks enum, length, pattern and format of a string in valid UTF-8 and reports violations. */
void check_text(const contract_schema *schema, const char *text, size_t length, const report *to,
                const report_step *step);

/* Checks minimum and maximum of an integer and reports violations. */
void check_integer(const contract_schema *schema, int64_t value, const report *to,
                   const report_step *step);

/* Checks minItems and maxItems and reports violations. Returns false for too many items. */
bool check_item_count(const contract_schema *schema, size_t count, const report *to,
                      const report_step *step);
