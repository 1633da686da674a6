/* The formats of documents: plain text, PDF, ODT and DOCX. */
#include "api/document_format.h"

#include "service/contract/formats.h"
#include "service/hex.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    ZIP_ENTRY = 46, /* bytes of an entry of the directory without its name */
    ZIP_END = 22,   /* bytes of the end of the directory without its comment */
    ZIP_LOCAL = 30, /* bytes of the header before the data of an entry */
    ZIP_COMMENT_MAX = 65535,
    PDF_NAME_MAX = 16,
    PDF_END_WITHIN = 1024
};
static const uint64_t unpacked_max = 200ULL << 20;

typedef struct span {
    const unsigned char *bytes;
    size_t size;
} span;

static const document_fault none = {0};
static const document_fault not_zip = {"wrong_format",
                                       "is not a readable document of the format in Content-Type"};
static const document_fault encrypted = {"encrypted_content", "is encrypted"};

static bool begins(span in, const char *with) {
    return in.size >= strlen(with) && memcmp(in.bytes, with, strlen(with)) == 0;
}

/* --- plain text --- */

static document_fault examine_text(span text) {
    bool good = utf8_is_valid((const char *)text.bytes, text.size);
    for (size_t i = 0; good && i < text.size; i++) {
        good = text.bytes[i] >= ' ' ||
               (text.bytes[i] != '\0' && strchr("\t\n\f\r", text.bytes[i]) != NULL);
    }
    return good ? none
                : (document_fault){"wrong_format",
                                   "is not plain text in UTF-8 without control characters"};
}

/* --- PDF --- */

static bool is_regular(unsigned char byte) {
    return byte > ' ' && strchr("()<>[]{}/%", byte) == NULL;
}

/* Copies the name behind a slash, its escapes (#4A) resolved; a longer name is cut. */
static void read_name(span pdf, size_t at, char name[PDF_NAME_MAX]) {
    size_t length = 0;
    for (; at < pdf.size && is_regular(pdf.bytes[at]) && length < PDF_NAME_MAX - 1; at++) {
        int high =
            pdf.bytes[at] == '#' && at + 2 < pdf.size ? hex_value((char)pdf.bytes[at + 1]) : -1;
        int low = high >= 0 ? hex_value((char)pdf.bytes[at + 2]) : -1;
        name[length++] = (char)(low >= 0 ? high * 16 + low : pdf.bytes[at]);
        at += low >= 0 ? 2 : 0;
    }
    name[length] = '\0';
}

static document_fault examine_pdf(span pdf) {
    static const char *const active[] = {"JavaScript", "JS", "Launch"};
    size_t tail = pdf.size < PDF_END_WITHIN ? pdf.size : PDF_END_WITHIN;
    if (!begins(pdf, "%PDF-") || memmem(pdf.bytes + pdf.size - tail, tail, "%%EOF", 5) == NULL) {
        return (document_fault){"wrong_format", "is not a complete PDF"};
    }
    for (size_t i = 0; i < pdf.size; i++) {
        char name[PDF_NAME_MAX] = "";
        if (pdf.bytes[i] == '/') {
            read_name(pdf, i + 1, name);
        }
        if (strcmp(name, "Encrypt") == 0) {
            return encrypted;
        }
        for (size_t n = 0; n < sizeof active / sizeof *active; n++) {
            if (strcmp(name, active[n]) == 0) {
                return (document_fault){"active_content", "has a script or starts a program"};
            }
        }
    }
    return none;
}

/* --- ODT and DOCX, which are zip archives --- */

static uint32_t read_number(const unsigned char *at, int bytes) {
    uint32_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
        value = value << 8 | at[i];
    }
    return value;
}

/* Returns the end of the directory, or NULL. */
static const unsigned char *find_end(span zip) {
    size_t first = zip.size > ZIP_END + ZIP_COMMENT_MAX ? zip.size - ZIP_END - ZIP_COMMENT_MAX : 0;
    for (size_t i = zip.size < ZIP_END ? 0 : zip.size - ZIP_END + 1; i > first; i--) {
        if (memcmp(zip.bytes + i - 1, "PK\5\6", 4) == 0) {
            return zip.bytes + i - 1;
        }
    }
    return NULL;
}

/* The facts that the directory states about all entries. */
typedef struct zip_content {
    uint64_t unpacked;
    bool encrypted, macros, word;
} zip_content;

static bool is_named(span name, const char *text) {
    return name.size == strlen(text) && memcmp(name.bytes, text, name.size) == 0;
}

static bool has_text(span name, const char *text) {
    return memmem(name.bytes, name.size, text, strlen(text)) != NULL;
}

static void note_entry(const unsigned char *entry, span name, zip_content *found) {
    found->encrypted = found->encrypted || (read_number(entry + 8, 2) & 1) != 0;
    found->unpacked += read_number(entry + 24, 4);
    found->macros = found->macros || has_text(name, "vbaProject.bin") || begins(name, "Basic/") ||
                    has_text(name, "/Basic/") || begins(name, "Scripts/");
    found->word = found->word || is_named(name, "word/document.xml");
}

/* Reads the directory. Returns false when it is not well-formed, or needs zip64, which a document
 * of this size does not. */
static bool read_directory(span zip, zip_content *found) {
    const unsigned char *end = find_end(zip);
    size_t at = end == NULL ? 0 : read_number(end + 16, 4);
    uint32_t left = end == NULL ? 0 : read_number(end + 10, 2);
    size_t stop = end == NULL ? 0 : (size_t)(end - zip.bytes);
    bool good = left > 0;
    for (; good && left > 0; left--) {
        good = at <= stop && stop - at >= ZIP_ENTRY && memcmp(zip.bytes + at, "PK\1\2", 4) == 0;
        const unsigned char *entry = zip.bytes + at;
        size_t name = good ? read_number(entry + 28, 2) : 0;
        size_t more = good ? read_number(entry + 30, 2) + read_number(entry + 32, 2) : 0;
        good = good && stop - at - ZIP_ENTRY >= name + more;
        if (good) {
            note_entry(entry, (span){entry + ZIP_ENTRY, name}, found);
            at += ZIP_ENTRY + name + more;
        }
    }
    return good && at == stop;
}

/* Whether the first entry is the stored file `mimetype` of an ODT (OpenDocument 1.3, part 2). */
static bool is_text_document(span zip) {
    static const char name[] = "mimetype";
    static const char type[] = "application/vnd.oasis.opendocument.text";
    enum { NAME = sizeof name - 1, TYPE = sizeof type - 1 };
    return zip.size > ZIP_LOCAL + NAME + TYPE && read_number(zip.bytes + 8, 2) == 0 &&
           read_number(zip.bytes + 22, 4) == TYPE && read_number(zip.bytes + 26, 2) == NAME &&
           memcmp(zip.bytes + ZIP_LOCAL, name, NAME) == 0 && read_number(zip.bytes + 28, 2) == 0 &&
           memcmp(zip.bytes + ZIP_LOCAL + NAME, type, TYPE) == 0;
}

static document_fault examine_zip(span zip, bool open_document) {
    zip_content found = {0};
    if (!begins(zip, "PK\3\4") || !read_directory(zip, &found)) {
        return not_zip;
    }
    if (found.encrypted) {
        return encrypted;
    }
    if (found.unpacked > unpacked_max) {
        return (document_fault){"unpacks_too_large", "unpacks to more than 200 MiB"};
    }
    if (found.macros) {
        return (document_fault){"active_content", "has macros"};
    }
    return open_document == is_text_document(zip) && open_document != found.word ? none : not_zip;
}

document_fault document_examine(const char *media_type, const void *bytes, size_t size) {
    span all = {bytes, size};
    if (strcmp(media_type, "text/plain") == 0) {
        return examine_text(all);
    }
    if (strcmp(media_type, "application/pdf") == 0) {
        return examine_pdf(all);
    }
    return examine_zip(all, strstr(media_type, "opendocument") != NULL);
}
