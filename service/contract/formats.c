/* Checks dates, times, UUIDs, URIs and UTF-8 by hand: exact, and without allocation. */
#include "service/contract/formats.h"

#include "service/hex.h"

#include <string.h>

enum { DATE_LENGTH = 10, TIME_LENGTH = 8, UUID_LENGTH = 36, DAY_MINUTES = 24 * 60 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Reads `count` digits; -1 when one of them is not a digit. */
static int read_digits(const char *text, size_t count) {
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(text[i])) {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int days_of_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool is_date(const char *text, size_t length) {
    if (length != DATE_LENGTH || text[4] != '-' || text[7] != '-') {
        return false;
    }
    int year = read_digits(text, 4);
    int month = read_digits(text + 5, 2);
    int day = read_digits(text + 8, 2);
    if (year < 1 || month < 1 || month > 12) {
        return false;
    }
    return day >= 1 && day <= days_of_month(year, month);
}

/* Reads Z or +hh:mm into minutes east of UTC. */
static bool read_offset(const char *text, size_t length, int *minutes) {
    *minutes = 0;
    if (length == 1) {
        return text[0] == 'Z' || text[0] == 'z';
    }
    if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return false;
    }
    int hour = read_digits(text + 1, 2);
    int minute = read_digits(text + 4, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
        return false;
    }
    *minutes = (hour * 60 + minute) * (text[0] == '-' ? -1 : 1);
    return true;
}

static bool is_time(const char *text, size_t length) {
    if (length < TIME_LENGTH + 1 || text[2] != ':' || text[5] != ':') {
        return false;
    }
    int hour = read_digits(text, 2);
    int minute = read_digits(text + 3, 2);
    int second = read_digits(text + 6, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return false;
    }
    size_t at = TIME_LENGTH;
    if (text[at] == '.') {
        size_t first = ++at;
        while (at < length && is_digit(text[at])) {
            at++;
        }
        if (at == first) {
            return false;
        }
    }
    int offset = 0;
    if (!read_offset(text + at, length - at, &offset)) {
        return false;
    }
    int utc = (hour * 60 + minute - offset + DAY_MINUTES) % DAY_MINUTES;
    return second < 60 || utc == DAY_MINUTES - 1;
}

static bool is_date_time(const char *text, size_t length) {
    if (length <= DATE_LENGTH || (text[DATE_LENGTH] != 'T' && text[DATE_LENGTH] != 't')) {
        return false;
    }
    return is_date(text, DATE_LENGTH) && is_time(text + DATE_LENGTH + 1, length - DATE_LENGTH - 1);
}

static bool is_uuid(const char *text, size_t length) {
    if (length != UUID_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text[i] != '-' : hex_value(text[i]) < 0) {
            return false;
        }
    }
    return true;
}

/* Whether all characters are unreserved, sub-delims, well-formed escapes or among `extra`. */
static bool is_uri_part(const char *text, size_t length, const char *extra) {
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= length || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
                return false;
            }
            i += 2;
            continue;
        }
        bool plain = is_letter(c) || is_digit(c);
        if (c == '\0' ||
            (!plain && strchr("-._~!$&'()*+,;=", c) == NULL && strchr(extra, c) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool is_port(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
    }
    return true;
}

/* Whether the text is [user@]host[:port]; of an IP literal only the characters are looked at. */
static bool is_authority(const char *text, size_t length) {
    const char *at = memchr(text, '@', length);
    if (at != NULL) {
        size_t user = (size_t)(at - text);
        if (!is_uri_part(text, user, ":")) {
            return false;
        }
        text += user + 1;
        length -= user + 1;
    }
    size_t host = length;
    if (length > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', length);
        if (close == NULL || close == text + 1 ||
            !is_uri_part(text + 1, (size_t)(close - text) - 1, ":")) {
            return false;
        }
        host = (size_t)(close - text) + 1;
    } else {
        const char *colon = memchr(text, ':', length);
        host = colon == NULL ? length : (size_t)(colon - text);
        if (!is_uri_part(text, host, "")) {
            return false;
        }
    }
    return host == length || (text[host] == ':' && is_port(text + host + 1, length - host - 1));
}

/* Returns the length of the scheme with its colon, 0 when there is none. */
static size_t scheme_length(const char *text, size_t length) {
    if (length == 0 || !is_letter(text[0])) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (text[i] == ':') {
            return i + 1;
        }
        if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '+' && text[i] != '-' &&
            text[i] != '.') {
            return 0;
        }
    }
    return 0;
}

/* Returns the first of the characters in the text, or the text's end. */
static const char *find_any(const char *text, const char *end, const char *characters) {
    while (text < end && (*text == '\0' || strchr(characters, *text) == NULL)) {
        text++;
    }
    return text;
}

static bool is_path(const char *path, const char *end, bool colon_allowed) {
    const char *slash = find_any(path, end, "/");
    if (!colon_allowed && find_any(path, slash, ":") != slash) {
        return false;
    }
    return is_uri_part(path, (size_t)(end - path), "/:@");
}

static bool is_uri(const char *text, size_t length, bool reference) {
    const char *end = text + length;
    size_t scheme = scheme_length(text, length);
    if (scheme == 0 && !reference) {
        return false;
    }
    const char *at = text + scheme;
    bool colon_allowed = scheme > 0;
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        const char *path = find_any(at + 2, end, "/?#");
        if (!is_authority(at + 2, (size_t)(path - at) - 2)) {
            return false;
        }
        at = path;
        colon_allowed = true;
    }
    const char *query = find_any(at, end, "?#");
    const char *fragment = find_any(query, end, "#");
    if (!is_path(at, query, colon_allowed)) {
        return false;
    }
    if (query < fragment && !is_uri_part(query + 1, (size_t)(fragment - query) - 1, "/?:@")) {
        return false;
    }
    return fragment == end || is_uri_part(fragment + 1, (size_t)(end - fragment) - 1, "/?:@");
}

bool format_matches(contract_format format, const char *text, size_t length) {
    switch (format) {
    case FORMAT_DATE:
        return is_date(text, length);
    case FORMAT_DATE_TIME:
        return is_date_time(text, length);
    case FORMAT_UUID:
        return is_uuid(text, length);
    case FORMAT_URI:
        return is_uri(text, length, false);
    case FORMAT_URI_REFERENCE:
        return is_uri(text, length, true);
    case FORMAT_NONE:
        break;
    }
    return true;
}

static bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* Returns the length of the code point at the start of the bytes, 0 when it is malformed. */
static size_t code_point_length(const unsigned char *at, size_t left) {
    if (at[0] < 0x80) {
        return 1;
    }
    size_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || left < length) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(at[i])) {
            return 0;
        }
    }
    bool overlong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xED && at[1] > 0x9F;
    bool beyond = at[0] == 0xF4 && at[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

bool utf8_is_valid(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text;
    while (length > 0) {
        size_t step = code_point_length(at, length);
        if (step == 0) {
            return false;
        }
        at += step;
        length -= step;
    }
    return true;
}

size_t utf8_count(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        count += is_continuation((unsigned char)text[i]) ? 0 : 1;
    }
    return count;
}

size_t utf8_cut(const char *text, size_t length, size_t max) {
    if (length <= max) {
        return length;
    }
    while (max > 0 && is_continuation((unsigned char)text[max])) {
        max--;
    }
    return max;
}
