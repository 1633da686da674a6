#include "api/singleton.h"

#include <stddef.h>

void singleton_put(exchange *x, const statement *what) {
    bool first = exchange_header(x, "If-None-Match") != NULL;
    bool again = exchange_header(x, "If-Match") != NULL;
    if (first && again) {
        exchange_refuse(
            x, "invalid_header",
            "Send either If-None-Match: * for the first one or If-Match to replace it.");
        return;
    }
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), first ? "true" : "false",
                                    exchange_expected_version(x), exchange_body_text(x)});
}

void singleton_read(exchange *x, const statement *what) {
    exchange_read(x, what, (const char *[]){exchange_path_value(x, "id")});
}
