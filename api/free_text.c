/* Free text must not identify anybody: what the register refuses in it. */
#include "api/free_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { CHI_DIGITS = 10, DIGITS_MAX = 15, MARKS_MAX = 3 };

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte) {
    return isalpha((unsigned char)byte) != 0;
}

/* How many bytes the blank or punctuation mark beyond ASCII at `text` has (U+0080 to U+00BF,
 * U+2000 to U+207F, U+3000 to U+303F); 0 when there is none. */
static size_t wide_mark(const char *text) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] == 0xc2) {
        return 2;
    }
    bool general = bytes[0] == 0xe2 && (bytes[1] == 0x80 || bytes[1] == 0x81);
    return general || (bytes[0] == 0xe3 && bytes[1] == 0x80) ? 3 : 0;
}

/* Whether a letter, digit or underscore of any script begins at `text`. */
static bool is_word(const char *text) {
    bool wide = (*text & 0x80) != 0;
    return wide ? wide_mark(text) == 0 : isalnum((unsigned char)*text) || *text == '_';
}

/* Whether the character before `text` belongs to a word. */
static bool follows_word(const char *text, const char *start) {
    if (text == start) {
        return false;
    }
    text--;
    while (text > start && (*text & 0xc0) == 0x80) {
        text--;
    }
    return is_word(text);
}

/* How many bytes stand between two groups of digits: one blank, hyphen, point, slash or
 * parenthesis, or a few blanks, hyphens and parentheses; 0 when there is something else. */
static size_t separator_length(const char *text) {
    if (*text == '.' || *text == '/') {
        return 1;
    }
    size_t length = 0;
    for (int marks = 0; marks < MARKS_MAX; marks++) {
        const char *at = text + length;
        size_t more = *at != '\0' && strchr(" -()", *at) != NULL ? 1 : wide_mark(at);
        if (more == 0) {
            break;
        }
        length += more;
    }
    return length;
}

/* Counts up to `max` digits. */
static size_t digit_run(const char *text, size_t max) {
    size_t length = 0;
    while (length < max && is_digit(text[length])) {
        length++;
    }
    return length;
}

/* How long the date in figures at `text` is (3/5/19, 03.05.2019, 2019-05-03); 0 when there is none.
 */
static size_t date_length(const char *text) {
    size_t first = digit_run(text, 5);
    const char *second = text + first + 1;
    if (first == 0 || first == 3 || first == 5 || text[first] == '\0' ||
        strchr("./-", text[first]) == NULL) {
        return 0;
    }
    size_t middle = digit_run(second, 3);
    if (middle == 0 || middle == 3 || second[middle] != text[first]) {
        return 0;
    }
    const char *third = second + middle + 1;
    size_t last = digit_run(third, 5);
    bool fits = first == 4 ? last == 1 || last == 2 : last == 2 || last == 4;
    return fits ? (size_t)(third + last - text) : 0;
}

/* How long the date at `text` is when its year is written out; a shorter one may begin a CHI
 * number.
 */
static size_t whole_date_length(const char *text) {
    size_t length = date_length(text);
    bool year = length > 0 && (digit_run(text, 4) == 4 || digit_run(text + length - 4, 4) == 4);
    return year ? length : 0;
}

static int two_digits(const char *digits) {
    return (digits[0] - '0') * 10 + digits[1] - '0';
}

/* Whether six digits are a day (DDMMYY) of either century. */
static bool is_birth_date(const char *digits) {
    static const int longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int day = two_digits(digits);
    int month = two_digits(digits + 2);
    if (month < 1 || month > 12 || day < 1 || day > longest[month - 1]) {
        return false;
    }
    return month != 2 || day < 29 || two_digits(digits + 4) % 4 == 0;
}

/* Whether the ten digits are a date of birth, a serial and the right check digit. */
static bool is_chi(const char *digits) {
    if (!is_birth_date(digits)) {
        return false;
    }
    int sum = 0;
    for (int i = 0; i < CHI_DIGITS - 1; i++) {
        sum += (digits[i] - '0') * (CHI_DIGITS - i);
    }
    int check = 11 - sum % 11;
    return check != 10 && (check == 11 ? 0 : check) == digits[CHI_DIGITS - 1] - '0';
}

/* Whether the digits are a CHI number, in one group or in those that people write it in. */
static bool is_written_chi(const char *digits, size_t count, size_t first_group) {
    bool grouped = first_group == 2 || first_group == 6 || first_group >= CHI_DIGITS - 1;
    return count == CHI_DIGITS && grouped && is_chi(digits);
}

/* The kind of the digits read so far. Their first group distinguishes years and counts from
 * dialling codes and dates of birth. */
static const char *digits_kind(const char *digits, size_t count, size_t first_group, bool plus) {
    if (is_written_chi(digits, count, first_group)) {
        return "a CHI number";
    }
    bool national = first_group >= 3 && digits[0] == '0' && strchr("12378", digits[1]) != NULL &&
                    (count == 10 || count == 11);
    bool international = plus && strncmp(digits, "44", 2) == 0 && count >= 11;
    bool exit_code = strncmp(digits, "0044", 4) == 0 && count >= 13;
    return national || international || exit_code ? "a telephone number" : NULL;
}

/* Looks at each end of a group of digits: more may follow that do not belong to the number. */
static const char *scan_digits(const char *text, bool plus) {
    char digits[DIGITS_MAX + 1] = {0};
    size_t count = 0;
    size_t first_group = digit_run(text, DIGITS_MAX + 1);
    while (count < DIGITS_MAX && is_digit(*text)) {
        digits[count++] = *text++;
        if (is_digit(*text)) {
            continue;
        }
        const char *kind = is_word(text) ? NULL : digits_kind(digits, count, first_group, plus);
        if (kind != NULL) {
            return kind;
        }
        text += separator_length(text);
    }
    return NULL;
}

/* 1st, 2nd, 3rd, 4th and so on, in small letters. */
static bool is_ordinal(const char *text) {
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    int digit = *text - '0';
    return strncmp(text + 1, endings[digit >= 1 && digit <= 3 ? digit : 0], 2) == 0;
}

/* The inward part of a postcode: a digit and two letters that are not C, I, K, M, O or V. */
static bool is_inward(const char *text) {
    return is_digit(text[0]) && is_letter(text[1]) && is_letter(text[2]) && !is_word(text + 3) &&
           strchr("CIKMOV", toupper((unsigned char)text[1])) == NULL &&
           strchr("CIKMOV", toupper((unsigned char)text[2])) == NULL;
}

/* One or two letters, a digit, perhaps a digit or letter, perhaps blanks, and the inward part. */
static bool is_postcode(const char *text) {
    size_t letters = is_letter(text[0]) && is_letter(text[1]) ? 2 : 1;
    if (!is_letter(text[0]) || !is_digit(text[letters])) {
        return false;
    }
    for (size_t outward = letters + 1; outward <= letters + 2; outward++) {
        size_t blanks = strspn(text + outward, " ");
        size_t gap = blanks > 0 ? blanks : wide_mark(text + outward);
        const char *inward = text + outward + gap;
        if (is_inward(inward) && (gap == 0 || !is_ordinal(inward))) {
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
    if (!follows_word(at, start)) {
        return false;
    }
    const char *domain = at + 1;
    if (!is_word(domain)) {
        return false;
    }
    while (is_word(domain) || *domain == '-' || *domain == '.') {
        if (*domain == '.' && is_word(domain + 1) && !is_digit(domain[1])) {
            return true;
        }
        domain++;
    }
    return false;
}

/* How long the name of a month at `text` is, whole or cut after three letters or more; or 0. */
static size_t month_length(const char *text) {
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    size_t length = 0;
    while (is_letter(text[length])) {
        length++;
    }
    for (size_t i = 0; length >= 3 && i < sizeof months / sizeof months[0]; i++) {
        if (length <= strlen(months[i]) && strncasecmp(text, months[i], length) == 0) {
            return length;
        }
    }
    return 0;
}

/* Skips one of the words if `text` begins with it and a blank. */
static const char *skip_word(const char *text, const char *word) {
    size_t length = strlen(word);
    return strncasecmp(text, word, length) == 0 && text[length] == ' ' ? text + length + 1 : text;
}

/* Whether a day begins at `text`: a date in figures, "3 May", "3rd of May" or "May 3". */
static bool is_day(const char *text) {
    size_t name = month_length(text);
    if (name > 0) {
        size_t day = digit_run(text + name + strspn(text + name, " ."), 3);
        return day == 1 || day == 2;
    }
    if (date_length(text) > 0) {
        return true;
    }
    size_t digits = digit_run(text, 3);
    const char *after = text + digits;
    after += is_letter(after[0]) && is_letter(after[1]) && after[2] == ' ' ? 2 : 0;
    after += strspn(after, " -./");
    return (digits == 1 || digits == 2) && month_length(skip_word(after, "of")) > 0;
}

/* "DOB" or "date of birth" with figures soon after, or "born" with a day soon after. */
static bool states_birth(const char *text) {
    static const char *const words[] = {"dob", "d.o.b", "date of birth", "born"};
    static const char *const fillers[] = {"is", "was", "on", "the"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(text, words[i], length) != 0 || is_word(text + length)) {
            continue;
        }
        const char *after = text + length + strspn(text + length, " .:=-(");
        for (size_t filler = 0; filler < sizeof fillers / sizeof fillers[0]; filler++) {
            after = skip_word(after, fillers[filler]);
        }
        bool named = strcmp(words[i], "born") != 0;
        if (is_day(after) || (named && is_digit(*after))) {
            return true;
        }
    }
    return false;
}

const char *free_text_scan(const char *text) {
    const char *at = text;
    while (*at != '\0') {
        if (*at == '@' && is_mail_sign(at, text)) {
            return "an e-mail address";
        }
        if ((!is_digit(*at) && !is_letter(*at)) || follows_word(at, text)) {
            at++; /* the others begin at the beginning of a word */
            continue;
        }
        size_t date = whole_date_length(at);
        if (date > 0) {
            at += date; /* a date alone identifies nobody; what follows it may */
            continue;
        }
        const char *kind = is_digit(*at) ? scan_digits(at, at > text && at[-1] == '+') : NULL;
        if (kind != NULL) {
            return kind;
        }
        if (is_postcode(at)) {
            return "a postcode";
        }
        if (is_letter(*at) && states_birth(at)) {
            return "a date of birth";
        }
        at++;
    }
    return NULL;
}

/* --- identifiers --- */

/* Whether a letter or digit begins at `text`: in an identifier an underscore separates words. */
static bool continues_word(const char *text) {
    return is_word(text) && *text != '_';
}

/* Whether a CHI number begins at `text`, the beginning of a group of digits. */
static bool begins_chi(const char *text) {
    char digits[CHI_DIGITS + 1] = {0};
    size_t count = 0;
    size_t first_group = digit_run(text, DIGITS_MAX + 1);
    while (count < CHI_DIGITS && is_digit(*text)) {
        digits[count++] = *text++;
        if (is_digit(*text)) {
            continue;
        }
        if (!continues_word(text) && is_written_chi(digits, count, first_group)) {
            return true;
        }
        text += separator_length(text);
    }
    return false;
}

const char *free_text_scan_identifier(const char *text) {
    const char *at = text;
    while (*at != '\0') {
        if (*at == '@' && is_mail_sign(at, text)) {
            return "an e-mail address";
        }
        if (!is_digit(*at) || (at > text && at[-1] != '_' && follows_word(at, text))) {
            at++;
            continue;
        }
        size_t date = whole_date_length(at);
        if (date == 0 && begins_chi(at)) {
            return "a CHI number";
        }
        at += date > 0 ? date : 1;
    }
    return NULL;
}
