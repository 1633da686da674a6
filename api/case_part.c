/* What a case has one of, or several of: the usual ways of their handlers. */
#include "api/case_part.h"

#include <stdbool.h>
#include <stddef.h>

void case_replace_part(exchange *x, const statement *what) {
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

void case_read_part(exchange *x, const statement *what, const char *place) {
    exchange_read(x, what,
                  (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, place)});
}

void case_add_part(exchange *x, const statement *what) {
    exchange_write(x, what, (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void case_change_part(exchange *x, const statement *what, const char *place) {
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, place),
                                    exchange_expected_version(x), exchange_body_text(x)});
}
