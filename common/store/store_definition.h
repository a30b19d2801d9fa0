/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing definitions: put and archive of campaigns, discounts, coupons and affiliates, inside the
 * caller's open transaction.
 *
 * Definitions change one transaction at a time: each call first locks the row of
 * definition_version, which workers that decide with cached definitions read FOR SHARE right before
 * they commit. So nothing that was decided with the old definition commits after a change of it,
 * and counters that a new limit needs can be taken from the ledger. A worker that holds such a
 * counter while we drop it is a deadlock that PostgreSQL ends (ERR_RETRY for one of us).
 *
 * A refused command has changed nothing. A put that says what is there already changes nothing
 * either and is answered with the version there is. Archived is final: an archived definition takes
 * no further put.
 *
 * Archiving a campaign touches neither its coupons nor the campaigns below it; their codes stop
 * working because every level up to the root has to be active.
 */
#ifndef STORE_DEFINITION_H
#define STORE_DEFINITION_H

#include "base_arena.h"
#include "base_attr.h"
#include "base_err.h"
#include "db_conn.h"
#include "msg_definition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Levels of the tree of campaigns, the root being one. */
#define STORE_CAMPAIGN_LEVELS_MAX 32

/* The command behind a change. Borrowed. */
struct store_change {
    struct db_conn *db; /* in a transaction */
    struct arena *arena;
    int64_t at_us;
    const char *source;
    const char *actor; /* NULL: none */
    /* For the history: the message's value, which in structured mode holds the data inside an
     * envelope. */
    const char *value;
    size_t value_len;
    bool structured;
};

/* What a command came to. Texts and jobs live in the arena. */
struct store_definition {
    struct msg_definition_event event;
    bool unchanged; /* everything was so already */
    /* Jobs not yet ended that go with an archived campaign or coupon: the caller cancels them. */
    const uint8_t (*jobs)[16];
    size_t job_count;
};

/*
 * All of them: 1 done, *ret is filled; 0 refused, *ret_refused has code (msg_reason.h), pointer and
 * sentence; -1 *err, the transaction cannot go on.
 */
int store_definition_put_campaign(const struct store_change *change,
                                  const struct msg_campaign_put *put, struct store_definition *ret,
                                  struct err *ret_refused, struct err *err) MUST_CHECK;
int store_definition_put_discount(const struct store_change *change,
                                  const struct msg_discount_put *put, struct store_definition *ret,
                                  struct err *ret_refused, struct err *err) MUST_CHECK;
int store_definition_put_coupon(const struct store_change *change, const struct msg_coupon_put *put,
                                struct store_definition *ret, struct err *ret_refused,
                                struct err *err) MUST_CHECK;
int store_definition_put_affiliate(const struct store_change *change,
                                   const struct msg_affiliate_put *put,
                                   struct store_definition *ret, struct err *ret_refused,
                                   struct err *err) MUST_CHECK;
int store_definition_archive(const struct store_change *change, enum msg_definition_kind kind,
                             const char *id, struct store_definition *ret, struct err *ret_refused,
                             struct err *err) MUST_CHECK;

/*
 * For the replay of an archive: the jobs that were cancelled at that moment with this message as
 * their first reason, in the order of store_definition.jobs. The array lives in the arena.
 */
int store_definition_cancelled(struct db_conn *db, struct arena *arena, int64_t at_us,
                               const char *message, const uint8_t (**ret_jobs)[16],
                               size_t *ret_count, struct err *err) MUST_CHECK;

#endif
