/* Watches the sealed audit trail for damage that only tampering or a lost database causes.
 *
 * When `check audit` reads the whole trail, the chain of hashes reveals changes inside it. But a
 * superuser of the database can still cut off its end together with the head, and the rest of the
 * chain is whole. So each instance remembers the last position it saw. A head before that position,
 * or another hash at it, means that the end was cut off or sealed again. Anchors in a file outside
 * the database keep that memory across restarts. In addition, each check reads a part of all seals,
 * round after round, to find positions that are missing in the middle, and asks the catalogue
 * whether a trigger was disabled. */
#include "service/db/audit_watch.h"

#include "service/db/background.h"
#include "service/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TAIL_SIZE = 4096, LINE_LENGTH_MAX = 256, FILE_MODE = 0640 };
#define STEP_TEXT "10000" /* number of seals per check, as a parameter */

/* The columns of the statement audit_watch. */
enum {
    POSITION,
    NUMBER,
    HASH,
    BEHIND,
    KNOWN_HASH, /* null: the known position has no seal */
    REMOVED,
    PATROL_POSITION,
    PATROL_NUMBER,
    ROUND_ENDS,
    GAP, /* null: none in this part */
    DISABLED
};

const char *const audit_fault_names[AUDIT_FAULTS] = {"shortened", "altered", "gap",
                                                     "trigger_disabled"};

/* --- the file: lines of TIME COUNT:HASH NUMBER --- */

bool audit_anchor_file_check(const char *file, char *reason, size_t reason_size) {
    int out = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (out < 0) {
        snprintf(reason, reason_size,
                 "LR_AUDIT_ANCHOR_FILE: nothing can be added to the file: %s. Name a file in a "
                 "folder that the service may write to.",
                 strerror(errno));
        return false;
    }
    close(out);
    return true;
}

static bool read_line(char *line, audit_place *place) {
    char *rest = NULL;
    const char *time_of = strtok_r(line, " ", &rest);
    const char *anchor = strtok_r(NULL, " ", &rest);
    const char *number = strtok_r(NULL, " ", &rest);
    char *end = NULL;
    if (time_of == NULL || anchor == NULL || number == NULL || !audit_place_read(anchor, place)) {
        return false;
    }
    place->number = strtoll(number, &end, 10);
    return end != number && *end == '\0';
}

/* Finds the last whole line that is an anchor. A line without a line end was not written
 * completely. */
static bool find_last(char *text, audit_place *last) {
    bool found = false;
    char *line = text;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        audit_place place;
        *end = '\0';
        if (read_line(line, &place)) {
            *last = place;
            found = true;
        }
    }
    return found;
}

bool audit_anchor_file_last(const char *file, audit_place *last) {
    char tail[TAIL_SIZE + 1] = "";
    int in = open(file, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return false;
    }
    off_t size = lseek(in, 0, SEEK_END);
    ssize_t got = pread(in, tail, TAIL_SIZE, size > TAIL_SIZE ? size - TAIL_SIZE : 0);
    close(in);
    tail[got > 0 ? got : 0] = '\0';
    return find_last(tail, last);
}

static bool append(const char *file, const char *line) {
    int out = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (out < 0) {
        return false;
    }
    ssize_t size = (ssize_t)strlen(line);
    bool good = write(out, line, (size_t)size) == size && fsync(out) == 0;
    return close(out) == 0 && good;
}

static void keep_anchor(const audit_watch *watch, const char *anchor, audit_stats *stats) {
    char line[LINE_LENGTH_MAX];
    char when[32];
    struct tm parts;
    time_t now = time(NULL);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    snprintf(line, sizeof line, "%s %s %" PRId64 "\n", when, anchor, watch->known.number);
    if (!append(watch->file, line)) {
        atomic_fetch_add(&stats->anchor_failures, 1);
        log_write(LOG_ERROR, "the anchor of the audit trail could not be written to its file: %s",
                  strerror(errno));
    }
}

/* --- the check --- */

static int64_t read_number(const PGresult *row, int column) {
    return strtoll(PQgetvalue(row, 0, column), NULL, 10);
}

/* Logs a fault, once between two anchors. */
static void set_fault(audit_watch *watch, audit_stats *stats, audit_fault fault, bool there,
                      const char *words) {
    atomic_store(&stats->faults[fault], there);
    if (there && !watch->logged[fault]) {
        log_write(LOG_ERROR, "the audit trail is at fault: %s", words);
    }
    watch->logged[fault] = there;
}

static void check_end(audit_watch *watch, audit_stats *stats, const PGresult *row,
                      const audit_place *head) {
    char words[256];
    char hash[AUDIT_ANCHOR_MAX];
    const audit_place *known = &watch->known;
    audit_place_write(known, hash);
    bool shortened = head->position < known->position;
    bool kept = known->position > 0 && known->position > read_number(row, REMOVED);
    bool altered = !shortened && kept &&
                   (PQgetisnull(row, 0, KNOWN_HASH) ||
                    strcmp(PQgetvalue(row, 0, KNOWN_HASH), strchr(hash, ':') + 1) != 0);
    snprintf(words, sizeof words,
             "it ends at position %" PRId64 " and was sealed up to position %" PRId64
             " before. Unless the database was restored, entries were cut off",
             head->position, known->position);
    set_fault(watch, stats, AUDIT_SHORTENED, shortened, words);
    snprintf(words, sizeof words,
             "position %" PRId64 " is not what it was: entries were cut off or altered and "
             "sealed again",
             known->position);
    set_fault(watch, stats, AUDIT_ALTERED, altered, words);
    if (!shortened && !altered) {
        watch->known = *head;
    }
}

static void check_step(audit_watch *watch, audit_stats *stats, const PGresult *row) {
    char words[128];
    bool gap = !PQgetisnull(row, 0, GAP);
    snprintf(words, sizeof words, "position %s has no seal or no entry; see `check audit`",
             gap ? PQgetvalue(row, 0, GAP) : "");
    watch->gap_in_round = watch->gap_in_round || gap;
    if (gap) {
        set_fault(watch, stats, AUDIT_GAP, true, words);
    }
    watch->patrol.position = read_number(row, PATROL_POSITION);
    watch->patrol.number = read_number(row, PATROL_NUMBER);
    if (*PQgetvalue(row, 0, ROUND_ENDS) == 't') {
        set_fault(watch, stats, AUDIT_GAP, watch->gap_in_round, words);
        watch->patrol = (audit_place){0};
        watch->gap_in_round = false;
    }
}

static void check_triggers(audit_watch *watch, audit_stats *stats, const PGresult *row) {
    char words[512];
    snprintf(words, sizeof words, "triggers are disabled or missing: %s",
             PQgetvalue(row, 0, DISABLED));
    set_fault(watch, stats, AUDIT_TRIGGER_DISABLED, !PQgetisnull(row, 0, DISABLED), words);
}

static void write_anchor(audit_watch *watch, audit_stats *stats) {
    char anchor[AUDIT_ANCHOR_MAX];
    memset(watch->logged, 0, sizeof watch->logged); /* a fault that persists is logged again */
    if (atomic_load(&stats->faults[AUDIT_SHORTENED]) ||
        atomic_load(&stats->faults[AUDIT_ALTERED]) || watch->known.position == watch->anchored) {
        return;
    }
    audit_place_write(&watch->known, anchor);
    log_write(LOG_INFO, "the audit trail is sealed up to %s", anchor);
    if (watch->file != NULL) {
        keep_anchor(watch, anchor, stats);
    }
    watch->anchored = watch->known.position;
}

static bool read_head(const PGresult *row, audit_place *head) {
    char anchor[AUDIT_ANCHOR_MAX];
    snprintf(anchor, sizeof anchor, "%s:%s", PQgetvalue(row, 0, POSITION),
             PQgetvalue(row, 0, HASH));
    head->number = read_number(row, NUMBER);
    return audit_place_read(anchor, head);
}

static PGresult *ask(const audit_watch *watch, pool *connections, arena *memory) {
    const db_call call = {.statement = statement_audit_watch,
                          .parameters = {arena_printf(memory, "%" PRId64, watch->known.position),
                                         arena_printf(memory, "%" PRId64, watch->known.number),
                                         arena_printf(memory, "%" PRId64, watch->patrol.position),
                                         arena_printf(memory, "%" PRId64, watch->patrol.number),
                                         STEP_TEXT},
                          .safe_to_repeat = true};
    return background_run(connections, &call, memory);
}

void audit_watch_check(audit_watch *watch, pool *connections, audit_stats *stats, bool anchors) {
    arena *memory = arena_new();
    audit_place head = {0};
    PGresult *row = ask(watch, connections, memory);
    if (row != NULL && read_head(row, &head)) {
        atomic_store(&stats->sealed, head.position);
        atomic_store(&stats->behind_ms, (int64_t)(strtod(PQgetvalue(row, 0, BEHIND), NULL) * 1000));
        check_end(watch, stats, row, &head);
        check_step(watch, stats, row);
        check_triggers(watch, stats, row);
        if (anchors) {
            write_anchor(watch, stats);
        }
    }
    PQclear(row);
    arena_free(memory);
}

void audit_watch_start(audit_watch *watch, const char *file) {
    *watch = (audit_watch){.file = file, .anchored = -1};
    if (file != NULL && !audit_anchor_file_last(file, &watch->known)) {
        watch->known = (audit_place){0};
        log_write(LOG_WARNING, "LR_AUDIT_ANCHOR_FILE has no anchor yet: the audit trail cannot be "
                               "compared with what it was before");
    }
}
