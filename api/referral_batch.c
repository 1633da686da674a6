/* Referrals in bulk: each item is checked, stored or refused by itself, or all of them together;
 * and the dry run. */
#include "api/free_text.h"
#include "api/referral_input.h"
#include "contract_handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITEMS_MAX = 1000,
    ASK_AGAIN_MAX = 3,
    FAULTS_MAX = 2000 /* of the batch: a small body could have a hundred for each of its items */
};

typedef struct batch {
    request *r;
    size_t count;
    const char **items; /* what the push statement takes; NULL where the contract refused */
    json_t **problems;  /* where refused; owned */
    group_commit_result *answers; /* where the database answered */
    bool *answered;
    size_t created, existing, refused;
} batch;

static const contract_schema *referral_schema(void) {
    return contract_find("pushReferral")->bodies[0].schema;
}

/* Everything that contract and privacy rules have against one document, at most so many faults, and
 * the problem's code. */
static violation_list check_referral(request *r, const json_t *document, size_t max,
                                     const char **code) {
    const char *pointer = "";
    violation_list faults = violation_list_make_for(request_memory(r), max);
    contract_check_value(referral_schema(), document, pointer, &faults);
    contract_scan_identifiers(referral_schema(), document, pointer, free_text_scan_identifier,
                              &faults);
    *code = "schema_violation";
    if (faults.first == NULL) {
        contract_scan_free_text(referral_schema(), document, pointer, free_text_scan, &faults);
        *code = "personal_identifier_found";
    }
    return faults;
}

static batch open_batch(request *r) {
    arena *memory = request_memory(r);
    size_t count = json_array_size(request_body(r));
    return (batch){.r = r,
                   .count = count,
                   .items = arena_alloc(memory, count * sizeof(char *)),
                   .problems = arena_alloc(memory, count * sizeof(json_t *)),
                   .answers = arena_alloc(memory, count * sizeof(group_commit_result)),
                   .answered = arena_alloc(memory, count * sizeof(bool))};
}

static void close_batch(batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        json_decref(batch->problems[i]);
    }
}

/* Returns false after it answered with a problem for the whole batch. When its items have too many
 * faults together, the later ones name their first one only. */
static bool check_items(batch *batch) {
    size_t left = FAULTS_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        json_t *document = json_array_get(request_body(batch->r), i);
        const char *code;
        violation_list faults = check_referral(batch->r, document, left > 0 ? left : 1, &code);
        left -= faults.count < left ? faults.count : left;
        if (faults.first != NULL) {
            batch->problems[i] = problem_document(batch->r, code, NULL, &faults, NULL);
            batch->refused++;
            continue;
        }
        contract_apply_defaults(referral_schema(), document);
        batch->items[i] = referral_item(batch->r, document, NULL, NULL);
        if (batch->items[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* The items that still wait for an answer, as the statement's argument; freed by the caller. */
static char *join_items(const batch *batch) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    char separator = '[';
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i] != NULL && !batch->answered[i]) {
            fprintf(out, "%c{\"n\":%zu,%s}", separator, i, batch->items[i]);
            separator = ',';
        }
    }
    fputs(separator == '[' ? "[]" : "]", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void take_answers(batch *batch, const PGresult *rows) {
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t n = (size_t)strtoul(PQgetvalue(rows, row, 0), NULL, 10);
        if (n >= batch->count ||
            !group_commit_result_read(rows, row, &batch->answers[n], request_memory(batch->r))) {
            continue;
        }
        batch->answered[n] = true;
        const db_error *error = &batch->answers[n].error;
        if (error->code != NULL) {
            batch->problems[n] = problem_document(batch->r, error->code, NULL, NULL, error->errors);
            batch->refused++;
        }
    }
}

static size_t count_waiting(const batch *batch) {
    size_t waiting = 0;
    for (size_t i = 0; i < batch->count; i++) {
        waiting += batch->items[i] != NULL && !batch->answered[i];
    }
    return waiting;
}

/* Sends the items inside the transaction, again for those that another transaction got in the way
 * of. */
static bool send_items(batch *batch, db_transaction *transaction, db_error *error) {
    for (int asked = 0; asked < ASK_AGAIN_MAX && count_waiting(batch) > 0; asked++) {
        char *items = join_items(batch);
        const char *const parameters[] = {items};
        PGresult *rows = items == NULL
                             ? NULL
                             : db_step(transaction, statement_push_referrals, parameters, error);
        free(items);
        if (rows == NULL) {
            return false;
        }
        take_answers(batch, rows);
        PQclear(rows);
    }
    if (count_waiting(batch) > 0) {
        *error = (db_error){.failure = DB_RETRY, .code = "overloaded"};
        return false;
    }
    return true;
}

static const char *render_batch(batch *batch) {
    batch->created = batch->existing = 0;
    json_t *items = json_array();
    for (size_t i = 0; i < batch->count; i++) {
        const group_commit_result *answer = &batch->answers[i];
        json_t *problem = batch->problems[i];
        int status = problem == NULL ? answer->reply.status
                                     : (int)json_integer_value(json_object_get(problem, "status"));
        batch->created += status == 201;
        batch->existing += status == 200;
        json_array_append_new(items,
                              json_pack("{s:I,s:i,s:s?,s:b,s:O?}", "index", (json_int_t)i, "status",
                                        status, "id", problem == NULL ? answer->id : NULL,
                                        "replayed", status == 200, "problem", problem));
    }
    json_t *document =
        json_pack("{s:o,s:I,s:I,s:I}", "items", items, "created", (json_int_t)batch->created,
                  "existing", (json_int_t)batch->existing, "refused", (json_int_t)batch->refused);
    char *text = json_dumps(document, JSON_COMPACT);
    const char *copy = arena_strdup(request_memory(batch->r), text);
    free(text);
    json_decref(document);
    return copy;
}

/* One problem for all that is wrong, with the items' numbers before their pointers. */
static void refuse_whole(batch *batch) {
    violation_list faults = violation_list_make(request_memory(batch->r));
    const char *code = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        json_t *problem = batch->problems[i];
        if (problem == NULL) {
            continue;
        }
        code = code == NULL ? json_string_value(json_object_get(problem, "code")) : code;
        json_t *errors = json_object_get(problem, "errors");
        if (json_array_size(errors) == 0) {
            violation_add(&faults, PLACE_BODY, arena_printf(request_memory(batch->r), "/%zu", i),
                          "refused", json_string_value(json_object_get(problem, "detail")));
        }
        size_t index;
        json_t *one;
        json_array_foreach (errors, index, one) {
            const char *pointer = json_string_value(json_object_get(one, "pointer"));
            violation_add(
                &faults, PLACE_BODY,
                arena_printf(request_memory(batch->r), "/%zu%s", i, pointer == NULL ? "" : pointer),
                arena_strdup(request_memory(batch->r),
                             json_string_value(json_object_get(one, "rule"))),
                json_string_value(json_object_get(one, "message")));
        }
    }
    respond_violations(batch->r, code, &faults);
}

/* Forgets what the database said in a try that came to nothing; what the contract refused stays
 * refused. */
static void forget_answers(batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i] != NULL && batch->problems[i] != NULL) {
            json_decref(batch->problems[i]);
            batch->problems[i] = NULL;
            batch->refused--;
        }
        batch->answered[i] = false;
    }
}

/* Stores the answer under the key, and one entry for all referrals in the audit trail: of a change,
 * or of showing what was there when nothing was new. */
static bool record_batch(batch *batch, db_transaction *transaction,
                         const db_idempotency *idempotency, const db_reply *reply,
                         db_error *error) {
    if (idempotency->key != NULL && !db_idempotency_store(transaction, idempotency, reply, error)) {
        return false;
    }
    const audit_note *note = request_audit_note(batch->r);
    return batch->created > 0    ? db_audit(transaction, note, reply->body, error)
           : batch->existing > 0 ? db_audit_replay(transaction, note, reply, error)
                                 : true;
}

/* One try: everything in one transaction. Returns false with `error`; answers when it returns true.
 */
static bool try_batch(batch *batch, bool atomic, const db_idempotency *idempotency,
                      db_error *error) {
    request *r = batch->r;
    db_transaction transaction;
    db_reply reply = {.status = atomic ? 201 : 207};
    bool done = false;
    if (!db_begin(&transaction, request_context(r)->connections, request_principal(r), error,
                  request_memory(r))) {
        return false;
    }
    if (idempotency->key != NULL && db_idempotency_find(&transaction, idempotency, &reply, error)) {
        done = error->code == NULL &&
               db_audit_replay(&transaction, request_audit_note(r), &reply, error);
    } else if (!send_items(batch, &transaction, error)) {
        done = false;
    } else if (atomic && batch->refused > 0) {
        db_rollback(&transaction);
        refuse_whole(batch);
        return true;
    } else {
        reply.body = render_batch(batch);
        done = record_batch(batch, &transaction, idempotency, &reply, error);
    }
    if (!done) {
        db_rollback(&transaction);
        return false;
    }
    done = db_commit(&transaction, error);
    if (done) {
        respond_reply(r, &reply);
    }
    return done;
}

/* Stores the checked items, again when another transaction or a lost connection got in the way: a
 * natural key makes even an uncertain commit safe to ask again. */
static void store_batch(batch *batch, bool atomic, const db_idempotency *idempotency) {
    db_error error = {0};
    for (db_retry retry = db_retry_begin();;) {
        error = (db_error){0};
        if (try_batch(batch, atomic, idempotency, &error)) {
            return;
        }
        if (error.failure == DB_REFUSED || !db_retry_again(&retry)) {
            break;
        }
        forget_answers(batch);
    }
    respond_db_error(batch->r, &error);
}

void handle_push_referrals(request *r) {
    const char *flag = request_query_value(r, "atomic");
    bool atomic = flag != NULL && strcmp(flag, "true") == 0;
    if (json_array_size(request_body(r)) == 0 || json_array_size(request_body(r)) > ITEMS_MAX) {
        violation_list faults = violation_list_make(request_memory(r));
        violation_add(&faults, PLACE_BODY, "", "max_items", "must hold 1 to 1000 referrals");
        respond_violations(r, "schema_violation", &faults);
        return;
    }
    db_idempotency idempotency = {0};
    request_idempotency(r,
                        &idempotency); /* before the items are made ready, which changes the body */
    batch batch = open_batch(r);
    if (check_items(&batch)) {
        if (atomic && batch.refused > 0) {
            refuse_whole(&batch);
        } else {
            store_batch(&batch, atomic, &idempotency);
        }
    }
    close_batch(&batch);
}

static void answer_validation(request *r, json_t *errors) {
    json_t *document =
        json_pack("{s:b,s:o}", "valid", json_array_size(errors) == 0, "errors", errors);
    char *text = json_dumps(document, JSON_COMPACT);
    respond(r, 200, arena_strdup(request_memory(r), text));
    free(text);
    json_decref(document);
}

void handle_validate_referral(request *r) {
    arena *memory = request_memory(r);
    json_t *document = request_body(r);
    const char *code;
    violation_list faults = check_referral(r, document, VIOLATIONS_MAX, &code);
    const char *found = NULL;
    if (faults.first == NULL) {
        contract_apply_defaults(referral_schema(), document);
        if (!referral_hide_children(
                r, document, json_string_value(json_object_get(document, "committee")),
                json_string_value(json_object_get(document, "source_system")))) {
            return;
        }
        db_call call = {.statement = statement_validate_referral,
                        .parameters = {request_body_text(r)},
                        .safe_to_repeat = true};
        db_error error = {0};
        PGresult *result = db_call_run(request_context(r)->connections, request_principal(r), &call,
                                       &error, memory);
        if (result == NULL) {
            respond_db_error(r, &error);
            return;
        }
        found = db_text(result, "body", memory);
        PQclear(result);
    }
    json_t *problem = problem_document(r, "rule_violation", NULL, &faults, found);
    answer_validation(r, json_incref(json_object_get(problem, "errors")));
    json_decref(problem);
}
