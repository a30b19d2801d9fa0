/* SPDX-License-Identifier: Apache-2.0
 *
 * Codes as they are redeemed, the counters of limits, and the ledger of the redeem commands. All of
 * it works on sets, inside the caller's open transaction. Texts that come back live in the arena.
 */
#ifndef STORE_REDEMPTION_H
#define STORE_REDEMPTION_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"
#include "db_copy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEYED_LEN 16 /* bytes of the keyed hash of a customer's identifier */

/* A code and what its batch says. */
struct store_code {
    const char *key;
    int32_t uses;
    bool active;  /* the code's own switch and its batch's */
    int32_t most; /* 0: unlimited */
    int32_t batch_id;
    int32_t coupon_id;
    int64_t starts_us; /* INT64_MIN, INT64_MAX: open */
    int64_t ends_us;
    int32_t customer_limit; /* STORE_INHERIT: the coupon's */
};
/* Add uses[i] to keys[i] wherever the code is active and that many are left; *ret_codes are those
 * where it was done, uses as they are now. Keys are distinct. */
int store_code_take(struct db_conn *db, struct arena *arena, const char *const *keys,
                    const int32_t *uses, size_t count, struct store_code **ret_codes,
                    size_t *ret_count, struct err *err) MUST_CHECK;
/* Those of the keys that there are; locked in key order, or only looked at. */
int store_code_read(struct db_conn *db, struct arena *arena, const char *const *keys, size_t count,
                    bool lock, struct store_code **ret_codes, size_t *ret_count,
                    struct err *err) MUST_CHECK;
/* Add change[i] (may be negative) to the uses of keys[i], which the caller has locked. */
int store_code_settle(struct db_conn *db, const char *const *keys, const int32_t *changes,
                      size_t count, struct err *err) MUST_CHECK;

/* The numbers stand in table counter. */
enum store_scope {
    STORE_SCOPE_CODE = 1,
    STORE_SCOPE_COUPON = 2,
    STORE_SCOPE_CAMPAIGN = 3,
};
struct store_counter {
    enum store_scope scope;
    const char *subject; /* code: its key; coupon, campaign: the number as text */
    uint8_t customer[STORE_KEYED_LEN];
    bool per_customer; /* false: in total */
    int64_t uses;      /* read: as they are; add, give back: how many */
    int64_t most;      /* add */
    bool found;        /* read: there is a row */
};
/* Fill in uses (0 where there is no row) and found, locking the rows in key order or not. Counters
 * are distinct, in all three. */
int store_counter_read(struct db_conn *db, struct store_counter *counters, size_t count, bool lock,
                       struct err *err) MUST_CHECK;
/* ERR_RETRY with code "counter_moved": one of them is fuller than it was when it was read; decide
 * again. */
int store_counter_add(struct db_conn *db, const struct store_counter *counters, size_t count,
                      struct err *err) MUST_CHECK;
/* Those that are there. */
int store_counter_give_back(struct db_conn *db, const struct store_counter *counters, size_t count,
                            struct err *err) MUST_CHECK;

/* The numbers stand in table redemption. */
enum store_redemption_state {
    STORE_REDEEMED = 1,
    STORE_REFUSED = 2,
    STORE_RELEASED = 3,
    STORE_FORESTALLED = 4, /* released before its redeem came */
    STORE_RELEASE = 5,     /* row of a release command        */
};
/* A row of the ledger: one code of a command. */
struct store_redemption {
    int32_t source_id;
    const char *ce_id;
    int16_t line;
    enum store_redemption_state state;
    int32_t units;
    int32_t partition;
    int64_t offset;
    int64_t at_us;
    const char *code; /* key; NULL: none */
    int32_t batch_id; /* 0: none, as coupon_id and path_id */
    int32_t coupon_id;
    int32_t path_id;     /* to write                                          */
    const int32_t *path; /* read: the campaigns of the path, root first       */
    size_t path_len;
    int32_t uses_left;   /* STORE_UNLIMITED */
    int32_t discount_id; /* of a single discount; 0: none, or see detail        */
    int64_t discount_minor;
    int64_t order_minor;
    const char *currency;
    const char *order_id;
    const uint8_t *customer; /* STORE_KEYED_LEN bytes; NULL: not given */
    const uint8_t *email;
    uint8_t hash[16];
    int16_t reason;     /* 0: none */
    const char *detail; /* NULL: none */
};
#define STORE_UNLIMITED (-1)

/* A command of the redeem topic. ce_id is borrowed. */
struct store_identity {
    int32_t source_id;
    const char *ce_id;
};
/* All rows of these commands, sorted by source, id and line. Naming one twice does no harm. */
int store_redemption_find(struct db_conn *db, struct arena *arena, const struct store_identity *ids,
                          size_t count, struct store_redemption **ret, size_t *ret_count,
                          struct err *err) MUST_CHECK;
/* ERR_DUPLICATE: one of these commands was here before, and nothing is written. */
int store_redemption_put(struct db_conn *db, const struct store_redemption *rows, size_t count,
                         struct err *err) MUST_CHECK;
/* Lock the rows of these commands, those that are there, in the order of their key. */
int store_redemption_lock(struct db_conn *db, const struct store_identity *ids, size_t count,
                          struct err *err) MUST_CHECK;

struct store_released {
    struct store_identity of; /* the redeem command */
    int16_t line;
    int64_t at_us;
};
/* Mark redeemed lines, which the caller has locked, as released. Distinct. */
int store_redemption_release(struct db_conn *db, const struct store_released *lines, size_t count,
                             struct err *err) MUST_CHECK;

#endif
