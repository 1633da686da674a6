/* The targets that webhooks may have. */
#include "service/webhook/target.h"

#include <curl/curl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ENTRY_MAX = 300, PORT_MAX = 65535, LOOKUPS_MAX = 2 };
static const char *const default_port = "443";

typedef struct host_rule {
    char *name; /* lower case; for `*.suffix` the part from the dot on */
    char port[6];
    bool below; /* any host below, not the name itself */
} host_rule;

struct targets {
    host_rule *hosts;
    size_t host_count;
    network *networks;
    size_t network_count;
    atomic_int lookups; /* number of current lookups */
};

/* --- the settings --- */

static void lower(char *text) {
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text = (char)(*text - 'A' + 'a');
        }
    }
}

static bool is_port(const char *text) {
    size_t length = strlen(text);
    return length > 0 && length <= 5 && strspn(text, "0123456789") == length && *text != '0' &&
           strtol(text, NULL, 10) <= PORT_MAX;
}

/* Finds the port in `host:port` or `[v6]:port`; NULL when there is none. */
static char *find_port(char *entry) {
    char *from = *entry == '[' ? strchr(entry, ']') : entry;
    return from == NULL ? NULL : strchr(from, ':');
}

static bool read_host(targets *targets, char *entry) {
    host_rule rule = {.below = strncmp(entry, "*.", 2) == 0};
    char *port = find_port(entry);
    if (port != NULL) {
        *port++ = '\0';
    }
    char *name = entry + (rule.below ? 1 : 0);
    lower(name);
    bool v6 = *name == '[';
    const char *allowed = v6 ? "[]:.0123456789abcdef" : "-.0123456789_abcdefghijklmnopqrstuvwxyz";
    if (strlen(name) < (rule.below ? 2U : 1U) || strspn(name, allowed) != strlen(name) ||
        !is_port(port == NULL ? default_port : port)) {
        return false;
    }
    snprintf(rule.port, sizeof rule.port, "%s", port == NULL ? default_port : port);
    rule.name = strdup(name);
    targets->hosts[targets->host_count++] = rule;
    return rule.name != NULL;
}

static bool read_network(targets *targets, char *entry) {
    return network_parse(entry, &targets->networks[targets->network_count++]);
}

static size_t count_entries(const char *list) {
    size_t count = 1;
    for (; *list != '\0'; list++) {
        count += *list == ',';
    }
    return count;
}

/* Reads each entry of a comma-separated list; ignores white space around entries. */
static bool read_list(targets *targets, const char *list, bool (*take)(struct targets *, char *)) {
    while (*list != '\0') {
        char entry[ENTRY_MAX];
        size_t length = strcspn(list, ",");
        size_t skipped = strspn(list, " \t");
        size_t first = skipped < length ? skipped : length;
        size_t last = length;
        while (last > first && strchr(" \t", list[last - 1]) != NULL) {
            last--;
        }
        if (last == first || last - first >= sizeof entry) {
            return false;
        }
        memcpy(entry, list + first, last - first);
        entry[last - first] = '\0';
        if (!take(targets, entry)) {
            return false;
        }
        list += length + (list[length] == ',' ? 1 : 0);
    }
    return true;
}

targets *targets_new(const char *hosts, const char *networks, char *reason, size_t reason_size) {
    networks = networks == NULL ? "" : networks;
    targets *targets = calloc(1, sizeof *targets);
    const char *fault = "Memory is out.";
    if (targets != NULL) {
        targets->hosts = calloc(count_entries(hosts), sizeof *targets->hosts);
        targets->networks = calloc(count_entries(networks), sizeof *targets->networks);
    }
    if (targets != NULL && targets->hosts != NULL && targets->networks != NULL) {
        fault = *hosts == '\0' || !read_list(targets, hosts, read_host)
                    ? "LR_WEBHOOK_HOSTS must be a list of host, host:port or *.suffix, with "
                      "commas between."
                : !read_list(targets, networks, read_network)
                    ? "LR_WEBHOOK_NETWORKS must be a list of networks such as 10.0.0.0/8, with "
                      "commas between and no bit set beyond the prefix."
                    : NULL;
    }
    if (fault != NULL) {
        snprintf(reason, reason_size, "%s", fault);
        targets_free(targets);
        return NULL;
    }
    return targets;
}

void targets_free(targets *targets) {
    if (targets == NULL) {
        return;
    }
    for (size_t i = 0; i < targets->host_count; i++) {
        free(targets->hosts[i].name);
    }
    free(targets->hosts);
    free(targets->networks);
    free(targets);
}

/* --- checks --- */

bool targets_allow_address(const targets *targets, const struct sockaddr *address) {
    bool allowed = address_is_public(address);
    for (size_t i = 0; i < targets->network_count && !allowed; i++) {
        allowed = network_holds(&targets->networks[i], address);
    }
    return allowed;
}

static bool fits(const host_rule *rule, const char *host, const char *port) {
    size_t length = strlen(host);
    size_t rule_length = strlen(rule->name);
    if (strcmp(rule->port, port) != 0) {
        return false;
    }
    return rule->below
               ? length > rule_length && strcasecmp(host + length - rule_length, rule->name) == 0
               : strcasecmp(host, rule->name) == 0;
}

static bool is_listed(const targets *targets, const char *host, const char *port) {
    for (size_t i = 0; i < targets->host_count; i++) {
        if (fits(&targets->hosts[i], host, port)) {
            return true;
        }
    }
    return false;
}

static const char *const address_unresolved = "address_unresolved";
static const char *const address_private = "address_private";

/* Returns the rule that the host's addresses break, or NULL. */
static const char *resolve(const targets *targets, const char *host, const char *port) {
    char bare[ENTRY_MAX];
    size_t length = strlen(host);
    bool v6 = *host == '[' && length > 2; /* getaddrinfo does not accept brackets */
    snprintf(bare, sizeof bare, "%.*s", (int)(v6 ? length - 2 : length), host + (v6 ? 1 : 0));
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(bare, port, &wanted, &found) != 0 || found == NULL) {
        return address_unresolved;
    }
    const char *rule = NULL;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        if (!targets_allow_address(targets, one->ai_addr)) {
            rule = address_private;
        }
    }
    freeaddrinfo(found);
    return rule;
}

static const char *const too_many_lookups = "too_many_lookups";

/* A resolver that does not answer takes long: it must not block all workers. */
static const char *resolve_in_turn(const targets *targets, const char *host, const char *port,
                                   atomic_int *lookups) {
    const char *rule = too_many_lookups;
    if (atomic_fetch_add(lookups, 1) < LOOKUPS_MAX) {
        rule = resolve(targets, host, port);
    }
    atomic_fetch_sub(lookups, 1);
    return rule;
}

/* The parts of an address as libcurl, which connects later, reads them. */
typedef struct url_parts {
    CURLU *handle;
    char *scheme, *host, *port, *user, *password, *fragment, *zone;
} url_parts;

static char *part(CURLU *handle, CURLUPart which, unsigned flags) {
    char *text = NULL;
    return curl_url_get(handle, which, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool read_url(const char *url, url_parts *into) {
    *into = (url_parts){.handle = curl_url()};
    if (into->handle == NULL ||
        curl_url_set(into->handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        return false;
    }
    into->scheme = part(into->handle, CURLUPART_SCHEME, 0);
    into->host = part(into->handle, CURLUPART_HOST, 0);
    into->port = part(into->handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    into->user = part(into->handle, CURLUPART_USER, 0);
    into->password = part(into->handle, CURLUPART_PASSWORD, 0);
    into->fragment = part(into->handle, CURLUPART_FRAGMENT, 0);
    into->zone = part(into->handle, CURLUPART_ZONEID, 0);
    return into->scheme != NULL && into->host != NULL;
}

static void free_url(url_parts *parts) {
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->user);
    curl_free(parts->password);
    curl_free(parts->fragment);
    curl_free(parts->zone);
    curl_url_cleanup(parts->handle);
}

static const char *const messages[][2] = {
    {"not_an_address", "cannot be read as an address"},
    {"https_required", "must begin with https"},
    {"user_in_address", "must not have a user or password in it"},
    {"fragment_in_address", "must not have a fragment"},
    {"host_not_allowed", "has a host or port that this register does not send to"},
    {"address_not_public", "has a host that does not lead to public addresses alone"},
};

/* Returns whether only operators may learn the exact rule. */
static bool is_of_lookup(const char *rule) {
    return rule != NULL &&
           (strcmp(rule, address_unresolved) == 0 || strcmp(rule, address_private) == 0);
}

static const char *fault_of(const targets *targets, const url_parts *parts) {
    if (strcmp(parts->scheme, "https") != 0) {
        return "https_required";
    }
    if (parts->user != NULL || parts->password != NULL) {
        return "user_in_address";
    }
    if (parts->fragment != NULL) {
        return "fragment_in_address";
    }
    return parts->port != NULL && parts->zone == NULL &&
                   is_listed(targets, parts->host, parts->port)
               ? NULL
               : "host_not_allowed";
}

/* With `lookups`, which counts them, also looks up the host. */
static const char *find_fault(const targets *targets, const char *url, atomic_int *lookups) {
    url_parts parts;
    const char *rule = read_url(url, &parts) ? fault_of(targets, &parts) : "not_an_address";
    if (rule == NULL && lookups != NULL) {
        rule = resolve_in_turn(targets, parts.host, parts.port, lookups);
    }
    free_url(&parts);
    return rule;
}

const char *targets_fault(const targets *targets, const char *url) {
    return find_fault(targets, url, NULL);
}

bool targets_check(targets *targets, const char *url, const char *name, violation_list *out,
                   const char **reason) {
    const char *rule = find_fault(targets, url, &targets->lookups);
    *reason = is_of_lookup(rule) ? rule : NULL;
    if (rule == too_many_lookups) {
        return false;
    }
    rule = is_of_lookup(rule) ? "address_not_public" : rule;
    for (size_t i = 0; rule != NULL && i < sizeof messages / sizeof messages[0]; i++) {
        if (strcmp(messages[i][0], rule) == 0) {
            violation_add(out, PLACE_BODY, name, messages[i][0], messages[i][1]);
        }
    }
    return true;
}
