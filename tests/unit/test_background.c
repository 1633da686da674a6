/* Tests of background work on the database. */
#include "service/db/background.h"

#include <criterion/criterion.h>

Test(background, no_statement_begins_after_stop) {
    const db_call call = {.statement = statement_feed_sight_due};
    background_stop();
    cr_expect_not(background_run_steps(NULL, &call, 1, 50)); /* would crash without connections */
}
