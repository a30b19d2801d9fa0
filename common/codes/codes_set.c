/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_set.h"

#include "codes_internal.h"

#include <stdbool.h>
#include <utf8proc.h>

/* A range wider than any set is a mistake, not a wish. */
#define RANGE_MAX 1024

static const struct {
    const char *name;
    const char *text;
} named_sets[] = {
    {"crockford", "0-9A-HJKMNP-TV-Z"},
    {"digits", "0-9"},
    {"letters", "A-Z"},
    {"alnum", "0-9A-Z"},
};

/* Of two symbols that fold together: the upper-case one, else the lower code point. */
static bool shows_better(const struct codes_symbol *a, const struct codes_symbol *b)
{
    uint32_t a_point = 0;
    uint32_t b_point = 0;

    (void)codes_point_read(a->show, a->show_len, &a_point);
    (void)codes_point_read(b->show, b->show_len, &b_point);
    bool a_upper = utf8proc_category((utf8proc_int32_t)a_point) == UTF8PROC_CATEGORY_LU;
    bool b_upper = utf8proc_category((utf8proc_int32_t)b_point) == UTF8PROC_CATEGORY_LU;
    return a_upper != b_upper ? a_upper : a_point < b_point;
}

int codes_set_add(struct codes_set *set, const struct codes_symbol *symbol, struct err *err)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (set->symbols[i].point != symbol->point)
            continue;
        if (shows_better(symbol, &set->symbols[i]))
            set->symbols[i] = *symbol;
        return 0;
    }
    if (set->count == CODES_SET_MAX)
        return err_set(err, ERR_POISON, "codes", "set_too_large",
                       "a character set has at most %d symbols", CODES_SET_MAX);
    set->symbols[set->count++] = *symbol;
    return 0;
}

static int compare_symbols(const void *a, const void *b)
{
    const struct codes_symbol *left = a;
    const struct codes_symbol *right = b;

    return (left->point > right->point) - (left->point < right->point);
}

void codes_set_seal(struct codes_set *set)
{
    /* Code point order is the byte order of UTF-8. */
    qsort(set->symbols, set->count, sizeof set->symbols[0], compare_symbols);
    for (size_t i = 0; i < ARRAY_LEN(set->ascii); i++)
        set->ascii[i] = -1;
    for (unsigned i = 0; i < set->count && set->symbols[i].point < ARRAY_LEN(set->ascii); i++)
        set->ascii[set->symbols[i].point] = (int16_t)i;
}

int codes_set_index(const struct codes_set *set, uint32_t point)
{
    unsigned low = 0;
    unsigned high = set->count;

    if (point < ARRAY_LEN(set->ascii))
        return set->ascii[point];
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (set->symbols[middle].point < point)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->symbols[low].point == point ? (int)low : -1;
}

/* One character as given, to a symbol of the set. */
static int add_point(struct codes_set *set, uint32_t point, struct err *err)
{
    struct codes_symbol symbol = {0};
    uint32_t folded[CODES_KEY_CHARS];
    size_t count;

    if (point >= 0xD800 && point <= 0xDFFF)
        return err_set(err, ERR_POISON, "codes", "bad_character", "U+%04X is no character",
                       (unsigned)point);
    symbol.show_len = (uint8_t)codes_point_write(point, symbol.show);
    if (codes_fold_points(symbol.show, symbol.show_len, folded, &count, err) < 0)
        return err_wrap(err, "symbol U+%04X of a character set", (unsigned)point);
    if (count == 0)
        return err_set(err, ERR_POISON, "codes", "symbol_separator",
                       "symbol U+%04X of a character set is white space, a dash or ignorable and "
                       "would vanish from the code",
                       (unsigned)point);
    if (codes_point_combines(point) || codes_point_combines(folded[0]))
        return err_set(err, ERR_POISON, "codes", "symbol_combines",
                       "symbol U+%04X of a character set would combine with its neighbour",
                       (unsigned)point);
    if (count > 1)
        return err_set(err, ERR_POISON, "codes", "symbol_not_single",
                       "the canonical form of symbol U+%04X of a character set is %zu characters",
                       (unsigned)point, count);
    symbol.point = folded[0];
    symbol.key_len = (uint8_t)codes_point_write(folded[0], symbol.key);
    return codes_set_add(set, &symbol, err);
}

/* The next character, behind its backslash if it has one. */
static int read_point(const char *text, size_t len, size_t *at, uint32_t *ret_point,
                      struct err *err)
{
    if (text[*at] == '\\' && ++*at == len)
        return err_set(err, ERR_POISON, "codes", "set_syntax",
                       "a character set ends with a backslash that escapes nothing");
    size_t used = codes_point_read(text + *at, len - *at, ret_point);
    if (used == 0)
        return err_set(err, ERR_POISON, "codes", "bad_utf8", "a character set must be valid UTF-8");
    *at += used;
    return 0;
}

int codes_set_parse_explicit(const char *text, size_t len, struct codes_set *ret_set,
                             struct err *err)
{
    struct codes_set set = {0};
    size_t at = 0;

    if (len > CODES_SET_TEXT_MAX)
        return err_set(err, ERR_POISON, "codes", "set_too_large",
                       "the text of a character set has more than %d bytes", CODES_SET_TEXT_MAX);
    while (at < len) {
        uint32_t first;
        uint32_t last;

        if (read_point(text, len, &at, &first, err) < 0)
            return -1;
        last = first;
        if (at + 1 < len && text[at] == '-') {
            at++;
            if (read_point(text, len, &at, &last, err) < 0)
                return -1;
            if (last < first || last - first >= RANGE_MAX)
                return err_set(err, ERR_POISON, "codes", "set_range",
                               "range U+%04X to U+%04X of a character set is %s", (unsigned)first,
                               (unsigned)last, last < first ? "reversed" : "too wide");
        }
        for (uint32_t point = first; point <= last; point++)
            if (add_point(&set, point, err) < 0)
                return -1;
    }
    if (set.count == 0)
        return err_set(err, ERR_POISON, "codes", "set_empty", "a character set has no symbol");
    codes_set_seal(&set);
    *ret_set = set;
    return 0;
}

int codes_set_parse(const char *text, size_t len, struct codes_set *ret_set, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(named_sets); i++)
        if (strlen(named_sets[i].name) == len && memcmp(named_sets[i].name, text, len) == 0)
            return codes_set_parse_explicit(named_sets[i].text, strlen(named_sets[i].text), ret_set,
                                            err);
    return codes_set_parse_explicit(text, len, ret_set, err);
}
