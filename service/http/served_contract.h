/* The contract as this service serves it: with its own address (LR_PUBLIC_URL) and that of the
 * token endpoint (LR_TOKEN_URL) in place of those of the demonstration. */
#pragma once

#include "service/config.h"
#include "service/http/static_asset.h"

typedef struct served_contract served_contract;

/* Writes the addresses into both forms of the contract and compresses them, once for all requests.
 * Returns NULL when zlib has no memory. */
served_contract *served_contract_new(const config *settings);
void served_contract_free(served_contract *contract);

const static_asset *served_contract_yaml(const served_contract *contract);
const static_asset *served_contract_json(const served_contract *contract);
