/* "Did you mean": the known name that is nearest to one that was sent. */
#include "service/contract/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { DISTANCE_MAX = 2, LETTERS_PER_DIFFERENCE = 4 };

/* Writes the letters and digits in lower case; returns how many, or 0 when they are too many. */
static size_t fold(const char *name, size_t length, char out[SUGGEST_LENGTH_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '_' || name[i] == '-') {
            continue;
        }
        if (count == SUGGEST_LENGTH_MAX) {
            return 0;
        }
        out[count++] = (char)tolower((unsigned char)name[i]);
    }
    return count;
}

static uint8_t smallest(uint8_t a, uint8_t b, uint8_t c) {
    uint8_t less = a < b ? a : b;
    return less < c ? less : c;
}

/* Returns how many letters must be inserted, removed or replaced (Levenshtein's distance). */
static size_t distance_of(const char *a, size_t a_length, const char *b, size_t b_length) {
    uint8_t row[SUGGEST_LENGTH_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = (uint8_t)j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b_length; j++) {
            uint8_t replaced = (uint8_t)(diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
            diagonal = row[j];
            row[j] = smallest((uint8_t)(row[j] + 1), (uint8_t)(row[j - 1] + 1), replaced);
        }
    }
    return row[b_length];
}

suggestion suggestion_begin(const char *name, size_t length) {
    return (suggestion){.name = name, .length = length, .distance = DISTANCE_MAX + 1};
}

void suggestion_consider(suggestion *search, const char *candidate) {
    char sent[SUGGEST_LENGTH_MAX], known[SUGGEST_LENGTH_MAX];
    size_t sent_length = fold(search->name, search->length, sent);
    size_t known_length = fold(candidate, strlen(candidate), known);
    size_t gap =
        sent_length > known_length ? sent_length - known_length : known_length - sent_length;
    if (sent_length == 0 || known_length == 0 || gap > DISTANCE_MAX) {
        return;
    }
    size_t distance = distance_of(sent, sent_length, known, known_length);
    if (distance <= sent_length / LETTERS_PER_DIFFERENCE && distance < search->distance) {
        search->distance = distance;
        search->best = candidate;
    }
}
