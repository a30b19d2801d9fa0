/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this library share and nobody else needs: folding without the bounds of a code,
 * and a compiled pattern from within.
 */
#ifndef CODES_INTERNAL_H
#define CODES_INTERNAL_H

#include "codes_canonical.h"
#include "codes_check.h"
#include "codes_number.h"
#include "codes_pattern.h"
#include "codes_set.h"

#include <stdbool.h>
#include <stdint.h>

/* Longest fingerprint that is kept as text. */
#define CODES_FINGERPRINT_TEXT 512

/*
 * The canonical form as code points, which may be none at all. Errors as codes_canonical(), without
 * empty_code.
 */
int codes_fold_points(const char *text, size_t len, uint32_t out[CODES_KEY_CHARS],
                      size_t *ret_count, struct err *err) MUST_CHECK;
/* Could the character become one with a character before it (marks, Hangul vowels and finals)? */
bool codes_point_combines(uint32_t point);
/* UTF-8 to code point: bytes used (1..4), or 0 when the bytes are no UTF-8 or len is 0. */
size_t codes_point_read(const char *text, size_t len, uint32_t *ret_point);
/* Code point to UTF-8: bytes written. */
size_t codes_point_write(uint32_t point, char out[4]);

/* Put a symbol into a set that is being built; -1 and set_too_large when it is full. */
int codes_set_add(struct codes_set *set, const struct codes_symbol *symbol, struct err *err);
/* Sort and index: the set is ready. */
void codes_set_seal(struct codes_set *set);

/* A set as the places of a pattern use it. */
struct codes_place_set {
    struct codes_set set;
    uint8_t value[CODES_SET_MAX]; /* index to value of the check character */
    uint64_t reciprocal;          /* ceil(2^64 / set.count)                */
    unsigned key_max;             /* longest symbol in bytes               */
    unsigned show_max;
};

/* Keys, one entry per canonical character. */
enum codes_step_kind { CODES_STEP_LITERAL, CODES_STEP_PLACE, CODES_STEP_CHECK };
struct codes_step {
    enum codes_step_kind kind;
    uint32_t point;                    /* literal */
    const struct codes_place_set *set; /* place   */
};

/* The display form, one entry per shown character. */
enum codes_piece_kind { CODES_PIECE_TEXT, CODES_PIECE_PLACE, CODES_PIECE_CHECK };
struct codes_piece {
    enum codes_piece_kind kind;
    const struct codes_place_set *set; /* place              */
    char text[4];                      /* text: one character */
    uint8_t len;
};

struct codes_pattern {
    char *text;
    char *fingerprint;

    struct codes_step steps[CODES_KEY_CHARS];
    unsigned step_count;
    struct codes_piece pieces[CODES_PATTERN_BYTES];
    unsigned piece_count;

    /* Places in order: the first `ranked` ones make the rank, the others are free. */
    const struct codes_place_set *places[CODES_PLACES_MAX];
    unsigned place_count;
    unsigned ranked;
    codes_u128 space;
    /*
     * The rank is taken apart in two numbers below 2^56, so that digits come off by multiplication:
     * places[0..split-1] make the upper one, places[split..ranked-1] the lower one, below low_size.
     */
    unsigned split;
    uint64_t low_size;

    bool has_check;
    struct codes_check check;
    struct codes_set alphabet; /* union of the sets: what the check character may be */

    unsigned key_max; /* bytes */
    unsigned display_max;
    bool display_is_key;

    /* All symbols have one byte: copy the template, put the symbols at their offsets. */
    bool narrow;
    char key_template[CODES_PATTERN_BYTES + 1];
    char display_template[CODES_PATTERN_BYTES + 1];
    uint8_t key_at[CODES_PLACES_MAX + 1]; /* offsets of the places; of the check character last */
    uint8_t display_at[CODES_PLACES_MAX + 1];

    struct codes_place_set *sets[CODES_PLACES_MAX]; /* owned */
    unsigned set_count;
};

/* The canonical text of the pattern's space; NULL when memory is short. free() it. */
char *codes_pattern_make_fingerprint(const struct codes_pattern *pattern);

#endif
