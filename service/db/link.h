/* Connections for commands and start-up: opened at once, with libpq's own message on failure. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* Returns the options of a session in which names refer to this program's version of the code,
 * followed by `settings`; the caller frees it. NULL: memory is out. */
char *link_options(const char *settings);

/* Connects. Returns the connection, which the caller ends with PQfinish, or NULL with one sentence
 * in `reason`: the setting and libpq's message. The sentence contains no part of a connection
 * string that cannot be read, because that may be a password. */
PGconn *link_open(const char *setting, const char *conninfo, char *reason, size_t reason_size);

/* The same, and names mean this program's version of the code. */
PGconn *link_open_code(const char *setting, const char *conninfo, char *reason, size_t reason_size);

/* Writes libpq's message about the connection's last fault as one line without a full stop. */
void link_fault(const PGconn *link, char *text, size_t size);

/* Writes the same as a sentence to `reason`, after the setting and `what`, which says what was
 * tried. */
void link_explain(const PGconn *link, const char *setting, const char *what, char *reason,
                  size_t reason_size);

typedef enum link_result {
    LINK_VERIFIED,   /* nobody on the network path can read the data, or answer in the database's
                        place */
    LINK_UNVERIFIED, /* over TCP to another machine without sslmode=verify-full */
    LINK_UNREADABLE  /* not a connection string of libpq */
} link_result;

/* Judges a connection string, completed by libpq's variables and service files, without connecting.
 * Writes one sentence to `reason` unless it is verified. */
link_result link_judge(const char *setting, const char *conninfo, char *reason, size_t reason_size);
