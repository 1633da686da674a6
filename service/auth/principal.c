/* The caller, as a verified token describes it. */
#include "service/auth/principal.h"

#include <string.h>

bool principal_has_scope(const principal *principal, const char *scope) {
    size_t length = strlen(scope);
    if (length == 0 || length > SCOPES_MAX || strchr(scope, ' ') != NULL) {
        return false;
    }
    for (const char *at = strstr(principal->scopes, scope); at != NULL;
         at = strstr(at + 1, scope)) {
        bool begins = at > principal->scopes && at[-1] == ' ';
        if (begins && at[length] == ' ') {
            return true;
        }
    }
    return false;
}
