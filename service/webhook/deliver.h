/* Sends events to webhooks: one thread in each instance.
 *
 * The instances share the work through the database. The first instance to lock a webhook reads the
 * feed for it and claims ready events, each with a lease. While a lease lasts, no other instance
 * sends the event or a later one of the same case. A lease outlives the longest attempt, so that
 * only an instance that died leaves one behind. An event is sent until its receiver has accepted it
 * or three days are over, at least once, always with the same identifier. */
#pragma once

#include "service/db/feed.h"
#include "service/webhook/signature.h"
#include "service/webhook/target.h"

#include <stdio.h>

typedef struct deliverer deliverer;

typedef struct deliverer_settings {
    const char *database;     /* connection string */
    const unsigned char *key; /* WEBHOOK_KEY_SIZE bytes */
    const targets *allowed;
    const char *ca_file; /* authorities to trust; NULL: the system's */
    int retry_seconds;   /* until the first retry */
    int drain_seconds;   /* for current attempts at the end */
} deliverer_settings;

/* Starts the thread; the objects to which the settings point must outlive it. Returns NULL when
 * memory or threads are out. */
deliverer *deliverer_new(const deliverer_settings *settings, feed *changes);

/* Wakes the thread because an event may be ready. NULL is allowed. */
void deliverer_wake(deliverer *deliverer);

/* Stops claiming events; current attempts continue. NULL is allowed. */
void deliverer_stop(deliverer *deliverer);

/* Waits for current attempts, at most for drain_seconds since deliverer_stop, and gives back the
 * events that are not done. Call it before feed_free. NULL is allowed. */
void deliverer_free(deliverer *deliverer);

/* Writes its metrics in the Prometheus text format; nothing for NULL. */
void deliverer_write(const deliverer *deliverer, FILE *out);
