/* Files compiled into the program: pages, scripts and style sheets. */
#pragma once

#include "service/http/request.h"

/* A file in its compressed form only, because almost all clients accept it. */
typedef struct static_asset {
    const char *media_type;
    const char *etag; /* of the uncompressed bytes, with its quotes */
    const unsigned char *gzip;
    size_t gzip_size;
    size_t size; /* uncompressed */
} static_asset;

/* Answers with the file, and with 304 when the client has it. Decompresses it for a client that
 * does not accept gzip. The operation must declare If-None-Match. */
void respond_asset(request *r, const static_asset *asset);
