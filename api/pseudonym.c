/* Children by reference: the sender's own identifier becomes a keyed hash before anything is
 * stored. */
#include "api/pseudonym.h"

#include "service/hex.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { REFERENCE_BYTES = 16 };

static bool hash(const void *key, size_t key_size, const char *text, unsigned char *out) {
    return HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text), out,
                NULL) != NULL;
}

/* NULL when the hash cannot be made. */
static json_t *make_reference(request *r, const char *kind, const char *id, const char *committee,
                              const char *source_system) {
    unsigned char committee_key[EVP_MAX_MD_SIZE];
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * REFERENCE_BYTES + 1];
    const char *named = arena_printf(request_memory(r), "%s\n%s\n%s\n%s", kind,
                                     request_principal(r)->organisation, source_system, id);
    if (!hash(request_context(r)->pseudonym_key, SECRET_SIZE, committee, committee_key) ||
        !hash(committee_key, 32, named, digest)) {
        return NULL;
    }
    hex_write(digest, REFERENCE_BYTES, text);
    return json_string(text);
}

bool pseudonym_replace(request *r, json_t *child, const char *committee,
                       const char *source_system) {
    const char *id = json_string_value(json_object_get(child, "child_id"));
    const char *family = json_string_value(json_object_get(child, "family_id"));
    json_t *child_ref =
        id == NULL ? NULL : make_reference(r, "child", id, committee, source_system);
    json_t *family_ref = family == NULL
                             ? json_null()
                             : make_reference(r, "family", family, committee, source_system);
    bool made = (id == NULL || child_ref != NULL) && family_ref != NULL;
    if (child_ref != NULL) {
        json_object_set_new(child, "child_ref", child_ref);
    }
    if (family_ref != NULL) {
        json_object_set_new(child, "family_ref", family_ref);
    }
    json_object_del(child, "child_id");
    json_object_del(child, "family_id");
    if (!made) {
        respond_problem(r, "internal", NULL);
    }
    return made;
}
