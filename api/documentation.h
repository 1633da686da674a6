/* The pages of the documentation, their style, scripts and search index, compiled into the program
 * by the build. */
#pragma once

#include "service/http/static_asset.h"

typedef struct documentation_file {
    const char *address;
    static_asset asset;
} documentation_file;

extern const documentation_file documentation_files[];
extern const size_t documentation_file_count;

/* Sets the headers of everything that a browser may show: nothing from elsewhere, nothing inline,
 * nothing sent anywhere but here. */
void set_page_headers(request *r);

/* Answers with the page at an address, or 404, if the client prefers a page to JSON. Returns
 * whether it answered. */
bool respond_page_to_browser(request *r, const char *address);
