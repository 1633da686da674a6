/* What the commands share. */
#pragma once

#include "service/auth/keys.h"
#include "service/config.h"
#include "service/http/service.h"

/* Where the configuration says the keys are. */
keys_source command_keys_source(const config *settings);

/* What a register brings along that the runtime knows nothing of. */
typedef struct serve_parts {
    const char *(*scan_text)(const char *text); /* see service.h */
    const statement *combined;                  /* see combiner_new */
} serve_parts;

/* Serves until SIGTERM or SIGINT. Returns an exit status of sysexits.h. */
int command_serve(const config *settings, const serve_parts *parts);
