/* What the commands share. */
#pragma once

#include "service/auth/keys.h"
#include "service/config.h"
#include "service/http/service.h"

/* Where the configuration says the keys are. */
keys_source command_keys_source(const config *settings);

/* Serves until SIGTERM or SIGINT. Returns an exit status of sysexits.h. */
int command_serve(const config *settings);
