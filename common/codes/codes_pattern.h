/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns: a sequence of literals and places, each place with its own character set.
 *
 * Text syntax
 *   x          a literal character, shown as it stands; dash, space and ignorable characters are
 *              shown only, all others take part in the key in canonical form
 *   #          a place of the set crockford
 *   [A-Z0-9]   a place with explicit characters (codes_set_parse_explicit)
 *   {n}        after a place: repeats it, n = 1..64 in all
 *   {check}    the check character: once, behind the last place
 *   \x         x as it stands
 *
 * A pattern has at most 64 places (a place with a single symbol counts as a literal), keys of 1..64
 * characters, and keys and displayed codes of at most CODES_PATTERN_BYTES bytes. Without any place
 * it is a single code, such as one that is printed on a poster: M is 1, and it has no check
 * character.
 *
 * Rank: the places are the digits of a mixed radix number, the first place most significant. The
 * leading places whose sizes multiply to at most 2^96 are ranked; M, the space, is that product.
 * Further places are free: low-order digits outside of the rank. Rank order is the order of keys.
 *
 * The check character is computed over the values of all places, free ones included; literals are
 * not part of it. A symbol's value is its index in the union of the sets of all places, and the
 * check character is a symbol of that union, so that all wrong symbols and swaps of neighbouring
 * places are found even where places have different sets. The union has 3..64 symbols, not 6.
 *
 * A pattern never changes after it was made, and may be shared by threads.
 */
#ifndef CODES_PATTERN_H
#define CODES_PATTERN_H

#include "base_attr.h"
#include "base_err.h"
#include "codes_number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODES_PLACES_MAX 64
#define CODES_PATTERN_BYTES 128
#define CODES_PATTERN_TEXT_MAX 1024
/* 12 places of Crockford's base 32, shown in dashes of four. */
#define CODES_PATTERN_DEFAULT "####-####-####"

struct codes_pattern;

/* A pattern as length, set and decoration. Zero and NULL mean the default. */
struct codes_format {
    unsigned length;     /* places, without the check character; 0: 12                  */
    const char *charset; /* as codes_set_parse; NULL: crockford                         */
    const char *prefix;  /* literal text; NULL: none                                    */
    const char *suffix;
    unsigned dash_every; /* a dash after every so many places; 0: none                  */
    bool check;          /* append a check character (counts as a place for the dashes) */
};

/* One code. Both texts carry a closing NUL that is not counted. */
struct codes_code {
    codes_u128 rank;
    uint32_t serial; /* filled by codes_strata                                       */
    uint16_t key_len;
    uint16_t display_len;
    char key[CODES_PATTERN_BYTES + 1];
    char display[CODES_PATTERN_BYTES + 1];
};

enum codes_match {
    CODES_MATCH_NO,    /* not a string of the pattern                              */
    CODES_MATCH_CHECK, /* would be one, but the check character is another one     */
    CODES_MATCH_YES,
};

/*
 * check: add {check} behind the last place unless the text has one. The caller owns *ret_pattern.
 * ERR_POISON, domain "codes": pattern_syntax, pattern_too_long, pattern_empty, pattern_no_place
 * (for a check character), literal_combines, check_size, those of codes_set_parse for sets and of
 * codes_canonical for literals.
 */
int codes_pattern_parse(const char *text, size_t len, bool check,
                        struct codes_pattern **ret_pattern, struct err *err) MUST_CHECK;
/* The same from a format; length and dash_every out of range: pattern_too_long, pattern_syntax. */
int codes_pattern_from_format(const struct codes_format *format, struct codes_pattern **ret_pattern,
                              struct err *err) MUST_CHECK;
void codes_pattern_free(struct codes_pattern *pattern); /* takes NULL */
DEFINE_CLEANUP(struct codes_pattern, codes_pattern_free)

/* The pattern as text that parses to this very pattern, {check} included: what to store. */
const char *codes_pattern_text(const struct codes_pattern *pattern);
/*
 * Names the space: equal exactly for patterns whose keys are the same strings with the same check.
 * How codes are shown does not matter. Pattern text in canonical form where that has at most 512
 * bytes, "sha256:<hex>" of it otherwise.
 */
const char *codes_pattern_fingerprint(const struct codes_pattern *pattern);
/* M: the number of ranks, at most CODES_SPACE_MAX. */
codes_u128 codes_pattern_space(const struct codes_pattern *pattern);
unsigned codes_pattern_places(const struct codes_pattern *pattern);      /* ranked and free */
unsigned codes_pattern_free_places(const struct codes_pattern *pattern); /* free only       */
bool codes_pattern_has_check(const struct codes_pattern *pattern);
unsigned codes_pattern_key_chars(const struct codes_pattern *pattern);
/* The most bytes any key or displayed code of the pattern has. */
unsigned codes_pattern_key_bytes(const struct codes_pattern *pattern);
unsigned codes_pattern_display_bytes(const struct codes_pattern *pattern);
/* Every code is shown as its key, so that the display form need not be stored. */
bool codes_pattern_display_is_key(const struct codes_pattern *pattern);

/*
 * Fill all of *out but the serial. rank < M; free_digits: one per free place, each below the size
 * of its set; NULL: all 0.
 */
void codes_pattern_render(const struct codes_pattern *pattern, codes_u128 rank,
                          const uint8_t *free_digits, struct codes_code *out);
/*
 * Read a canonical key. ret_rank and ret_free (one digit per free place) may be NULL and are filled
 * unless the answer is CODES_MATCH_NO.
 */
enum codes_match codes_pattern_match(const struct codes_pattern *pattern, const char *key,
                                     size_t len, codes_u128 *ret_rank,
                                     uint8_t ret_free[CODES_PLACES_MAX]);
/* A canonical key as the pattern shows it: 1 and *out filled, 0 when the key does not match. */
int codes_pattern_display(const struct codes_pattern *pattern, const char *key, size_t len,
                          struct codes_code *out);

#endif
