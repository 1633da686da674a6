/* Looks twice a second whether anything changed that statistics are made of, and who is shut out,
 * on a connection of its own, and says what it saw. */
#pragma once

#include <stdbool.h>

typedef struct change_watch change_watch;

enum { CHANGE_MARK_SIZE = 64 };

/* Starts looking. NULL when memory or threads are out. */
change_watch *change_watch_new(const char *conninfo);
void change_watch_free(change_watch *watching);

/* The mark of the last look, which differs whenever an answer could differ. Returns false while
 * nothing is known for sure: the last look began more than a second ago, or it left changes to be
 * counted. Then the database has to be asked. */
bool change_watch_mark(change_watch *watching, char mark[CHANGE_MARK_SIZE]);

/* Whether the last look saw that a client of the organisation, or one of its tokens, is shut out:
 * then the database has to be asked, too. */
bool change_watch_excludes(change_watch *watching, const char *organisation);
