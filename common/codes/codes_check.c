/* SPDX-License-Identifier: Apache-2.0
 *
 * One construction per kind of size. Write the condition as (c*x)*y = (c*y)*x => x = y.
 *
 * Fields and rings: x*y = a x + y gives (c*x)*y = a a c + a x + y, so the condition says that
 * (a - 1)(x - y) = 0 only for x = y: a and a - 1 must be units. a = 2 in Z_n for odd n; a = the
 * generator in GF(2^k), k >= 2. Condition and quasigroup carry over to direct products, which gives
 * all sizes but 4k + 2.
 *
 * Sizes 4k + 2: 10 is Damm's table. The others, as far as they are no product of a smaller one and
 * an odd number: Z_(n-1) with one more element oo = n - 1, such that adding 1 is an automorphism.
 * x*y = x + f(y - x) with f(0) = oo; x*oo = oo*x = x + b, where b is the value that f does not
 * take; oo*oo = oo. The f below were found by search; the unit test proves every size by trying all
 * c, x and y.
 */
#include "codes_check.h"

#include <string.h>

/* Damm, Total anti-symmetrische Quasigruppen (Marburg 2004). */
static const uint8_t damm10[10][10] = {
    {0, 3, 1, 7, 5, 9, 8, 6, 4, 2}, {7, 0, 9, 2, 1, 5, 4, 8, 6, 3}, {4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
    {1, 7, 5, 0, 9, 8, 3, 4, 2, 6}, {6, 1, 2, 3, 0, 4, 5, 9, 7, 8}, {3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
    {5, 8, 6, 9, 7, 2, 0, 1, 3, 4}, {8, 9, 4, 5, 3, 6, 2, 0, 1, 7}, {9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
    {2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
};

static const struct {
    unsigned size;
    uint8_t shift;                  /* b */
    uint8_t f[CODES_CHECK_MAX - 1]; /* f(0) .. f(n-2), f(0) not used */
} cyclic[] = {
    {14, 12, {0, 11, 6, 10, 5, 1, 8, 7, 3, 2, 0, 9, 4}},
    {18, 13, {0, 9, 12, 14, 8, 4, 3, 5, 11, 10, 0, 6, 1, 15, 2, 7, 16}},
    {22, 16, {0, 8, 3, 5, 1, 9, 11, 15, 20, 2, 4, 0, 10, 19, 13, 18, 6, 17, 14, 7, 12}},
    {26, 22, {0,  2,  14, 17, 9,  21, 0, 5,  1, 11, 13, 19, 16,
              12, 23, 15, 8,  24, 6,  4, 10, 7, 3,  18, 20}},
    {34, 29, {0,  24, 2,  10, 25, 4,  17, 12, 16, 27, 22, 9, 5,  19, 6,  31, 30,
              32, 13, 21, 11, 15, 23, 7,  28, 1,  3,  14, 8, 26, 0,  20, 18}},
    {38, 8, {0,  31, 26, 0,  30, 12, 33, 20, 7,  5, 19, 29, 16, 34, 15, 25, 11, 36, 6,
             17, 3,  35, 28, 14, 24, 27, 4,  32, 2, 23, 22, 10, 18, 13, 9,  1,  21}},
    {46, 40, {0,  33, 11, 36, 21, 20, 34, 41, 1,  22, 10, 38, 9,  12, 26,
              35, 23, 19, 4,  42, 25, 27, 3,  17, 16, 5,  37, 31, 24, 2,
              15, 39, 8,  7,  32, 0,  13, 6,  29, 18, 30, 44, 43, 14, 28}},
    {58, 19, {0,  4,  9,  34, 16, 47, 32, 28, 36, 29, 51, 35, 22, 15, 6,  37, 7,  23, 52,
              0,  17, 10, 21, 11, 14, 43, 5,  40, 55, 45, 8,  27, 30, 13, 48, 44, 2,  12,
              38, 56, 33, 42, 53, 1,  26, 50, 18, 20, 31, 25, 54, 46, 3,  39, 41, 49, 24}},
    {62, 31, {0,  48, 44, 4,  33, 30, 49, 0,  11, 58, 60, 17, 42, 37, 9,  26, 16, 45, 2,  32, 59,
              19, 1,  28, 40, 10, 35, 3,  38, 21, 29, 8,  34, 41, 24, 52, 51, 55, 25, 53, 15, 14,
              46, 5,  56, 36, 20, 6,  13, 7,  57, 12, 23, 47, 50, 27, 22, 54, 18, 39, 43}},
};

/* x times the generator in GF(2^bits), bits 2 to 6, with primitive polynomials. */
static unsigned field_double(unsigned x, unsigned bits)
{
    static const uint8_t polynomial[] = {0, 0, 0x07, 0x0B, 0x13, 0x25, 0x43};

    x <<= 1;
    return (x >> bits & 1) != 0 ? x ^ polynomial[bits] : x;
}

/* GF(2^bits), bits >= 2. */
static void fill_field(uint8_t base[][CODES_CHECK_MAX], unsigned bits)
{
    for (unsigned x = 0; x < 1u << bits; x++)
        for (unsigned y = 0; y < 1u << bits; y++)
            base[x][y] = (uint8_t)(field_double(x, bits) ^ y);
}

static void fill_damm10(uint8_t base[][CODES_CHECK_MAX])
{
    for (unsigned x = 0; x < ARRAY_LEN(damm10); x++)
        memcpy(base[x], damm10[x], sizeof damm10[x]);
}

static void fill_cyclic(uint8_t base[][CODES_CHECK_MAX], unsigned size, unsigned shift,
                        const uint8_t *f)
{
    const unsigned n = size - 1; /* also the index of oo */

    for (unsigned x = 0; x < n; x++) {
        for (unsigned y = 0; y < n; y++)
            base[x][y] = (uint8_t)(x == y ? n : (x + f[(y + n - x) % n]) % n);
        base[x][n] = (uint8_t)((x + shift) % n);
        base[n][x] = (uint8_t)((x + shift) % n);
    }
    base[n][n] = (uint8_t)n;
}

/*
 * The even factor of a size, as large as it needs to be for the rest to be odd; 1 for odd sizes, 0
 * when there is none.
 */
static unsigned fill_base(uint8_t base[][CODES_CHECK_MAX], unsigned size)
{
    unsigned bits = (unsigned)__builtin_ctz(size);

    if (bits == 0)
        return 1; /* base[0][0] = 0 */
    if (bits >= 2) {
        fill_field(base, bits);
        return 1u << bits;
    }
    if (size % 10 == 0) {
        fill_damm10(base);
        return 10;
    }
    for (size_t i = 0; i < ARRAY_LEN(cyclic); i++) {
        if (size % cyclic[i].size == 0) {
            fill_cyclic(base, cyclic[i].size, cyclic[i].shift, cyclic[i].f);
            return cyclic[i].size;
        }
    }
    return 0;
}

/* The product of the base and Z_odd: a symbol is (its base part) * odd + (its part of Z_odd). */
static int fill(struct codes_check *check, struct err *err)
{
    uint8_t base[CODES_CHECK_MAX][CODES_CHECK_MAX] = {{0}};
    unsigned base_size = 0;

    if (check->size >= 3 && check->size <= CODES_CHECK_MAX)
        base_size = fill_base(base, check->size);
    if (base_size == 0)
        return err_set(err, ERR_POISON, "codes", "check_size",
                       "a check character needs places with 3 to %d different symbols in all, but "
                       "not 6; these have %u",
                       CODES_CHECK_MAX, check->size);
    const unsigned odd = check->size / base_size;
    for (unsigned x = 0; x < check->size; x++)
        for (unsigned y = 0; y < check->size; y++)
            check->table[x][y] =
                (uint8_t)(base[x / odd][y / odd] * odd + (2 * (x % odd) + y % odd) % odd);
    return 0;
}

int codes_check_init(struct codes_check *check, unsigned size, struct err *err)
{
    memset(check, 0, sizeof *check);
    check->size = size;
    if (fill(check, err) < 0)
        return -1;
    for (unsigned x = 0; x < size; x++)
        for (unsigned y = 0; y < size; y++)
            if (check->table[x][y] == 0)
                check->closing[x] = (uint8_t)y;
    return 0;
}

unsigned codes_check_value(const struct codes_check *check, const uint8_t *values, size_t len)
{
    unsigned state = 0;

    for (size_t i = 0; i < len; i++)
        state = check->table[state][values[i]];
    return check->closing[state];
}
