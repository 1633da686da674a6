/* Files compiled into the program. The build compresses them and computes their entity tags, so
 * that a request costs no more than sending the bytes. */
#include "service/http/static_asset.h"

#include "service/http/request_private.h"

#include <zlib.h>

static const void *decompress(request *r, const static_asset *asset) {
    enum { GZIP_WINDOW = 15 + 16 };
    unsigned char *out = arena_alloc(r->memory, asset->size);
    z_stream stream = {.next_in = (z_const Bytef *)asset->gzip,
                       .avail_in = (uInt)asset->gzip_size,
                       .next_out = out,
                       .avail_out = (uInt)asset->size};
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
        return NULL;
    }
    int result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return result == Z_STREAM_END ? out : NULL;
}

void respond_asset(request *r, const static_asset *asset) {
    r->is_compressed = negotiate_gzip(request_header(r, "Accept-Encoding"));
    size_t size = r->is_compressed ? asset->gzip_size : asset->size;
    const void *bytes = r->is_compressed ? asset->gzip : decompress(r, asset);
    if (bytes == NULL) {
        respond_problem(r, "overloaded", NULL);
        return;
    }
    response_set_etag(r, asset->etag);
    respond_bytes(r, asset->media_type, bytes, size);
}
