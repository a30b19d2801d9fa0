/* SPDX-License-Identifier: Apache-2.0
 *
 * The draw. A job for N codes in a space of M ranks cuts the space into N strata of (nearly) equal
 * width and draws one rank in each:
 *
 *   lo_i = floor(i * M / N)        width_i = lo_(i+1) - lo_i
 *   rank = lo_i + PRF(key, i, attempt) mod width_i
 *
 * so a job has no duplicate by construction and exactly N codes, serial order is key order, and any
 * range of serials can be computed alone, anywhere, again and again. PRF is AES-256 under the job's
 * key; free places of the pattern are drawn from further blocks.
 *
 * The codes for a key, pattern and N are a promise: a replayed job must make the same ones. Do not
 * change what this file computes.
 *
 * A serial whose code is taken or blocked is drawn again in its stratum (attempts 1..8), and then
 * anywhere in the space (overflow).
 *
 * Owns an OpenSSL cipher; not to be shared by threads. The pattern is borrowed and must live on.
 */
#ifndef CODES_STRATA_H
#define CODES_STRATA_H

#include "base_attr.h"
#include "base_err.h"
#include "codes_number.h"
#include "codes_pattern.h"
#include "codes_secret.h"

#include <stddef.h>
#include <stdint.h>

#define CODES_REDRAWS 8
/* Overflow steps that try a random rank; the steps after them walk. */
#define CODES_OVERFLOW_TRIES 64

struct codes_strata;

/*
 * count: N, 1..min(M, CODES_JOB_MAX); ERR_POISON "bad_count" otherwise. ERR_FATAL "cipher" when
 * OpenSSL has no AES. The position is serial 0.
 */
int codes_strata_new(const struct codes_pattern *pattern, uint64_t count,
                     const uint8_t key[CODES_KEY_LEN], struct codes_strata **ret_strata,
                     struct err *err) MUST_CHECK;
void codes_strata_free(struct codes_strata *strata); /* takes NULL */
DEFINE_CLEANUP(struct codes_strata, codes_strata_free)

/* The next serial to be drawn, 0..N; N: the end. */
void codes_strata_seek(struct codes_strata *strata, uint64_t serial);
/*
 * Draw (attempt 0) up to `room` codes from the position on, in ascending order of serial and key,
 * and move on. 1: *ret_count of them, fewer than room only at the end; 0: at the end; -1: the
 * cipher failed. Fastest with room for 256 or more.
 */
int codes_strata_next(struct codes_strata *strata, struct codes_code *out, size_t room,
                      size_t *ret_count, struct err *err) MUST_CHECK;

/* Draw one serial again: attempt 0 (as codes_strata_next) .. CODES_REDRAWS. 0 or -1. */
int codes_strata_redraw(struct codes_strata *strata, uint64_t serial, unsigned attempt,
                        struct codes_code *out, struct err *err) MUST_CHECK;
/*
 * Step 0, 1, 2, .. of the overflow of a serial: first CODES_OVERFLOW_TRIES random ranks of the
 * whole space, then, from a start that depends on key and serial, upwards and around, every rank of
 * the space once. 1: *out filled; 0: the walk has been everywhere, the space is full; -1: failed.
 */
int codes_strata_overflow(struct codes_strata *strata, uint64_t serial, uint64_t step,
                          struct codes_code *out, struct err *err) MUST_CHECK;

/* The stratum of a serial: its first rank and its width (at least 1). */
void codes_strata_bounds(const struct codes_strata *strata, uint64_t serial, codes_u128 *ret_lo,
                         codes_u128 *ret_width);
/* The serial whose stratum holds the rank (rank < M). */
uint64_t codes_strata_serial_of(const struct codes_strata *strata, codes_u128 rank);

#endif
