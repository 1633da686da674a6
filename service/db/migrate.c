/* Brings a database to the schema of this program: forward only, checksummed, one at a time. */
#include "service/db/migrate.h"

#include "service/db/link.h"
#include "service/db/statement.h"

#include <string.h>
#include <unistd.h>

/* The first line of a migration that removes objects which older versions of the code need. */
#define CONTRACTS "-- contracts\n"

/* A step that does not get its locks is retried for five minutes: another session may be reading
 * for long. */
enum { LOCK_TRIES_MAX = 200, LOCK_PAUSE_S = 1 };

/* One run: the connection, the files applied before it, and the output. */
typedef struct migration {
    PGconn *link;
    PGresult *known; /* path and checksum of each file that was applied; NULL: not read yet */
    bool has_code;   /* the database has this program's version of the code */
    FILE *out;
    char *reason;
    size_t reason_size;
} migration;

typedef enum step_result { APPLIED, FAILED, LOCKED, IRREPLACEABLE } step_result;

static bool is_good(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

static void note_fault(const migration *m, const char *what, const PGresult *result) {
    snprintf(m->reason, m->reason_size, "%s: %s", what, PQresultErrorMessage(result));
    m->reason[strcspn(m->reason, "\n")] = '\0';
}

/* LOCKED: a lock was not available, or there was a deadlock. IRREPLACEABLE: the database has a
 * function of this name with another kind, return type or other parameter names. Both may be
 * retried. */
static step_result classify(const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL) {
        return FAILED;
    }
    bool locked = strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0;
    bool irreplaceable = strcmp(state, "42P13") == 0 || strcmp(state, "42809") == 0;
    return locked ? LOCKED : irreplaceable ? IRREPLACEABLE : FAILED;
}

/* Clears the result. The message of a failure is PostgreSQL's: schema files contain no personal
 * data. */
static step_result check_result(const migration *m, const char *what, PGresult *result) {
    step_result found = APPLIED;
    if (!is_good(result)) {
        note_fault(m, what, result);
        found = classify(result);
    }
    PQclear(result);
    return found;
}

/* Runs text of one or more statements. */
static step_result run_text(const migration *m, const char *what, const char *text) {
    return check_result(m, what, PQexec(m->link, text));
}

static step_result run_named(const migration *m, const statement *statement) {
    return run_text(m, statement->name, statement->text);
}

static step_result run_with(const migration *m, const statement *statement,
                            const char *const *parameters) {
    return check_result(m, statement->name,
                        PQexecParams(m->link, statement->text, statement->parameters, NULL,
                                     parameters, NULL, NULL, 0));
}

static bool read_known(migration *m) {
    m->known = PQexec(m->link, statement_schema_files->text);
    if (!is_good(m->known)) {
        note_fault(m, statement_schema_files->name, m->known);
        return false;
    }
    return true;
}

/* Returns the checksum with which the file was applied; "" when it was not applied. */
static const char *known_checksum(const migration *m, const char *path) {
    for (int i = 0; i < PQntuples(m->known); i++) {
        if (strcmp(PQgetvalue(m->known, i, 0), path) == 0) {
            return PQgetvalue(m->known, i, 1);
        }
    }
    return "";
}

static bool is_current(const migration *m, const schema_file *file) {
    return strcmp(known_checksum(m, file->path), file->checksum) == 0;
}

/* Returns the newest migration in the database; "" in a new one. */
static const char *newest_migration(const migration *m) {
    const char *newest = "";
    for (int i = 0; i < PQntuples(m->known); i++) {
        const char *path = PQgetvalue(m->known, i, 0);
        if (strncmp(path, "migrations/", strlen("migrations/")) == 0 && strcmp(path, newest) > 0) {
            newest = path;
        }
    }
    return newest;
}

/* Returns the upgrade of the database to the baseline; NULL: there is none. */
static const schema_upgrade *find_upgrade(const migration *m) {
    for (size_t i = 0; i < schema_upgrade_count; i++) {
        if (strcmp(schema_upgrades[i].from, newest_migration(m)) == 0) {
            return &schema_upgrades[i];
        }
    }
    return NULL;
}

static bool is_before_baseline(const migration *m) {
    const char *newest = newest_migration(m);
    return *newest != '\0' && strcmp(newest, schema_baseline) < 0;
}

static bool is_own_file(const char *path) {
    for (size_t i = 0; i < schema_file_count; i++) {
        if (strcmp(schema_files[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns whether every attached file is as applied, and no file was applied that the program
 * lacks. */
static bool is_attached_current(const migration *m) {
    for (size_t i = 0; i < schema_file_count; i++) {
        if (schema_files[i].kind == SCHEMA_ATTACHED && !is_current(m, &schema_files[i])) {
            return false;
        }
    }
    for (int i = 0; i < PQntuples(m->known); i++) {
        const char *path = PQgetvalue(m->known, i, 0);
        if (strncmp(path, "migrations/", strlen("migrations/")) != 0 && !is_own_file(path)) {
            return false;
        }
    }
    return true;
}

/* ---- steps, each in its own transaction ---- */

static step_result record_file(const migration *m, const schema_file *file) {
    const char *const parameters[] = {file->path, file->checksum};
    return run_with(m, statement_schema_record, parameters);
}

/* Changes the tables to those of the baseline, which replaces the migrations before it. */
static step_result apply_upgrade(const migration *m, const schema_upgrade *upgrade) {
    step_result found = run_text(m, upgrade->from, upgrade->text);
    return found == APPLIED ? run_named(m, statement_schema_forget_migrations) : found;
}

static step_result apply_file(const migration *m, const schema_file *file) {
    bool upgrades = strcmp(file->path, schema_baseline) == 0 && is_before_baseline(m);
    step_result found =
        upgrades ? apply_upgrade(m, find_upgrade(m)) : run_text(m, file->path, file->text);
    return found == APPLIED ? record_file(m, file) : found;
}

static step_result define_attached(const migration *m) {
    step_result found = APPLIED;
    for (size_t i = 0; found == APPLIED && i < schema_file_count; i++) {
        if (schema_files[i].kind == SCHEMA_ATTACHED) {
            found = apply_file(m, &schema_files[i]);
        }
    }
    return found;
}

static step_result wire_attached(const migration *m) {
    step_result found = APPLIED;
    for (size_t i = 0; found == APPLIED && i < schema_file_count; i++) {
        if (*schema_files[i].wiring != '\0') {
            found = run_text(m, schema_files[i].path, schema_files[i].wiring);
        }
    }
    return found;
}

static step_result reset_attached(const migration *m) {
    step_result found = run_named(m, statement_schema_gate);
    return found == APPLIED ? run_named(m, statement_schema_reset) : found;
}

/* Replaces the functions before the step for which requests wait. With `drop_first`, when a
 * function cannot be replaced, drops all of them before. */
static step_result apply_attached(const migration *m, bool drop_first) {
    step_result found = drop_first ? reset_attached(m) : define_attached(m);
    if (found == APPLIED) {
        found = drop_first ? define_attached(m) : reset_attached(m);
    }
    if (found == APPLIED) {
        found = run_named(m, statement_schema_seal);
    }
    if (found == APPLIED) {
        found = run_named(m, statement_schema_privileges);
    }
    return found == APPLIED ? wire_attached(m) : found;
}

static step_result define_code(const migration *m) {
    step_result found = APPLIED;
    for (size_t i = 0; found == APPLIED && i < code_file_count; i++) {
        found = run_text(m, code_files[i].path, code_files[i].definitions);
    }
    return found;
}

static step_result wire_code(const migration *m) {
    step_result found = APPLIED;
    for (size_t i = 0; found == APPLIED && i < code_file_count; i++) {
        found = run_text(m, code_files[i].path, code_files[i].wiring);
    }
    return found;
}

/* Creates this version of the code; does not change anything that another version uses. */
static step_result apply_code(const migration *m) {
    const char *const parameters[] = {code_version, PROGRAM_VERSION};
    step_result found = run_named(m, statement_code_schema);
    if (found == APPLIED) {
        found = define_code(m);
    }
    if (found == APPLIED) {
        found = run_named(m, statement_code_check);
    }
    if (found == APPLIED) {
        found = run_named(m, statement_schema_privileges);
    }
    if (found == APPLIED) {
        found = wire_code(m);
    }
    return found == APPLIED ? run_with(m, statement_code_record, parameters) : found;
}

/* The object of a step: one file, or one of the units that are created as a whole. */
typedef struct step {
    enum { STEP_FILE, STEP_ATTACHED, STEP_CODE } kind;
    const schema_file *file; /* for STEP_FILE */
} step;

static const char *name_of(const step *step) {
    return step->kind == STEP_FILE       ? step->file->path
           : step->kind == STEP_ATTACHED ? "triggers and policies"
                                         : code_version;
}

static step_result apply_any(const migration *m, const step *step, bool drop_first) {
    if (step->kind == STEP_ATTACHED) {
        return apply_attached(m, drop_first);
    }
    if (step->kind == STEP_CODE) {
        return apply_code(m);
    }
    step_result found = APPLIED;
    if (step->file->kind == SCHEMA_ROWS) {
        found = run_named(m, statement_schema_gate);
    } else if (strncmp(step->file->text, CONTRACTS, strlen(CONTRACTS)) == 0) {
        found = run_named(m, statement_code_remove_others);
    }
    return found == APPLIED ? apply_file(m, step->file) : found;
}

static step_result try_step(const migration *m, const step *step, bool drop_first) {
    step_result found = run_text(m, "begin", "BEGIN");
    if (found == APPLIED) {
        found = apply_any(m, step, drop_first);
    }
    if (found == APPLIED) {
        found = run_text(m, "commit", "COMMIT");
    }
    if (found != APPLIED) {
        PQclear(PQexec(m->link, "ROLLBACK"));
    }
    return found;
}

static bool apply_step(const migration *m, step step) {
    fprintf(m->out, "applying %s\n", name_of(&step));
    step_result found = try_step(m, &step, false);
    bool drop_first = step.kind == STEP_ATTACHED && found == IRREPLACEABLE;
    if (drop_first) {
        found = try_step(m, &step, true);
    }
    for (int tries = 1; found == LOCKED && tries < LOCK_TRIES_MAX; tries++) {
        if (tries == 1) {
            fprintf(m->out, "waiting for locks of %s\n", name_of(&step));
            fflush(m->out);
        }
        sleep(LOCK_PAUSE_S);
        found = try_step(m, &step, drop_first);
    }
    return found == APPLIED;
}

static bool bring_up_file(const migration *m, const schema_file *file) {
    if (is_current(m, file)) {
        return true;
    }
    if (file->kind == SCHEMA_MIGRATION && *known_checksum(m, file->path) != '\0') {
        snprintf(
            m->reason, m->reason_size,
            "%s has changed since it was applied; put it back and write the change as a new file.",
            file->path);
        return false;
    }
    return apply_step(m, (step){STEP_FILE, file});
}

static bool bring_up(const migration *m, schema_kind kind) {
    bool good = true;
    for (size_t i = 0; good && i < schema_file_count; i++) {
        if (schema_files[i].kind == kind) {
            good = bring_up_file(m, &schema_files[i]);
        }
    }
    return good;
}

/* ---- the version of the database ---- */

static PGresult *ask_standing(PGconn *link) {
    const char *const parameters[] = {schema_version, PROGRAM_VERSION, schema_migrations,
                                      code_version};
    return PQexecParams(link, statement_schema_standing->text,
                        statement_schema_standing->parameters, NULL, parameters, NULL, NULL, 0);
}

static bool is_true(const PGresult *row, const char *column) {
    return *PQgetvalue(row, 0, PQfnumber(row, column)) == 't';
}

static void describe_newer(const PGresult *row, char *reason, size_t reason_size) {
    const char *version = PQgetvalue(row, 0, PQfnumber(row, "version"));
    if (*version == '\0') {
        snprintf(reason, reason_size,
                 "The database has migrations that this program (%s, schema %s) lacks: it belongs "
                 "to a newer program.",
                 PROGRAM_VERSION, schema_version);
        return;
    }
    snprintf(reason, reason_size,
             "The database has schema %s, migrated by learning-reviews %s on %s; this program (%s, "
             "schema %s) is older.",
             version, PQgetvalue(row, 0, PQfnumber(row, "program")),
             PQgetvalue(row, 0, PQfnumber(row, "since")), PROGRAM_VERSION, schema_version);
}

/* Brings the database to this program's version, unless it belongs to a newer program, or has no
 * upgrade. */
static migrate_outcome begin_version(migration *m) {
    if (is_before_baseline(m) && find_upgrade(m) == NULL) {
        snprintf(m->reason, m->reason_size,
                 "This program cannot upgrade the database: its last migration is %s, and upgrades "
                 "begin with %s or %s. Run `learning-reviews migrate` on an empty database.",
                 newest_migration(m), schema_upgrades[0].from,
                 schema_upgrades[schema_upgrade_count - 1].from);
        return MIGRATE_NO_UPGRADE;
    }
    migrate_outcome outcome = MIGRATE_FAILED;
    PGresult *row = ask_standing(m->link);
    if (!is_good(row)) {
        note_fault(m, statement_schema_standing->name, row);
    } else if (is_true(row, "newer")) {
        describe_newer(row, m->reason, m->reason_size);
        outcome = MIGRATE_NEWER;
    } else {
        const char *const parameters[] = {schema_version, PROGRAM_VERSION, code_version};
        m->has_code = is_true(row, "has_code");
        outcome = run_with(m, statement_schema_begin, parameters) == APPLIED ? MIGRATE_DONE
                                                                             : MIGRATE_FAILED;
    }
    PQclear(row);
    return outcome;
}

static bool prepare(migration *m) {
    return run_named(m, statement_schema_lock) == APPLIED &&
           run_named(m, statement_schema_patience) == APPLIED &&
           run_text(m, "roles.sql", schema_roles) == APPLIED &&
           run_named(m, statement_schema_own) == APPLIED &&
           run_named(m, statement_schema_path) == APPLIED &&
           run_named(m, statement_schema_prepare) == APPLIED &&
           run_named(m, statement_schema_grant) == APPLIED && read_known(m);
}

static bool bring_all_up(migration *m) {
    const char *const parameters[] = {schema_paths};
    const char *const path[] = {code_version};
    return bring_up(m, SCHEMA_MIGRATION) &&
           (is_attached_current(m) || apply_step(m, (step){STEP_ATTACHED, NULL})) &&
           (m->has_code || apply_step(m, (step){STEP_CODE, NULL})) &&
           run_with(m, statement_code_path, path) == APPLIED && bring_up(m, SCHEMA_ROWS) &&
           run_with(m, statement_schema_forget, parameters) == APPLIED &&
           run_named(m, statement_code_remove_unused) == APPLIED;
}

static void drop_notice(void *unused, const PGresult *notice) {
    (void)unused;
    (void)notice;
}

migrate_outcome migrate_run(const char *setting, const char *conninfo, FILE *out, char *reason,
                            size_t reason_size) {
    migration m = {.out = out, .reason = reason, .reason_size = reason_size};
    m.link = link_open(setting, conninfo, reason, reason_size);
    if (m.link == NULL) {
        return MIGRATE_FAILED;
    }
    PQsetNoticeReceiver(m.link, drop_notice, NULL);
    migrate_outcome outcome = prepare(&m) ? begin_version(&m) : MIGRATE_FAILED;
    if (outcome == MIGRATE_DONE && !bring_all_up(&m)) {
        outcome = MIGRATE_FAILED;
    }
    PQclear(m.known);
    PQfinish(m.link);
    return outcome;
}

/* ---- the check at start-up ---- */

static schema_standing check_files(migration *m, bool has_code) {
    if (!read_known(m)) {
        return SCHEMA_UNKNOWN;
    }
    for (size_t i = 0; i < schema_file_count; i++) {
        if (!is_current(m, &schema_files[i])) {
            snprintf(m->reason, m->reason_size,
                     "The schema lacks %s; run `learning-reviews migrate`.", schema_files[i].path);
            return SCHEMA_INCOMPLETE;
        }
    }
    if (!has_code) {
        snprintf(m->reason, m->reason_size,
                 "The schema lacks %s, this program's code; run `learning-reviews migrate`.",
                 code_version);
        return SCHEMA_INCOMPLETE;
    }
    return SCHEMA_CURRENT;
}

/* A database that was never migrated, or was migrated by a program without versions, lacks a table,
 * the schema or the privilege to read them. */
static bool is_table_missing(const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state != NULL && (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0 ||
                             strcmp(state, "42501") == 0);
}

static schema_standing check_without_version(migration *m) {
    schema_standing standing = check_files(m, false);
    if (standing == SCHEMA_UNKNOWN && is_table_missing(m->known)) {
        snprintf(m->reason, m->reason_size, "The schema lacks %s; run `learning-reviews migrate`.",
                 schema_files[0].path);
        standing = SCHEMA_INCOMPLETE;
    }
    return standing;
}

static schema_standing check_standing(migration *m) {
    schema_standing standing = SCHEMA_UNKNOWN;
    PGresult *row = ask_standing(m->link);
    if (is_good(row) && is_true(row, "newer")) {
        describe_newer(row, m->reason, m->reason_size);
        standing = is_true(row, "has_code") ? SCHEMA_SUPPORTED : SCHEMA_NEWER;
    } else if (is_good(row)) {
        standing = check_files(m, is_true(row, "has_code"));
    } else if (is_table_missing(row)) {
        standing = check_without_version(m);
    } else {
        note_fault(m, "The schema's version cannot be read", row);
    }
    PQclear(row);
    return standing;
}

schema_standing migrate_check(const char *conninfo, char *reason, size_t reason_size) {
    migration m = {.reason = reason, .reason_size = reason_size};
    m.link = link_open("LR_DATABASE", conninfo, reason, reason_size);
    if (m.link == NULL) {
        return SCHEMA_UNKNOWN;
    }
    schema_standing standing = check_standing(&m);
    PQclear(m.known);
    PQfinish(m.link);
    return standing;
}
