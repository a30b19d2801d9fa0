/* SPDX-License-Identifier: Apache-2.0
 *
 * The redeem-worker. A batch is settled as few runs of commands, each set-wise: what the run needs
 * is taken or read at once, every command is decided in memory in the order of the batch, and what
 * was decided is written at once.
 *
 * A run first goes the optimistic way: uses are taken by one update and given back where the
 * verdict refuses, and the ledger's unique key tells of commands that were seen before. When it
 * does, or when the commands lie below what was applied, or while refusals are common, it goes the
 * careful way: look-up in the ledger, locks in key order, then the same decisions.
 *
 * Everything of a run lives in the batch's arena.
 */
#ifndef REDEEM_WORKER_H
#define REDEEM_WORKER_H

#include "codes_secret.h"
#include "rules_discount.h"
#include "rules_verdict.h"
#include "runtime.h"
#include "store_catalog.h"
#include "store_code.h"
#include "store_map.h"
#include "store_redemption.h"
#include "store_tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDEEM_SCOPE_MAX 128 /* limits that one code can fall under: 2 + campaigns, by 3 */

struct redeem {
    struct store_catalog *catalog;
    struct store_map stocks;     /* of a run: by key                        */
    struct store_map counters;   /* of a run: by scope, subject and customer */
    struct store_map tallies;    /* of a run: by campaign and name          */
    struct store_map identities; /* of a run: by source and id              */
    uint8_t customer_key[CODES_KEY_LEN];
    double refusals; /* share of refused commands, lately */
};

/* A distinct code of a run. */
struct redeem_stock {
    const char *key;
    bool known;
    bool redeemed; /* some redeem names it; otherwise only validates do */
    struct store_code row;
    const struct store_coupon *coupon;
    const int32_t *path; /* the coupon's campaigns, root first */
    int32_t asked;       /* uses that the run asks for             */
    int32_t taken;       /* uses already added in the data base    */
    int32_t base;        /* uses before this run                   */
    int32_t used;        /* uses that the run's commands have got  */
};

/* A counter of a run. */
struct redeem_counter {
    struct store_counter row;
    int64_t used; /* by the run's commands so far */
};
struct redeem_limit {
    struct redeem_counter *counter;
    enum rules_level_kind kind;
};

struct redeem_reason {
    enum msg_reason_id id;
    int64_t next_us; /* RULES_NEVER: not known */
};
struct redeem_share {
    int32_t discount_id;
    int64_t minor;
};

/* One code of a command: what was asked, what it came to. From memory or from the ledger. */
struct redeem_line {
    const char *given;
    const char *key; /* NULL: cannot be a code */
    struct redeem_stock *stock;
    const struct redeem_limit *limits;
    size_t limit_count;
    bool customer_needed;

    int32_t coupon_id;
    int32_t batch_id;
    const int32_t *path; /* campaigns, root first */
    size_t path_len;
    int32_t units;
    int32_t uses_left;
    struct redeem_share shares[RULES_DISCOUNTS_MAX];
    size_t share_count;
    int64_t discount_minor;
    struct redeem_reason reasons[RULES_REASONS_MAX];
    size_t reason_count;
};

enum redeem_state {
    REDEEM_OPEN, /* to be decided                                  */
    REDEEM_ACCEPTED,
    REDEEM_REFUSED,  /* with a row in the ledger                       */
    REDEEM_UNSTORED, /* refused without one: unknown codes             */
    REDEEM_ANSWERED, /* seen before: its answer is published already   */
};

/* A redeem or validate of a run. */
struct redeem_entry {
    const struct runtime_item *item;
    const struct msg_redeem *data;
    bool validate;
    int64_t now_us;
    int32_t source_id;
    uint8_t keyed[2][STORE_KEYED_LEN]; /* of the customer's id and e-mail */
    bool has_keyed[2];
    struct redeem_line *lines;
    size_t line_count;
    enum redeem_state state;
};

struct redeem_run {
    struct runtime *runtime;
    struct redeem *redeem;
    int32_t shard;
    struct redeem_entry *entries;
    size_t count;
    struct redeem_stock **stocks; /* in order of appearance */
    size_t stock_count;
    struct redeem_counter **counters;
    size_t counter_count;
};

extern const struct worker redeem_worker;

/* redeem_worker.c */
/* Canonical forms, keyed customer, source: all that a command is before anything is looked up. */
int redeem_entry_init(struct runtime *runtime, struct redeem *redeem,
                      const struct runtime_item *item, struct redeem_entry *ret,
                      struct err *err) MUST_CHECK;
/* The canonical form in the arena; *ret_key NULL: cannot be a code. */
int redeem_key(struct arena *arena, const char *given, const char **ret_key,
               struct err *err) MUST_CHECK;

/* redeem_run.c */
int redeem_run_settle(struct redeem_run *run, bool careful, struct err *err) MUST_CHECK;
/* Add to the run's tallies. name must live in the arena or be static. */
int redeem_tally(struct redeem_run *run, int32_t campaign, const char *name, int64_t value,
                 struct err *err) MUST_CHECK;
/* Write them. */
int redeem_tallies_settle(struct redeem_run *run, struct err *err) MUST_CHECK;
/* The limits a code of this coupon falls under, for a customer: calls each with a counter to be
 * filled. */
size_t redeem_limits(const struct store_coupon *coupon, const struct store_code *code,
                     const uint8_t keyed[2][STORE_KEYED_LEN], const bool has_keyed[2],
                     struct arena *arena, struct store_counter ret[REDEEM_SCOPE_MAX],
                     bool *ret_customer_needed);

/* redeem_decide.c: sets state, reasons and shares, and counts uses in the run's memory */
void redeem_decide(struct redeem_entry *entry);

/* redeem_outcome.c */
/* Rows of the ledger for an accepted or refused entry, appended. */
int redeem_rows(struct runtime *runtime, const struct redeem_entry *entry,
                struct store_redemption *rows, size_t *count, struct err *err) MUST_CHECK;
/* Publish what an entry came to. */
int redeem_emit(struct runtime *runtime, const struct store_catalog *catalog,
                const struct redeem_entry *entry, int64_t at_us, bool repeated,
                struct err *err) MUST_CHECK;
/* Publish what the ledger says to a command that was seen before, or that its id was used for
 * another. */
int redeem_emit_known(struct runtime *runtime, const struct store_catalog *catalog,
                      struct redeem_entry *entry, const struct store_redemption *rows, size_t count,
                      struct err *err) MUST_CHECK;
/* A refusal of the command as a whole, not stored. */
int redeem_emit_refusal(struct runtime *runtime, const struct runtime_item *item,
                        enum msg_reason_id reason, const char *pointer, struct err *err) MUST_CHECK;

/* redeem_release.c */
int redeem_release(struct runtime *runtime, struct redeem *redeem, int32_t shard,
                   const struct runtime_item *item, struct err *err) MUST_CHECK;

#endif
