/* Tests of the error that a broken database connection gives the caller. */
#include "service/db/error.h"

#include <criterion/criterion.h>

static arena *memory;

static void begin(void) {
    memory = arena_new();
}

static void end(void) {
    arena_free(memory);
}

TestSuite(db_error, .init = begin, .fini = end);

Test(db_error, without_a_result_the_database_is_unavailable) {
    db_error error = db_error_read(NULL, memory);
    cr_expect_eq(error.failure, DB_UNAVAILABLE);
    cr_expect_str_eq(error.code, "database_unavailable");
}

Test(db_error, without_a_result_there_is_no_sqlstate_and_no_detail) {
    db_error error = db_error_read(NULL, memory);
    cr_expect_str_empty(error.sqlstate);
    cr_expect_null(error.errors);
    cr_expect_null(error.constraint);
}

Test(db_error, an_error_without_a_sqlstate_means_unavailable) {
    /* libpq makes such a result of its own errors, for example a lost connection. */
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
    db_error error = db_error_read(result, memory);
    cr_expect_eq(error.failure, DB_UNAVAILABLE);
    cr_expect_str_eq(error.code, "database_unavailable");
    PQclear(result);
}
