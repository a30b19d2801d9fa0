/* SPDX-License-Identifier: Apache-2.0 */
#include "base_parse.h"

#include <inttypes.h>
#include <string.h>

/* The input is never repeated in the error's text: it may be a secret in the wrong place. */
static int malformed(struct err *err, const char *expected)
{
    return err_set(err, ERR_POISON, "parse", "malformed", "not %s", expected);
}

/*
 * Read decimal digits from *cursor on and step behind them. -1: no digit, 1: more than a uint64_t
 * holds (all digits are skipped all the same).
 */
static int read_digits(const char **cursor, uint64_t *ret_value)
{
    const char *at = *cursor;
    if (*at < '0' || *at > '9')
        return -1;
    uint64_t value = 0;
    bool overflow = false;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            overflow = true;
    }
    *cursor = at;
    *ret_value = value;
    return overflow ? 1 : 0;
}

int parse_int64(const char *text, int64_t min, int64_t max, int64_t *ret_value, struct err *err)
{
    const char *at = text;
    bool negative = *at == '-';
    if (negative)
        at++;
    uint64_t digits = 0;
    int rc = read_digits(&at, &digits);
    if (rc < 0 || *at != '\0')
        return malformed(err, "an integer");

    int64_t value = 0;
    bool fits = rc == 0 && digits <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (fits)
        value = negative ? (int64_t)(0 - digits) : (int64_t)digits;
    if (!fits || value < min || value > max)
        return err_set(err, ERR_POISON, "parse", "out_of_range",
                       "not between %" PRId64 " and %" PRId64, min, max);
    *ret_value = value;
    return 0;
}

int parse_bool(const char *text, bool *ret_value, struct err *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"on", true},
                 {"off", false}, {"1", true},      {"0", false}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *ret_value = words[i].value;
            return 0;
        }
    }
    return malformed(err, "true, false, on, off, 1 or 0");
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Digits, then one of the units or nothing. */
static int parse_with_unit(const char *text, const struct unit *units, size_t unit_count,
                           const char *expected, int64_t *ret_value, struct err *err)
{
    const char *at = text;
    uint64_t digits = 0;
    int rc = read_digits(&at, &digits);
    if (rc < 0)
        return malformed(err, expected);
    int64_t factor = *at == '\0' ? 1 : 0;
    for (size_t i = 0; i < unit_count; i++) {
        if (strcmp(at, units[i].name) == 0)
            factor = units[i].factor;
    }
    if (factor == 0)
        return malformed(err, expected);
    int64_t value;
    if (rc > 0 || digits > INT64_MAX || __builtin_mul_overflow((int64_t)digits, factor, &value))
        return err_set(err, ERR_POISON, "parse", "out_of_range", "too large");
    *ret_value = value;
    return 0;
}

int parse_duration_ms(const char *text, int64_t *ret_ms, struct err *err)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    return parse_with_unit(text, units, ARRAY_LEN(units), "a time such as 250ms, 10s, 5m, 2h or 7d",
                           ret_ms, err);
}

int parse_size(const char *text, int64_t *ret_bytes, struct err *err)
{
    static const struct unit units[] = {
        {"k", INT64_C(1) << 10}, {"M", INT64_C(1) << 20}, {"G", INT64_C(1) << 30}};
    return parse_with_unit(text, units, ARRAY_LEN(units),
                           "a number of bytes such as 512, 64k, 8M or 1G", ret_bytes, err);
}
