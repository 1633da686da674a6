/* Counts the data of statistics, and finds the organisations with blocked clients. */
#include "service/db/change_version.h"

#include "service/clock.h"
#include "service/db/call.h"
#include "service/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A step counts a limited number of subjects, each in a few milliseconds; fewer after a step that
 * exceeded the database's time limit. */
enum { LOOK_EVERY_MS = 500, LOOK_AGAIN_MS = 20, FRESH_MS = 1000, SUBJECTS_MAX = 50 };

struct change_version {
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    pthread_t thread;
    pool *connection;
    int64_t started_ms;
    int64_t looked_ms; /* start of the last successful step; 0: never */
    char *times;       /* day/release */
    char *words;       /* " scope:change" of each scope */
    char *excluded;    /* organisations, with a space on either side of each */
    bool more;         /* changes wait to be counted */
    change_version_stats stats;
    int step; /* subjects of the next step; used by the thread alone */
    char failed[sizeof((db_error *)0)->sqlstate]; /* SQLSTATE of the last step; used by the thread
                                                     alone */
    bool stopping;
};

/* Logs the faults of a step: "subject ID SQLSTATE" and "release NAME SQLSTATE", separated by
 * commas. Identifiers and codes only. */
static void report_faults(char *faults) {
    char *rest = NULL;
    for (char *line = strtok_r(faults, ",", &rest); line != NULL;
         line = strtok_r(NULL, ",", &rest)) {
        char kind[16] = "";
        char name[40] = "";
        char state[8] = "";
        if (sscanf(line, "%15s %39s %7s", kind, name, state) == 3) {
            log_write(LOG_ERROR,
                      strcmp(kind, "release") == 0
                          ? "release %s of the statistics cannot be made, SQLSTATE %s"
                          : "the statistics leave out the case %s: its facts cannot be computed, "
                            "SQLSTATE %s",
                      name, state);
        }
    }
}

/* Stores the text and frees the previous one; the caller no longer owns it. */
static void replace(char **place, char *text) {
    free(*place);
    *place = text;
}

static int64_t number_of(const PGresult *seen, const char *column, arena *memory) {
    const char *text = db_text(seen, column, memory);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

static bool truth_of(const PGresult *seen, const char *column, arena *memory) {
    const char *text = db_text(seen, column, memory);
    return text != NULL && *text == 't';
}

static char *copy_of(const PGresult *seen, const char *column, arena *memory) {
    const char *text = db_text(seen, column, memory);
    return strdup(text == NULL ? "" : text);
}

static void note_counts(change_version_stats *stats, const PGresult *seen, arena *memory) {
    const char *behind = db_text(seen, "behind", memory);
    int64_t counted = number_of(seen, "counted", memory);
    stats->pending = number_of(seen, "pending", memory);
    stats->not_included = number_of(seen, "not_included", memory);
    stats->behind_seconds = behind == NULL ? 0 : strtod(behind, NULL);
    stats->release_failed = truth_of(seen, "release_failed", memory);
    if (counted > 0) {
        stats->counted += (uint64_t)counted;
        stats->steps++;
        stats->step_max = counted > stats->step_max ? counted : stats->step_max;
    }
}

static void note_step(change_version *changes, int64_t began, const PGresult *seen, arena *memory) {
    char *times = copy_of(seen, "times", memory);
    char *words = copy_of(seen, "words", memory);
    char *excluded = copy_of(seen, "excluded", memory);
    char *faults = copy_of(seen, "faults", memory);
    bool complete = times != NULL && words != NULL && excluded != NULL;
    pthread_mutex_lock(&changes->lock);
    if (complete) {
        replace(&changes->times, times);
        replace(&changes->words, words);
        replace(&changes->excluded, excluded);
        changes->looked_ms = began;
        changes->more = truth_of(seen, "more", memory);
        note_counts(&changes->stats, seen, memory);
    }
    pthread_mutex_unlock(&changes->lock);
    if (!complete) {
        free(times);
        free(words);
        free(excluded);
    }
    if (faults != NULL) {
        report_faults(faults);
    }
    free(faults);
}

/* Logs a failure once, until another one or a success follows. */
static void note_failure(change_version *changes, const char *sqlstate) {
    if (*sqlstate != '\0' && strcmp(sqlstate, changes->failed) != 0) {
        log_write(LOG_WARNING, "statistics: counting %d subjects failed, SQLSTATE %s",
                  changes->step, sqlstate);
    }
    snprintf(changes->failed, sizeof changes->failed, "%s", sqlstate);
    if (strcmp(sqlstate, "57014") == 0 && changes->step > 1) {
        changes->step /= 2;
    }
}

/* Counts once. The result includes everything that was committed before it began, or says that it
 * is pending. */
static void run_step(change_version *changes, arena *memory) {
    int64_t began = now_ms();
    db_error error = {0};
    const char *max = arena_printf(memory, "%d", changes->step);
    db_call call = {
        .statement = statement_look_at_statistics, .parameters = {max}, .safe_to_repeat = true};
    PGresult *seen = db_call_run(changes->connection, NULL, &call, &error, memory);
    if (seen == NULL) {
        note_failure(changes, error.sqlstate);
        return;
    }
    note_step(changes, began, seen, memory);
    PQclear(seen);
    changes->failed[0] = '\0';
    changes->step = changes->step * 2 < SUBJECTS_MAX ? changes->step * 2 : SUBJECTS_MAX;
}

static void wait_for_next(change_version *changes) {
    long wait_ms = changes->more ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms);
    while (!changes->stopping &&
           pthread_cond_timedwait(&changes->stopped, &changes->lock, &until) != ETIMEDOUT) {
    }
}

static void *keep_looking(void *argument) {
    change_version *changes = argument;
    arena *memory = arena_new();
    pthread_mutex_lock(&changes->lock);
    while (memory != NULL && !changes->stopping) {
        pthread_mutex_unlock(&changes->lock);
        pool_probe(changes->connection);
        run_step(changes, memory);
        arena_reset(memory);
        pthread_mutex_lock(&changes->lock);
        wait_for_next(changes);
    }
    pthread_mutex_unlock(&changes->lock);
    arena_free(memory);
    return NULL;
}

change_version *change_version_new(const char *conninfo) {
    change_version *changes = calloc(1, sizeof *changes);
    if (changes == NULL) {
        return NULL;
    }
    changes->step = SUBJECTS_MAX;
    changes->started_ms = now_ms();
    const statement *const needed[] = {statement_look_at_statistics, NULL};
    changes->connection = pool_new_for(conninfo, 1, "-c statement_timeout=8s", needed);
    pthread_mutex_init(&changes->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changes->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    if (changes->connection == NULL ||
        pthread_create(&changes->thread, NULL, keep_looking, changes) != 0) {
        pool_free(changes->connection);
        free(changes);
        return NULL;
    }
    return changes;
}

void change_version_free(change_version *changes) {
    if (changes == NULL) {
        return;
    }
    pthread_mutex_lock(&changes->lock);
    changes->stopping = true;
    pthread_cond_broadcast(&changes->stopped);
    pthread_mutex_unlock(&changes->lock);
    pthread_join(changes->thread, NULL);
    pool_free(changes->connection);
    pthread_cond_destroy(&changes->stopped);
    pthread_mutex_destroy(&changes->lock);
    free(changes->times);
    free(changes->words);
    free(changes->excluded);
    free(changes);
}

bool change_version_excludes(change_version *changes, const char *organisation) {
    char word[ORGANISATION_MAX + 3];
    snprintf(word, sizeof word, " %s ", organisation);
    pthread_mutex_lock(&changes->lock);
    bool found = changes->excluded != NULL && strstr(changes->excluded, word) != NULL;
    pthread_mutex_unlock(&changes->lock);
    return found;
}

/* Finds the word of a scope in " scope:word scope:word"; its length in `length`. */
static const char *word_of(const char *words, const char *scope, int *length) {
    char wanted[16];
    int size = snprintf(wanted, sizeof wanted, " %s:", scope);
    const char *found = words == NULL || size >= (int)sizeof wanted ? NULL : strstr(words, wanted);
    if (found != NULL) {
        found += size;
        *length = (int)strcspn(found, " ");
    }
    return found;
}

bool change_version_read(change_version *changes, const char *scope,
                         char version[CHANGE_VERSION_SIZE]) {
    int length = 0;
    pthread_mutex_lock(&changes->lock);
    const char *word = *scope == '\0' ? "" : word_of(changes->words, scope, &length);
    bool known =
        changes->looked_ms != 0 && now_ms() - changes->looked_ms <= FRESH_MS && word != NULL;
    if (known) {
        known = snprintf(version, CHANGE_VERSION_SIZE, "%.*s/%s", length, word, changes->times) <
                CHANGE_VERSION_SIZE;
    }
    pthread_mutex_unlock(&changes->lock);
    return known;
}

change_version_stats change_version_stats_read(change_version *changes) {
    pthread_mutex_lock(&changes->lock);
    change_version_stats stats = changes->stats;
    int64_t since = changes->looked_ms == 0 ? changes->started_ms : changes->looked_ms;
    pthread_mutex_unlock(&changes->lock);
    int64_t silent_ms = now_ms() - since;
    if (stats.behind_seconds > 0 || silent_ms > FRESH_MS) {
        stats.behind_seconds += (double)silent_ms / 1000;
    }
    return stats;
}
