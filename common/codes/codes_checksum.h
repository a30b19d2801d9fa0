/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksum of a set of codes that does not depend on their order: the sum modulo 2^64 of
 * SipHash-2-4 over each canonical key, under a key of the fleet. Sums of parts add up to the sum of
 * the whole; a code missing, changed or counted twice shows, and without the key nobody can make
 * two sets with the same sum.
 */
#ifndef CODES_CHECKSUM_H
#define CODES_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define CODES_CHECKSUM_TEXT 17 /* 16 hexadecimal digits and the closing NUL */

/* A plain value. Store `sum` as it is (as int64 it wraps to the same bits). */
struct codes_checksum {
    uint8_t key[16];
    uint64_t sum;
};

/* The empty set, under the fleet's key (purpose CODES_SECRET_CHECKSUM). */
void codes_checksum_init(struct codes_checksum *checksum, const void *secret, size_t secret_len);
void codes_checksum_add(struct codes_checksum *checksum, const char *key, size_t len);
/* Add the sum of another, disjoint set. */
void codes_checksum_merge(struct codes_checksum *checksum, uint64_t sum);
const char *codes_checksum_text(uint64_t sum, char out[CODES_CHECKSUM_TEXT]);

#endif
