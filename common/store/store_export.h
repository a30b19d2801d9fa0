/* SPDX-License-Identifier: Apache-2.0
 *
 * What exports read: which codes and redemptions were there at a moment, their rows, and the parts
 * that the chunks of an export have written. Everything works inside the caller's open transaction;
 * texts that come back live in the arena.
 *
 * A moment is a pg_snapshot as text. It comes out of the same statement as the bounds of the work,
 * so that no row can be visible in the one and lie outside the other.
 *
 * Rows are handed to a callback one by one; their texts are gone when it returns, and it must not
 * use the connection. Memory grows with the rows of one call: the caller bounds the range.
 */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Serials [first, last) of a batch. */
struct store_export_range {
    int32_t batch_id;
    int64_t first;
    int64_t last;
};
/*
 * The serials of these coupons' codes now, in order of batch and serial. A few of them may have no
 * code yet: those that a running job has left to its overflow.
 */
int store_export_code_ranges(struct db_conn *db, struct arena *arena, const int32_t *coupons,
                             size_t coupon_count, const char **ret_snapshot,
                             struct store_export_range **ret_ranges, size_t *ret_count,
                             struct err *err) MUST_CHECK;
/* No row of the ledger has a higher seq now; 0: there is none. */
int store_export_redemption_reach(struct db_conn *db, struct arena *arena,
                                  const char **ret_snapshot, int64_t *ret_last,
                                  struct err *err) MUST_CHECK;
int store_export_set_snapshot(struct db_conn *db, const uint8_t job[16], const char *snapshot,
                              struct err *err) MUST_CHECK;
/* At the end of a job: its total, which was the most it could be, becomes what it has done. */
int store_export_set_total(struct db_conn *db, const uint8_t job[16], struct err *err) MUST_CHECK;
/* Open the extra lane with one piece of work, for a job that has no other lane. */
int store_export_open_extra(struct db_conn *db, const uint8_t job[16], struct err *err) MUST_CHECK;

/* What a batch says of all its codes, as it is now. */
struct store_export_batch {
    int32_t coupon_id;
    const char *pattern; /* NULL: none */
    bool active;
    int32_t max_uses;  /* unless a code has its own; 0: unlimited */
    int64_t starts_us; /* INT64_MIN, INT64_MAX: open */
    int64_t ends_us;
};
int store_export_batch(struct db_conn *db, struct arena *arena, int32_t batch_id,
                       struct store_export_batch *ret, struct err *err) MUST_CHECK;

struct store_export_code {
    const char *key;
    size_t key_len;
    int32_t serial;
    int32_t uses;
    bool active; /* the code's own switch */
    bool deleted;
    int32_t max_uses; /* 0: unlimited; STORE_INHERIT: the batch's */
};
typedef int (*store_export_code_fn)(void *opaque, const struct store_export_code *row,
                                    struct err *err);
/* By serial: the codes of a range that the snapshot saw. */
int store_export_codes(struct db_conn *db, const struct store_export_range *range,
                       const char *snapshot, store_export_code_fn each, void *opaque,
                       struct err *err) MUST_CHECK;

struct store_export_redemption {
    int64_t seq;
    int64_t at_us;
    int32_t state; /* enum store_redemption_state */
    const char *source;
    const char *ce_id;
    int32_t line;
    const char *code;    /* its key */
    int32_t batch_id;    /* 0: none */
    int32_t serial;      /* -1: the code is not there any more */
    int32_t coupon_id;   /* 0: none */
    const int32_t *path; /* campaigns as they were, root first */
    size_t path_len;
    const char *order_id; /* NULL: none, as currency */
    const char *currency;
    int64_t order_minor;
    int32_t units;
    int64_t discount_minor;
    int32_t reason;          /* 0: none */
    int64_t released_us;     /* -1: not released */
    const uint8_t *customer; /* keyed hashes; NULL: not given */
    size_t customer_len;
    const uint8_t *email;
    size_t email_len;
};
struct store_export_filter {
    int32_t campaign_id;
    bool descendants;
    int32_t coupon_id; /* 0: the campaign decides */
};
/* Levels of a campaign path that are handed out; the tree allows 32. */
#define STORE_EXPORT_PATH_MAX 64
typedef int (*store_export_redemption_fn)(void *opaque, const struct store_export_redemption *row,
                                          struct err *err);
/* By seq: the rows of [first, last) that the snapshot saw and the filter lets through. */
int store_export_redemptions(struct db_conn *db, const struct store_export_filter *filter,
                             int64_t first, int64_t last, const char *snapshot,
                             store_export_redemption_fn each, void *opaque,
                             struct err *err) MUST_CHECK;

struct store_export_part {
    const char *file;
    int64_t rows;
    int64_t bytes;
    const char *sha256;
    const char *read_at;
};
/* The parts of a job that its committed chunks name, in the order of their rows. */
int store_export_parts(struct db_conn *db, struct arena *arena, const uint8_t job[16],
                       struct store_export_part **ret_parts, size_t *ret_count,
                       struct err *err) MUST_CHECK;

#endif
