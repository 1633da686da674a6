/* Allocation that never fails in the middle: half a document would be worse than none. */
#pragma once

#include <stddef.h>

/* Returns `size` bytes, to be freed with free(). When there are none it retries for a second,
 * because most shortages pass; then it ends the process, and the supervisor starts it again. */
void *memory_get(size_t size);

/* Makes the libraries that build documents, digests and answers (jansson, OpenSSL, ulfius) allocate
 * in the same way: with their own allocation, a member, a filter or a header would be missing
 * silently when memory is out. main calls it first. */
void memory_start(void);
