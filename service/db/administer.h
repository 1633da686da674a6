/* Changes that an operator makes by commands, with the rights of the register's owner. */
#pragma once

#include "service/db/statement.h"

#include <stddef.h>

typedef enum administer_result {
    ADMINISTER_DONE,       /* committed; a sentence or lines in `text` */
    ADMINISTER_REFUSED,    /* the register refused it, nothing was changed; why in `text` */
    ADMINISTER_UNAVAILABLE /* the database could not be asked, or failed; why in `text` */
} administer_result;

/* Runs a statement that returns one text, in a transaction of its own, over a connection to
 * `conninfo`, which `setting` contains. The role must be a member of register_owner. `text` is cut
 * to its size. */
administer_result administer(const char *setting, const char *conninfo, const statement *statement,
                             const char *const *parameters, char *text, size_t text_size);
