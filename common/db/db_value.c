/* SPDX-License-Identifier: Apache-2.0 */
#include "db_value.h"

#include <assert.h>
#include <stdio.h>

/*
 * numeric: number of groups, weight (power of 10,000 of the first group), sign, digits after the
 * point to show, then the groups of four decimal digits. Zero groups at both ends are left out.
 */
enum {
    NUMERIC_HEADER = 8,
    SIGN_PLUS = 0x0000,
    SIGN_MINUS = 0x4000,
    SIGN_NAN = 0xC000,
    SIGN_PINF = 0xD000,
    SIGN_NINF = 0xF000,
    GROUP_BASE = 10000,
    GROUP_DIGITS = 4,
};

static size_t numeric_write(uint8_t *out, const uint16_t *groups, size_t count, int weight,
                            bool minus, size_t scale)
{
    while (count > 0 && groups[0] == 0) {
        groups++;
        count--;
        weight--;
    }
    while (count > 0 && groups[count - 1] == 0)
        count--;
    if (count == 0) {
        weight = 0;
        minus = false;
    }
    db_store16(out, (uint16_t)count);
    db_store16(out + 2, (uint16_t)(int16_t)weight);
    db_store16(out + 4, minus ? SIGN_MINUS : SIGN_PLUS);
    db_store16(out + 6, (uint16_t)scale);
    for (size_t i = 0; i < count; i++)
        db_store16(out + NUMERIC_HEADER + 2 * i, groups[i]);
    return NUMERIC_HEADER + 2 * count;
}

size_t db_value_numeric(const char *decimal, uint8_t out[DB_NUMERIC_MAX])
{
    bool minus = *decimal == '-';
    const char *whole = decimal + (minus ? 1 : 0);
    size_t whole_len = strspn(whole, "0123456789");
    const char *part = whole + whole_len;
    size_t part_len = 0;

    if (*part == '.') {
        part++;
        part_len = strspn(part, "0123456789");
        if (part_len == 0)
            return 0;
    }
    if (part[part_len] != '\0' || whole_len == 0 || whole_len + part_len > DB_NUMERIC_DIGITS)
        return 0;

    uint16_t groups[DB_NUMERIC_GROUPS];
    size_t count = 0;
    unsigned group = 0;
    /* A group ends wherever a multiple of four digits is left before the point. */
    for (size_t i = 0; i < whole_len; i++) {
        group = group * 10 + (unsigned)(whole[i] - '0');
        if ((whole_len - 1 - i) % GROUP_DIGITS == 0) {
            groups[count++] = (uint16_t)group;
            group = 0;
        }
    }
    int weight = (int)count - 1;
    for (size_t at = 0; at < part_len; at += GROUP_DIGITS) {
        group = 0;
        for (size_t i = 0; i < GROUP_DIGITS; i++)
            group = group * 10 + (at + i < part_len ? (unsigned)(part[at + i] - '0') : 0);
        groups[count++] = (uint16_t)group;
    }
    assert(count <= DB_NUMERIC_GROUPS);
    return numeric_write(out, groups, count, weight, minus, part_len);
}

size_t db_value_numeric_u128(unsigned __int128 value, uint8_t out[DB_NUMERIC_MAX])
{
    uint16_t groups[10]; /* 2^128 has 39 digits */
    size_t at = ARRAY_LEN(groups);

    do {
        groups[--at] = (uint16_t)(value % GROUP_BASE);
        value /= GROUP_BASE;
    } while (value > 0);
    size_t count = ARRAY_LEN(groups) - at;
    return numeric_write(out, groups + at, count, (int)count - 1, false, 0);
}

struct numeric {
    size_t count;
    int weight;
    unsigned sign;
    unsigned scale;
    const uint8_t *groups;
};

static bool numeric_read(const uint8_t *bytes, size_t len, struct numeric *ret_numeric)
{
    if (len < NUMERIC_HEADER)
        return false;
    struct numeric numeric = {.count = db_load16(bytes),
                              .weight = (int16_t)db_load16(bytes + 2),
                              .sign = db_load16(bytes + 4),
                              .scale = db_load16(bytes + 6),
                              .groups = bytes + NUMERIC_HEADER};
    if (len != NUMERIC_HEADER + 2 * numeric.count)
        return false;
    for (size_t i = 0; i < numeric.count; i++) {
        if (db_load16(numeric.groups + 2 * i) >= GROUP_BASE)
            return false;
    }
    *ret_numeric = numeric;
    return true;
}

/* The group that stands for 10,000^power. */
static unsigned numeric_group(const struct numeric *numeric, int power)
{
    int i = numeric->weight - power;
    if (i < 0 || (size_t)i >= numeric->count)
        return 0;
    return db_load16(numeric->groups + 2 * (size_t)i);
}

bool db_value_numeric_text(const uint8_t *bytes, size_t len, char *out, size_t size)
{
    struct numeric numeric;
    const char *special = NULL;
    size_t used = 0;

    if (size == 0 || !numeric_read(bytes, len, &numeric))
        return false;
    if (numeric.sign == SIGN_NAN)
        special = "NaN";
    else if (numeric.sign == SIGN_PINF)
        special = "Infinity";
    else if (numeric.sign == SIGN_NINF)
        special = "-Infinity";
    if (special != NULL)
        return (size_t)snprintf(out, size, "%s", special) < size;

    /* Four digits a group, the point, what the last group has too many, and the closing NUL. */
    size_t groups = (size_t)MAX_OF(numeric.weight, 0) + 1;
    if (size < 1 + groups * GROUP_DIGITS + 1 + numeric.scale + 1)
        return false;
    if (numeric.sign == SIGN_MINUS)
        out[used++] = '-';
    for (int power = MAX_OF(numeric.weight, 0); power >= 0; power--) {
        bool first = power == MAX_OF(numeric.weight, 0);
        unsigned group = numeric_group(&numeric, power);
        used += (size_t)snprintf(out + used, size - used, first ? "%u" : "%04u", group);
    }
    if (numeric.scale > 0)
        out[used++] = '.';
    for (unsigned digit = 0; digit < numeric.scale; digit++) {
        static const unsigned unit[GROUP_DIGITS] = {1000, 100, 10, 1};
        unsigned group = numeric_group(&numeric, -1 - (int)(digit / GROUP_DIGITS));
        out[used++] = (char)('0' + group / unit[digit % GROUP_DIGITS] % 10);
    }
    out[used] = '\0';
    return true;
}

bool db_value_numeric_to_u128(const uint8_t *bytes, size_t len, unsigned __int128 *ret_value)
{
    struct numeric numeric;
    unsigned __int128 value = 0;

    if (!numeric_read(bytes, len, &numeric) || numeric.sign != SIGN_PLUS)
        return false;
    if (numeric.count > 0 && (size_t)numeric.weight + 1 < numeric.count)
        return false; /* groups behind the point, which are never all zero */
    for (int power = numeric.weight; numeric.count > 0 && power >= 0; power--) {
        if (__builtin_mul_overflow(value, (unsigned __int128)GROUP_BASE, &value) ||
            __builtin_add_overflow(value, (unsigned __int128)numeric_group(&numeric, power),
                                   &value))
            return false;
    }
    *ret_value = value;
    return true;
}
