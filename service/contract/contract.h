/* The contract as the build compiled it from openapi.yaml: routes, parameters, bodies, scopes. */
#pragma once

#include "service/violation.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct request request;

/* A handler takes the checked values out of the request and puts the response into it. */
typedef void (*contract_handler)(request *r);

typedef enum contract_format {
    FORMAT_NONE,
    FORMAT_DATE,      /* RFC 3339 full-date, a day that exists */
    FORMAT_DATE_TIME, /* RFC 3339 date-time */
    FORMAT_UUID,      /* RFC 9562, lower or upper case */
    FORMAT_URI,
    FORMAT_URI_REFERENCE
} contract_format;

/* Bits of contract_schema.types; 0 means any type. */
enum contract_type {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64
};

typedef struct contract_schema contract_schema;

typedef struct contract_property {
    const char *name;
    const contract_schema *schema;
    bool required;
} contract_property;

/* One JSON Schema of the contract, with the keywords that this project allows. */
struct contract_schema {
    unsigned types;
    const char *const *enumeration; /* strings, NULL-terminated; NULL when there is no enum */
    const contract_property *properties;
    size_t property_count;
    bool additional_properties; /* false: an unknown member is a violation */
    size_t min_properties;
    const contract_schema *items;
    size_t min_items, max_items; /* SIZE_MAX: no bound */
    bool unique_items;
    size_t min_length, max_length; /* code points; SIZE_MAX: no bound */
    const char *pattern;           /* ECMA regular expression, searched, not anchored; or NULL */
    size_t pattern_index;          /* index of the pattern's compiled form */
    contract_format format;
    bool has_minimum, has_maximum;
    int64_t minimum, maximum;
    const char *reference;    /* x-reference: the address that lists the codes; or NULL */
    bool free_text;           /* x-free-text: scanned for what identifies a person */
    bool identifier;          /* x-identifier: scanned for what identifies a person by itself */
    json_type default_type;   /* JSON_NULL when there is no default worth applying */
    const char *default_json; /* the default as JSON text, or NULL */
};

typedef enum contract_in { IN_PATH, IN_QUERY, IN_HEADER } contract_in;

typedef struct contract_parameter {
    const char *name;
    contract_in in;
    bool required;
    bool list; /* array, style form, explode false: comma-separated */
    const contract_schema *schema;
} contract_parameter;

typedef struct contract_body {
    const char *media_type;
    const contract_schema *schema; /* for application/x-ndjson: of one line */
} contract_body;

/* How the audit trail records an answer of 2xx. */
typedef enum contract_audit { AUDIT_NONE, AUDIT_READ, AUDIT_CHANGE } contract_audit;

typedef struct contract_operation {
    const char *id; /* operationId */
    const char *method;
    const char *path; /* template as in the contract, e.g. /v1/cases/{id} */
    contract_handler handler;
    bool public;               /* no token asked; one that is sent counts if there are scopes */
    const char *const *scopes; /* all needed, NULL-terminated; empty: any valid token */
    const contract_parameter *parameters;
    size_t parameter_count;
    const contract_body *bodies; /* empty: a body is refused */
    size_t body_count;
    bool body_required;
    size_t max_bytes;            /* of the request's body */
    bool slow;                   /* a large body or page: see slow_work.h */
    int success;                 /* the first 2xx status that the contract names */
    const char *const *produces; /* media types of the success response, NULL-terminated */
    const char *const *columns;  /* of a list as CSV, members of its items; NULL-terminated */
    const char *deprecation;     /* value of Deprecation; NULL: not deprecated */
    const char *sunset;          /* value of Sunset, or NULL */
    contract_audit audit;        /* x-audit; by default everything that needs a scope is recorded */
    const char *collection;      /* what identifiers in the audit trail are of: cases */
} contract_operation;

/* Written by the build. */
extern const contract_operation contract_operations[];
extern const size_t contract_operation_count;
extern const char *const contract_patterns[];
extern const size_t contract_pattern_count;
extern const char contract_version[];       /* info.version */
extern const char contract_server_url[];    /* address of the service in the contract's examples */
extern const char contract_token_url[];     /* address of the token endpoint there */
extern const char *const contract_scopes[]; /* all of the security scheme; ends with NULL */
extern const unsigned char contract_yaml[];
extern const size_t contract_yaml_size;
extern const unsigned char contract_json[];
extern const size_t contract_json_size;

/* Compiles the patterns; once, before any check.
 * Returns false when a pattern is refused by the regular expression library. */
bool contract_start(void);

/* Frees what contract_start made. */
void contract_stop(void);

/* Returns the operation with this operationId; NULL when there is none. */
const contract_operation *contract_find(const char *id);

enum { PATH_VALUES_MAX = 4 };

typedef struct contract_match {
    const contract_operation *operation; /* NULL: see path_known */
    const char *names[PATH_VALUES_MAX];
    const char *values[PATH_VALUES_MAX]; /* decoded, owned by the arena */
    size_t value_count;
    const char
        *format;     /* "csv": the path ended with .csv, and the operation has this form; or NULL */
    bool path_known; /* the path exists with another method */
    const char
        *allow; /* value for the Allow header when path_known (RFC 9110 10.2.1), in `memory` */
} contract_match;

/* Finds the operation for a method and a path as it is in the request line, without its query.
 * HEAD finds the GET operation. A path that is not in canonical form (empty or dot segments, a
 * trailing slash, needless or bad escapes) matches nothing. A path that ends with .csv is the path
 * without it, if GET answers there with CSV. Everything returned lives in `memory`. */
contract_match contract_route(const char *method, const char *path, arena *memory);

/* One name and value of a query string or header, decoded. */
typedef struct contract_pair {
    const char *name;
    const char *value;
} contract_pair;

/* Checks the value against the schema and adds every violation, with the rule's name and a JSON
 * pointer that starts with `pointer` ("" for a whole body). */
void contract_check_value(const contract_schema *schema, const json_t *value, const char *pointer,
                          violation_list *out);

/* Sets the defaults of absent optional members, recursively, in `value` (changed in place). */
void contract_apply_defaults(const contract_schema *schema, json_t *value);

/* Returns as much of a name that was sent as an answer may repeat: at most 64 bytes of UTF-8, in
 * `memory`. */
const char *contract_repeatable_name(const char *name, arena *memory);

/* Checks path values, query pairs and (declared) headers of the request; names that the contract
 * does not know in the query are violations (rule unknown_parameter), as are repeated ones
 * (repeated_parameter). Headers that the contract does not declare are not looked at. */
void contract_check_parameters(const contract_operation *operation, const contract_match *match,
                               const contract_pair *query, size_t query_count,
                               const contract_pair *headers, size_t header_count,
                               violation_list *out);

/* Called for each string of a body whose schema has x-free-text; see contract_scan_free_text. */
typedef const char *(*contract_text_scanner)(const char *text);

/* Runs `scan` over every free text of the value. `scan` returns NULL or what kind of identifier it
 * saw (e.g. "chi_number"); that becomes a violation with rule `personal_identifier` whose message
 * names the kind. */
void contract_scan_free_text(const contract_schema *schema, const json_t *value,
                             const char *pointer, contract_text_scanner scan, violation_list *out);

/* The same for every string of the value whose schema has x-identifier. */
void contract_scan_identifiers(const contract_schema *schema, const json_t *value,
                               const char *pointer, contract_text_scanner scan,
                               violation_list *out);

/* The same for the headers that the operation declares with x-identifier. */
void contract_scan_headers(const contract_operation *operation, const contract_pair *headers,
                           size_t header_count, contract_text_scanner scan, violation_list *out);
