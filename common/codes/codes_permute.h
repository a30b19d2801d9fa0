/* SPDX-License-Identifier: Apache-2.0
 *
 * A keyed permutation of 0..N-1: the order in which the codes of a batch are handed out. Because
 * serial order is key order, handing out by serial would let a customer guess the neighbours' codes
 * more easily than chance.
 *
 * Generalised Feistel network over two digits of about sqrt(N) (Black and Rogaway 2002), SipHash as
 * the round function, walking on while the result lies outside of the range. Constant memory, any
 * position computable alone. A plain value; wipe it with digest_wipe() where the key matters.
 */
#ifndef CODES_PERMUTE_H
#define CODES_PERMUTE_H

#include "codes_secret.h"

#include <stdint.h>

struct codes_permute {
    uint8_t keys[2][16];
    uint64_t size;
    uint64_t high; /* sizes of the two digits: high * low >= size */
    uint64_t low;
};

/* size: N, 1..2^62. */
void codes_permute_init(struct codes_permute *permute, const uint8_t key[CODES_KEY_LEN],
                        uint64_t size);
/* Position (below N) to serial, and back. */
uint64_t codes_permute_at(const struct codes_permute *permute, uint64_t position);
uint64_t codes_permute_position(const struct codes_permute *permute, uint64_t serial);

#endif
