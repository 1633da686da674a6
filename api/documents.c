/* The content of documents: stored and read in pieces, so that one request needs little memory
 * next to the document itself. */
#include "api/document_format.h"
#include "contract_handlers.h"
#include "service/hex.h"
#include "service/http/request.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST = 32, PIECE = 256 * 1024 };

/* --- storing --- */

static void refuse_content(request *r, violation_place place, const char *name, const char *rule,
                           const char *message) {
    violation_list list = violation_list_make(request_memory(r));
    violation_add(&list, place, name, rule, message);
    respond_violations(r, "rule_violation", &list);
}

/* Returns false, after a refusal, when the header Content-Digest names other bytes. */
static bool check_digest(request *r, const unsigned char digest[DIGEST]) {
    const char *stated = request_header(r, "Content-Digest");
    unsigned char base64[(DIGEST + 2) / 3 * 4 + 1];
    EVP_EncodeBlock(base64, digest, DIGEST);
    const char *actual = arena_printf(request_memory(r), "sha-256=:%s:", (const char *)base64);
    if (stated == NULL || strcmp(stated, actual) == 0) {
        return true;
    }
    refuse_content(r, PLACE_HEADER, "Content-Digest", "digest_mismatch",
                   "is not the digest of the received bytes");
    return false;
}

/* Stores the bytes that the transaction announced. */
static bool store_pieces(db_transaction *transaction, const char *id, const unsigned char *bytes,
                         size_t size, db_error *error) {
    char *text = arena_alloc(transaction->memory, 2 * PIECE + 1);
    bool good = true;
    for (size_t at = 0, number = 0; good && at < size; at += PIECE, number++) {
        hex_write(bytes + at, size - at < PIECE ? size - at : PIECE, text);
        const char *const parameters[] = {id, arena_printf(transaction->memory, "%zu", number),
                                          text};
        PGresult *stored = db_step(transaction, statement_add_document_piece, parameters, error);
        good = stored != NULL;
        PQclear(stored);
    }
    return good;
}

static bool store(request *r, db_transaction *transaction, const char *digest, db_reply *reply,
                  db_error *error) {
    size_t size;
    const unsigned char *bytes = request_body_bytes(r, &size);
    const char *id = request_path_value(r, "document_id");
    const char *const parameters[] = {request_path_value(r, "id"), id, request_body_type(r),
                                      arena_printf(request_memory(r), "%zu", size), digest};
    PGresult *described = db_step(transaction, statement_describe_document, parameters, error);
    bool good = described != NULL && db_reply_read(described, reply, request_memory(r));
    PQclear(described);
    return good && (reply->status == 200 || store_pieces(transaction, id, bytes, size, error)) &&
           db_audit(transaction, request_audit_note(r), reply->body, error);
}

void handle_put_document_content(request *r) {
    size_t size;
    const unsigned char *bytes = request_body_bytes(r, &size);
    document_fault fault = document_examine(request_body_type(r), bytes, size);
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * DIGEST + 1];
    EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL);
    hex_write(digest, DIGEST, text);
    if (!check_digest(r, digest)) {
        return;
    }
    if (fault.rule != NULL) {
        refuse_content(r, PLACE_BODY, "", fault.rule, fault.message);
        return;
    }
    db_transaction transaction;
    db_error error = {0};
    db_reply reply = {0};
    bool done = db_begin(&transaction, request_context(r)->connections, request_principal(r),
                         &error, request_memory(r));
    if (done && !store(r, &transaction, text, &reply, &error)) {
        db_rollback(&transaction);
        done = false;
    }
    if (done && db_commit(&transaction, &error)) {
        respond_reply(r, &reply);
    } else {
        respond_db_error(r, &error);
    }
}

/* --- reading --- */

typedef struct download {
    const char *document, *body, *media_type, *tag, *digest, *name;
    size_t size;
    size_t first, end; /* the bytes to send */
    bool part;         /* not all */
} download;

static bool read_download(const PGresult *row, download *found, arena *memory) {
    if (PQntuples(row) == 0) {
        return false;
    }
    *found = (download){.document = db_text(row, "document", memory),
                        .body = db_text(row, "body", memory),
                        .media_type = db_text(row, "media_type", memory),
                        .tag = db_text(row, "tag", memory),
                        .digest = db_text(row, "digest", memory),
                        .name = db_text(row, "name", memory)};
    found->size = found->end = strtoul(db_text(row, "size", memory), NULL, 10);
    return true;
}

/* Reads a number of at most 9 digits. Returns false when there is none. */
static bool read_position(const char **text, size_t *value) {
    size_t digits = strspn(*text, "0123456789");
    if (digits == 0) {
        return false;
    }
    *value = digits > 9 ? SIZE_MAX / 2 : strtoul(*text, NULL, 10);
    *text += digits;
    return true;
}

/* Applies the header Range (RFC 9110 section 14): ignored when it is not one range of bytes, or
 * when If-Range names other content. Returns false when the content has no such range. */
static bool choose_range(request *r, download *found) {
    const char *text = request_header(r, "Range");
    const char *known = request_header(r, "If-Range");
    if (text == NULL || strncmp(text, "bytes=", 6) != 0 ||
        (known != NULL && strcmp(known, found->tag) != 0)) {
        return true;
    }
    text += 6;
    size_t first = 0;
    size_t last = found->size - 1;
    bool from_start = read_position(&text, &first);
    bool dash = *text == '-';
    text += dash;
    bool has_last = read_position(&text, &last);
    if (!dash || *text != '\0' || !(from_start || has_last) ||
        (from_start && has_last && last < first)) {
        return true;
    }
    if (!from_start) {
        first = last < found->size ? found->size - last : 0;
        first = last == 0 ? found->size : first;
        last = found->size - 1;
    }
    found->part = true;
    found->first = first;
    found->end = last < found->size ? last + 1 : found->size;
    return first < found->size;
}

/* Copies the part of a piece, in hexadecimal digits, that belongs to the range. */
static void copy_piece(const char *text, size_t begins, const download *found, char *to) {
    size_t ends = begins + strlen(text) / 2;
    size_t first = found->first > begins ? found->first : begins;
    size_t end = found->end < ends ? found->end : ends;
    for (size_t at = first; at < end; at++) {
        const char *digits = text + 2 * (at - begins);
        to[at - found->first] = (char)(hex_value(digits[0]) * 16 + hex_value(digits[1]));
    }
}

static bool read_pieces(db_transaction *transaction, const download *found, char *to,
                        db_error *error) {
    bool good = true;
    for (size_t number = found->first / PIECE; good && number * PIECE < found->end; number++) {
        const char *const parameters[] = {found->document,
                                          arena_printf(transaction->memory, "%zu", number)};
        PGresult *piece = db_step(transaction, statement_read_document_piece, parameters, error);
        good = piece != NULL && PQntuples(piece) == 1;
        if (good) {
            copy_piece(PQgetvalue(piece, 0, 0), number * PIECE, found, to);
        }
        PQclear(piece);
    }
    return good;
}

static void set_headers(request *r, const download *found) {
    response_set_etag(r, found->tag);
    response_set_header(r, "Accept-Ranges", "bytes");
    response_set_header(r, "Repr-Digest", found->digest);
    response_set_header(
        r, "Content-Disposition",
        arena_printf(request_memory(r), "attachment; filename=\"%s\"", found->name));
    if (found->part) {
        response_set_header(r, "Content-Range",
                            arena_printf(request_memory(r), "bytes %zu-%zu/%zu", found->first,
                                         found->end - 1, found->size));
    }
}

/* Answers a range that the content does not have. */
static void refuse_range(request *r, const download *found) {
    response_set_header(r, "Content-Range",
                        arena_printf(request_memory(r), "bytes */%zu", found->size));
    respond_problem(r, "range_not_satisfiable",
                    arena_printf(request_memory(r), "The content has %zu bytes.", found->size));
}

/* Reads in the transaction what the answer needs. Returns the answer's bytes; NULL when it
 * answered with a problem. */
static const char *read_content(request *r, db_transaction *transaction, download *found,
                                const statement *which, const char *const *parameters) {
    db_error error = {0};
    PGresult *row = db_step(transaction, which, parameters, &error);
    bool seen = row != NULL && read_download(row, found, request_memory(r));
    PQclear(row);
    if (!seen) {
        error.code == NULL ? respond_problem(r, "not_found", NULL) : respond_db_error(r, &error);
        return NULL;
    }
    if (!choose_range(r, found)) {
        refuse_range(r, found);
        return NULL;
    }
    size_t size = request_has_etag(r, found->tag) ? 0 : found->end - found->first;
    if (!request_hold_answer(r, size)) {
        return NULL;
    }
    char *bytes = arena_alloc(request_memory(r), size + 1);
    if ((size == 0 || read_pieces(transaction, found, bytes, &error)) &&
        db_audit(transaction, request_audit_note(r), found->body, &error)) {
        return bytes;
    }
    error.code == NULL ? respond_problem(r, "internal", NULL) : respond_db_error(r, &error);
    return NULL;
}

static void send_content(request *r, const statement *which, const char *const *parameters) {
    db_transaction transaction;
    db_error error = {0};
    download found = {0};
    if (!db_begin(&transaction, request_context(r)->connections, request_principal(r), &error,
                  request_memory(r))) {
        respond_db_error(r, &error);
        return;
    }
    const char *bytes = read_content(r, &transaction, &found, which, parameters);
    if (bytes == NULL) {
        db_rollback(&transaction);
    } else if (db_commit(&transaction, &error)) {
        set_headers(r, &found);
        respond_content(r, found.part ? 206 : 200, found.media_type, bytes,
                        found.end - found.first);
    } else {
        respond_db_error(r, &error);
    }
}

void handle_get_document_content(request *r) {
    const char *const parameters[] = {request_path_value(r, "id"),
                                      request_path_value(r, "document_id")};
    send_content(r, statement_get_document_content, parameters);
}

void handle_get_released_content(request *r) {
    const char *const parameters[] = {request_path_value(r, "id")};
    send_content(r, statement_get_released_content, parameters);
}
