/* Tests of token_verify: the attack corpus, mutations, the clock, the cache, libjwt's opinion. */
#include "service/auth/keys.h"
#include "service/auth/mint.h"
#include "service/auth/signature.h"
#include "service/auth/token.h"
#include "service/auth/token_cache.h"
#include "service/log.h"
#include "tests/unit/auth_fixture.h"
#include "tests/unit/token_corpus.h"

#include <criterion/criterion.h>
#include <jwt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char rsa_header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}";
static const char ec_header[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\"}";

static fixture *made;
static keys *public_keys, *dev_keys;
static token_verifier *verifier, *dev_verifier;

static keys *open_keys(const char *jwks, const char *secret) {
    char reason[256] = "";
    char *path = fixture_path(made, jwks != NULL ? jwks : secret);
    keys_source source = {.dev = secret != NULL};
    *(jwks != NULL ? &source.jwks_file : &source.secret_file) = path;
    keys *set = keys_new(&source, reason, sizeof reason);
    cr_assert_not_null(set, "%s", reason);
    free(path);
    return set;
}

static void begin(void) {
    log_set_level(LOG_ERROR);
    made = fixture_begin();
    char *jwks[] = {fixture_jwk(made->rsa, "rsa", ",\"alg\":\"RS256\",\"use\":\"sig\""),
                    fixture_jwk(made->ec, "ec", ""), fixture_jwk(made->other_rsa, "other", "")};
    char *set = fixture_set(3, jwks);
    fixture_write(made, "jwks.json", set);
    fixture_write(made, "secret", FIXTURE_SECRET "\n");
    public_keys = open_keys("jwks.json", NULL);
    dev_keys = open_keys(NULL, "secret");
    token_rules rules = fixture_rules();
    verifier = token_verifier_new(public_keys, &rules);
    dev_verifier = token_verifier_new(dev_keys, &rules);
    cr_assert(verifier != NULL && dev_verifier != NULL);
    free(set);
    for (size_t at = 0; at < 3; at++) {
        free(jwks[at]);
    }
}

static void end(void) {
    token_verifier_free(verifier);
    token_verifier_free(dev_verifier);
    keys_free(public_keys);
    keys_free(dev_keys);
    fixture_end(made);
}

TestSuite(token, .init = begin, .fini = end, .timeout = 120);

static char *good_token(signer by) {
    char *claims = fixture_claims(NULL, NULL);
    char *token = fixture_token(made, by == BY_EC ? ec_header : rsa_header, claims, by);
    free(claims);
    return token;
}

/* ---- libjwt as a second opinion on signatures ---- */

static bool is_one_of(const char *text, const char *const *list) {
    for (; *list != NULL; list++) {
        if (text != NULL && strcmp(text, *list) == 0) {
            return true;
        }
    }
    return false;
}

static bool libjwt_believes(const char *text, const char *pem, jwt_alg_t pinned) {
    jwt_t *token = NULL;
    if (jwt_decode(&token, text, (const unsigned char *)pem, (int)strlen(pem)) != 0) {
        return false;
    }
    bool believed = jwt_get_alg(token) == pinned;
    jwt_free(token);
    return believed;
}

/* A token that is refused before its signature is checked, or that libjwt cannot parse, has no
 * second opinion. */
static bool libjwt_agrees(const hostile *row, const char *text, const char *refusal) {
    static const char *const before[] = {"size",        "shape",       "encoding", "header_json",
                                         "kid",         "type",        "critical", "algorithm",
                                         "unknown_kid", "claims_json", NULL};
    bool typed_otherwise = row->header != NULL && strstr(row->header, "at+jwt") != NULL;
    if (row->dev || typed_otherwise || is_one_of(refusal, before)) {
        return true;
    }
    const char *header = row->header == NULL ? rsa_header : row->header;
    bool ec = strstr(header, "\"kid\":\"ec\"") != NULL;
    if (strstr(header, "\"kid\":\"other\"") != NULL) {
        return true;
    }
    bool ours = refusal == NULL || strcmp(refusal, "signature") != 0;
    return ours == libjwt_believes(text, ec ? made->ec_pem : made->rsa_pem,
                                   ec ? JWT_ALG_ES256 : JWT_ALG_RS256);
}

/* ---- the corpus ---- */

static bool same_code(const char *left, const char *right) {
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static char *make_hostile(const hostile *row) {
    char *claims = row->claims != NULL ? strdup(row->claims) : fixture_claims(row->drop, row->add);
    char *text =
        fixture_token(made, row->header != NULL ? row->header : rsa_header, claims, row->by);
    free(claims);
    return row->change != NULL ? row->change(text) : text;
}

static void try_row(const hostile *row) {
    principal principal;
    char *text = make_hostile(row);
    const char *refusal =
        token_verify(row->dev ? dev_verifier : verifier, text, FIXTURE_NOW, &principal);
    cr_expect(same_code(refusal, row->refusal), "%s: %s instead of %s", row->name,
              refusal == NULL ? "accepted" : refusal,
              row->refusal == NULL ? "accepted" : row->refusal);
    cr_expect(refusal == NULL || principal.organisation[0] == '\0', "%s: left a principal",
              row->name);
    cr_expect(row->scopes == NULL || strcmp(principal.scopes, row->scopes) == 0, "%s: scopes%s",
              row->name, principal.scopes);
    cr_expect(libjwt_agrees(row, text, refusal), "%s: libjwt disagrees", row->name);
    free(text);
}

Test(token, corpus_of_shapes_headers_and_signatures) {
    cr_expect_geq(hostile_count, 140);
    for (size_t at = 0; at < hostile_count; at++) {
        try_row(&hostile_tokens[at]);
    }
}

Test(token, corpus_of_claims) {
    cr_expect_geq(hostile_claims_count, 90);
    for (size_t at = 0; at < hostile_claims_count; at++) {
        try_row(&hostile_claims[at]);
    }
}

/* ---- mutations ---- */

enum { MUTATIONS = 50000, OPINION_EVERY = 32 /* libjwt is slow */ };

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

static void mutate_many(signer by, int count) {
    uint64_t state = 20240607;
    principal principal;
    char *text = good_token(by);
    size_t size = strlen(text);
    const char *pem = by == BY_EC ? made->ec_pem : made->rsa_pem;
    for (int round = 0; round < count; round++) {
        size_t at = next_random(&state) % size;
        char before = text[at];
        text[at] = (char)(before ^ (int)(1 + next_random(&state) % 255));
        const char *refusal = token_verify(verifier, text, FIXTURE_NOW, &principal);
        cr_expect_not_null(refusal, "byte %zu as %d", at, text[at]);
        bool signature = refusal != NULL && strcmp(refusal, "signature") == 0;
        cr_expect(!signature || round % OPINION_EVERY != 0 ||
                  !libjwt_believes(text, pem, by == BY_EC ? JWT_ALG_ES256 : JWT_ALG_RS256));
        text[at] = before;
    }
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW, &principal));
    free(text);
}

Test(token, mutations_of_an_rs256_token_are_never_accepted) {
    mutate_many(BY_RSA, MUTATIONS);
}

Test(token, mutations_of_an_es256_token_are_never_accepted) {
    mutate_many(BY_EC, MUTATIONS);
}

Test(token, every_bit_of_an_es256_token_counts) {
    principal principal;
    char *text = good_token(BY_EC);
    for (size_t at = 0; text[at] != '\0'; at++) {
        for (int bit = 0; bit < 8; bit++) {
            text[at] = (char)(text[at] ^ (1 << bit));
            cr_expect_not_null(token_verify(verifier, text, FIXTURE_NOW, &principal), "%zu.%d", at,
                               bit);
            text[at] = (char)(text[at] ^ (1 << bit));
        }
    }
    free(text);
}

/* ---- the secret, where libjwt decides ---- */

Test(token, hmac_is_pinned_whatever_the_caller_checked) {
    unsigned char *secret = (unsigned char *)strdup(FIXTURE_SECRET);
    key with = {.algorithm = KEY_HS256, .secret = secret, .secret_size = strlen(FIXTURE_SECRET)};
    char *good = fixture_token(made, "{\"alg\":\"HS256\"}", "{}", BY_SECRET);
    char *longer = fixture_token(made, "{\"alg\":\"HS512\"}", "{}", BY_SECRET_SHA512);
    char *none = fixture_token(made, "{\"alg\":\"none\"}", "{}", BY_NOBODY);
    cr_expect(signature_verify(&with, good, 0, NULL, 0));
    cr_expect_not(signature_verify(&with, longer, 0, NULL, 0));
    cr_expect_not(signature_verify(&with, none, 0, NULL, 0));
    with.secret_size = 0;
    cr_expect_not(signature_verify(&with, good, 0, NULL, 0));
    cr_expect_not(signature_verify(&with, none, 0, NULL, 0));
    with.secret = NULL;
    cr_expect_not(signature_verify(&with, good, 0, NULL, 0));
    free(secret);
    free(good);
    free(longer);
    free(none);
}

/* ---- sizes ---- */

static char *token_of_size(size_t wanted) {
    static const char *const headers[] = {rsa_header,
                                          "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\": \"rsa\"}"};
    char pad[3000];
    for (size_t at = 0; at < 4000; at++) {
        size_t length = 2000 + at / 2 % 900;
        snprintf(pad, sizeof pad, "\"pad\":\"%0*d\"", (int)length, 0);
        char *claims = fixture_claims(NULL, pad);
        char *text = fixture_token(made, headers[at % 2], claims, BY_NOBODY);
        bool fits = strlen(text) + 342 == wanted;
        free(text);
        text = fits ? fixture_token(made, headers[at % 2], claims, BY_RSA) : NULL;
        free(claims);
        if (fits) {
            return text;
        }
    }
    cr_assert_fail("no token of that size");
    return NULL;
}

Test(token, size_limit) {
    principal principal;
    char *max = token_of_size(TOKEN_BYTES_MAX);
    char *more = token_of_size(TOKEN_BYTES_MAX + 1);
    cr_expect_null(token_verify(verifier, max, FIXTURE_NOW, &principal));
    cr_expect_str_eq(token_verify(verifier, more, FIXTURE_NOW, &principal), "size");
    free(max);
    free(more);
}

Test(token, deep_nesting_and_long_kid) {
    principal principal;
    char many[2500] = "\"a\":";
    memset(many + 4, '[', 2048);
    char *claims = fixture_claims(NULL, many);
    char *text = fixture_token(made, rsa_header, claims, BY_RSA);
    cr_expect_str_eq(token_verify(verifier, text, FIXTURE_NOW, &principal), "claims_json");
    free(claims);
    free(text);
    char header[10400];
    snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"%010240d\"}", 0);
    text = fixture_token(made, header, "{}", BY_RSA);
    cr_expect_str_eq(token_verify(verifier, text, FIXTURE_NOW, &principal), "size");
    free(text);
}

/* ---- the principal of a token ---- */

Test(token, principal_is_filled) {
    principal principal, again;
    char *text = good_token(BY_RSA);
    cr_assert_null(token_verify(verifier, text, FIXTURE_NOW, &principal));
    cr_expect_str_eq(principal.organisation, "CPC-GLA");
    cr_expect_str_eq(principal.client, "client.one");
    cr_expect_str_eq(principal.scopes, " cases.read cases.write ");
    cr_expect_eq(principal.expires_at, FIXTURE_NOW + 600);
    /* HMAC-SHA-256("subject key", "user-1") */
    cr_expect_str_eq(principal.subject, "dd3b63f7b688231012c19518293735f6");
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW + 1, &again));
    cr_expect_str_eq(again.subject, principal.subject);
    cr_expect_eq(token_stats_read(verifier).cache_hits, 1);
    free(text);
}

Test(token, scopes_match_whole) {
    principal principal = {.scopes = " cases.read cases.write.own x "};
    cr_expect(principal_has_scope(&principal, "cases.read"));
    cr_expect(principal_has_scope(&principal, "cases.write.own"));
    cr_expect(principal_has_scope(&principal, "x"));
    static const char *const missing[] = {"cases.rea",
                                          "ases.read",
                                          "cases.write",
                                          "write.own",
                                          "",
                                          " ",
                                          "cases.read cases.write.own",
                                          "cases.readonly",
                                          "y"};
    for (size_t at = 0; at < sizeof missing / sizeof *missing; at++) {
        cr_expect_not(principal_has_scope(&principal, missing[at]), "%s", missing[at]);
    }
    principal.scopes[1] = '\0';
    cr_expect_not(principal_has_scope(&principal, "cases.read"));
}

Test(token, minted_token_is_accepted) {
    principal principal;
    mint_claims claims = {.issuer = FIXTURE_ISSUER,
                          .audience = FIXTURE_AUDIENCE,
                          .subject = "demo",
                          .client = "demo-client",
                          .organisation = "SG",
                          .scope = "statistics.read",
                          .issued_at = FIXTURE_NOW,
                          .expires_at = FIXTURE_NOW + 3600};
    const unsigned char *secret = (const unsigned char *)FIXTURE_SECRET;
    char *text = mint_token(&claims, secret, strlen(FIXTURE_SECRET));
    cr_assert_not_null(text);
    cr_expect_null(token_verify(dev_verifier, text, FIXTURE_NOW, &principal));
    cr_expect_str_eq(principal.organisation, "SG");
    cr_expect(principal_has_scope(&principal, "statistics.read"));
    cr_expect_str_eq(token_verify(verifier, text, FIXTURE_NOW, &principal), "unknown_kid");
    free(text);
    cr_expect_null(mint_token(&claims, secret, 0));
    cr_expect_null(mint_token(&claims, NULL, 32));
    claims.scope = NULL;
    cr_expect_null(mint_token(&claims, secret, strlen(FIXTURE_SECRET)));
}

/* ---- the cache ---- */

Test(token, cache_ends_with_time_and_exp) {
    principal principal;
    char *text = good_token(BY_RSA);
    static const struct {
        int64_t now;
        unsigned long long hits;
        bool accepted;
    } steps[] = {{0, 0, true},   {59, 1, true},  {60, 1, true},  {119, 2, true},
                 {118, 3, true}, {5, 3, true}, /* the clock was set back before the entry */
                 {599, 3, true}, {600, 3, true}, {629, 3, true}, {630, 3, false}};
    for (size_t at = 0; at < sizeof steps / sizeof *steps; at++) {
        const char *refusal = token_verify(verifier, text, FIXTURE_NOW + steps[at].now, &principal);
        cr_expect_eq(refusal == NULL, steps[at].accepted, "step %zu", at);
        cr_expect_eq(token_stats_read(verifier).cache_hits, steps[at].hits, "step %zu", at);
    }
    cr_expect_eq(token_stats_read(verifier).refused, 1);
    free(text);
}

Test(token, cache_is_bounded_and_forgets_old_generations) {
    token_cache *cache = token_cache_new();
    principal principal = {.expires_at = FIXTURE_NOW + 600}, out;
    unsigned char digest[TOKEN_DIGEST_SIZE] = {0};
    size_t kept = 0;
    for (uint32_t at = 0; at < 50000; at++) {
        memcpy(digest, &at, sizeof at);
        token_cache_put(cache, digest, 1, FIXTURE_NOW, &principal);
    }
    for (uint32_t at = 0; at < 50000; at++) {
        memcpy(digest, &at, sizeof at);
        kept += token_cache_find(cache, digest, 1, FIXTURE_NOW, &out);
    }
    cr_expect(kept > 9000 && kept <= TOKEN_CACHE_ENTRIES, "%zu", kept);
    uint32_t last = 49999;
    memcpy(digest, &last, sizeof last);
    token_cache_put(cache, digest, 1, FIXTURE_NOW, &principal);
    cr_expect(token_cache_find(cache, digest, 1, FIXTURE_NOW, &out));
    cr_expect_not(token_cache_find(cache, digest, 2, FIXTURE_NOW, &out));
    token_cache_put(cache, digest, 3, FIXTURE_NOW + 600, &principal);
    cr_expect_not(token_cache_find(cache, digest, 3, FIXTURE_NOW + 600, &out));
    token_cache_free(cache);
}

/* ---- many threads ---- */

static void *verify_often(void *context) {
    char *const *tokens = context;
    size_t wrong = 0;
    principal principal;
    for (int round = 0; round < 2000; round++) {
        bool good = round % 4 != 3;
        int64_t now = FIXTURE_NOW + round % 300;
        wrong += (token_verify(verifier, tokens[round % 4], now, &principal) == NULL) != good;
    }
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr) */
}

Test(token, threads_agree) {
    char *tokens[] = {good_token(BY_RSA), good_token(BY_EC), good_token(BY_EC),
                      good_token(BY_OTHER_RSA)};
    pthread_t threads[16];
    for (size_t at = 0; at < 16; at++) {
        pthread_create(&threads[at], NULL, verify_often, tokens);
    }
    for (size_t at = 0; at < 16; at++) {
        void *wrong = NULL;
        pthread_join(threads[at], &wrong);
        cr_expect_null(wrong);
    }
    token_stats stats = token_stats_read(verifier);
    cr_expect_eq(stats.cache_hits + stats.cache_misses, 32000);
    cr_expect_eq(stats.refused, 8000);
    for (size_t at = 0; at < 4; at++) {
        free(tokens[at]);
    }
}
