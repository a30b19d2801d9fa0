/* SPDX-License-Identifier: Apache-2.0
 *
 * A character set: the symbols a place of a pattern may hold.
 *
 * Every symbol is one character whose canonical form is one character (1 to 4 bytes of UTF-8), no
 * white space, no dash, nothing that combines with a neighbour. Symbols that fold together count
 * once and are shown in upper case when both cases were given. Symbols are sorted by their
 * canonical bytes, so that index order is key order.
 *
 * A plain value: copy it freely, nothing to free, never changes after it was parsed.
 */
#ifndef CODES_SET_H
#define CODES_SET_H

#include "base_attr.h"
#include "base_err.h"

#include <stddef.h>
#include <stdint.h>

#define CODES_SET_MAX 256
/* The longest text of a set, in bytes. */
#define CODES_SET_TEXT_MAX 4096

struct codes_symbol {
    uint32_t point; /* canonical, as a code point                  */
    char key[4];    /* canonical, as UTF-8; not NUL-terminated     */
    char show[4];   /* as displayed                                */
    uint8_t key_len;
    uint8_t show_len;
};

struct codes_set {
    unsigned count; /* 1..CODES_SET_MAX */
    struct codes_symbol symbols[CODES_SET_MAX];
    int16_t ascii[128]; /* canonical ASCII byte to index, -1: not in the set */
};

/*
 * A named set (crockford: 0-9 A-Z without I L O U; digits; letters; alnum), or else explicit
 * characters: "A-Z0-9", where x-y is a range of code points and \ takes the next character as it
 * stands. ERR_POISON, domain "codes": bad_utf8, set_empty, set_too_large, set_syntax, set_range
 * (reversed or too wide), symbol_not_single, symbol_separator (white space, dash or ignorable),
 * symbol_combines, bad_character. Texts name the symbol as U+XXXX. *ret_set is untouched on
 * failure.
 */
int codes_set_parse(const char *text, size_t len, struct codes_set *ret_set,
                    struct err *err) MUST_CHECK;
/* The same without names: always explicit characters. */
int codes_set_parse_explicit(const char *text, size_t len, struct codes_set *ret_set,
                             struct err *err) MUST_CHECK;

/* Index of a canonical character, -1 when it is not in the set. */
int codes_set_index(const struct codes_set *set, uint32_t point);

#endif
