/* Tests of the work on the database that no request asks for. */
#include "service/db/chore.h"

#include <criterion/criterion.h>

Test(chore, given_that_chores_are_stopped_then_no_statement_begins) {
    const db_call call = {.what = statement_feed_sight_due};
    chore_stop();
    cr_expect_not(chore_work_off(NULL, &call, 1, 50)); /* would crash without connections */
}
