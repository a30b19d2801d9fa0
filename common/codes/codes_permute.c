/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_permute.h"

#include "base_digest.h"

#include <assert.h>
#include <string.h>

#define ROUNDS 8

/* The smallest a with a * a >= size; size is at most 2^62, so a is at most 2^31. */
static uint64_t root_above(uint64_t size)
{
    uint64_t low = 1;
    uint64_t high = UINT64_C(1) << 31;

    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (middle * middle >= size)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void codes_permute_init(struct codes_permute *permute, const uint8_t key[CODES_KEY_LEN],
                        uint64_t size)
{
    assert(size >= 1 && size <= UINT64_C(1) << 62);
    memcpy(permute->keys, key, sizeof permute->keys);
    permute->size = size;
    permute->high = root_above(size);
    permute->low = (size + permute->high - 1) / permute->high;
}

static uint64_t round_value(const struct codes_permute *permute, unsigned round, uint64_t digit,
                            uint64_t modulus)
{
    uint8_t block[9];

    block[0] = (uint8_t)round;
    for (unsigned i = 0; i < 8; i++)
        block[1 + i] = (uint8_t)(digit >> (8 * i));
    return digest_siphash(permute->keys[round % 2], block, sizeof block) % modulus;
}

static uint64_t forward(const struct codes_permute *permute, uint64_t value)
{
    uint64_t upper = value / permute->low;
    uint64_t lower = value % permute->low;

    for (unsigned round = 0; round < ROUNDS; round += 2) {
        upper = (upper + round_value(permute, round, lower, permute->high)) % permute->high;
        lower = (lower + round_value(permute, round + 1, upper, permute->low)) % permute->low;
    }
    return upper * permute->low + lower;
}

static uint64_t backward(const struct codes_permute *permute, uint64_t value)
{
    uint64_t upper = value / permute->low;
    uint64_t lower = value % permute->low;

    for (unsigned round = ROUNDS; round > 0; round -= 2) {
        lower = (lower + permute->low - round_value(permute, round - 1, upper, permute->low)) %
                permute->low;
        upper = (upper + permute->high - round_value(permute, round - 2, lower, permute->high)) %
                permute->high;
    }
    return upper * permute->low + lower;
}

/*
 * Cycle walking: the network permutes 0..high*low-1, and following its cycle from inside the range
 * until it is inside again permutes the range. high * low < size + high, so a walk is rare.
 */
uint64_t codes_permute_at(const struct codes_permute *permute, uint64_t position)
{
    assert(position < permute->size);
    do
        position = forward(permute, position);
    while (position >= permute->size);
    return position;
}

uint64_t codes_permute_position(const struct codes_permute *permute, uint64_t serial)
{
    assert(serial < permute->size);
    do
        serial = backward(permute, serial);
    while (serial >= permute->size);
    return serial;
}
