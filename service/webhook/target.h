/* The targets that webhooks may have: the operator's list of hosts and networks, and the fault of
 * an address outside it. */
#pragma once

#include "service/violation.h"
#include "service/webhook/address.h"

typedef struct targets targets;

/* Reads the settings LR_WEBHOOK_HOSTS (`host`, `host:port` or `*.suffix`, separated by commas; port
 * 443 unless given) and LR_WEBHOOK_NETWORKS (blocks of addresses that are allowed although they are
 * not public; NULL or "" for none). Returns NULL with a sentence in `reason` on failure. */
targets *targets_new(const char *hosts, const char *networks, char *reason, size_t reason_size);
void targets_free(targets *targets);

/* Returns whether the service may connect to this address. */
bool targets_allow_address(const targets *targets, const struct sockaddr *address);

/* Returns the rule that the address of a webhook breaks, or NULL: it must be https without user,
 * password and fragment, and its host and port must be in the list. */
const char *targets_fault(const targets *targets, const char *url);

/* Adds the fault of an address that a client wants to register. In addition to the rules of
 * targets_fault, its host must resolve, and only to allowed addresses. Hosts outside the list are
 * not looked up. `name` is the place of the violation. A host without an address and one with an
 * address that is not allowed are the same violation, `address_not_public`: otherwise a client
 * could find out which names a private network has. `reason` is set for the log alone:
 * `address_unresolved` or `address_private`, else NULL. Returns false, and adds nothing, while two
 * other lookups are in progress. */
bool targets_check(targets *targets, const char *url, const char *name, violation_list *out,
                   const char **reason);
