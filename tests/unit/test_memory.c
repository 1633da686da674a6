/* Tests of the allocation that never fails in the middle: who uses it, and that the libraries do.
 */
#include "service/memory.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <orcania.h>
#include <stdlib.h>
#include <string.h>

Test(memory, a_size_of_zero_returns_memory) {
    void *place = memory_get(0);
    cr_assert_not_null(place);
    free(place);
}

Test(memory, all_of_the_memory_is_writable) {
    char *place = memory_get(100000);
    memset(place, 7, 100000);
    cr_expect_eq(place[99999], 7);
    free(place);
}

Test(memory, documents_and_answers_use_this_memory) {
    json_malloc_t of_json = NULL;
    json_free_t free_of_json = NULL;
    o_malloc_t of_answers = NULL;
    memory_start();
    json_get_alloc_funcs(&of_json, &free_of_json);
    o_get_alloc_funcs(&of_answers, NULL, NULL);
    cr_expect_eq(of_json, memory_get);
    cr_expect_eq(of_answers, memory_get);
}

Test(memory, openssl_uses_this_memory_before_its_first_allocation) {
    CRYPTO_malloc_fn of_openssl = NULL;
    CRYPTO_get_mem_functions(&of_openssl, NULL, NULL);
    cr_expect_neq(of_openssl, CRYPTO_malloc);
}
