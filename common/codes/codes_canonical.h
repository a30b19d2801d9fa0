/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical form of a code: what is stored, compared and unique. Two texts are the same code
 * exactly when their canonical forms are the same bytes.
 *
 * Canonical form: valid UTF-8, then to a fixed point: NFKC, full case folding (so keys are lower
 * case), and without white space, dashes (Unicode Pd and U+2212) and default ignorable characters
 * (soft hyphen, zero-width and direction marks, variation selectors). It is 1 to CODES_KEY_CHARS
 * characters long and idempotent: the canonical form of a key is the key.
 *
 * Control characters (among them NUL) and characters that the Unicode version at hand does not know
 * are refused: the former have no place in a code, the latter could fold otherwise one day.
 *
 * Keys are ordered by their bytes (COLLATE "C"), which for UTF-8 is the order of code points.
 */
#ifndef CODES_CANONICAL_H
#define CODES_CANONICAL_H

#include "base_attr.h"
#include "base_err.h"

#include <stddef.h>

/* The longest canonical form, in characters and in bytes. */
#define CODES_KEY_CHARS 64
#define CODES_KEY_BYTES 256
/* The longest text that is looked at, in bytes: dashes and spaces included. */
#define CODES_INPUT_BYTES 1024

/*
 * Writes the key, with a closing NUL that is not counted, to out. ERR_POISON, domain "codes":
 * bad_utf8, bad_character, empty_code, code_too_long. On failure the contents of out are undefined.
 */
int codes_canonical(const char *text, size_t len, char out[CODES_KEY_BYTES + 1], size_t *ret_len,
                    struct err *err) MUST_CHECK;

#endif
