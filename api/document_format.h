/* Recognises the formats in which documents are stored, and finds what they must not have. */
#pragma once

#include <stddef.h>

/* A fault in the bytes of a document: a rule of the contract, and a message. */
typedef struct document_fault {
    const char *rule, *message;
} document_fault;

/* Compares the bytes with the media type, whatever their name was. Returns a fault whose rule is
 * NULL for a document that may be stored. Its strings are literals. The content of compressed
 * streams is not read: a viewer must not run scripts either. */
document_fault document_examine(const char *media_type, const void *bytes, size_t size);
