/* Finds faults in the settings as written, before a file, the network or the database is used. */
#pragma once

#include "service/config.h"

#include <stdbool.h>

typedef enum finding_level {
    FINDING_WARNING, /* the service starts, and logs it */
    FINDING_FAULT    /* the service refuses to start: EX_CONFIG */
} finding_level;

/* Receives one finding: one or two sentences that name the setting, its value unless it is secret,
 * and the repair. */
typedef void (*finding_sink)(void *context, finding_level level, const char *text);

/* Reports every finding, the most important first. */
void settings_check(const config *settings, finding_sink report, void *context);
