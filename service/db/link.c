/* Connections for commands and start-up. */
#include "service/db/link.h"

#include "service/db/statement.h"
#include "service/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 700 };

/* Turns libpq's message into one line: several hosts get a line each. */
static void flatten(const char *said, char *out, size_t size) {
    size_t length = 0;
    for (; *said != '\0' && length + 2 < size; said++) {
        if (*said == '\n' && said[1] != '\0') {
            out[length++] = ';';
        }
        bool space = *said == '\n' || *said == '\t' || *said == ' ';
        if (!space || (length > 0 && out[length - 1] != ' ')) {
            out[length++] = (char)(space ? ' ' : *said);
        }
    }
    while (length > 0 && strchr(" .?", out[length - 1]) != NULL) {
        length--;
    }
    out[length] = '\0';
}

/* libpq quotes an invalid connection string in parts, each of which may be part of a password.
 * Nothing is kept from the first quotation mark to the last one, except the missing equals sign. */
static void hide_quoted(const char *said, char *out, size_t size) {
    static const char missing[] = "missing \"=\" after ";
    size_t kept = strncmp(said, missing, strlen(missing)) == 0 ? strlen(missing) : 0;
    const char *first = strchr(said + kept, '"');
    if (first == NULL) {
        snprintf(out, size, "%s", said);
    } else {
        snprintf(out, size, "%.*s\"...\"%s", (int)(first - said), said, strrchr(first, '"') + 1);
    }
}

/* Returns false with the reason when libpq cannot read the string. */
static bool is_readable(const char *setting, const char *conninfo, char *reason,
                        size_t reason_size) {
    char *said = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &said);
    if (options == NULL) {
        char whole[TEXT_MAX];
        char text[TEXT_MAX];
        flatten(said == NULL ? "memory is out" : said, whole, sizeof whole);
        hide_quoted(whole, text, sizeof text);
        snprintf(reason, reason_size,
                 "%s cannot be read as a connection string of libpq: %s. Write NAME=value with "
                 "blanks between, and values with blanks in single quotes.",
                 setting, text);
        PQfreemem(said);
        return false;
    }
    PQconninfoFree(options);
    return true;
}

void link_fault(const PGconn *link, char *text, size_t size) {
    flatten(link == NULL ? "memory is out" : PQerrorMessage(link), text, size);
    if (*text == '\0') {
        snprintf(text, size, "no cause is given");
    }
}

void link_explain(const PGconn *link, const char *setting, const char *what, char *reason,
                  size_t reason_size) {
    char text[TEXT_MAX];
    link_fault(link, text, sizeof text);
    snprintf(reason, reason_size, "%s: the database cannot be %s: %s.", setting, what, text);
}

char *link_options(const char *settings) {
    char *options = NULL;
    int length = asprintf(&options, "-c search_path=%s,register %s", code_version, settings);
    return length < 0 ? NULL : options;
}

PGconn *link_open(const char *setting, const char *conninfo, char *reason, size_t reason_size) {
    if (!is_readable(setting, conninfo, reason, reason_size)) {
        return NULL;
    }
    PGconn *link = PQconnectdb(conninfo);
    if (PQstatus(link) == CONNECTION_OK) {
        return link;
    }
    link_explain(link, setting, "reached", reason, reason_size);
    size_t used = strlen(reason);
    snprintf(reason + used, reason_size - used,
             " Correct the connection string, or make the database reachable with it.");
    PQfinish(link);
    return NULL;
}

PGconn *link_open_code(const char *setting, const char *conninfo, char *reason,
                       size_t reason_size) {
    const char *const parameters[] = {code_version};
    PGconn *link = link_open(setting, conninfo, reason, reason_size);
    if (link == NULL) {
        return NULL;
    }
    PGresult *done =
        PQexecParams(link, statement_code_path->text, 1, NULL, parameters, NULL, NULL, 0);
    bool good = PQresultStatus(done) == PGRES_TUPLES_OK;
    PQclear(done);
    if (!good) {
        link_explain(link, setting, "used", reason, reason_size);
        PQfinish(link);
        link = NULL;
    }
    return link;
}

/* Returns the options as libpq completes them from its variables and service files. An option that
 * libpq rejects prevents the connection. */
static PQconninfoOption *complete(const char *conninfo) {
    const char *const names[] = {"dbname", "channel_binding", NULL};
    const char *const values[] = {conninfo, "none", NULL};
    PGconn *link = PQconnectStartParams(names, values, 1);
    PQconninfoOption *options = link == NULL ? NULL : PQconninfo(link);
    PQfinish(link);
    return options;
}

static const char *value_of(const PQconninfoOption *options, const char *name) {
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, name) == 0) {
            return options->val == NULL ? "" : options->val;
        }
    }
    return "";
}

/* Returns whether it is a folder of sockets, an abstract socket, or an address of the loopback
 * network. */
static bool is_local(const char *host) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    if (*host == '\0' || *host == '/' || *host == '@' || strcmp(host, "localhost") == 0) {
        return true;
    }
    if (getaddrinfo(host, NULL, &hints, &found) != 0) {
        return false;
    }
    bool local = listen_is_loopback(found->ai_addr);
    freeaddrinfo(found);
    return local;
}

/* Returns the first host of the list that is not local, in `host`; false when there is none. */
static bool find_remote(const char *list, char *host, size_t size) {
    for (;;) {
        size_t length = strcspn(list, ",");
        snprintf(host, size, "%.*s", (int)(length < size ? length : size - 1), list);
        if (!is_local(host)) {
            return true;
        }
        if (list[length] == '\0') {
            return false;
        }
        list += length + 1;
    }
}

link_result link_judge(const char *setting, const char *conninfo, char *reason,
                       size_t reason_size) {
    char host[256] = "";
    if (!is_readable(setting, conninfo, reason, reason_size)) {
        return LINK_UNREADABLE;
    }
    PQconninfoOption *options = complete(conninfo);
    if (options == NULL) {
        snprintf(reason, reason_size, "%s: memory is out.", setting);
        return LINK_UNREADABLE;
    }
    /* libpq connects to hostaddr; host is then only the name that the certificate must have. */
    const char *address = value_of(options, "hostaddr");
    const char *mode = value_of(options, "sslmode");
    bool remote =
        find_remote(*address == '\0' ? value_of(options, "host") : address, host, sizeof host);
    bool verified = !remote || strcmp(mode, "verify-full") == 0;
    if (!verified) {
        snprintf(
            reason, reason_size,
            "%s leads to %s over TCP with sslmode=%s, so that others on the way can read it or "
            "answer in its place. Add sslmode=verify-full (and sslrootcert), or set "
            "LR_ALLOW_UNVERIFIED_DATABASE=1 where the network between is yours alone.",
            setting, host, *mode == '\0' ? "prefer" : mode);
    }
    PQconninfoFree(options);
    return verified ? LINK_VERIFIED : LINK_UNVERIFIED;
}
