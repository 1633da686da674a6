/* Fetches one small document with GET from a configured address, never from a request. */
#include "service/auth/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MILLISECONDS = 3000, TOTAL_MILLISECONDS = 10000, FRESH_MAX = 86400 };

typedef struct transfer {
    fetched *into;
    const char *ca_file; /* or NULL */
    const atomic_bool *stop;
    long age, fresh;
} transfer;

static pthread_once_t library_ready = PTHREAD_ONCE_INIT;

static void prepare_library(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_loopback(const char *host) {
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
           strcmp(host, "localhost") == 0;
}

static bool same_text(const char *text, const char *wanted) {
    return text != NULL && strcmp(text, wanted) == 0;
}

bool fetch_url_allowed(const char *setting, const char *url, bool dev, char *reason,
                       size_t reason_size) {
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *parts = curl_url();
    bool readable = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool anonymous = readable && curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
    bool safe = same_text(scheme, "https") ||
                (dev && same_text(scheme, "http") && host != NULL && is_loopback(host));
    if (!anonymous) {
        snprintf(reason, reason_size, "%s: give an https address without user and password.",
                 setting);
    } else if (!safe) {
        snprintf(reason, reason_size,
                 "%s: the address must begin with https (http only in dev, to 127.0.0.1, [::1] "
                 "or localhost).",
                 setting);
    }
    curl_free(user);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return anonymous && safe;
}

static size_t take_bytes(char *bytes, size_t unit, size_t count, void *context) {
    fetched *into = ((transfer *)context)->into;
    size_t size = unit * count;
    if (size > FETCH_BYTES_MAX - into->size) {
        return 0;
    }
    memcpy(into->bytes + into->size, bytes, size);
    into->size += size;
    return size;
}

static long read_seconds(const char *text) {
    char *end = NULL;
    long seconds = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
    return seconds > FRESH_MAX ? FRESH_MAX : seconds;
}

static void read_directives(char *value, long *fresh) {
    char *rest = NULL;
    for (char *each = strtok_r(value, ", \t\r\n", &rest); each != NULL;
         each = strtok_r(NULL, ", \t\r\n", &rest)) {
        if (strcasecmp(each, "no-store") == 0 || strcasecmp(each, "no-cache") == 0) {
            *fresh = 0;
            return;
        }
        if (strncasecmp(each, "max-age=", 8) == 0) {
            *fresh = read_seconds(each + 8);
        }
    }
}

static size_t take_header(char *bytes, size_t unit, size_t count, void *context) {
    transfer *run = context;
    char line[512];
    size_t size = unit * count;
    if (size >= sizeof line) {
        return size;
    }
    memcpy(line, bytes, size);
    line[size] = '\0';
    if (strncasecmp(line, "cache-control:", 14) == 0) {
        read_directives(line + 14, &run->fresh);
    } else if (strncasecmp(line, "age:", 4) == 0) {
        run->age = read_seconds(line + 4 + strspn(line + 4, " \t"));
    }
    return size;
}

static int look_at_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(((transfer *)context)->stop) ? 1 : 0;
}

static bool set_authorities(CURL *handle, const char *ca_file) {
    return ca_file == NULL || (curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
                               curl_easy_setopt(handle, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

static bool set_options(CURL *handle, const char *url, transfer *run) {
    bool plain = strncasecmp(url, "http:", 5) == 0;
    return curl_easy_setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MILLISECONDS) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)TOTAL_MILLISECONDS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_MAXFILESIZE, (long)FETCH_BYTES_MAX) == CURLE_OK &&
           /* A proxy serves outgoing requests only; a loopback address never uses it. */
           (!plain || curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK) &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, run) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERDATA, run) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_at_stop) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_XFERINFODATA, run) == CURLE_OK;
}

static bool run_transfer(CURL *handle, const char *url, transfer *run, char *reason,
                         size_t reason_size) {
    long status = 0;
    CURLcode result = set_options(handle, url, run) && set_authorities(handle, run->ca_file)
                          ? curl_easy_perform(handle)
                          : CURLE_FAILED_INIT;
    if (result != CURLE_OK) {
        snprintf(reason, reason_size,
                 "the fetch of %.200s failed: %s. Check that this machine reaches the address and "
                 "trusts its certificate.",
                 url, curl_easy_strerror(result));
        return false;
    }
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        snprintf(reason, reason_size, "the fetch of %.200s was answered with status %ld", url,
                 status);
    }
    return status == 200;
}

bool fetch_get(const char *url, const char *ca_file, const atomic_bool *stop, fetched *into,
               char *reason, size_t reason_size) {
    transfer run = {.into = into, .ca_file = ca_file, .stop = stop, .age = 0, .fresh = -1};
    *into = (fetched){.fresh_seconds = -1};
    pthread_once(&library_ready, prepare_library);
    CURL *handle = curl_easy_init();
    into->bytes = malloc(FETCH_BYTES_MAX);
    bool done = false;
    if (handle == NULL || into->bytes == NULL) {
        snprintf(reason, reason_size, "memory is out");
    } else {
        done = run_transfer(handle, url, &run, reason, reason_size);
    }
    curl_easy_cleanup(handle);
    if (!done) {
        free(into->bytes);
        into->bytes = NULL;
        return false;
    }
    long left = run.fresh - (run.age > 0 ? run.age : 0);
    into->fresh_seconds = run.fresh < 0 ? -1 : left > 0 ? left : 0;
    return true;
}
