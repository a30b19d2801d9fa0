/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_canonical.h"

#include "codes_internal.h"

#include <utf8proc.h>

/* No character becomes more than 18 by NFKC (U+FDFA), and the shortest such one has 3 bytes. */
#define POINTS_MAX ((CODES_INPUT_BYTES / 3 + 1) * 18)
/* Two rounds settle everything known; texts that do not settle are refused. */
#define ROUNDS_MAX 8

/* ASCII: 0 is refused, '-' dropped, anything else is what the character folds to. */
static const char ascii_fold[128] = {
    ['\t'] = '-',  ['\n'] = '-', ['\v'] = '-', ['\f'] = '-', ['\r'] = '-', [' '] = '-',
    ['!'] = '!',   ['"'] = '"',  ['#'] = '#',  ['$'] = '$',  ['%'] = '%',  ['&'] = '&',
    ['\''] = '\'', ['('] = '(',  [')'] = ')',  ['*'] = '*',  ['+'] = '+',  [','] = ',',
    ['-'] = '-',   ['.'] = '.',  ['/'] = '/',  ['0'] = '0',  ['1'] = '1',  ['2'] = '2',
    ['3'] = '3',   ['4'] = '4',  ['5'] = '5',  ['6'] = '6',  ['7'] = '7',  ['8'] = '8',
    ['9'] = '9',   [':'] = ':',  [';'] = ';',  ['<'] = '<',  ['='] = '=',  ['>'] = '>',
    ['?'] = '?',   ['@'] = '@',  ['A'] = 'a',  ['B'] = 'b',  ['C'] = 'c',  ['D'] = 'd',
    ['E'] = 'e',   ['F'] = 'f',  ['G'] = 'g',  ['H'] = 'h',  ['I'] = 'i',  ['J'] = 'j',
    ['K'] = 'k',   ['L'] = 'l',  ['M'] = 'm',  ['N'] = 'n',  ['O'] = 'o',  ['P'] = 'p',
    ['Q'] = 'q',   ['R'] = 'r',  ['S'] = 's',  ['T'] = 't',  ['U'] = 'u',  ['V'] = 'v',
    ['W'] = 'w',   ['X'] = 'x',  ['Y'] = 'y',  ['Z'] = 'z',  ['['] = '[',  ['\\'] = '\\',
    [']'] = ']',   ['^'] = '^',  ['_'] = '_',  ['`'] = '`',  ['a'] = 'a',  ['b'] = 'b',
    ['c'] = 'c',   ['d'] = 'd',  ['e'] = 'e',  ['f'] = 'f',  ['g'] = 'g',  ['h'] = 'h',
    ['i'] = 'i',   ['j'] = 'j',  ['k'] = 'k',  ['l'] = 'l',  ['m'] = 'm',  ['n'] = 'n',
    ['o'] = 'o',   ['p'] = 'p',  ['q'] = 'q',  ['r'] = 'r',  ['s'] = 's',  ['t'] = 't',
    ['u'] = 'u',   ['v'] = 'v',  ['w'] = 'w',  ['x'] = 'x',  ['y'] = 'y',  ['z'] = 'z',
    ['{'] = '{',   ['|'] = '|',  ['}'] = '}',  ['~'] = '~',
};

static int fail_too_long(struct err *err)
{
    return err_set(err, ERR_POISON, "codes", "code_too_long",
                   "a code has at most %d characters, dashes and white space not counted",
                   CODES_KEY_CHARS);
}

static int fail_character(struct err *err)
{
    return err_set(err, ERR_POISON, "codes", "bad_character",
                   "a code may not have control characters or characters unknown to Unicode");
}

bool codes_point_combines(uint32_t point)
{
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)point);

    /* Whatever can be the second half of a composition: marks, and the starters listed here. */
    return property->combining_class != 0 || property->category == UTF8PROC_CATEGORY_MN ||
           property->category == UTF8PROC_CATEGORY_MC ||
           property->category == UTF8PROC_CATEGORY_ME ||
           (point >= 0x1160 && point <= 0x11FF) || /* Hangul vowels and finals           */
           (point >= 0xD7B0 && point <= 0xD7FF) || /* the extended ones                  */
           (point >= 0x16D63 && point <= 0x16D6A); /* Kirat Rai vowels (Unicode 16)      */
}

size_t codes_point_read(const char *text, size_t len, uint32_t *ret_point)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t used =
        len == 0 ? 0
                 : utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &point);

    if (used <= 0)
        return 0;
    *ret_point = (uint32_t)point;
    return (size_t)used;
}

size_t codes_point_write(uint32_t point, char out[4])
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)point, (utf8proc_uint8_t *)out);
}

static bool is_separator(utf8proc_int32_t point)
{
    const utf8proc_category_t category = utf8proc_category(point);

    /* U+0085 and U+0009..U+000D are white space of the category control; U+2212 is minus. */
    return category == UTF8PROC_CATEGORY_PD || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
           point == 0x2212 || point == 0x85 || (point >= '\t' && point <= '\r');
}

/*
 * One round over UTF-8: fold, drop, compose. points has room for POINTS_MAX. Returns the number of
 * code points or -1.
 */
static int fold_round(const char *bytes, size_t len, utf8proc_int32_t *points, size_t *ret_count,
                      struct err *err)
{
    const int options =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)len, points,
                           POINTS_MAX, (utf8proc_option_t)options);
    utf8proc_ssize_t kept = 0;

    if (count == UTF8PROC_ERROR_INVALIDUTF8)
        return err_set(err, ERR_POISON, "codes", "bad_utf8", "a code must be valid UTF-8");
    if (count < 0)
        return err_set(err, ERR_BUG, "codes", "utf8proc", "%s", utf8proc_errmsg(count));
    if (count > POINTS_MAX)
        return fail_too_long(err);
    for (utf8proc_ssize_t i = 0; i < count; i++)
        if (!is_separator(points[i]))
            points[kept++] = points[i];
    kept = utf8proc_normalize_utf32(points, kept,
                                    (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (kept < 0)
        return err_set(err, ERR_BUG, "codes", "utf8proc", "%s", utf8proc_errmsg(kept));
    *ret_count = (size_t)kept;
    return 0;
}

/*
 * Fold to a fixed point. Dropping a dash can bring a letter and a mark together, and folding can
 * make room for another composition, so one round is not always enough.
 */
static int fold_unicode(const char *text, size_t len, char out[CODES_INPUT_BYTES], size_t *ret_len,
                        utf8proc_int32_t *points, size_t *ret_count, struct err *err)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        char folded[CODES_INPUT_BYTES];
        size_t folded_len = 0;
        size_t count = 0;

        if (fold_round(text, len, points, &count, err) < 0)
            return -1;
        for (size_t i = 0; i < count; i++) {
            if (folded_len > sizeof folded - 4)
                return fail_too_long(err);
            folded_len += codes_point_write((uint32_t)points[i], folded + folded_len);
        }
        bool settled = folded_len == len && memcmp(folded, text, len) == 0;
        memcpy(out, folded, folded_len);
        text = out;
        len = folded_len;
        if (settled) {
            *ret_len = len;
            *ret_count = count;
            return 0;
        }
    }
    return fail_character(err);
}

static int check_points(const utf8proc_int32_t *points, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        utf8proc_category_t category = utf8proc_category(points[i]);
        if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CN)
            return fail_character(err);
    }
    return count > CODES_KEY_CHARS ? fail_too_long(err) : 0;
}

/* 1: done, 0: not ASCII, -1: refused. */
static int fold_ascii(const char *text, size_t len, char out[CODES_KEY_CHARS], size_t *ret_len,
                      struct err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 128)
            return 0;
        char folded = ascii_fold[byte];
        if (folded == '-')
            continue;
        if (folded == 0)
            return fail_character(err);
        if (kept == CODES_KEY_CHARS)
            return fail_too_long(err);
        out[kept++] = folded;
    }
    *ret_len = kept;
    return 1;
}

int codes_canonical(const char *text, size_t len, char out[CODES_KEY_BYTES + 1], size_t *ret_len,
                    struct err *err)
{
    size_t key_len = 0;

    if (len > CODES_INPUT_BYTES)
        return fail_too_long(err);
    int ascii = fold_ascii(text, len, out, &key_len, err);
    if (ascii < 0)
        return -1;
    if (ascii == 0) {
        utf8proc_int32_t points[POINTS_MAX];
        char folded[CODES_INPUT_BYTES];
        size_t count = 0;

        if (fold_unicode(text, len, folded, &key_len, points, &count, err) < 0 ||
            check_points(points, count, err) < 0)
            return -1;
        memcpy(out, folded, key_len);
    }
    if (key_len == 0)
        return err_set(err, ERR_POISON, "codes", "empty_code",
                       "a code needs a character that is neither dash nor white space");
    out[key_len] = '\0';
    *ret_len = key_len;
    return 0;
}

int codes_fold_points(const char *text, size_t len, uint32_t out[CODES_KEY_CHARS],
                      size_t *ret_count, struct err *err)
{
    utf8proc_int32_t points[POINTS_MAX];
    char folded[CODES_INPUT_BYTES];
    size_t folded_len;
    size_t count = 0;

    if (len > CODES_INPUT_BYTES)
        return fail_too_long(err);
    if (fold_unicode(text, len, folded, &folded_len, points, &count, err) < 0 ||
        check_points(points, count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        out[i] = (uint32_t)points[i];
    *ret_count = count;
    return 0;
}
