/* Asks the running service whether it is ready: for health checks without another client. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Requests /readyz at `listen`, the value of LR_ADMIN_LISTEN, and prints the answer. Returns EX_OK
 * when the service is ready, EX_UNAVAILABLE when it is not or when nothing answers. */
int health_ask(const char *listen, FILE *out);

/* Returns whether a service of this program answers there, ready or not. */
bool health_answers(const char *listen);
