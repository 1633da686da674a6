/* A pushed referral made ready for the database. */
#include "api/referral_input.h"

#include "api/pseudonym.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

bool referral_hide_children(exchange *x, json_t *referral, const char *committee,
                            const char *source_system) {
    size_t index;
    json_t *child;
    json_array_foreach (json_object_get(referral, "children"), index, child) {
        if (!pseudonym_replace(x, child, committee, source_system)) {
            return false;
        }
    }
    return true;
}

static const char *hash_text(exchange *x, const char *text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL) != 1) {
        exchange_refuse(x, "internal", NULL);
        return NULL;
    }
    char *hex = arena_alloc(exchange_memory(x), size * 2 + 1);
    for (unsigned int i = 0; i < size; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
    }
    return hex;
}

const char *referral_item(exchange *x, json_t *referral, const char *key) {
    arena *memory = exchange_memory(x);
    const char *committee = json_string_value(json_object_get(referral, "committee"));
    const char *source_system = json_string_value(json_object_get(referral, "source_system"));
    if (!referral_hide_children(x, referral, committee, source_system)) {
        return NULL;
    }
    size_t size = json_dumpb(referral, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
    char *text = arena_alloc(memory, size + 1);
    json_dumpb(referral, text, size, JSON_COMPACT | JSON_SORT_KEYS);
    const char *hash = hash_text(x, text);
    if (hash == NULL) {
        return NULL;
    }
    /* The key needs no escapes: the contract's pattern allows none that JSON would ask for. */
    return key == NULL
               ? arena_printf(memory, "\"key\":null,\"hash\":\"%s\",\"doc\":%s", hash, text)
               : arena_printf(memory, "\"key\":\"%s\",\"hash\":\"%s\",\"doc\":%s", key, hash, text);
}
