/* The service describes itself: its index, the contract, the problems and the caller. */
#include "api/documentation.h"
#include "contract_handlers.h"
#include "service/contract/problems.h"
#include "service/http/request.h"
#include "service/http/served_contract.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Answers with a document that is made here; takes it over. */
static void answer_document(request *r, json_t *document) {
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    respond(r, 200, text == NULL ? "{}" : arena_strdup(request_memory(r), text));
    free(text);
    json_decref(document);
}

void handle_get_index(request *r) {
    if (respond_page_to_browser(r, "/")) {
        return;
    }
    set_page_headers(r);
    answer_document(r, json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:s,s:s}}", "name",
                                 "Learning Review Register", "version", contract_version, "links",
                                 "openapi_yaml", "/openapi.yaml", "openapi_json", "/openapi.json",
                                 "docs", "/docs", "reference", "/v1/reference/stages", "me",
                                 "/v1/me"));
}

void handle_get_contract_yaml(request *r) {
    response_set_header(r, "Cache-Control", "no-cache");
    respond_asset(r, served_contract_yaml(request_context(r)->contract));
}

void handle_get_contract_json(request *r) {
    response_set_header(r, "Cache-Control", "no-cache");
    respond_asset(r, served_contract_json(request_context(r)->contract));
}

static json_t *describe_problem(request *r, const problem_kind *kind) {
    const char *type = arena_printf(request_memory(r), "%s/v1/problems/%s",
                                    request_context(r)->settings->public_url, kind->code);
    return json_pack("{s:s,s:i,s:s,s:s,s:b,s:s,s:s}", "code", kind->code, "status", kind->status,
                     "title", kind->title, "meaning", kind->meaning, "retryable", kind->retryable,
                     "what_to_do", kind->what_to_do, "type", type);
}

void handle_list_problems(request *r) {
    if (respond_page_to_browser(r, "/docs/problems")) {
        return;
    }
    set_page_headers(r);
    json_t *items = json_array();
    for (size_t i = 0; i < problem_kind_count; i++) {
        json_array_append_new(items, describe_problem(r, &problem_kinds[i]));
    }
    answer_document(r, json_pack("{s:o,s:n}", "items", items, "next"));
}

void handle_get_problem(request *r) {
    const char *code = request_path_value(r, "code");
    if (respond_page_to_browser(r, arena_printf(request_memory(r), "/v1/problems/%s", code))) {
        return;
    }
    for (size_t i = 0; i < problem_kind_count; i++) {
        if (strcmp(problem_kinds[i].code, code) == 0) {
            set_page_headers(r);
            answer_document(r, describe_problem(r, &problem_kinds[i]));
            return;
        }
    }
    respond_problem(r, "not_found", NULL);
}

static json_t *list_scopes(const char *scopes) {
    json_t *list = json_array();
    while (*scopes != '\0') {
        size_t length = strcspn(scopes, " ");
        if (length > 0) {
            json_array_append_new(list, json_stringn(scopes, length));
        }
        scopes += length + (scopes[length] == ' ');
    }
    return list;
}

void handle_get_principal(request *r) {
    const principal *principal = request_principal(r);
    const config *settings = request_context(r)->settings;
    db_call call = {.statement = statement_get_principal, .safe_to_repeat = true};
    db_error error = {0};
    PGresult *result =
        db_call_run(request_context(r)->connections, principal, &call, &error, request_memory(r));
    if (result == NULL) {
        respond_db_error(r, &error);
        return;
    }
    json_t *organisation = json_loads(db_text(result, "body", request_memory(r)), 0, NULL);
    PQclear(result);
    char expires[32];
    struct tm parts;
    time_t at = (time_t)principal->expires_at;
    gmtime_r(&at, &parts);
    strftime(expires, sizeof expires, "%Y-%m-%dT%H:%M:%SZ", &parts);
    answer_document(r, json_pack("{s:o,s:s,s:o,s:s,s:{s:i,s:i,s:i}}", "organisation", organisation,
                                 "client_id", principal->client, "scopes",
                                 list_scopes(principal->scopes), "token_expires_at", expires,
                                 "rate_limit", "quota", settings->rate_limit, "organisation_quota",
                                 settings->organisation_rate_limit, "window_seconds",
                                 settings->rate_window_seconds));
}
