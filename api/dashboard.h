/* The files of api/dashboard, compiled into the program by the build. */
#pragma once

#include <stddef.h>

extern const unsigned char dashboard_page[];
extern const size_t dashboard_page_size;
extern const unsigned char dashboard_script[];
extern const size_t dashboard_script_size;
extern const unsigned char dashboard_style[];
extern const size_t dashboard_style_size;
