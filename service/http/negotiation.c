/* Content negotiation: which representation a request asks for (RFC 9110 sections 12.4 and 12.5).
 */
#include "service/http/request_private.h"

#include <string.h>
#include <strings.h>

enum { WHOLE = 1000, WEIGHT_DECIMALS = 3 };

/* One element of a list field such as `text/csv;q=0.5`. */
typedef struct choice {
    const char *name;
    size_t length;
    int weight; /* in thousandths; -1: not well-formed */
} choice;

/* Returns the length of the text up to one of the delimiters; delimiters between quotes do not
 * count. */
static size_t span_until(const char *text, const char *delimiters) {
    bool quoted = false;
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        if (quoted && text[length] == '\\' && text[length + 1] != '\0') {
            length++;
        } else if (text[length] == '"') {
            quoted = !quoted;
        } else if (!quoted && strchr(delimiters, text[length]) != NULL) {
            break;
        }
    }
    return length;
}

/* Reads a weight of 0 to 1 with up to three decimals, in thousandths; -1 for anything else. */
static int read_weight(const char *text, size_t length) {
    if (length == 0 || length > WEIGHT_DECIMALS + 2 || (*text != '0' && *text != '1') ||
        (length > 1 && text[1] != '.')) {
        return -1;
    }
    int weight = *text == '1' ? WHOLE : 0;
    int unit = WHOLE / 10;
    for (size_t i = 2; i < length; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        weight += (text[i] - '0') * unit;
    }
    return weight > WHOLE ? -1 : weight;
}

/* Returns the weight among the parameters of an element; without one it is 1. */
static int weight_of(const char *parameters, size_t length) {
    const char *end = parameters + length;
    while (parameters < end) {
        parameters += strspn(parameters, "; \t");
        size_t size = span_until(parameters, ";,");
        while (size > 0 && strchr(" \t", parameters[size - 1]) != NULL) {
            size--;
        }
        if (size >= 2 && strncasecmp(parameters, "q=", 2) == 0) {
            return read_weight(parameters + 2, size - 2);
        }
        parameters += span_until(parameters, ";,");
    }
    return WHOLE;
}

/* Reads the next element of a list field and moves past it. Returns false at the end. */
static bool next_choice(const char **field, choice *out) {
    const char *text = *field == NULL ? "" : *field;
    text += strspn(text, " \t,");
    size_t length = span_until(text, ",");
    out->name = text;
    out->length = strcspn(text, "; \t,\""); /* no quotes in a name: the rest is read as above */
    out->length = out->length > length ? length : out->length;
    out->weight = weight_of(text + out->length, length - out->length);
    *field = text + length;
    return length > 0;
}

/* Returns how specific a range is about a media type: 3 the type itself, 2 `type/...`, 1 anything,
 * 0 no match. Parameters of a range other than its weight do not count: no type is offered in two
 * forms. */
static int specificity(const choice *range, const char *media_type) {
    size_t major = strcspn(media_type, "/") + 1;
    if (range->length == 3 && strncmp(range->name, "*/*", 3) == 0) {
        return 1;
    }
    if (range->length == major + 1 && range->name[major] == '*') {
        return strncasecmp(range->name, media_type, major) == 0 ? 2 : 0;
    }
    bool same = range->length == strlen(media_type) &&
                strncasecmp(range->name, media_type, range->length) == 0;
    return same ? 3 : 0;
}

typedef struct preference {
    int weight, closeness;
} preference;

/* The most specific range decides about a media type, whatever its position in the field. */
static preference match_media_type(const char *accept, const char *media_type) {
    preference found = {0, 0};
    choice range;
    while (next_choice(&accept, &range)) {
        int closeness = range.weight < 0 ? 0 : specificity(&range, media_type);
        bool better = closeness > found.closeness ||
                      (closeness == found.closeness && range.weight > found.weight);
        if (closeness > 0 && better) {
            found = (preference){range.weight, closeness};
        }
    }
    return found;
}

const char *negotiate_media_type(const char *accept, const char *const *offered) {
    if (accept == NULL || *accept == '\0') {
        return *offered;
    }
    const char *chosen = NULL;
    preference best = {0, 0};
    for (; *offered != NULL; offered++) {
        preference one = match_media_type(accept, *offered);
        if (one.weight > best.weight ||
            (one.weight > 0 && one.weight == best.weight && one.closeness > best.closeness)) {
            best = one;
            chosen = *offered;
        }
    }
    return chosen;
}

bool negotiate_gzip(const char *accept) {
    int gzip = 0;
    int identity = 0;
    choice coding;
    while (next_choice(&accept, &coding)) {
        if (coding.length == strlen("gzip") &&
            strncasecmp(coding.name, "gzip", coding.length) == 0) {
            gzip = coding.weight;
        } else if (coding.length == strlen("identity") &&
                   strncasecmp(coding.name, "identity", coding.length) == 0) {
            identity = coding.weight;
        }
    }
    return gzip > 0 && gzip >= identity;
}
