/* The roles for which the command `token` makes tokens in development mode. */
#pragma once

#include "service/command.h"

/* Ends with a row of NULLs. */
extern const token_role development_roles[];
