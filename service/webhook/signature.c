/* Secrets of webhooks, and signatures by Standard Webhooks. */
#include "service/webhook/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { DIGEST_SIZE = 32, BASE64_SIZE = 4 * ((DIGEST_SIZE + 2) / 3) + 1 };

static void hash(const unsigned char *key, const char *text, unsigned char *digest) {
    unsigned int size = 0;
    HMAC(EVP_sha256(), key, WEBHOOK_KEY_SIZE, (const unsigned char *)text, strlen(text), digest,
         &size);
}

static void derive(const unsigned char *key, const char *webhook, int generation,
                   unsigned char *secret, arena *memory) {
    hash(key, arena_printf(memory, "%s\n%d", webhook, generation), secret);
}

static const char *base64(const unsigned char *digest, arena *memory) {
    char *text = arena_alloc(memory, BASE64_SIZE);
    EVP_EncodeBlock((unsigned char *)text, digest, DIGEST_SIZE);
    return text;
}

const char *webhook_secret(const unsigned char *key, const char *webhook, int generation,
                           arena *memory) {
    unsigned char secret[DIGEST_SIZE];
    derive(key, webhook, generation, secret, memory);
    const char *text = arena_printf(memory, "whsec_%s", base64(secret, memory));
    OPENSSL_cleanse(secret, sizeof secret);
    return text;
}

static const char *sign(const unsigned char *key, const webhook_message *message, int generation,
                        arena *memory) {
    unsigned char secret[DIGEST_SIZE];
    unsigned char digest[DIGEST_SIZE];
    derive(key, message->webhook, generation, secret, memory);
    hash(secret,
         arena_printf(memory, "%s.%lld.%s", message->id, (long long)message->timestamp,
                      message->body),
         digest);
    OPENSSL_cleanse(secret, sizeof secret);
    return arena_printf(memory, "v1,%s", base64(digest, memory));
}

const char *webhook_signature(const unsigned char *key, const webhook_message *message,
                              arena *memory) {
    const char *current = sign(key, message, message->generation, memory);
    if (!message->old_secret) {
        return current;
    }
    return arena_printf(memory, "%s %s", current,
                        sign(key, message, message->generation - 1, memory));
}
