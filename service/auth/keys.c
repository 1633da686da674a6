/* The keys that verify tokens: a JWKS from a file or an address, or one secret in dev. */
#include "service/auth/keys.h"

#include "service/auth/fetch.h"
#include "service/auth/jwks.h"
#include "service/auth/key_set.h"
#include "service/clock.h"
#include "service/config.h"
#include "service/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ASK_SECONDS = 30,
    FETCH_SECONDS_LEAST = 60,
    FETCH_SECONDS_MAX = 900,
    SECRET_LEAST = 32,
    REASON_MAX = 512
};

typedef enum source_kind { FROM_FILE, FROM_ADDRESS, FROM_SECRET } source_kind;

typedef struct file_mark {
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec changed;
} file_mark;

struct keys {
    source_kind kind;
    char *location; /* path or address */
    char *ca_file;  /* of an address, or NULL */
    int accept_seconds;
    pthread_rwlock_t lock;
    key_set *current; /* under lock; NULL until the first fetch */
    atomic_uint_fast64_t generation;
    atomic_int_fast64_t loaded_at, asked_at;
    atomic_ullong failures;
    atomic_bool stop, reload, asked;
    sem_t wake; /* a semaphore, because posting is allowed in a signal handler */
    pthread_t thread;
    bool thread_runs;
    /* Used by the thread alone, and by keys_new before the thread starts: */
    file_mark mark;
    int64_t fetch_at;
    int64_t retry_seconds;
};

static const char *const settings[] = {"LR_JWKS_FILE", "LR_JWKS_URL", "LR_DEV_SECRET_FILE"};
static const char *const source_names[] = {"file", "address", "secret"};

/* ---- replacing the set ---- */

static bool is_in_use(const keys *set, const unsigned char digest[32]) {
    /* Only the calling thread ever replaces the set, so it may read without the lock. */
    return key_set_is_of(set->current, digest);
}

static void put_in_use(keys *set, key_set *next) {
    pthread_rwlock_wrlock(&set->lock);
    key_set *old = set->current;
    set->current = next;
    pthread_rwlock_unlock(&set->lock);
    atomic_fetch_add(&set->generation, 1);
    key_set_release(old);
    log_write(LOG_INFO, "%s: %zu key(s) in use", settings[set->kind], key_set_count(next));
}

static bool read_set(const keys *set, const char *bytes, size_t size, key *found, size_t *count,
                     char *reason, size_t reason_size) {
    if (set->kind != FROM_SECRET) {
        *count = jwks_read(settings[set->kind], bytes, size, set->kind == FROM_FILE, found, reason,
                           reason_size);
        return *count > 0;
    }
    found[0] = (key){.kid = "dev", .algorithm = KEY_HS256, .secret_size = size};
    found[0].secret = malloc(size);
    if (found[0].secret == NULL) {
        snprintf(reason, reason_size, "%s: memory is out.", settings[set->kind]);
        return false;
    }
    memcpy(found[0].secret, bytes, size);
    *count = 1;
    return true;
}

static bool use_bytes(keys *set, const char *bytes, size_t size, char *reason, size_t reason_size) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    key found[JWKS_KEYS_MAX] = {0};
    size_t count = 0;
    if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1) {
        snprintf(reason, reason_size, "%s: SHA-256 is not available.", settings[set->kind]);
        return false;
    }
    if (!is_in_use(set, digest)) {
        if (!read_set(set, bytes, size, found, &count, reason, reason_size)) {
            return false;
        }
        key_set *next = key_set_new(found, count, digest);
        if (next == NULL) {
            snprintf(reason, reason_size, "%s: memory is out.", settings[set->kind]);
            return false;
        }
        put_in_use(set, next);
    }
    atomic_store(&set->loaded_at, clock_us(CLOCK_REALTIME) / 1000000);
    return true;
}

/* ---- reading the sources ---- */

static file_mark mark_of(const char *path) {
    struct stat facts;
    if (stat(path, &facts) != 0) {
        return (file_mark){0};
    }
    return (file_mark){facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim};
}

static bool same_mark(const file_mark *left, const file_mark *right) {
    return left->device == right->device && left->number == right->number &&
           left->size == right->size && left->changed.tv_sec == right->changed.tv_sec &&
           left->changed.tv_nsec == right->changed.tv_nsec;
}

static bool load_secret(keys *set, char *reason, size_t reason_size) {
    size_t size = 0;
    unsigned char *secret = config_read_secret(settings[FROM_SECRET], set->location, SECRET_LEAST,
                                               &size, reason, reason_size);
    if (secret == NULL) {
        return false;
    }
    bool used = use_bytes(set, (const char *)secret, size, reason, reason_size);
    OPENSSL_cleanse(secret, size);
    free(secret);
    return used;
}

static bool load_file(keys *set, char *reason, size_t reason_size) {
    FILE *in = fopen(set->location, "re");
    char *bytes = in == NULL ? NULL : malloc(JWKS_BYTES_MAX + 1);
    bool used = false;
    if (bytes == NULL) {
        snprintf(reason, reason_size,
                 "%s: the file \"%.300s\" cannot be read: %s. Name a file that this user can read.",
                 settings[FROM_FILE], set->location, strerror(errno));
    } else {
        size_t size = fread(bytes, 1, JWKS_BYTES_MAX + 1, in);
        used = use_bytes(set, bytes, size, reason, reason_size);
    }
    free(bytes);
    if (in != NULL) {
        fclose(in);
    }
    return used;
}

static bool load_path(keys *set, char *reason, size_t reason_size) {
    /* The mark is taken before the file is read: a change in between is then found next time. */
    set->mark = mark_of(set->location);
    return set->kind == FROM_FILE ? load_file(set, reason, reason_size)
                                  : load_secret(set, reason, reason_size);
}

static int64_t clamp(int64_t value, int64_t least, int64_t max) {
    if (value < least) {
        return least;
    }
    return value > max ? max : value;
}

static bool load_address(keys *set, char *reason, size_t reason_size) {
    fetched document;
    bool used = fetch_get(set->location, set->ca_file, &set->stop, &document, reason, reason_size);
    if (used) {
        used = use_bytes(set, document.bytes, document.size, reason, reason_size);
        free(document.bytes);
    }
    int64_t fresh = document.fresh_seconds < 0 ? FETCH_SECONDS_MAX : document.fresh_seconds;
    int64_t wait = clamp(fresh, FETCH_SECONDS_LEAST, FETCH_SECONDS_MAX);
    if (!used) {
        wait = set->retry_seconds;
    }
    set->retry_seconds = used ? 1 : clamp(2 * wait, 1, FETCH_SECONDS_LEAST);
    set->fetch_at = clock_us(CLOCK_MONOTONIC) / 1000000 + wait;
    return used;
}

static bool is_accepted(const keys *set, int64_t now) {
    int64_t loaded_at = atomic_load(&set->loaded_at);
    return set->kind != FROM_ADDRESS ||
           (loaded_at > 0 && (set->accept_seconds == 0 || now - loaded_at <= set->accept_seconds));
}

/* ---- the thread ---- */

static bool is_due(keys *set) {
    bool wanted = atomic_exchange(&set->reload, false);
    bool asked = atomic_exchange(&set->asked, false);
    if (set->kind == FROM_ADDRESS) {
        return wanted || asked || clock_us(CLOCK_MONOTONIC) / 1000000 >= set->fetch_at;
    }
    file_mark mark = mark_of(set->location);
    return wanted || !same_mark(&mark, &set->mark);
}

static void refresh(keys *set) {
    char reason[REASON_MAX] = "";
    bool used = set->kind == FROM_ADDRESS ? load_address(set, reason, sizeof reason)
                                          : load_path(set, reason, sizeof reason);
    if (!used && !atomic_load(&set->stop)) {
        atomic_fetch_add(&set->failures, 1);
        log_write(LOG_ERROR, "%s: the keys stay as they are%s: %s", settings[set->kind],
                  is_accepted(set, clock_us(CLOCK_REALTIME) / 1000000) ? ""
                                                                       : ", and are not accepted",
                  reason);
    }
}

static void *run(void *context) {
    keys *set = context;
    while (!atomic_load(&set->stop)) {
        if (is_due(set)) {
            refresh(set);
        }
        struct timespec until = clock_deadline(CLOCK_MONOTONIC, 1000);
        int woken = sem_clockwait(&set->wake, CLOCK_MONOTONIC, &until);
        (void)woken; /* the flags say what the wake-up was for */
    }
    return NULL;
}

static bool start_thread(keys *set) {
    sigset_t all, before;
    sigfillset(&all);
    /* The main thread handles the signals. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    set->thread_runs = pthread_create(&set->thread, NULL, run, set) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return set->thread_runs;
}

/* ---- start and end ---- */

static bool check_authorities(const keys_source *source, char *reason, size_t reason_size) {
    if (source->jwks_ca_file == NULL) {
        return true;
    }
    if (source->jwks_url == NULL) {
        snprintf(reason, reason_size, "LR_JWKS_CA_FILE is for LR_JWKS_URL only: unset it.");
        return false;
    }
    if (access(source->jwks_ca_file, R_OK) != 0) {
        snprintf(reason, reason_size, "LR_JWKS_CA_FILE: the file cannot be read: %s.",
                 strerror(errno));
        return false;
    }
    return true;
}

static bool check_source(const keys_source *source, char *reason, size_t reason_size) {
    int given = (source->jwks_file != NULL) + (source->jwks_url != NULL);
    if (source->secret_file != NULL && !source->dev) {
        snprintf(reason, reason_size,
                 "LR_DEV_SECRET_FILE is \"%.200s\", which is for LR_MODE=dev only: set LR_JWKS_URL "
                 "or LR_JWKS_FILE.",
                 source->secret_file);
        return false;
    }
    if (source->secret_file != NULL && given > 0) {
        snprintf(reason, reason_size,
                 "LR_DEV_SECRET_FILE is \"%.200s\" and %s is \"%.200s\": a secret next to public "
                 "keys is unsafe; remove one of them.",
                 source->secret_file, source->jwks_file != NULL ? "LR_JWKS_FILE" : "LR_JWKS_URL",
                 source->jwks_file != NULL ? source->jwks_file : source->jwks_url);
        return false;
    }
    if (given > 1) {
        snprintf(reason, reason_size,
                 "LR_JWKS_URL is \"%.200s\" and LR_JWKS_FILE is \"%.200s\": keep one of them.",
                 source->jwks_url, source->jwks_file);
        return false;
    }
    if (source->secret_file == NULL && given == 0) {
        snprintf(reason, reason_size,
                 "LR_JWKS_URL and LR_JWKS_FILE are not set: set one of them, for the keys of the "
                 "token issuer.");
        return false;
    }
    return (source->jwks_url == NULL || fetch_url_allowed(settings[FROM_ADDRESS], source->jwks_url,
                                                          source->dev, reason, reason_size)) &&
           check_authorities(source, reason, reason_size);
}

static keys *make_empty(const keys_source *source) {
    keys *set = calloc(1, sizeof *set);
    if (set == NULL) {
        return NULL;
    }
    pthread_rwlock_init(&set->lock, NULL);
    sem_init(&set->wake, 0, 0);
    set->retry_seconds = 1;
    atomic_init(&set->asked_at, INT64_MIN / 2);
    if (source->jwks_file != NULL) {
        set->kind = FROM_FILE;
        set->location = strdup(source->jwks_file);
    } else if (source->jwks_url != NULL) {
        set->kind = FROM_ADDRESS;
        set->location = strdup(source->jwks_url);
        set->ca_file = source->jwks_ca_file == NULL ? NULL : strdup(source->jwks_ca_file);
        set->accept_seconds = source->accept_seconds;
    } else {
        set->kind = FROM_SECRET;
        set->location = strdup(source->secret_file);
    }
    return set;
}

keys *keys_new(const keys_source *source, char *reason, size_t reason_size) {
    if (!check_source(source, reason, reason_size)) {
        return NULL;
    }
    snprintf(reason, reason_size, "The keys cannot be held: memory or threads are out.");
    keys *set = make_empty(source);
    if (set == NULL || set->location == NULL ||
        (set->kind == FROM_ADDRESS && source->jwks_ca_file != NULL && set->ca_file == NULL) ||
        (set->kind != FROM_ADDRESS && !load_path(set, reason, reason_size)) || !start_thread(set)) {
        keys_free(set);
        return NULL;
    }
    if (reason_size > 0) {
        reason[0] = '\0';
    }
    return set;
}

void keys_free(keys *set) {
    if (set == NULL) {
        return;
    }
    if (set->thread_runs) {
        atomic_store(&set->stop, true);
        sem_post(&set->wake);
        pthread_join(set->thread, NULL);
    }
    key_set_release(set->current);
    sem_destroy(&set->wake);
    pthread_rwlock_destroy(&set->lock);
    free(set->ca_file);
    free(set->location);
    free(set);
}

/* ---- calls by requests ---- */

static void ask_for_refresh(keys *set) {
    int64_t now = clock_us(CLOCK_MONOTONIC) / 1000000;
    int_fast64_t last = atomic_load(&set->asked_at);
    if (now - last < ASK_SECONDS || !atomic_compare_exchange_strong(&set->asked_at, &last, now)) {
        return;
    }
    atomic_store(&set->asked, true);
    sem_post(&set->wake);
}

bool keys_are_accepted(keys *set, int64_t now) {
    bool accepted = is_accepted(set, now);
    if (!accepted) {
        ask_for_refresh(set);
    }
    return accepted;
}

const key *keys_find(keys *set, const char *kid) {
    pthread_rwlock_rdlock(&set->lock);
    const key *found = key_set_find(set->current, kid);
    if (found != NULL) {
        key_set_hold(set->current);
    }
    pthread_rwlock_unlock(&set->lock);
    if (found == NULL) {
        ask_for_refresh(set);
    }
    return found;
}

void key_release(const key *found) {
    if (found != NULL) {
        key_set_release(key_set_of(found));
    }
}

uint64_t keys_generation(const keys *set) {
    return atomic_load(&set->generation);
}

void keys_reload(keys *set) {
    atomic_store(&set->reload, true);
    sem_post(&set->wake);
}

keys_stats keys_stats_read(keys *set) {
    pthread_rwlock_rdlock(&set->lock);
    size_t count = key_set_count(set->current);
    pthread_rwlock_unlock(&set->lock);
    return (keys_stats){.count = count,
                        .accepted = is_accepted(set, clock_us(CLOCK_REALTIME) / 1000000),
                        .accept_seconds = set->accept_seconds,
                        .loaded_at = atomic_load(&set->loaded_at),
                        .failures = atomic_load(&set->failures),
                        .source = source_names[set->kind]};
}
