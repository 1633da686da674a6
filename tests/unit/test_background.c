/* Tests of the work on the database that no request asks for. */
#include "service/db/background.h"

#include <criterion/criterion.h>

Test(background, given_that_background_work_is_stopped_then_no_statement_begins) {
    const db_call call = {.statement = statement_feed_sight_due};
    background_stop();
    cr_expect_not(background_run_steps(NULL, &call, 1, 50)); /* would crash without connections */
}
