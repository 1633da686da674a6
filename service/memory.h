/* Memory that cannot be missing in between: half a document would be worse than none. */
#pragma once

#include <stddef.h>

/* Returns `size` bytes, freed with free(). When there are none it asks again for a second, because
 * most shortages pass; then it ends the process, and whoever supervises it starts it anew. */
void *memory_get(size_t size);

/* Lets the libraries that build documents, digests and answers (jansson, OpenSSL, ulfius) take
 * their memory in the same way: with theirs, a member, a filter or a header that there was no
 * memory for would be missing silently. First of all that main does. */
void memory_start(void);
