/* Allocation that never fails in the middle: half a document would be worse than none. */
#include "service/memory.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <orcania.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIES_MAX = 1000, PAUSE_US = 1000 };

static void *resize(void *place, size_t size) {
    size_t wanted = size == 0 ? 1 : size;
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        void *got = realloc(place, wanted);
        if (got != NULL) {
            return got;
        }
        usleep(PAUSE_US);
    }
    fputs("{\"level\":\"fatal\",\"message\":\"out of memory\"}\n", stderr);
    abort();
}

void *memory_get(size_t size) {
    return resize(NULL, size);
}

static void *get_for_openssl(size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return resize(NULL, size);
}

static void *resize_for_openssl(void *place, size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    return resize(place, size);
}

static void free_for_openssl(void *place, const char *file, int line) {
    (void)file;
    (void)line;
    free(place);
}

void memory_start(void) {
    json_set_alloc_funcs(memory_get, free);
    o_set_alloc_funcs(memory_get, resize, free);
}

static void start_openssl(void) {
    CRYPTO_set_mem_functions(get_for_openssl, resize_for_openssl, free_for_openssl);
}

/* OpenSSL accepts other functions only before its first allocation, and libjose allocates while it
 * is loaded: this runs before any library starts. */
__attribute__((section(".preinit_array"),
               used)) static void (*const openssl_starts)(void) = start_openssl;
