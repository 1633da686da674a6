/* Brings a database to the schema of this program: forward only, checksummed, one at a time. */
#include "service/db/migrate.h"

#include "service/db/statement.h"

#include <libpq-fe.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

/* A file that does not get its locks is tried again for five minutes: somebody reads for long. */
enum { CHECKSUM_MOST = 2 * EVP_MAX_MD_SIZE + 1, LOCK_TRIES_MOST = 200, LOCK_PAUSE_S = 1 };

static void make_checksum(const char *text, char *hex) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL);
    for (unsigned int i = 0; i < size; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
    }
}

static bool is_good(const PGresult *result) {
    return PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
}

/* Runs text of one or more statements; the message of a failure is PostgreSQL's: schema files hold
 * no personal data. */
static bool run_text(PGconn *link, const char *what, const char *text, char *reason,
                     size_t reason_size) {
    PGresult *result = PQexec(link, text);
    bool good = is_good(result);
    if (!good) {
        snprintf(reason, reason_size, "%s: %s", what, PQresultErrorMessage(result));
        reason[strcspn(reason, "\n")] = '\0';
    }
    PQclear(result);
    return good;
}

typedef enum verdict { APPLIED, FAILED, LOCKED } verdict;

/* Runs text of the file; tells a lock that was not to be had, or a deadlock, from other failures.
 */
static verdict run_part(PGconn *link, const schema_file *file, const char *text, char *reason,
                        size_t reason_size) {
    PGresult *result = PQexec(link, text);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    verdict found = is_good(result) ? APPLIED : FAILED;
    if (found == FAILED) {
        snprintf(reason, reason_size, "%s: %s", file->path, PQresultErrorMessage(result));
        reason[strcspn(reason, "\n")] = '\0';
    }
    if (state != NULL && (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0)) {
        found = LOCKED;
    }
    PQclear(result);
    return found;
}

static bool run_named(PGconn *link, const statement *what, char *reason, size_t reason_size) {
    return run_text(link, what->name, what->text, reason, reason_size);
}

/* Copies the recorded checksum of the file; "" when it was never applied. */
static bool find_checksum(PGconn *link, const char *path, char *known, char *reason,
                          size_t reason_size) {
    const char *const parameters[] = {path};
    PGresult *result =
        PQexecParams(link, statement_schema_find->text, 1, NULL, parameters, NULL, NULL, 0);
    bool good = is_good(result);
    if (good) {
        snprintf(known, CHECKSUM_MOST, "%s",
                 PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
    } else {
        snprintf(reason, reason_size, "The list of applied files cannot be read.");
    }
    PQclear(result);
    return good;
}

static bool record_file(PGconn *link, const char *path, const char *checksum, char *reason,
                        size_t reason_size) {
    const char *const parameters[] = {path, checksum};
    PGresult *result =
        PQexecParams(link, statement_schema_record->text, 2, NULL, parameters, NULL, NULL, 0);
    bool good = is_good(result);
    if (!good) {
        snprintf(reason, reason_size, "%s could not be recorded.", path);
    }
    PQclear(result);
    return good;
}

static verdict try_file(PGconn *link, const schema_file *file, const char *checksum, char *reason,
                        size_t reason_size) {
    verdict found = run_part(link, file, "BEGIN", reason, reason_size);
    if (found == APPLIED && file->repeatable) {
        found = run_part(link, file, statement_schema_gate->text, reason, reason_size);
    }
    if (found == APPLIED) {
        found = run_part(link, file, file->text, reason, reason_size);
    }
    if (found == APPLIED && (!record_file(link, file->path, checksum, reason, reason_size) ||
                             !run_text(link, file->path, "COMMIT", reason, reason_size))) {
        found = FAILED;
    }
    if (found != APPLIED) {
        PQclear(PQexec(link, "ROLLBACK"));
    }
    return found;
}

static bool apply_file(PGconn *link, const schema_file *file, const char *checksum, FILE *out,
                       char *reason, size_t reason_size) {
    verdict found = try_file(link, file, checksum, reason, reason_size);
    for (int tries = 1; found == LOCKED && tries < LOCK_TRIES_MOST; tries++) {
        if (tries == 1) {
            fprintf(out, "waiting for locks of %s\n", file->path);
            fflush(out);
        }
        sleep(LOCK_PAUSE_S);
        found = try_file(link, file, checksum, reason, reason_size);
    }
    return found == APPLIED;
}

static bool bring_up(PGconn *link, const schema_file *file, FILE *out, char *reason,
                     size_t reason_size) {
    char wanted[CHECKSUM_MOST];
    char known[CHECKSUM_MOST];
    make_checksum(file->text, wanted);
    if (!find_checksum(link, file->path, known, reason, reason_size)) {
        return false;
    }
    if (strcmp(known, wanted) == 0) {
        return true;
    }
    if (known[0] != '\0' && !file->repeatable) {
        snprintf(
            reason, reason_size,
            "%s has changed since it was applied; put it back and write the change as a new file.",
            file->path);
        return false;
    }
    fprintf(out, "applying %s\n", file->path);
    return apply_file(link, file, wanted, out, reason, reason_size);
}

static PGconn *open_link(const char *conninfo, char *reason, size_t reason_size) {
    PGconn *link = PQconnectdb(conninfo);
    if (PQstatus(link) == CONNECTION_OK) {
        return link;
    }
    snprintf(reason, reason_size, "The database cannot be reached: %s", PQerrorMessage(link));
    reason[strcspn(reason, "\n")] = '\0';
    PQfinish(link);
    return NULL;
}

static bool prepare(PGconn *link, char *reason, size_t reason_size) {
    return run_named(link, statement_schema_lock, reason, reason_size) &&
           run_named(link, statement_schema_patience, reason, reason_size) &&
           run_text(link, "roles.sql", schema_roles, reason, reason_size) &&
           run_named(link, statement_schema_own, reason, reason_size) &&
           run_named(link, statement_schema_path, reason, reason_size) &&
           run_named(link, statement_schema_prepare, reason, reason_size) &&
           run_named(link, statement_schema_grant, reason, reason_size);
}

static void drop_notice(void *unused, const PGresult *notice) {
    (void)unused;
    (void)notice;
}

bool migrate_run(const char *conninfo, FILE *out, char *reason, size_t reason_size) {
    PGconn *link = open_link(conninfo, reason, reason_size);
    if (link == NULL) {
        return false;
    }
    PQsetNoticeReceiver(link, drop_notice, NULL);
    bool good = prepare(link, reason, reason_size);
    for (size_t i = 0; good && i < schema_file_count; i++) {
        good = bring_up(link, &schema_files[i], out, reason, reason_size);
    }
    PQfinish(link);
    return good;
}

int migrate_check(const char *conninfo, char *reason, size_t reason_size) {
    PGconn *link = open_link(conninfo, reason, reason_size);
    if (link == NULL) {
        return -1;
    }
    int verdict = 0;
    for (size_t i = 0; verdict == 0 && i < schema_file_count; i++) {
        char wanted[CHECKSUM_MOST];
        char known[CHECKSUM_MOST] = "";
        make_checksum(schema_files[i].text, wanted);
        if (!find_checksum(link, schema_files[i].path, known, reason, reason_size) ||
            strcmp(known, wanted) != 0) {
            snprintf(reason, reason_size, "The schema lacks %s; run `learning-reviews migrate`.",
                     schema_files[i].path);
            verdict = 1;
        }
    }
    PQfinish(link);
    return verdict;
}
