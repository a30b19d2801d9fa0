/* SPDX-License-Identifier: Apache-2.0
 *
 * What a batch adds to the sums of campaigns. A redemption counts where its coupon's campaign was
 * when it was redeemed, also when it is released.
 *
 *   redeemed, released        codes
 *   discount:CUR, order:CUR   minor units, without what was released; an order counts once, with
 *                             the first code of its command
 *   refused:REASON            codes of refused commands, by their first reason
 */
#include "redeem_worker.h"

#include <string.h>

static int add(struct redeem_run *run, int32_t campaign, const char *what, const char *of,
               int64_t value, struct err *err)
{
    struct store_map *map = &run->redeem->tallies;
    char key[96];
    int number_len = snprintf(key, sizeof(key), "%d ", (int)campaign);
    int len = number_len + snprintf(key + number_len, sizeof(key) - (size_t)number_len, "%s%s%s",
                                    what, of == NULL ? "" : ":", of == NULL ? "" : of);
    struct store_tally *tally = store_map_get(map, key, (size_t)len);

    if (tally == NULL) {
        const char *kept = arena_memdup(run->arena, key, (size_t)len);

        tally = arena_zalloc(run->arena, 1, sizeof(*tally));
        if (tally == NULL || kept == NULL || !store_map_put(map, kept, (size_t)len, tally))
            return err_nomem(err);
        tally->campaign_id = campaign;
        tally->name = kept + number_len;
    }
    tally->value += value;
    return 0;
}

static int add_redeemed(struct redeem_run *run, const struct redeem_entry *entry, size_t i,
                        struct err *err)
{
    const struct msg_order *order = entry->data->order;
    const struct redeem_line *line = &entry->lines[i];
    int32_t campaign = line->path[line->path_len - 1];

    if (add(run, campaign, "redeemed", NULL, 1, err) < 0 ||
        add(run, campaign, "discount", order->currency, line->discount_minor, err) < 0)
        return -1;
    return i > 0 ? 0 : add(run, campaign, "order", order->currency, order->total_minor, err);
}

static int add_released(struct redeem_run *run, const struct store_redemption *row, struct err *err)
{
    int32_t campaign;

    if (row->path_len == 0 || row->currency == NULL)
        return err_set(err, ERR_POISON, "redeem", "bad_redemption",
                       "a redemption without campaign or currency");
    campaign = row->path[row->path_len - 1];
    if (add(run, campaign, "released", NULL, 1, err) < 0 ||
        add(run, campaign, "discount", row->currency, -row->discount_minor, err) < 0)
        return -1;
    return row->line > 0 ? 0 : add(run, campaign, "order", row->currency, -row->order_minor, err);
}

int redeem_tally(struct redeem_run *run, const struct redeem_entry *entry, struct err *err)
{
    if (entry->state == REDEEM_UNSTORED)
        return 0;
    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];
        int added = 0;

        if (line->row != NULL)
            added = add_released(run, line->row, err);
        else if (entry->what == MSG_CODE_RELEASE)
            continue; /* before its redeem: nothing has counted it */
        else if (entry->state == REDEEM_ACCEPTED)
            added = add_redeemed(run, entry, i, err);
        else
            added = add(run, line->path[line->path_len - 1], "refused",
                        msg_reason_code(line->reasons[0].id), 1, err);
        if (added < 0)
            return -1;
    }
    return 0;
}

int redeem_tallies_settle(struct redeem_run *run, struct err *err)
{
    const struct store_map *map = &run->redeem->tallies;
    struct store_tally *tallies = arena_zalloc(run->arena, map->count + 1, sizeof(*tallies));
    size_t count = 0;

    if (tallies == NULL)
        return err_nomem(err);
    for (size_t slot = 0; slot < map->room; slot++) {
        if (map->slots[slot].key != NULL)
            tallies[count++] = *(const struct store_tally *)map->slots[slot].value;
    }
    return store_tally_add(runtime_db(run->runtime), (int16_t)run->shard, tallies, count, err);
}
