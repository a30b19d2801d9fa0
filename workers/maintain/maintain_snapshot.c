/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots of campaigns. The timer publishes a command for every campaign that has changed since
 * its last one, keyed by the campaign; who gets it adds the tallies up. A command for a campaign
 * without news is dropped, so nobody is told the same twice, and the last change is always told.
 */
#include "maintain_worker.h"

#include "store_snapshot.h"

#include <string.h>

#define DUE_AT_ONCE 1000

int maintain_snapshots_due(struct runtime *runtime, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    int64_t now_us = clock_wall(&clock_real);
    int64_t every_us = runtime_conf(runtime)->snapshot_every_ms * TIME_US_PER_MS;
    const char **campaigns = NULL;
    size_t count = 0;

    if (store_snapshot_dirty(runtime_db(runtime), arena, DUE_AT_ONCE, &campaigns, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct msg_snapshot_due data = {.campaign = campaigns[i], .due = now_us / every_us};
        const char *type = msg_command_type(MSG_SNAPSHOT_DUE)->name;
        uint8_t id[DIGEST_UUID_LEN];
        struct record record;

        msg_timer_id(type, data.campaign, data.due, id);
        if (msg_internal_record(arena, runtime_names(runtime), MSG_TOPIC_INTERNAL, -1,
                                data.campaign, MSG_SNAPSHOT_DUE, &data, "promofleet/maintain", id,
                                now_us, &record, err) < 0 ||
            runtime_emit_record(runtime, &record, err) < 0)
            return -1;
    }
    return 0;
}

/* Members "EUR" of all sums named "discount:EUR" and the like. */
static int members(struct arena *arena, const struct store_sum *sums, size_t count,
                   const char *prefix, bool own, struct msg_tallies *ret, struct err *err)
{
    struct msg_tally *items = arena_zalloc(arena, count + 1, sizeof(*items));
    size_t prefix_len = strlen(prefix);
    size_t found = 0;

    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int64_t value = own ? sums[i].own : sums[i].total;

        if (strncmp(sums[i].name, prefix, prefix_len) == 0 && value != 0)
            items[found++] = (struct msg_tally){sums[i].name + prefix_len, value};
    }
    ret->items = items;
    ret->count = found;
    return 0;
}

static int64_t sum_of(const struct store_sum *sums, size_t count, const char *name, bool own)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sums[i].name, name) == 0)
            return own ? sums[i].own : sums[i].total;
    }
    return 0;
}

static int campaign_sums(struct arena *arena, const struct store_sum *sums, size_t count, bool own,
                         struct msg_campaign_sums *ret, struct err *err)
{
    ret->issued = sum_of(sums, count, "issued", own);
    ret->redeemed = sum_of(sums, count, "redeemed", own);
    ret->released = sum_of(sums, count, "released", own);
    if (members(arena, sums, count, "discount:", own, &ret->discount_minor, err) < 0 ||
        members(arena, sums, count, "order:", own, &ret->order_minor, err) < 0 ||
        members(arena, sums, count, "refused:", own, &ret->refused, err) < 0)
        return -1;
    return 0;
}

static int emit(struct runtime *runtime, const char *campaign,
                const struct store_snapshot *snapshot, int64_t at_us, struct err *err)
{
    struct msg_event event = {.type = msg_event_type(MSG_EVENT_METRICS_SNAPSHOT)->name,
                              .topic = MSG_TOPIC_METRICS,
                              .key = campaign,
                              .time_us = at_us,
                              .data = snapshot->data,
                              .data_len = strlen(snapshot->data)};

    msg_timer_id(event.type, campaign, snapshot->version, event.id);
    return runtime_emit(runtime, &event, NULL, err);
}

int maintain_snapshot(struct runtime *runtime, const struct runtime_item *item, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    const struct msg_snapshot_due *due = item->command->data.snapshot_due;
    struct msg_metrics_snapshot data = {.campaign = due->campaign, .at_us = item->now_us};
    struct store_snapshot snapshot;
    struct store_sum *sums = NULL;
    size_t count = 0;
    size_t len = 0;
    int found = store_snapshot_lock(runtime_db(runtime), arena, due->campaign, &snapshot, err);

    if (found <= 0)
        return found;
    if (item->replayed && snapshot.version > 0 && snapshot.due == due->due)
        return emit(runtime, due->campaign, &snapshot, item->now_us, err);
    if (store_snapshot_sums(runtime_db(runtime), arena, snapshot.campaign_id, &sums, &count, err) <
        0)
        return -1;
    int64_t changes = sum_of(sums, count, "changes", false);

    if (changes == snapshot.changes)
        return 0;
    data.parent = snapshot.parent;
    data.version = snapshot.version + 1;
    if (campaign_sums(arena, sums, count, true, &data.own, err) < 0 ||
        campaign_sums(arena, sums, count, false, &data.total, err) < 0 ||
        msg_event_data(arena, MSG_EVENT_METRICS_SNAPSHOT, &data, &snapshot.data, &len, err) < 0)
        return -1;
    snapshot.version++;
    snapshot.changes = changes;
    snapshot.due = due->due;
    if (store_snapshot_put(runtime_db(runtime), &snapshot, err) < 0)
        return -1;
    return emit(runtime, due->campaign, &snapshot, item->now_us, err);
}
