/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums per campaign for metrics. A batch adds its differences at once, under a shard that no other
 * worker writes to at the same time; every addition also counts a "changes" of the campaign, by
 * which snapshots see that there is news.
 */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include "base_err.h"
#include "db_conn.h"

#include <stddef.h>
#include <stdint.h>

struct store_tally {
    int32_t campaign_id;
    const char *name; /* "issued", "redeemed", "discount:EUR", ... */
    int64_t value;    /* may be negative */
};

/* (campaign, name) must be distinct, and none be "changes". */
int store_tally_add(struct db_conn *db, int16_t shard, const struct store_tally *tallies,
                    size_t count, struct err *err) MUST_CHECK;

#endif
