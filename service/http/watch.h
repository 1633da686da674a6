/* Open connections and since when their request is under way: the library's own timeout counts
 * inactivity only. */
#pragma once

#include "service/http/peers.h"

#include <microhttpd.h>
#include <stddef.h>

typedef struct watch watch;

/* A request may take `request_seconds` to arrive and be answered, a connection may be idle
 * `idle_seconds`. `drop` frees what is kept for a request that never came to its end: the library
 * forgets it when it has no room for the parameters of a query. */
watch *watch_new(int request_seconds, int idle_seconds, void (*drop)(void *request));
void watch_free(watch *all);

/* Where connections come in: who watches them, and who is told when one ends; both borrowed. */
typedef struct watch_door {
    watch *all;
    peers *seats;
} watch_door;

/* For MHD_OPTION_NOTIFY_CONNECTION, with a watch_door as its argument. */
void watch_notify(void *door, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code);

/* A request's first line came, and `request` is kept for it; its answer went out or its connection
 * broke, and whoever calls frees what was kept. */
void watch_begin(struct MHD_Connection *connection, void *request);
void watch_end(struct MHD_Connection *connection);

/* The request waits for something to happen: its time stands still; it goes on and its time begins
 * anew. */
void watch_wait(struct MHD_Connection *connection);
void watch_resume(struct MHD_Connection *connection);

/* Shuts the connections down whose request or idleness takes too long; the library then closes
 * them. */
void watch_close_late(watch *all);

/* Shuts the connections down that have been without a request for a second: for draining. */
void watch_close_idle(watch *all);

/* Open connections. */
size_t watch_count(watch *all);
