/* Cursors of lists: the key of a page's last item, signed and bound to the operation and its
 * filters. */
#include "service/http/request_private.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>

enum { MAC_SIZE = 12 };

/* Signs the cursor. Returns false on failure: then `mac` holds no signature to compare with. */
static bool sign(request *r, const char *list, const char *key, const char *filters,
                 unsigned char *mac) {
    const char *text =
        arena_printf(r->memory, "%s\n%s\n%s\n%s", list, r->principal.organisation, filters, key);
    unsigned char whole[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), r->context->cursor_key, SECRET_SIZE, (const unsigned char *)text,
             strlen(text), whole, &size) == NULL) {
        return false;
    }
    memcpy(mac, whole, MAC_SIZE);
    return true;
}

const char *cursor_make_for(request *r, const char *list, const char *key, const char *filters) {
    size_t length = strlen(key);
    unsigned char *bytes = arena_alloc(r->memory, MAC_SIZE + length);
    (void)sign(r, list, key, filters, bytes); /* without it a cursor is refused later */
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes from here on, no string */
    memcpy(bytes + MAC_SIZE, key, length);
    return base64url_encode(bytes, MAC_SIZE + length, r->memory);
}

const char *cursor_make(request *r, const char *key, const char *filters) {
    return cursor_make_for(r, r->operation->id, key, filters);
}

const char *cursor_read(request *r, const char *cursor, const char *filters) {
    return cursor_read_for(r, r->operation->id, cursor, filters);
}

const char *cursor_read_for(request *r, const char *list, const char *cursor, const char *filters) {
    size_t size = 0;
    unsigned char *bytes = base64url_decode(cursor, &size, r->memory);
    if (bytes == NULL || size <= MAC_SIZE) {
        return NULL;
    }
    const char *key = arena_strndup(r->memory, (const char *)bytes + MAC_SIZE, size - MAC_SIZE);
    if (strlen(key) != size - MAC_SIZE) {
        return NULL; /* the signature covers a string: nothing may follow its end */
    }
    unsigned char mac[MAC_SIZE];
    return sign(r, list, key, filters, mac) && CRYPTO_memcmp(mac, bytes, MAC_SIZE) == 0 ? key
                                                                                        : NULL;
}
