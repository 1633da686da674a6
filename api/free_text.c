/* Free text must not identify anybody: what the register refuses in it. */
#include "api/free_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { CHI_DIGITS = 10, PHONE_DIGITS_LEAST = 10, PHONE_DIGITS_MOST = 13 };

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_word(char byte) {
    return isalnum((unsigned char)byte) || byte == '_' || (byte & 0x80) != 0;
}

/* Whether the ten digits are a day, a month, a year and the right check digit. */
static bool is_chi(const char *digits) {
    int day = (digits[0] - '0') * 10 + digits[1] - '0';
    int month = (digits[2] - '0') * 10 + digits[3] - '0';
    if (day < 1 || day > 31 || month < 1 || month > 12) {
        return false;
    }
    int sum = 0;
    for (int i = 0; i < CHI_DIGITS - 1; i++) {
        sum += (digits[i] - '0') * (CHI_DIGITS - i);
    }
    int check = 11 - sum % 11;
    return check != 10 && (check == 11 ? 0 : check) == digits[CHI_DIGITS - 1] - '0';
}

/* Collects digits that stand together, apart from single blanks, hyphens, points, slashes or
 * parentheses between them. Returns how many there are; `end` is where they stop. */
static size_t collect_digits(const char *text, char *digits, size_t most, const char **end) {
    size_t count = 0;
    *end = text;
    while (*text != '\0') {
        if (is_digit(*text)) {
            if (count < most) {
                digits[count] = *text;
            }
            count++;
            *end = text + 1;
        } else if (strchr(" -./()", *text) == NULL || (text[1] != '(' && !is_digit(text[1]))) {
            break;
        }
        text++;
    }
    return count;
}

static const char *scan_digits(const char *text, const char *start) {
    char digits[PHONE_DIGITS_MOST + 1] = {0};
    const char *end = NULL;
    size_t count = collect_digits(text, digits, PHONE_DIGITS_MOST, &end);
    if (is_word(*end)) {
        return NULL;
    }
    if (count == CHI_DIGITS && is_chi(digits)) {
        return "a CHI number";
    }
    bool international = text > start && text[-1] == '+' && digits[0] == '4' && digits[1] == '4';
    bool national = digits[0] == '0' && strchr("12378", digits[1]) != NULL && digits[1] != '\0';
    bool long_code = digits[0] == '0' && digits[1] == '0' && digits[2] == '4' && digits[3] == '4';
    if ((international || long_code) && count >= 11 && count <= PHONE_DIGITS_MOST + 2) {
        return "a telephone number";
    }
    return national && (count == PHONE_DIGITS_LEAST || count == PHONE_DIGITS_LEAST + 1)
               ? "a telephone number"
               : NULL;
}

/* The inward part of a postcode: a digit and two letters that are not C, I, K, M, O or V. */
static bool is_inward(const char *text) {
    return is_digit(text[0]) && isalpha((unsigned char)text[1]) &&
           isalpha((unsigned char)text[2]) &&
           strpbrk((char[]){(char)toupper((unsigned char)text[1]),
                            (char)toupper((unsigned char)text[2]), '\0'},
                   "CIKMOV") == NULL &&
           !is_word(text[3]);
}

/* One or two letters, a digit, perhaps a digit or letter, perhaps a blank, and the inward part. */
static bool is_postcode(const char *text) {
    size_t letters = 0;
    while (letters < 2 && isalpha((unsigned char)text[letters])) {
        letters++;
    }
    if (letters == 0 || !is_digit(text[letters])) {
        return false;
    }
    for (size_t outward = letters + 1; outward <= letters + 2; outward++) {
        const char *inward = text + outward + (text[outward] == ' ');
        if (is_inward(inward)) {
            return true;
        }
        if (!isalnum((unsigned char)text[outward])) {
            break;
        }
    }
    return false;
}

/* An @ between something and a domain with a point in it. */
static bool is_mail_sign(const char *at, const char *start) {
    if (at == start || !is_word(at[-1])) {
        return false;
    }
    const char *domain = at + 1;
    size_t length = 0;
    bool point = false;
    while (isalnum((unsigned char)domain[length]) || strchr("-.", domain[length]) != NULL) {
        if (domain[length] == '\0') {
            break;
        }
        point = point ||
                (domain[length] == '.' && length > 0 && isalpha((unsigned char)domain[length + 1]));
        length++;
    }
    return point;
}

/* "DOB", "date of birth" or "born" with digits soon after. */
static bool states_birth(const char *text) {
    static const char *const words[] = {"dob", "d.o.b", "date of birth", "born on", "born"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(text, words[i], length) != 0 || is_word(text[length])) {
            continue;
        }
        const char *after = text + length + strspn(text + length, " .:=-(is");
        if (is_digit(after[0]) && (is_digit(after[1]) || strchr("./- ", after[1]) != NULL)) {
            return true;
        }
    }
    return false;
}

const char *free_text_scan(const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '@' && is_mail_sign(at, text)) {
            return "an e-mail address";
        }
        if (at > text && is_word(at[-1])) {
            continue; /* the others begin at the beginning of a word */
        }
        const char *kind = is_digit(*at) ? scan_digits(at, text) : NULL;
        if (kind != NULL) {
            return kind;
        }
        if (isalpha((unsigned char)*at) && is_postcode(at)) {
            return "a postcode";
        }
        if (isalpha((unsigned char)*at) && states_birth(at)) {
            return "a date of birth";
        }
    }
    return NULL;
}
