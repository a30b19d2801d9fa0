/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tallies come to per campaign, and what of it has been published. Texts live in the
 * arena.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"

#include <stddef.h>
#include <stdint.h>

/* Publishers' names of campaigns with changes that were not published, those that waited longest
 * first. */
int store_snapshot_dirty(struct db_conn *db, struct arena *arena, size_t max,
                         const char ***ret_campaigns, size_t *ret_count,
                         struct err *err) MUST_CHECK;

struct store_snapshot {
    int32_t campaign_id;
    const char *parent; /* NULL: a root */
    int64_t version;    /* 0: never published, as due, changes, data */
    int64_t changes;
    int64_t due;
    const char *data;
};
/* Lock what is known of a campaign: 1, or 0 when there is no such campaign. */
int store_snapshot_lock(struct db_conn *db, struct arena *arena, const char *campaign,
                        struct store_snapshot *ret, struct err *err) MUST_CHECK;
int store_snapshot_put(struct db_conn *db, const struct store_snapshot *snapshot,
                       struct err *err) MUST_CHECK;

struct store_sum {
    const char *name; /* as in the tallies, "changes" among them */
    int64_t own;
    int64_t total; /* own and all descendants' */
};
int store_snapshot_sums(struct db_conn *db, struct arena *arena, int32_t campaign_id,
                        struct store_sum **ret_sums, size_t *ret_count, struct err *err) MUST_CHECK;

#endif
