/* The command `replace-key`, and the comparison of the configured keys with those that the register
 * has used. */
#include "service/command.h"
#include "service/db/fingerprint.h"
#include "service/db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* A key on which data in the register depend. */
typedef struct used_key {
    const char *name, *setting;
    const char *confirmation; /* the topic that names it in `replace-key` */
    const char *harm;         /* of using another key */
    const char *consequences; /* whole lines */
} used_key;

static const used_key used_keys[] = {
    {.name = "pseudonym",
     .setting = "LR_PSEUDONYM_KEY_FILE",
     .confirmation = "children-are-not-matched",
     .harm = "the same children would get other references and not be matched",
     .consequences =
         "- A child that is pushed again gets another reference: it is not matched with itself.\n"
         "- A referral that is pushed again (same source_reference) is refused as changed (409).\n"
         "- Cursors of lists and of the change feed that clients hold are refused: they begin "
         "again.\n"
         "- The hashes of users in the log change.\n"
         "Nothing of this can be undone but by putting back the former key.\n"},
    {.name = "webhook",
     .setting = "LR_WEBHOOK_KEY_FILE",
     .confirmation = "all-secrets-change",
     .harm = "every webhook's secret would change and receivers would refuse all events",
     .consequences =
         "- The secret of every webhook changes: receivers refuse all events until their client\n"
         "  rotates the secret and takes over the new one.\n"},
};
enum { USED_KEYS = sizeof used_keys / sizeof used_keys[0] };

static const char *path_of(const config *settings, const used_key *key) {
    return strcmp(key->name, "webhook") == 0 ? settings->webhook_key_file
                                             : settings->pseudonym_key_file;
}

static const used_key *find_key(const char *name) {
    for (size_t i = 0; name != NULL && i < USED_KEYS; i++) {
        if (strcmp(used_keys[i].name, name) == 0) {
            return &used_keys[i];
        }
    }
    return NULL;
}

static const char *migration_database(const config *settings) {
    return settings->migration_database != NULL ? settings->migration_database : settings->database;
}

/* Reads the key; the caller wipes and frees `*secret`. */
static bool read_key(const config *settings, const used_key *key, unsigned char **secret,
                     fingerprint_key *read, char *reason, size_t reason_size) {
    size_t size = 0;
    *secret = config_read_secret(key->setting, path_of(settings, key), SECRET_SIZE, &size, reason,
                                 reason_size);
    *read = (fingerprint_key){.name = key->name, .secret = *secret, .size = size};
    return *secret != NULL;
}

static void wipe(unsigned char *secret, size_t size) {
    if (secret != NULL) {
        explicit_bzero(secret, size);
        free(secret);
    }
}

static int check_one(const config *settings, const used_key *key, bool record, char *reason,
                     size_t reason_size) {
    unsigned char *secret = NULL;
    fingerprint_key read;
    char since[FINGERPRINT_DAY_SIZE];
    if (!read_key(settings, key, &secret, &read, reason, reason_size)) {
        return EX_NOINPUT;
    }
    int status = EX_OK;
    switch (fingerprint_check(settings->database, &read, record, since, reason, reason_size)) {
    case FINGERPRINT_SAME:
        snprintf(reason, reason_size, "%s key as recorded on %s", key->name, since);
        break;
    case FINGERPRINT_NONE:
        snprintf(reason, reason_size, "%s key not recorded yet: the first start does it",
                 key->name);
        break;
    case FINGERPRINT_OTHER:
        snprintf(reason, reason_size,
                 "%s: %.300s holds another key than the register has used since %s: %s. Put back "
                 "the copy of the key; only if it is lost, see `learning-reviews help "
                 "replace-key`.",
                 key->setting, path_of(settings, key), since, key->harm);
        status = EX_CONFIG;
        break;
    case FINGERPRINT_IN_USE:
    case FINGERPRINT_UNKNOWN:
        status = EX_UNAVAILABLE;
    }
    wipe(secret, read.size);
    return status;
}

int command_check_keys(const config *settings, bool record, char *reason, size_t reason_size) {
    char each[1024] = "";
    size_t used = 0;
    int status = EX_OK;
    for (size_t i = 0; status == EX_OK && i < USED_KEYS; i++) {
        if (path_of(settings, &used_keys[i]) == NULL) {
            continue; /* webhooks are off */
        }
        status = check_one(settings, &used_keys[i], record, each, sizeof each);
        if (status != EX_OK) {
            used = 0;
        }
        int length =
            snprintf(reason + used, reason_size - used, "%s%s", used > 0 ? "; " : "", each);
        used = length < 0 || (size_t)length >= reason_size - used ? used : used + (size_t)length;
    }
    return status;
}

/* ---- replace-key ---- */

static int explain(const used_key *key, const char *database) {
    char reason[1024] = "";
    long children = 0;
    long webhooks = 0;
    if (!fingerprint_uses(database, &children, &webhooks, reason, sizeof reason)) {
        return cli_fail(EX_UNAVAILABLE, reason);
    }
    printf("The %s key in %s becomes the register's key. The register has %ld references of "
           "children and %ld webhooks.\n%s"
           "Stop every instance first and start it afterwards. The audit trail keeps that it was "
           "done.\nNothing was changed. To do it: learning-reviews replace-key --key %s --confirm "
           "%s\n",
           key->name, key->setting, children, webhooks, key->consequences, key->name,
           key->confirmation);
    return EX_USAGE;
}

static int replace(const config *settings, const used_key *key, const char *database) {
    char reason[1024] = "";
    unsigned char *secret = NULL;
    fingerprint_key read;
    if (!read_key(settings, key, &secret, &read, reason, sizeof reason)) {
        return cli_fail(EX_CONFIG, reason);
    }
    fingerprint_result result = fingerprint_replace(database, &read, reason, sizeof reason);
    wipe(secret, read.size);
    if (result == FINGERPRINT_IN_USE) {
        return cli_fail(EX_UNAVAILABLE,
                        "the service is connected to the database: stop every instance first.");
    }
    if (result != FINGERPRINT_SAME) {
        return cli_fail(EX_UNAVAILABLE, reason);
    }
    printf("the %s key in %s is the register's key now\n", key->name, key->setting);
    return EX_OK;
}

int command_replace_key(const cli_call *call) {
    char reason[1024] = "";
    const char *database = migration_database(call->settings);
    const used_key *key = find_key(cli_value(call, "--key"));
    const char *confirmed = cli_value(call, "--confirm");
    if (key == NULL) {
        return cli_fail(EX_USAGE, "--key must be pseudonym or webhook; see `learning-reviews help "
                                  "replace-key`.");
    }
    if (database == NULL) {
        return cli_fail(EX_CONFIG, "LR_MIGRATION_DATABASE is not set: it must be a libpq "
                                   "connection string.");
    }
    schema_standing standing = migrate_check(database, reason, sizeof reason);
    if (standing != SCHEMA_CURRENT) {
        return cli_fail(standing == SCHEMA_UNKNOWN ? EX_UNAVAILABLE : EX_CONFIG, reason);
    }
    if (confirmed == NULL || strcmp(confirmed, key->confirmation) != 0) {
        return explain(key, database);
    }
    return replace(call->settings, key, database);
}
