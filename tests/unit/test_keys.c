/* Tests of the key sets: what is accepted, what is refused and why, rotation, the address. */
#include "service/auth/jwks.h"
#include "service/auth/keys.h"
#include "service/log.h"
#include "tests/unit/auth_fixture.h"

#include <criterion/criterion.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static fixture *made;
static char reason[512];

static void begin(void) {
    log_set_level(LOG_ERROR + 1);
    made = fixture_begin();
    reason[0] = '\0';
}

static void end(void) {
    fixture_end(made);
}

TestSuite(keys, .init = begin, .fini = end, .timeout = 600);

static keys *open_file(const char *text) {
    fixture_write(made, "jwks.json", text);
    char *path = fixture_path(made, "jwks.json");
    keys_source source = {.jwks_file = path};
    keys *set = keys_new(&source, reason, sizeof reason);
    free(path);
    return set;
}

static char *set_of(char *first, char *second) {
    char *jwks[] = {first, second};
    char *text = fixture_set(second == NULL ? 1 : 2, jwks);
    free(first);
    free(second);
    return text;
}

static keys *open_set(char *first, char *second) {
    char *text = set_of(first, second);
    keys *set = open_file(text);
    free(text);
    return set;
}

static char *good_key(void) {
    return fixture_jwk(made->rsa, "rsa", "");
}

/* ---- files ---- */

Test(keys, file_is_loaded) {
    int64_t begun = time(NULL);
    keys *set = open_set(good_key(), fixture_jwk(made->ec, "ec", ",\"alg\":\"ES256\""));
    cr_assert_not_null(set, "%s", reason);
    const key *rsa = keys_find(set, "rsa"), *ec = keys_find(set, "ec");
    cr_assert(rsa != NULL && ec != NULL);
    cr_expect_eq(rsa->algorithm, KEY_RS256);
    cr_expect_eq(ec->algorithm, KEY_ES256);
    cr_expect_eq(EVP_PKEY_eq(rsa->parsed, made->rsa), 1);
    cr_expect_eq(EVP_PKEY_eq(ec->parsed, made->ec), 1);
    cr_expect_null(keys_find(set, "RSA"));
    cr_expect_null(keys_find(set, ""));
    keys_stats stats = keys_stats_read(set);
    cr_expect_eq(stats.count, 2);
    cr_expect_eq(stats.failures, 0);
    cr_expect_geq(stats.loaded_at, begun);
    cr_expect_eq(keys_generation(set), 1);
    key_release(rsa);
    key_release(ec);
    key_release(NULL);
    keys_free(set);
}

static void expect_refused(char *second, const char *why) {
    keys *set = open_set(good_key(), second);
    cr_expect_null(set, "should be refused: %s", why);
    cr_expect(strncmp(reason, "LR_JWKS_FILE", 12) == 0, "%s", reason);
    cr_expect_not_null(strstr(reason, why), "%s", reason);
    keys_free(set);
}

Test(keys, a_set_with_an_unsafe_key_is_refused) {
    EVP_PKEY *weak = EVP_RSA_gen(1024), *less = EVP_RSA_gen(2047);
    expect_refused(fixture_jwk(weak, "weak", ""), "less than 2048");
    expect_refused(fixture_jwk(less, "less", ""), "less than 2048");
    expect_refused(fixture_jwk(made->other_rsa, "rsa", ""), "the kid of another");
    expect_refused(fixture_jwk(made->rsa, "rsa", ""), "the kid of another");
    expect_refused(fixture_jwk(made->p384, "p384", ""), "a curve other than P-256");
    expect_refused(fixture_jwk(made->p384, "p384", ",\"alg\":\"ES256\""), "other than P-256");
    expect_refused(strdup("{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AAAA\"}"), "is a secret");
    expect_refused(strdup("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), "kid");
    expect_refused(fixture_jwk(made->other_rsa, "p", ",\"d\":\"AQ\""), "private part");
    expect_refused(strdup("{\"kty\":\"RSA\",\"kid\":\"e\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"),
                   "less than 2048");
    EVP_PKEY_free(weak);
    EVP_PKEY_free(less);
}

Test(keys, useless_keys_are_skipped) {
    char *jwks[] = {
        fixture_jwk(made->other_rsa, NULL, ""),
        fixture_jwk(made->other_rsa, "enc", ",\"use\":\"enc\""),
        fixture_jwk(made->other_rsa, "ops", ",\"key_ops\":[\"encrypt\"]"),
        fixture_jwk(made->other_rsa, "ps256", ",\"alg\":\"PS256\""),
        fixture_jwk(made->p384, "es384", ",\"alg\":\"ES384\""),
        fixture_jwk(made->other_rsa, "a space", ""),
        strdup("{\"kty\":\"OKP\",\"kid\":\"ed\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"),
        strdup("{\"kty\":\"new\",\"kid\":\"new\"}"),
        strdup("{\"kty\":\"RSA\",\"kid\":\"broken\",\"n\":\"!\",\"e\":\"AQAB\"}"),
        strdup("{\"kty\":\"RSA\",\"kid\":\"half\",\"e\":\"AQAB\"}"),
        strdup("{\"kty\":\"EC\",\"kid\":\"off\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}"),
        strdup("1"),
        fixture_jwk(made->ec, "ec", ",\"key_ops\":[\"verify\"],\"use\":\"sig\""),
    };
    size_t count = sizeof jwks / sizeof *jwks;
    char *text = fixture_set(count, jwks);
    keys *set = open_file(text);
    cr_assert_not_null(set, "%s", reason);
    cr_expect_eq(keys_stats_read(set).count, 1);
    cr_expect(fixture_holds(set, "ec"));
    keys_free(set);
    free(text);
    for (size_t at = 0; at < count; at++) {
        free(jwks[at]);
    }
}

Test(keys, a_text_that_is_not_a_set_is_refused) {
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "{\"keys\":{}}",
                                        "{\"keys\":[]}",
                                        "{\"keys\":[],\"keys\":[]}",
                                        "{\"keys\":[{\"kty\":\"RSA\"}]}",
                                        "{\"keys\":[[[[[[[[[[]]]]]]]]]]}",
                                        "-----BEGIN PUBLIC KEY-----"};
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
        cr_expect_null(open_file(texts[at]), "%s", texts[at]);
        cr_expect(strncmp(reason, "LR_JWKS_FILE", 12) == 0, "%s", reason);
    }
    char *large = malloc(JWKS_BYTES_MAX + 2);
    cr_assert_not_null(large);
    memset(large, ' ', JWKS_BYTES_MAX + 1);
    memcpy(large, "{\"keys\":[]}", 11);
    large[JWKS_BYTES_MAX + 1] = '\0';
    cr_expect_null(open_file(large));
    cr_expect_not_null(strstr(reason, "256 KiB"));
    free(large);
}

Test(keys, sources_are_checked) {
    fixture_write(made, "secret", FIXTURE_SECRET);
    fixture_write(made, "short", "too short");
    char *secret = fixture_path(made, "secret"), *small = fixture_path(made, "short");
    const struct {
        keys_source source;
        const char *why;
    } cases[] = {
        {{0}, "set one of them"},
        {{.dev = true}, "set one of them"},
        {{.jwks_file = "/a", .jwks_url = "https://b.example"}, "keep one of them"},
        {{.jwks_file = "/nowhere/at/all"},
         "LR_JWKS_FILE: the file \"/nowhere/at/all\" cannot be read"},
        {{.secret_file = secret}, "LR_MODE=dev only"},
        {{.secret_file = secret, .jwks_file = "/a", .dev = true}, "secret next to public keys"},
        {{.secret_file = secret, .jwks_url = "https://b", .dev = true}, "secret next to public"},
        {{.secret_file = small, .dev = true}, "at least 32 bytes"},
        {{.secret_file = "/nowhere/at/all", .dev = true}, "LR_DEV_SECRET_FILE"},
        {{.jwks_url = "http://issuer.example/keys", .dev = true}, "begin with https"},
        {{.jwks_url = "http://127.0.0.1/keys"}, "begin with https"},
        {{.jwks_url = "http://127.0.0.1.evil.example/", .dev = true}, "begin with https"},
        {{.jwks_url = "http://127.0.0.1@evil.example/", .dev = true}, "without user"},
        {{.jwks_url = "https://user:word@issuer.example/"}, "without user"},
        {{.jwks_url = "file:///etc/passwd", .dev = true}, "https"},
        {{.jwks_url = "gopher://127.0.0.1/", .dev = true}, "begin with https"},
        {{.jwks_url = "not an address", .dev = true}, "https"},
        {{.jwks_url = "", .dev = true}, "https"},
        {{.jwks_file = "/a", .jwks_ca_file = "/b"}, "LR_JWKS_CA_FILE is for LR_JWKS_URL only"},
        {{.jwks_url = "https://b", .jwks_ca_file = "/nowhere/at/all"}, "LR_JWKS_CA_FILE: the file"},
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        cr_expect_null(keys_new(&cases[at].source, reason, sizeof reason), "case %zu", at);
        cr_expect_not_null(strstr(reason, cases[at].why), "case %zu: %s", at, reason);
    }
    keys_source good = {.secret_file = secret, .dev = true};
    keys *set = keys_new(&good, reason, sizeof reason);
    cr_assert_not_null(set, "%s", reason);
    const key *found = keys_find(set, "dev");
    cr_assert_not_null(found);
    cr_expect_eq(found->algorithm, KEY_HS256);
    cr_expect_eq(found->secret_size, strlen(FIXTURE_SECRET));
    cr_expect_null(found->parsed);
    key_release(found);
    keys_free(set);
    free(secret);
    free(small);
}

Test(keys, a_file_is_accepted_however_old_it_is) {
    keys *set = open_set(good_key(), NULL);
    cr_expect(keys_are_accepted(set, keys_stats_read(set).loaded_at + 100LL * 365 * 86400));
    cr_expect(keys_stats_read(set).accepted);
    cr_expect_eq(keys_stats_read(set).accept_seconds, 0);
    keys_free(set);
}

/* ---- rotation ---- */

static token_verifier *verifier_of(keys *set) {
    token_rules rules = fixture_rules();
    return token_verifier_new(set, &rules);
}

static char *token_by(signer by, const char *kid) {
    char header[128];
    snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
    char *claims = fixture_claims(NULL, NULL);
    char *text = fixture_token(made, header, claims, by);
    free(claims);
    return text;
}

Test(keys, rotation_by_rewriting_the_file) {
    principal principal;
    keys *set = open_set(good_key(), NULL);
    token_verifier *verifier = verifier_of(set);
    char *old = token_by(BY_RSA, "rsa"), *new = token_by(BY_OTHER_RSA, "next");
    cr_expect_null(token_verify(verifier, old, FIXTURE_NOW, &principal));
    cr_expect_str_eq(token_verify(verifier, new, FIXTURE_NOW, &principal), "unknown_kid");
    const key *held = keys_find(set, "rsa");
    char *text = set_of(fixture_jwk(made->other_rsa, "next", ""), NULL);
    fixture_write(made, "jwks.json", text);
    cr_expect(fixture_wait_kid(set, "next"));
    cr_expect_null(token_verify(verifier, new, FIXTURE_NOW, &principal));
    /* The token was in the cache. */
    cr_expect_str_eq(token_verify(verifier, old, FIXTURE_NOW, &principal), "unknown_kid");
    cr_expect_eq(keys_generation(set), 2);
    cr_expect_eq(EVP_PKEY_eq(held->parsed, made->rsa), 1, "a key in use outlives its set");
    key_release(held);
    token_verifier_free(verifier);
    keys_free(set);
    free(text);
    free(old);
    free(new);
}

Test(keys, invalid_files_keep_the_old_set) {
    keys *set = open_set(good_key(), NULL);
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    char *next = fixture_jwk(made->other_rsa, "next", "");
    char *texts[] = {strdup("{\"keys\":["), set_of(strdup(next), fixture_jwk(weak, "weak", "")),
                     set_of(strdup(next), strdup(next)), strdup("{\"keys\":[]}")};
    for (size_t at = 0; at < 4; at++) {
        unsigned long long before = keys_stats_read(set).failures;
        fixture_write(made, "jwks.json", texts[at]);
        keys_reload(set);
        cr_expect(fixture_wait_failure(set, before), "text %zu", at);
        cr_expect(fixture_holds(set, "rsa") && !fixture_holds(set, "next"), "text %zu", at);
        free(texts[at]);
    }
    char *path = fixture_path(made, "jwks.json");
    unsigned long long before = keys_stats_read(set).failures;
    unlink(path);
    cr_expect(fixture_wait_failure(set, before), "that the file is gone is noticed");
    cr_expect(fixture_holds(set, "rsa"));
    cr_expect_eq(keys_generation(set), 1);
    char *good = set_of(next, NULL);
    fixture_write(made, "jwks.json", good);
    cr_expect(fixture_wait_kid(set, "next"));
    free(good);
    free(path);
    EVP_PKEY_free(weak);
    keys_free(set);
}

static atomic_bool readers_stop;
static atomic_ullong readers_found;

static void *read_keys(void *context) {
    while (!atomic_load(&readers_stop)) {
        const key *found = keys_find(context, "rsa");
        atomic_fetch_add(&readers_found, found != NULL && EVP_PKEY_get_bits(found->parsed) == 2048);
        key_release(found);
        usleep(20); /* clock: lets others run on a machine with few cores */
    }
    return NULL;
}

Test(keys, concurrent_readers_and_reloads) {
    pthread_t threads[8];
    char *sets[] = {set_of(good_key(), NULL), set_of(good_key(), fixture_jwk(made->ec, "ec", ""))};
    keys *set = open_file(sets[0]);
    for (size_t at = 0; at < 8; at++) {
        pthread_create(&threads[at], NULL, read_keys, set);
    }
    for (int round = 1; round <= 20; round++) {
        uint64_t before = keys_generation(set);
        fixture_write(made, "jwks.json", sets[round % 2]);
        keys_reload(set);
        cr_expect(fixture_wait_generation(set, before + 1));
    }
    cr_expect(fixture_wait_number(&readers_found, 1000));
    atomic_store(&readers_stop, true);
    for (size_t at = 0; at < 8; at++) {
        pthread_join(threads[at], NULL);
    }
    /* More than one per round when the change of the file was noticed before the reload. */
    cr_expect_geq(keys_generation(set), 21);
    keys_free(set);
    free(sets[0]);
    free(sets[1]);
}
