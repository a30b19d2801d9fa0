/* SPDX-License-Identifier: Apache-2.0
 *
 * From ranks to codes and back.
 */
#include "codes_internal.h"

#include <assert.h>

/* Digits of one part of the rank, the last place first; value < 2^56. */
static void split_digits(const struct codes_pattern *pattern, unsigned from, unsigned to,
                         uint64_t value, uint8_t *digits)
{
    for (unsigned i = to; i > from; i--) {
        const struct codes_place_set *set = pattern->places[i - 1];
        /* Exact: with sizes up to 2^8 the error of the reciprocal is below 2^8 / 2^64. */
        uint64_t quotient = (uint64_t)((codes_u128)value * set->reciprocal >> 64);
        digits[i - 1] = (uint8_t)(value - quotient * set->set.count);
        value = quotient;
    }
}

static void rank_to_digits(const struct codes_pattern *pattern, codes_u128 rank,
                           const uint8_t *free_digits, uint8_t *digits)
{
    if (pattern->split == 0) {
        split_digits(pattern, 0, pattern->ranked, (uint64_t)rank, digits);
    } else {
        uint64_t high;
        uint64_t low;
        if (rank <= UINT64_MAX) {
            high = (uint64_t)rank / pattern->low_size;
            low = (uint64_t)rank % pattern->low_size;
        } else {
            high = (uint64_t)(rank / pattern->low_size);
            low = (uint64_t)(rank - (codes_u128)high * pattern->low_size);
        }
        split_digits(pattern, 0, pattern->split, high, digits);
        split_digits(pattern, pattern->split, pattern->ranked, low, digits);
    }
    for (unsigned i = pattern->ranked; i < pattern->place_count; i++) {
        digits[i] = free_digits != NULL ? free_digits[i - pattern->ranked] : 0;
        assert(digits[i] < pattern->places[i]->set.count);
    }
}

static unsigned check_value(const struct codes_pattern *pattern, const uint8_t *digits)
{
    uint8_t values[CODES_PLACES_MAX];

    for (unsigned i = 0; i < pattern->place_count; i++)
        values[i] = pattern->places[i]->value[digits[i]];
    return codes_check_value(&pattern->check, values, pattern->place_count);
}

static size_t put(char *out, size_t at, const char *bytes, uint8_t len)
{
    memcpy(out + at, bytes, len);
    return at + len;
}

static void render_wide(const struct codes_pattern *pattern, const uint8_t *digits,
                        const struct codes_symbol *check, struct codes_code *out)
{
    size_t at = 0;
    unsigned place = 0;

    for (unsigned i = 0; i < pattern->step_count; i++) {
        const struct codes_step *step = &pattern->steps[i];
        const struct codes_symbol *symbol;
        switch (step->kind) {
        case CODES_STEP_LITERAL:
            at += codes_point_write(step->point, out->key + at);
            break;
        case CODES_STEP_PLACE:
            symbol = &step->set->set.symbols[digits[place++]];
            at = put(out->key, at, symbol->key, symbol->key_len);
            break;
        case CODES_STEP_CHECK:
            at = put(out->key, at, check->key, check->key_len);
            break;
        }
    }
    out->key[at] = '\0';
    out->key_len = (uint16_t)at;

    at = 0;
    place = 0;
    for (unsigned i = 0; i < pattern->piece_count; i++) {
        const struct codes_piece *piece = &pattern->pieces[i];
        const struct codes_symbol *symbol;
        switch (piece->kind) {
        case CODES_PIECE_TEXT:
            at = put(out->display, at, piece->text, piece->len);
            break;
        case CODES_PIECE_PLACE:
            symbol = &piece->set->set.symbols[digits[place++]];
            at = put(out->display, at, symbol->show, symbol->show_len);
            break;
        case CODES_PIECE_CHECK:
            at = put(out->display, at, check->show, check->show_len);
            break;
        }
    }
    out->display[at] = '\0';
    out->display_len = (uint16_t)at;
}

static void render_narrow(const struct codes_pattern *pattern, const uint8_t *digits,
                          const struct codes_symbol *check, struct codes_code *out)
{
    memcpy(out->key, pattern->key_template, pattern->key_max + 1u);
    memcpy(out->display, pattern->display_template, pattern->display_max + 1u);
    for (unsigned i = 0; i < pattern->place_count; i++) {
        const struct codes_symbol *symbol = &pattern->places[i]->set.symbols[digits[i]];
        out->key[pattern->key_at[i]] = symbol->key[0];
        out->display[pattern->display_at[i]] = symbol->show[0];
    }
    if (check != NULL) {
        out->key[pattern->key_at[pattern->place_count]] = check->key[0];
        out->display[pattern->display_at[pattern->place_count]] = check->show[0];
    }
    out->key_len = (uint16_t)pattern->key_max;
    out->display_len = (uint16_t)pattern->display_max;
}

void codes_pattern_render(const struct codes_pattern *pattern, codes_u128 rank,
                          const uint8_t *free_digits, struct codes_code *out)
{
    const struct codes_symbol *check = NULL;
    uint8_t digits[CODES_PLACES_MAX];

    assert(rank < pattern->space);
    rank_to_digits(pattern, rank, free_digits, digits);
    if (pattern->has_check)
        check = &pattern->alphabet.symbols[check_value(pattern, digits)];
    if (pattern->narrow)
        render_narrow(pattern, digits, check, out);
    else
        render_wide(pattern, digits, check, out);
    out->rank = rank;
}

enum codes_match codes_pattern_match(const struct codes_pattern *pattern, const char *key,
                                     size_t len, codes_u128 *ret_rank,
                                     uint8_t ret_free[CODES_PLACES_MAX])
{
    uint8_t digits[CODES_PLACES_MAX];
    unsigned places = 0;
    int check = -1;
    codes_u128 rank = 0;

    for (unsigned i = 0; i < pattern->step_count; i++) {
        const struct codes_step *step = &pattern->steps[i];
        uint32_t point;
        int index = 0;
        size_t used = codes_point_read(key, len, &point);

        if (used == 0)
            return CODES_MATCH_NO;
        switch (step->kind) {
        case CODES_STEP_LITERAL:
            if (point != step->point)
                return CODES_MATCH_NO;
            break;
        case CODES_STEP_PLACE:
            index = codes_set_index(&step->set->set, point);
            digits[places++] = (uint8_t)index;
            break;
        case CODES_STEP_CHECK:
            index = check = codes_set_index(&pattern->alphabet, point);
            break;
        }
        if (index < 0)
            return CODES_MATCH_NO;
        key += used;
        len -= used;
    }
    if (len > 0)
        return CODES_MATCH_NO;
    for (unsigned i = 0; i < pattern->ranked; i++)
        rank = rank * pattern->places[i]->set.count + digits[i];
    if (ret_rank != NULL)
        *ret_rank = rank;
    if (ret_free != NULL)
        memcpy(ret_free, digits + pattern->ranked, places - pattern->ranked);
    if (pattern->has_check && (unsigned)check != check_value(pattern, digits))
        return CODES_MATCH_CHECK;
    return CODES_MATCH_YES;
}

int codes_pattern_display(const struct codes_pattern *pattern, const char *key, size_t len,
                          struct codes_code *out)
{
    codes_u128 rank;
    uint8_t free_digits[CODES_PLACES_MAX];

    if (codes_pattern_match(pattern, key, len, &rank, free_digits) != CODES_MATCH_YES)
        return 0;
    codes_pattern_render(pattern, rank, free_digits, out);
    return 1;
}
