/* A pushed referral made ready for the database. */
#include "api/referral_input.h"

#include "api/pseudonym.h"
#include "service/hex.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

bool referral_hide_children(request *r, json_t *referral, const char *committee,
                            const char *source_system) {
    size_t index;
    json_t *child;
    json_array_foreach (json_object_get(referral, "children"), index, child) {
        if (!pseudonym_replace(r, child, committee, source_system)) {
            return false;
        }
    }
    return true;
}

static const char *hash_text(request *r, const char *text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL) != 1) {
        respond_problem(r, "internal", NULL);
        return NULL;
    }
    char *hex = arena_alloc(request_memory(r), size * 2 + 1);
    hex_write(digest, size, hex);
    return hex;
}

static const char *quote(arena *memory, const char *text) {
    return text == NULL ? "null" : arena_printf(memory, "\"%s\"", text);
}

const char *referral_item(request *r, json_t *referral, const char *key, const char *audited) {
    arena *memory = request_memory(r);
    const char *committee = json_string_value(json_object_get(referral, "committee"));
    const char *source_system = json_string_value(json_object_get(referral, "source_system"));
    if (!referral_hide_children(r, referral, committee, source_system)) {
        return NULL;
    }
    size_t size = json_dumpb(referral, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
    char *text = arena_alloc(memory, size + 1);
    json_dumpb(referral, text, size, JSON_COMPACT | JSON_SORT_KEYS);
    const char *hash = hash_text(r, text);
    if (hash == NULL) {
        return NULL;
    }
    /* Neither key nor request needs escapes: what they may consist of has none that JSON would ask
     * for. */
    return arena_printf(memory, "\"key\":%s,\"request\":%s,\"hash\":\"%s\",\"doc\":%s",
                        quote(memory, key), quote(memory, audited), hash, text);
}
