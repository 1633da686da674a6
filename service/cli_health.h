/* Asks the running service whether it is ready: for health checks where there is no other client.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Asks /readyz at `listen`, the address that LR_ADMIN_LISTEN holds, and prints what it says.
 * Returns EX_OK when it is ready, EX_UNAVAILABLE when not or when nothing answers. */
int health_ask(const char *listen, FILE *out);

/* Whether a service of this program answers there, ready or not. */
bool health_answers(const char *listen);
