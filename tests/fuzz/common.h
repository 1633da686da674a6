/* Helpers of the fuzz targets: a request without a server, and an assertion. */
#pragma once

#include "service/http/request_private.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program when a claim about the tested code is false. */
#define HOLDS(claim) holds((claim), #claim, __FILE__, __LINE__)
void holds(bool claim, const char *text, const char *file, int line);

/* Takes one byte from the front of the input; 0 when there is none. */
unsigned take_byte(const uint8_t **data, size_t *size);

/* The rest of the input as a string, which ends at its first NUL. */
char *take_text(const uint8_t *data, size_t size, arena *memory);

/* A request for the operation, with its own memory, which request_end frees. */
request request_begin(const contract_operation *operation);
void request_end(request *r);

/* The operation with this number, modulo their count. */
const contract_operation *choose_operation(unsigned number);
