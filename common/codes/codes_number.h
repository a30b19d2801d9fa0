/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of codes. Spaces go up to 2^96, so that every product the draw needs (a space times a
 * number of codes) fits 128 bits. Texts are plain decimal digits, as PostgreSQL's numeric reads and
 * prints them.
 */
#ifndef CODES_NUMBER_H
#define CODES_NUMBER_H

#include "base_attr.h"
#include "base_err.h"

#include <stddef.h>
#include <stdint.h>

typedef unsigned __int128 codes_u128;

/* The largest space of ranks. */
#define CODES_SPACE_MAX ((codes_u128)1 << 96)
/* The most codes one job draws; also keeps i * r in 64 bits. */
#define CODES_JOB_MAX UINT64_C(2000000000)
/* Room for any codes_u128 as decimal text, with the closing NUL. */
#define CODES_U128_TEXT 40

const char *codes_u128_text(codes_u128 value, char out[CODES_U128_TEXT]);
/* Digits only, no sign, no white space, value in 0..max; -1 with "bad_number" otherwise. */
int codes_u128_parse(const char *text, codes_u128 max, codes_u128 *ret_value,
                     struct err *err) MUST_CHECK;

#endif
