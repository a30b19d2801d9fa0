/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of jsonio share; nobody else includes it.
 */
#ifndef JSONIO_INTERNAL_H
#define JSONIO_INTERNAL_H

#include "jsonio.h"

/* Longest number as written. Longer ones say nothing that a double could hold. */
#define JSONIO_NUMBER_MAX 64

/* Where the value stands, without the white space around it. */
struct jsonio_span {
    size_t from;
    size_t to;
};

/*
 * Check that the bytes are one strict JSON value, all that jsonio_parse() promises. Nothing is
 * built; works in one pass, with memory for the keys of the open objects only.
 */
int jsonio_scan(const char *text, size_t len, struct jsonio_span *ret_span,
                struct err *err) MUST_CHECK;

/* Length of the well-formed UTF-8 sequence at bytes (1..4), 0 when there is none. */
size_t jsonio_utf8_step(const unsigned char *bytes, size_t len);
/* Append a code point (no surrogate); returns 1..4. */
size_t jsonio_utf8_put(uint32_t point, char out[4]);

#endif
