/* Where webhooks may go: the operator's list of hosts and networks, and what is wrong with an
 * address that is not within it. */
#pragma once

#include "service/violation.h"
#include "service/webhook/address.h"

typedef struct targets targets;

/* Reads the settings LR_WEBHOOK_HOSTS (`host`, `host:port` or `*.suffix`, with commas between; port
 * 443 unless given) and LR_WEBHOOK_NETWORKS (blocks of addresses that are not public and allowed
 * nevertheless; NULL or "" for none). Returns NULL with a sentence in `reason`. */
targets *targets_new(const char *hosts, const char *networks, char *reason, size_t reason_size);
void targets_free(targets *targets);

/* Whether a connection to this address may be made. */
bool targets_allow_address(const targets *targets, const struct sockaddr *address);

/* Returns the rule that the address of a webhook breaks, or NULL: it has to be https without user,
 * password and fragment, and its host and port have to be on the list. */
const char *targets_fault(const targets *targets, const char *url);

/* Adds what is wrong with an address that somebody wants to register: besides all that, its host
 * has to resolve, and only to addresses that are allowed. Hosts that are not on the list are not
 * looked up. `name` is the place that the violation names. A host without an address and one with
 * an address that is not allowed are the same violation, `address_not_public`: otherwise a client
 * could ask which names a private network knows. `reason` is set to what it was, for the log alone:
 * `address_unresolved` or `address_private`, else NULL. Returns false, and adds nothing, while two
 * lookups are under way already. */
bool targets_check(targets *targets, const char *url, const char *name, violation_list *out,
                   const char **reason);
