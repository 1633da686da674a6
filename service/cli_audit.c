/* The command `check audit`: reads the whole trail in one stream, in constant memory. */
#include "service/cli_audit.h"

#include "service/command.h"
#include "service/db/audit_chain.h"
#include "service/db/audit_watch.h"
#include "service/db/link.h"
#include "service/db/statement.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { TAMPERED = 1, COPY_HEADER_SIZE = 19 };

/* This principal may read the whole trail: see sql/reference/rows_organisations.sql. */
static const char *const auditor[] = {"AUDITOR", " audit.read ", "check", ""};

/* libpq's names of these options; the connection string gives the others. */
static PGconn *connect_to(const char *conninfo) {
    const char *const names[] = {"dbname", "options", "application_name", "client_encoding", NULL};
    char *options = link_options("");
    const char *const values[] = {conninfo, options, "learning-reviews check", "UTF8", NULL};
    PGconn *link = PQconnectdbParams(names, values, 1);
    free(options);
    return link;
}

static bool command(PGconn *link, const char *text) {
    PGresult *result = PQexec(link, text);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return good;
}

/* Begins one snapshot for all statements, as the auditor. */
static bool begin_snapshot(PGconn *link) {
    if (!command(link, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")) {
        return false;
    }
    PGresult *claims = PQexecParams(link, statement_claims->text, statement_claims->parameters,
                                    NULL, auditor, NULL, NULL, 0);
    bool known = PQresultStatus(claims) == PGRES_TUPLES_OK && *PQgetvalue(claims, 0, 0) == 't';
    PQclear(claims);
    PGresult *ordered = PQexec(link, statement_audit_in_order->text);
    known = known && PQresultStatus(ordered) == PGRES_TUPLES_OK;
    PQclear(ordered);
    return known;
}

static bool read_place(const PGresult *row, int position, int number, int hash,
                       audit_place *place) {
    char anchor[AUDIT_ANCHOR_MAX];
    snprintf(anchor, sizeof anchor, "%s:%s", PQgetvalue(row, 0, position),
             PQgetvalue(row, 0, hash));
    place->number = strtoll(PQgetvalue(row, 0, number), NULL, 10);
    return audit_place_read(anchor, place);
}

static bool read_ends(PGconn *link, audit_chain *chain) {
    enum { REMOVED, REMOVED_NUMBER, REMOVED_HASH, POSITION, NUMBER, HASH };
    PGresult *ends = PQexec(link, statement_audit_ends->text);
    bool good = PQresultStatus(ends) == PGRES_TUPLES_OK && PQntuples(ends) == 1 &&
                read_place(ends, REMOVED, REMOVED_NUMBER, REMOVED_HASH, &chain->start) &&
                read_place(ends, POSITION, NUMBER, HASH, &chain->end);
    PQclear(ends);
    return good;
}

static uint32_t read_number(const unsigned char *bytes, int size) {
    uint32_t number = 0;
    for (int i = 0; i < size; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

/* Splits a row of COPY in binary form (documentation of COPY, File Formats). Returns false when it
 * has another form. */
static bool split_row(const unsigned char *at, size_t size, audit_value *row) {
    const unsigned char *end = at + size;
    if (size < 2 || read_number(at, 2) != AUDIT_ROW_COLUMNS) {
        return false;
    }
    at += 2;
    for (int i = 0; i < AUDIT_ROW_COLUMNS; i++) {
        if (end - at < 4) {
            return false;
        }
        uint32_t length = read_number(at, 4);
        at += 4;
        bool null = length == UINT32_MAX;
        if (!null && length > (size_t)(end - at)) {
            return false;
        }
        row[i] = (audit_value){.bytes = null ? NULL : at, .size = null ? 0 : length};
        at += row[i].size;
    }
    return at == end;
}

/* Takes one piece of the stream: the first one begins with the header, the last row is the end
 * marker. */
static bool take_piece(audit_chain *chain, const unsigned char *at, size_t size, bool first,
                       bool *readable) {
    if (first) {
        static const char signature[] = "PGCOPY\n\377\r\n"; /* with its zero */
        *readable = size >= COPY_HEADER_SIZE && memcmp(at, signature, sizeof signature) == 0;
        if (!*readable) {
            return false;
        }
        at += COPY_HEADER_SIZE;
        size -= COPY_HEADER_SIZE;
    }
    bool over = size == 0 || (size == 2 && read_number(at, 2) == UINT16_MAX);
    if (over) {
        return true;
    }
    audit_value row[AUDIT_ROW_COLUMNS];
    *readable = split_row(at, size, row) && audit_chain_follows(chain, row);
    return *readable && audit_chain_take(chain, row);
}

/* Returns false when the database did not give all of it; `chain` has any fault of the chain. */
static bool read_rows(PGconn *link, audit_chain *chain) {
    char copy[1024];
    snprintf(copy, sizeof copy, "COPY (%s) TO STDOUT (FORMAT binary)", statement_audit_chain->text);
    PGresult *begun = PQexec(link, copy);
    bool readable = PQresultStatus(begun) == PGRES_COPY_OUT;
    PQclear(begun);
    int size = 0;
    bool going = readable;
    for (bool first = true; going; first = false) {
        char *piece = NULL;
        size = PQgetCopyData(link, &piece, 0);
        going =
            size > 0 && take_piece(chain, (unsigned char *)piece, (size_t)size, first, &readable);
        PQfreemem(piece);
    }
    if (size > 0 || !readable) {
        return readable; /* a fault: the rest is not read */
    }
    PGresult *ended = PQgetResult(link);
    bool whole = size == -1 && PQresultStatus(ended) == PGRES_COMMAND_OK;
    PQclear(ended);
    return whole && (audit_chain_end(chain) || chain->fault[0] != '\0');
}

static bool verify(PGconn *link, audit_chain *chain) {
    if (!begin_snapshot(link) || !read_ends(link, chain)) {
        return false;
    }
    bool read = audit_chain_begin(chain) ? read_rows(link, chain) : chain->fault[0] != '\0';
    audit_chain_free(chain);
    return read;
}

static int report(const audit_chain *chain) {
    char anchor[AUDIT_ANCHOR_MAX];
    if (chain->fault[0] != '\0') {
        printf("audit trail: FAULT: %s\n", chain->fault);
        return TAMPERED;
    }
    audit_place_write(&chain->last, anchor);
    printf("audit trail: in order, %" PRId64 " entries sealed, %" PRId64 " of them removed since, "
           "%" PRId64 " not sealed yet\nanchor: %s\n",
           chain->last.position, chain->start.position, chain->unsealed, anchor);
    if (chain->unused > 0) {
        printf("numbers: %" PRId64 " are not used, at most %" PRId64 " in a row, before entry "
               "%" PRId64 "; requests that failed leave such numbers\n",
               chain->unused, chain->widest, chain->widest_before);
    }
    return EX_OK;
}

int audit_check(const config *settings, const char *anchor) {
    audit_chain chain = {0};
    char reason[1024] = "";
    if (settings->database == NULL) {
        return cli_fail(EX_CONFIG, "LR_DATABASE is not set: it must be a libpq connection string.");
    }
    if (anchor != NULL && !audit_place_read(anchor, &chain.anchor)) {
        return cli_fail(EX_USAGE, "--anchor must be COUNT:HASH as the log and `check audit` give "
                                  "it.");
    }
    if (!command_check_transport(settings, "LR_DATABASE", settings->database, reason,
                                 sizeof reason)) {
        return cli_fail(EX_CONFIG, reason);
    }
    if (anchor == NULL && settings->audit_anchor_file != NULL) {
        audit_anchor_file_last(settings->audit_anchor_file, &chain.anchor);
    }
    PGconn *link = connect_to(settings->database);
    if (PQstatus(link) != CONNECTION_OK) {
        link_explain(link, "LR_DATABASE", "reached", reason, sizeof reason);
        PQfinish(link);
        return cli_fail(EX_UNAVAILABLE, reason);
    }
    bool read = verify(link, &chain);
    PQfinish(link);
    return read ? report(&chain)
                : cli_fail(EX_UNAVAILABLE,
                           "the audit trail cannot be read: is the database there and migrated?");
}
