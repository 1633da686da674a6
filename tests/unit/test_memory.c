/* Tests of memory that cannot be missing: whose it is, and that the libraries take it. */
#include "service/memory.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <orcania.h>
#include <stdlib.h>
#include <string.h>

Test(memory, given_no_size_when_asked_for_then_there_is_a_place) {
    void *place = memory_get(0);
    cr_assert_not_null(place);
    free(place);
}

Test(memory, given_a_size_when_asked_for_then_all_of_it_can_be_written) {
    char *place = memory_get(100000);
    memset(place, 7, 100000);
    cr_expect_eq(place[99999], 7);
    free(place);
}

Test(memory, given_a_start_then_documents_and_answers_take_this_memory) {
    json_malloc_t of_json = NULL;
    json_free_t free_of_json = NULL;
    o_malloc_t of_answers = NULL;
    memory_start();
    json_get_alloc_funcs(&of_json, &free_of_json);
    o_get_alloc_funcs(&of_answers, NULL, NULL);
    cr_expect_eq(of_json, memory_get);
    cr_expect_eq(of_answers, memory_get);
}

Test(memory, given_a_program_when_it_starts_then_openssl_takes_this_memory_before_it_has_any) {
    CRYPTO_malloc_fn of_openssl = NULL;
    CRYPTO_get_mem_functions(&of_openssl, NULL, NULL);
    cr_expect_neq(of_openssl, CRYPTO_malloc);
}
