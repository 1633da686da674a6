/* Memory of one request: allocated piece by piece, freed all at once. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

typedef struct arena arena;

/* Returns a new, empty arena; never NULL (see service/memory.h). The caller frees it with
 * arena_free. */
arena *arena_new(void);

/* Frees the arena and everything allocated from it. NULL is allowed. */
void arena_free(arena *memory);

/* Forgets everything allocated so far and keeps one block for reuse. */
void arena_reset(arena *memory);

/* Returns `size` zeroed bytes aligned for any type. The arena owns them.
 * Running out of memory for longer than a moment ends the process (service/memory.h). */
void *arena_alloc(arena *memory, size_t size);

/* Returns a NUL-terminated copy of the `length` bytes at `text`, owned by the arena. */
char *arena_strndup(arena *memory, const char *text, size_t length);

/* Returns a copy of the string, owned by the arena; NULL for NULL. */
char *arena_strdup(arena *memory, const char *text);

/* Returns the formatted string, owned by the arena. */
char *arena_printf(arena *memory, const char *format, ...) __attribute__((format(printf, 2, 3)));
