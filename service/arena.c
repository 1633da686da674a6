/* Memory of one request: allocated piece by piece, freed all at once. */
#include "service/arena.h"

#include "service/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 32768, ALIGNMENT = _Alignof(max_align_t) };

typedef struct block {
    struct block *next;
    size_t capacity;
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
} block;

struct arena {
    block *current;
};

static block *new_block(size_t capacity, block *next) {
    block *made = memory_get(sizeof *made + capacity);
    made->next = next;
    made->capacity = capacity;
    made->used = 0;
    return made;
}

arena *arena_new(void) {
    arena *memory = memory_get(sizeof *memory);
    memory->current = new_block(FIRST_BLOCK, NULL);
    return memory;
}

void arena_free(arena *memory) {
    if (memory == NULL) {
        return;
    }
    while (memory->current != NULL) {
        block *next = memory->current->next;
        free(memory->current);
        memory->current = next;
    }
    free(memory);
}

void arena_reset(arena *memory) {
    while (memory->current->next != NULL) {
        block *next = memory->current->next;
        free(memory->current);
        memory->current = next;
    }
    memory->current->used = 0;
}

void *arena_alloc(arena *memory, size_t size) {
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded < size) {
        abort();
    }
    block *current = memory->current;
    if (current->capacity - current->used < rounded) {
        size_t capacity = current->capacity * 2 > rounded ? current->capacity * 2 : rounded;
        memory->current = current = new_block(capacity, current);
    }
    void *place = current->bytes + current->used;
    current->used += rounded;
    return memset(place, 0, size);
}

char *arena_strndup(arena *memory, const char *text, size_t length) {
    char *copy = arena_alloc(memory, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(arena *memory, const char *text) {
    return text == NULL ? NULL : arena_strndup(memory, text, strlen(text));
}

char *arena_printf(arena *memory, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        va_end(again);
        return arena_strdup(memory, "");
    }
    char *text = arena_alloc(memory, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
