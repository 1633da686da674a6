/* Sends the events that webhooks wait for: one thread in each instance.
 *
 * The instances share the work through the database: whoever locks a webhook first reads the feed
 * on for it and takes events that are ready, each with a lease. While a lease lasts nobody else
 * sends the event or a later one of the same case; it outlives the longest attempt, so that only an
 * instance that died leaves one behind. An event is sent until its receiver has taken it or three
 * days are over, at least once, always with the same identifier. */
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
    const char *ca_file; /* authorities to trust instead of the system's; NULL: the system's */
    int retry_seconds;   /* until the first repetition */
    int drain_seconds;   /* for what is under way when it is to end */
} deliverer_settings;

/* Starts the thread; what the settings point at has to outlive it. NULL when memory or threads are
 * out. */
deliverer *deliverer_new(const deliverer_settings *settings, feed *changes);

/* Something that is ready to be sent may be there. NULL is allowed. */
void deliverer_wake(deliverer *deliverer);

/* Takes nothing new from now on; what is under way goes on. NULL is allowed. */
void deliverer_stop(deliverer *deliverer);

/* Waits for what is under way, at most for drain_seconds since deliverer_stop, and gives back what
 * is not done. To be called before feed_free. NULL is allowed. */
void deliverer_free(deliverer *deliverer);

/* Writes its metrics in the Prometheus text format; nothing for NULL. */
void deliverer_write(const deliverer *deliverer, FILE *out);
