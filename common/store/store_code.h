/* SPDX-License-Identifier: Apache-2.0
 *
 * Spaces, batches and codes as rows. Everything works inside the caller's open transaction.
 *
 * Codes come in by COPY; where one of them is taken, the caller rolls back to its savepoint and
 * goes the careful way, store_code_put_some(), which says which serials found their place.
 */
#ifndef STORE_CODE_H
#define STORE_CODE_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"
#include "db_copy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_space {
    int32_t id;
    int64_t live; /* reserved by jobs so far */
};
/* Make the row of a space if need be, and lock it: reservations come one after the other. */
int store_space_lock(struct db_conn *db, const char *fingerprint, const char *pattern,
                     unsigned __int128 capacity, unsigned __int128 usable, struct store_space *ret,
                     struct err *err) MUST_CHECK;
int store_space_reserve(struct db_conn *db, int32_t space, int64_t codes,
                        struct err *err) MUST_CHECK;

enum store_origin {
    STORE_GENERATED = 1,
    STORE_IMPORTED = 2,
    STORE_MANUAL = 3,
    STORE_COPIED = 4,
};
#define STORE_INHERIT (-1) /* of max_uses, customer_limit: the coupon decides; 0 is unlimited */
struct store_batch {
    uint8_t job[16];
    int32_t coupon_id;
    int32_t space_id;
    enum store_origin origin;
    const char *pattern;
    int32_t size;
    bool active;
    int32_t max_uses;
    int32_t customer_limit;
    int64_t starts_us; /* -1: none, as the next */
    int64_t ends_us;
    int64_t created_us;
};
/* Writes the batch, and its number into the job's row. */
int store_batch_put(struct db_conn *db, const struct store_batch *batch, int32_t *ret_id,
                    struct err *err) MUST_CHECK;

int store_code_copy_begin(struct db_copy *copy, struct db_conn *db, struct err *err) MUST_CHECK;
int store_code_copy_row(struct db_copy *copy, const char *key, size_t key_len, int32_t batch,
                        int32_t serial, struct err *err) MUST_CHECK;

/* keys[i] has serials[i], which rise. ret_placed[i] tells whether it went in. */
int store_code_put_some(struct db_conn *db, int32_t batch, const char *const *keys,
                        const int32_t *serials, size_t count, bool *ret_placed,
                        struct err *err) MUST_CHECK;
/* ret_taken[i]: is there a code of that key? */
int store_code_taken(struct db_conn *db, const char *const *keys, size_t count, bool *ret_taken,
                     struct err *err) MUST_CHECK;
/*
 * Let the index by batch know the new pages, so that reading a batch need not look at them all.
 * Gives up after a second, or when vacuum or another job is at it: vacuum does the rest. Call it
 * after a job.
 */
int store_code_summarize(struct db_conn *db, struct err *err) MUST_CHECK;

struct store_redrawn {
    int32_t serial;
    int32_t attempt; /* STORE_REDRAWN_FULL: there is no place left in the space */
    bool placed;
};
#define STORE_REDRAWN_FULL (-1)
/* New rows, and what is now true of those that are there. Each serial once. */
int store_redrawn_put(struct db_conn *db, int32_t batch, const struct store_redrawn *rows,
                      size_t count, struct err *err) MUST_CHECK;
/* Those without a place, in order of serial. */
int store_redrawn_open(struct db_conn *db, int32_t batch, struct store_redrawn *rows, size_t max,
                       size_t *ret_count, struct err *err) MUST_CHECK;
struct store_redrawn_sums {
    int64_t redrawn;
    int64_t open;
    bool full;
};
int store_redrawn_count(struct db_conn *db, int32_t batch, struct store_redrawn_sums *ret,
                        struct err *err) MUST_CHECK;

#endif
