/* Compiles the contract's patterns with PCRE2 and matches them, each thread with its own data. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "service/contract/patterns.h"
#include "service/contract/contract.h"

#include <pcre2.h>
#include <stdlib.h>
#include <threads.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_LIMIT_KIB = 1024 };

static pcre2_code **compiled;
static pcre2_match_context *limits;
static once_flag key_once = ONCE_FLAG_INIT;
static tss_t match_data_key;
static bool key_made;

static void free_match_data(void *data) {
    pcre2_match_data_free(data);
}

static void make_key(void) {
    key_made = tss_create(&match_data_key, free_match_data) == thrd_success;
}

static pcre2_code *compile_pattern(const char *pattern) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    // NEVER_BACKSLASH_C, because \C could cut a code point.
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
    if (code != NULL) {
        // Where memory may not become executable this fails, and the interpreter does the work.
        (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    }
    return code;
}

bool contract_start(void) {
    call_once(&key_once, make_key);
    if (!key_made || compiled != NULL) {
        return key_made;
    }
    limits = pcre2_match_context_create(NULL);
    compiled = calloc(contract_pattern_count + 1, sizeof *compiled);
    if (limits == NULL || compiled == NULL) {
        contract_stop();
        return false;
    }
    pcre2_set_match_limit(limits, MATCH_LIMIT);
    pcre2_set_depth_limit(limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
    for (size_t i = 0; i < contract_pattern_count; i++) {
        compiled[i] = compile_pattern(contract_patterns[i]);
        if (compiled[i] == NULL) {
            contract_stop();
            return false;
        }
    }
    return true;
}

void contract_stop(void) {
    for (size_t i = 0; compiled != NULL && i < contract_pattern_count; i++) {
        pcre2_code_free(compiled[i]);
    }
    free(compiled);
    compiled = NULL;
    pcre2_match_context_free(limits);
    limits = NULL;
    if (key_made) {
        // Other threads free theirs when they end; the main thread never runs destructors.
        pcre2_match_data_free(tss_get(match_data_key));
        tss_set(match_data_key, NULL);
    }
}

static pcre2_match_data *thread_match_data(void) {
    pcre2_match_data *data = tss_get(match_data_key);
    if (data != NULL) {
        return data;
    }
    data = pcre2_match_data_create(1, NULL);
    if (data != NULL && tss_set(match_data_key, data) != thrd_success) {
        pcre2_match_data_free(data);
        return NULL;
    }
    return data;
}

bool pattern_matches(size_t pattern_index, const char *text, size_t length) {
    if (compiled == NULL) {
        return false;
    }
    pcre2_match_data *data = thread_match_data();
    if (data == NULL) {
        return false;
    }
    // The text was checked when it was read; checking it again would double the time.
    return pcre2_match(compiled[pattern_index], (PCRE2_SPTR)text, length, 0, PCRE2_NO_UTF_CHECK,
                       data, limits) >= 0;
}
