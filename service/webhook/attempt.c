/* One attempt to send one event. */
#include "service/webhook/attempt.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* The service ignores the answer's body: it cuts off a receiver that keeps sending. */
enum { CONNECT_MS = 5000, TOTAL_MS = 10000, SLOW_MS = 5000, ANSWER_MAX = 65536 };

const char *const attempt_names[ATTEMPT_RESULTS] = {[ATTEMPT_DELIVERED] = "delivered",
                                                    [ATTEMPT_REFUSED] = "refused",
                                                    [ATTEMPT_GONE] = "gone",
                                                    [ATTEMPT_UNREACHABLE] = "unreachable",
                                                    [ATTEMPT_FORBIDDEN] = "address_refused",
                                                    [ATTEMPT_INTERRUPTED] = "interrupted"};

static size_t ignore_bytes(const char *bytes, size_t unit, size_t count, void *context) {
    attempt *one = context;
    (void)bytes;
    one->answered += unit * count;
    return one->answered > ANSWER_MAX ? 0 : unit * count;
}

/* The address is checked here, where the connection is made: a name that now resolves to another
 * address gains nothing. */
static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    attempt *one = context;
    if (purpose != CURLSOCKTYPE_IPCXN || !targets_allow_address(one->allowed, &address->addr)) {
        one->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool add_header(attempt *one, const char *line) {
    struct curl_slist *longer = curl_slist_append(one->headers, line);
    one->headers = longer == NULL ? one->headers : longer;
    return longer != NULL;
}

static bool make_headers(attempt *one, const unsigned char *key) {
    webhook_message message = {.webhook = one->webhook,
                               .id = one->delivery,
                               .timestamp = time(NULL),
                               .body = one->body,
                               .generation = one->generation,
                               .old_secret = one->old_secret};
    return add_header(one, "Content-Type: application/cloudevents+json; charset=utf-8") &&
           add_header(one, "Expect:") &&
           add_header(one, arena_printf(one->memory, "webhook-id: %s", message.id)) &&
           add_header(one, arena_printf(one->memory, "webhook-timestamp: %lld",
                                        (long long)message.timestamp)) &&
           add_header(one, arena_printf(one->memory, "webhook-signature: %s",
                                        webhook_signature(key, &message, one->memory)));
}

/* Uses the authorities of the file alone: libcurl would also read and trust the system's folder of
 * authorities, and reading them all takes time in each attempt. */
static bool set_authorities(CURL *handle, const char *ca_file) {
    return ca_file == NULL || (curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
                               curl_easy_setopt(handle, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

static bool set_options(attempt *one, const char *ca_file) {
    CURL *handle = one->handle;
    return curl_easy_setopt(handle, CURLOPT_URL, one->url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           set_authorities(handle, ca_file) &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_USERAGENT, "learning-reviews/" PROGRAM_VERSION) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)strlen(one->body)) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_POSTFIELDS, one->body) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTPHEADER, one->headers) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore_bytes) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, one) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, one) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PRIVATE, one) == CURLE_OK;
}

bool attempt_prepare(attempt *one, const deliverer_settings *settings) {
    one->allowed = settings->allowed;
    one->handle = curl_easy_init();
    one->forbidden = targets_fault(settings->allowed, one->url) != NULL;
    return !one->forbidden && one->handle != NULL && make_headers(one, settings->key) &&
           set_options(one, settings->ca_file);
}

attempt_result attempt_judge(const attempt *one, CURLcode code, long *status, long *retry_after) {
    curl_off_t wait = 0;
    curl_easy_getinfo(one->handle, CURLINFO_RESPONSE_CODE, status);
    curl_easy_getinfo(one->handle, CURLINFO_RETRY_AFTER, &wait);
    *retry_after = wait > INT32_MAX ? INT32_MAX : (long)wait;
    bool cut_off = code == CURLE_WRITE_ERROR && one->answered > ANSWER_MAX;
    if (code != CURLE_OK && !cut_off) {
        *status = 0;
        return one->forbidden ? ATTEMPT_FORBIDDEN : ATTEMPT_UNREACHABLE;
    }
    return *status >= 200 && *status < 300 ? ATTEMPT_DELIVERED
           : *status == 410                ? ATTEMPT_GONE
                                           : ATTEMPT_REFUSED;
}

bool attempt_was_slow(const attempt *one, attempt_result result) {
    curl_off_t us = 0;
    curl_easy_getinfo(one->handle, CURLINFO_TOTAL_TIME_T, &us);
    return result == ATTEMPT_UNREACHABLE || us >= SLOW_MS * INT64_C(1000);
}

void attempt_free(attempt *one) {
    curl_easy_cleanup(one->handle);
    curl_slist_free_all(one->headers);
    arena_free(one->memory); /* `one` lives there */
}
