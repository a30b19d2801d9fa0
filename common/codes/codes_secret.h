/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys from the fleet's master secret: HMAC-SHA-256(secret, purpose, parts), every part preceded by
 * its length so that no two inputs run together. A key of one purpose tells nothing about another.
 * Wipe keys with digest_wipe() after use; the data base never holds one.
 */
#ifndef CODES_SECRET_H
#define CODES_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define CODES_KEY_LEN 32

/* Purposes. */
#define CODES_SECRET_DRAW "promofleet.codes.draw.v1"
#define CODES_SECRET_PERMUTE "promofleet.codes.permute.v1"
#define CODES_SECRET_CHECKSUM "promofleet.codes.checksum.v1"

/* The key of a job: of the command that asked for it. The same command always has the same key. */
void codes_secret_job(const void *secret, size_t secret_len, const char *purpose,
                      const char *source, size_t source_len, const char *id, size_t id_len,
                      uint8_t out[CODES_KEY_LEN]);
/* A key of the whole fleet. */
void codes_secret_fleet(const void *secret, size_t secret_len, const char *purpose,
                        uint8_t out[CODES_KEY_LEN]);

#endif
