/* The contract as this service serves it. */
#include "service/http/served_contract.h"

#include "service/http/request_private.h"

#include <stdlib.h>
#include <string.h>

struct served_contract {
    arena *memory;
    static_asset yaml, json;
};

/* Returns a copy of the text in which `to` is in place of each `from`. */
static const char *replace(const char *text, const char *from, const char *to, arena *memory) {
    size_t count = 0, length = strlen(from);
    for (const char *at = strstr(text, from); at != NULL; at = strstr(at + length, from)) {
        count++;
    }
    char *copy = arena_alloc(memory, strlen(text) + count * strlen(to) + 1);
    char *end = copy;
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + length) {
        end = mempcpy(end, text, (size_t)(at - text));
        end = stpcpy(end, to);
    }
    strcpy(end, text);
    return copy;
}

static bool make_asset(static_asset *asset, const char *media_type, const unsigned char *bytes,
                       size_t size, const config *settings, arena *memory) {
    const char *text = arena_strndup(memory, (const char *)bytes, size);
    text = replace(text, contract_server_url, settings->public_url, memory);
    if (settings->token_url != NULL) {
        text = replace(text, contract_token_url, settings->token_url, memory);
    }
    asset->media_type = media_type;
    asset->size = strlen(text);
    asset->etag = etag_of_bytes(text, asset->size, contract_version, memory);
    asset->gzip = gzip_bytes(memory, text, asset->size, &asset->gzip_size);
    return asset->gzip != NULL;
}

served_contract *served_contract_new(const config *settings) {
    arena *memory = arena_new();
    served_contract *contract = arena_alloc(memory, sizeof *contract);
    contract->memory = memory;
    if (make_asset(&contract->yaml, "application/yaml", contract_yaml, contract_yaml_size, settings,
                   memory) &&
        make_asset(&contract->json, "application/json", contract_json, contract_json_size, settings,
                   memory)) {
        return contract;
    }
    arena_free(memory);
    return NULL;
}

void served_contract_free(served_contract *contract) {
    if (contract != NULL) {
        arena_free(contract->memory);
    }
}

const static_asset *served_contract_yaml(const served_contract *contract) {
    return &contract->yaml;
}

const static_asset *served_contract_json(const served_contract *contract) {
    return &contract->json;
}
