/* Changes to the text of a token; each function takes and returns malloc'ed text. */
#include "tests/unit/token_changes.h"

#include "tests/unit/auth_fixture.h"

#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *around(const char *before, char *token, const char *after) {
    char *text = NULL;
    cr_assert(asprintf(&text, "%s%s%s", before, token, after) >= 0);
    free(token);
    return text;
}

static char *put_into_claims(char *token, char byte) {
    strchr(token, '.')[5] = byte;
    return token;
}

char *add_equals(char *token) {
    return around("", token, "==");
}
char *add_dot(char *token) {
    return around("", token, ".");
}
char *add_two_dots(char *token) {
    return around("", token, "..a");
}
char *add_space(char *token) {
    return around("", token, " ");
}
char *add_line_end(char *token) {
    return around("", token, "\r\n");
}
char *begin_space(char *token) {
    return around(" ", token, "");
}
char *begin_tab(char *token) {
    return around("\t", token, "");
}
char *begin_bearer(char *token) {
    return around("Bearer ", token, "");
}
char *put_plus(char *token) {
    return put_into_claims(token, '+');
}
char *put_slash(char *token) {
    return put_into_claims(token, '/');
}
char *put_exclamation(char *token) {
    return put_into_claims(token, '!');
}
char *put_high_byte(char *token) {
    return put_into_claims(token, (char)0xc3);
}
char *put_line_end(char *token) {
    return put_into_claims(token, '\n');
}
char *put_percent(char *token) {
    return put_into_claims(token, '%');
}
char *extend_signature(char *token) {
    return around("", token, "AAAA");
}

/* 256 and 64 bytes both leave spare bits in the last character. */
char *set_spare_bit(char *token) {
    char *last = token + strlen(token) - 1;
    *last = alphabet[(strchr(alphabet, *last) - alphabet) | 1];
    return token;
}

static char *cut(char *token, size_t length) {
    token[length] = '\0';
    return token;
}

char *cut_signature(char *token) {
    return cut(token, (size_t)(strrchr(token, '.') - token) + 1);
}
char *cut_half(char *token) {
    size_t kept = (size_t)(strrchr(token, '.') - token) + 1;
    return cut(token, kept + (strlen(token) - kept) / 8 * 4);
}
char *cut_to_one_dot(char *token) {
    return cut(token, (size_t)(strrchr(token, '.') - token));
}

char *empty_header(char *token) {
    char *rest = strdup(strchr(token, '.'));
    free(token);
    return rest;
}

char *empty_claims(char *token) {
    char *end = strrchr(token, '.');
    memmove(strchr(token, '.') + 1, end, strlen(end) + 1);
    return token;
}

static char *instead(char *token, const char *text) {
    free(token);
    return strdup(text);
}

char *only_dots(char *token) {
    return instead(token, "..");
}
char *dots_and_space(char *token) {
    return instead(token, ". .");
}
char *nothing(char *token) {
    return instead(token, "");
}

char *one_megabyte(char *token) {
    free(token);
    char *text = malloc(1048577);
    cr_assert_not_null(text);
    memset(text, 'A', 1048576);
    text[1048576] = '\0';
    text[4] = text[1000000] = '.';
    return text;
}

char *swap_parts(char *token) {
    char *first = strchr(token, '.'), *second = strrchr(token, '.');
    char *text = NULL;
    cr_assert(asprintf(&text, "%.*s.%.*s%s", (int)(second - first - 1), first + 1,
                       (int)(first - token), token, second) > 0);
    free(token);
    return text;
}

static size_t read_signature(const char *token, unsigned char *bytes) {
    const char *text = strrchr(token, '.') + 1;
    size_t used = 0;
    unsigned pending = 0, bits = 0;
    for (; *text != '\0'; text++) {
        pending = (pending << 6 | (unsigned)(strchr(alphabet, *text) - alphabet)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[used++] = (unsigned char)(pending >> bits & 0xff);
        }
    }
    return used;
}

static char *with_signature(char *token, const unsigned char *bytes, size_t size) {
    char *encoded = fixture_base64url(bytes, size);
    strrchr(token, '.')[1] = '\0';
    char *text = around("", token, encoded);
    free(encoded);
    return text;
}

/* Replaces the two numbers of an ES256 signature; NULL keeps one. */
static char *put_numbers(char *token, const char *first, const char *second) {
    unsigned char pair[512];
    const char *numbers[] = {first, second};
    read_signature(token, pair);
    for (size_t at = 0; at < 2; at++) {
        BIGNUM *number = NULL;
        if (numbers[at] != NULL) {
            BN_hex2bn(&number, numbers[at]);
            BN_bn2binpad(number, pair + 32 * at, 32);
            BN_free(number);
        }
    }
    return with_signature(token, pair, 64);
}

char *zero_pair(char *token) {
    return put_numbers(token, "0", "0");
}
char *zero_first(char *token) {
    return put_numbers(token, "0", NULL);
}
char *zero_second(char *token) {
    return put_numbers(token, NULL, "0");
}
char *order_first(char *token) {
    return put_numbers(token, order, NULL);
}
char *order_second(char *token) {
    return put_numbers(token, NULL, order);
}

/* The other valid form of every ECDSA signature: s replaced by n - s. */
char *high_second(char *token) {
    unsigned char pair[512];
    BIGNUM *n = NULL;
    read_signature(token, pair);
    BIGNUM *s = BN_bin2bn(pair + 32, 32, NULL);
    BN_hex2bn(&n, order);
    BN_sub(s, n, s);
    BN_bn2binpad(s, pair + 32, 32);
    BN_free(s);
    BN_free(n);
    return with_signature(token, pair, 64);
}

char *der_signature(char *token) {
    unsigned char pair[512], der[96], *end = der;
    read_signature(token, pair);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(pair, 32, NULL), BN_bin2bn(pair + 32, 32, NULL));
    int size = i2d_ECDSA_SIG(signature, &end);
    ECDSA_SIG_free(signature);
    return with_signature(token, der, (size_t)size);
}

static char *fill_signature(char *token, int byte) {
    unsigned char bytes[512];
    size_t size = read_signature(token, bytes);
    memset(bytes, byte, size);
    return with_signature(token, bytes, size);
}

char *all_ones(char *token) {
    return fill_signature(token, 0xff);
}
char *zeros_signature(char *token) {
    return fill_signature(token, 0);
}

char *cut_one(char *token) {
    unsigned char bytes[512];
    size_t size = read_signature(token, bytes);
    return with_signature(token, bytes, size - 1);
}

char *longer_signature(char *token) {
    unsigned char bytes[512] = {0};
    size_t size = read_signature(token, bytes);
    return with_signature(token, bytes, size + 1);
}

/* A character that represents no whole byte: 52 of them would be valid, 53 never are. */
char *odd_header(char *token) {
    char *rest = strdup(strchr(token, '.'));
    *strchr(token, '.') = '\0';
    char *text = around("", token, "A");
    char *all = around(text, rest, "");
    free(text);
    return all;
}
