/* SPDX-License-Identifier: Apache-2.0
 *
 * From facts to verdict, in memory: the bridge to library rules. All codes of a command or none.
 */
#include "redeem_worker.h"

#include <string.h>

/* rules knows nothing of messages: its reasons under their public names. */
static const enum msg_reason_id reason_ids[] = {
    [RULES_CODE_INACTIVE] = MSG_REASON_CODE_INACTIVE,
    [RULES_COUPON_INACTIVE] = MSG_REASON_COUPON_INACTIVE,
    [RULES_CAMPAIGN_INACTIVE] = MSG_REASON_CAMPAIGN_INACTIVE,
    [RULES_NOT_STARTED] = MSG_REASON_NOT_STARTED,
    [RULES_EXPIRED] = MSG_REASON_EXPIRED,
    [RULES_CUSTOMER_REQUIRED] = MSG_REASON_CUSTOMER_REQUIRED,
    [RULES_CURRENCY_MISMATCH] = MSG_REASON_CURRENCY_MISMATCH,
    [RULES_DISCOUNT_INACTIVE] = MSG_REASON_DISCOUNT_INACTIVE,
    [RULES_CODE_CUSTOMER_LIMIT] = MSG_REASON_CODE_CUSTOMER_LIMIT,
    [RULES_COUPON_CUSTOMER_LIMIT] = MSG_REASON_COUPON_CUSTOMER_LIMIT,
    [RULES_CAMPAIGN_CUSTOMER_LIMIT] = MSG_REASON_CAMPAIGN_CUSTOMER_LIMIT,
    [RULES_CODE_EXHAUSTED] = MSG_REASON_CODE_EXHAUSTED,
    [RULES_COUPON_LIMIT] = MSG_REASON_COUPON_LIMIT,
    [RULES_CAMPAIGN_LIMIT] = MSG_REASON_CAMPAIGN_LIMIT,
};

static void refuse(struct redeem_line *line, enum msg_reason_id reason, int64_t next_us)
{
    if (line->reason_count < RULES_REASONS_MAX)
        line->reasons[line->reason_count++] = (struct redeem_reason){reason, next_us};
}

static size_t facts_levels(const struct redeem_stock *stock, struct rules_level *levels, size_t max)
{
    const struct store_coupon *coupon = stock->coupon;
    size_t count = 0;

    levels[count++] = (struct rules_level){RULES_CODE, stock->row.active, stock->row.starts_us,
                                           stock->row.ends_us};
    levels[count++] = (struct rules_level){RULES_COUPON, coupon->active && !coupon->archived,
                                           coupon->starts_us, coupon->ends_us};
    for (size_t i = coupon->campaign->chain_len; i-- > 0 && count < max;) {
        const struct store_campaign *campaign = coupon->campaign->chain[i];

        levels[count++] =
            (struct rules_level){RULES_CAMPAIGN, campaign->status == STORE_CAMPAIGN_ACTIVE,
                                 campaign->starts_us, campaign->ends_us};
    }
    return count;
}

static size_t facts_discounts(const struct store_coupon *coupon,
                              struct rules_discount discounts[RULES_DISCOUNTS_MAX])
{
    size_t count = MIN_OF(coupon->discount_count, (size_t)RULES_DISCOUNTS_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct store_discount *discount = coupon->discounts[i];

        discounts[i] = (struct rules_discount){
            .percent_bp = discount->kind == STORE_DISCOUNT_PERCENT ? discount->percent_bp : 0,
            .amount_minor = discount->amount_minor,
            .currency = discount->kind == STORE_DISCOUNT_AMOUNT ? discount->currency : NULL,
            .max_minor = discount->max_minor,
            .active = !discount->archived};
    }
    return count;
}

static void facts_money(const struct rules_discount *discounts, size_t count,
                        const struct msg_order *order, struct rules_facts *facts)
{
    for (size_t i = 0; i < count; i++) {
        if (!discounts[i].active)
            continue;
        facts->some_discount_active = true;
        if (order == NULL || discounts[i].currency == NULL ||
            strcmp(discounts[i].currency, order->currency) == 0)
            facts->currency_fits = true;
    }
}

static void count_uses(struct redeem_line *line, int32_t units)
{
    line->stock->used += units;
    for (size_t i = 0; i < line->limit_count; i++)
        line->limits[i].counter->used += units;
}

static void give_shares(struct redeem_line *line, const struct rules_discount *discounts,
                        size_t count, const struct msg_order *order, int64_t *left_minor)
{
    int64_t shares[RULES_DISCOUNTS_MAX];
    const struct store_coupon *coupon = line->stock->coupon;

    line->discount_minor = rules_discount_apply(discounts, count, coupon->apply_best,
                                                order->currency, *left_minor, shares);
    *left_minor -= line->discount_minor;
    for (size_t i = 0; i < count; i++) {
        if (shares[i] > 0)
            line->shares[line->share_count++] =
                (struct redeem_share){coupon->discounts[i]->id, shares[i]};
    }
}

/* Check one code and, when it passes, count its uses for the codes and commands that follow. */
static void decide_line(struct redeem_entry *entry, struct redeem_line *line, int64_t *left_minor)
{
    struct redeem_stock *stock = line->stock;
    struct rules_level levels[REDEEM_SCOPE_MAX];
    struct rules_limit limits[REDEEM_SCOPE_MAX + 1];
    struct rules_discount discounts[RULES_DISCOUNTS_MAX];
    struct rules_finding findings[RULES_REASONS_MAX];
    size_t discount_count = facts_discounts(stock->coupon, discounts);
    struct rules_facts facts = {.now_us = entry->now_us,
                                .levels = levels,
                                .limits = limits,
                                .customer_needed = line->customer_needed,
                                .customer_known = entry->has_keyed[0] || entry->has_keyed[1],
                                .units = line->units};

    line->coupon_id = stock->coupon->id;
    line->batch_id = stock->row.batch_id;
    line->path = stock->path;
    line->path_len = stock->coupon->campaign->chain_len;
    facts.level_count = facts_levels(stock, levels, REDEEM_SCOPE_MAX);
    facts_money(discounts, discount_count, entry->data->order, &facts);
    for (size_t i = 0; i < line->limit_count; i++) {
        const struct redeem_counter *counter = line->limits[i].counter;

        limits[facts.limit_count++] =
            (struct rules_limit){line->limits[i].kind, counter->row.per_customer, counter->row.most,
                                 counter->row.uses + counter->used};
    }
    if (stock->row.most > 0)
        limits[facts.limit_count++] =
            (struct rules_limit){RULES_CODE, false, stock->row.most, stock->base + stock->used};
    size_t found = rules_verdict(&facts, findings);

    for (size_t i = 0; i < found; i++)
        refuse(line, reason_ids[findings[i].reason], findings[i].next_us);
    if (found > 0)
        return;
    count_uses(line, line->units);
    line->uses_left =
        stock->row.most > 0 ? stock->row.most - stock->base - stock->used : STORE_UNLIMITED;
    if (entry->data->order != NULL)
        give_shares(line, discounts, discount_count, entry->data->order, left_minor);
}

static bool named_before(const struct redeem_entry *entry, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (entry->lines[i].key != NULL && strcmp(entry->lines[i].key, entry->lines[at].key) == 0)
            return true;
    }
    return false;
}

void redeem_decide(struct redeem_entry *entry)
{
    int64_t left_minor = entry->data->order != NULL ? entry->data->order->total_minor : 0;
    bool refused = false;
    bool stored = true;

    for (size_t i = 0; i < entry->line_count; i++) {
        struct redeem_line *line = &entry->lines[i];

        if (line->key == NULL) {
            refuse(line, MSG_REASON_BAD_CODE, RULES_NEVER);
            stored = false;
        } else if (!line->stock->known || (entry->item->replayed && !entry->validate)) {
            /* What left no row when it was read first was unknown then, and is answered so again.
             */
            refuse(line, MSG_REASON_UNKNOWN_CODE, RULES_NEVER);
            stored = false;
        } else if (named_before(entry, i)) {
            refuse(line, MSG_REASON_CODE_REPEATED, RULES_NEVER);
            stored = false;
        } else {
            decide_line(entry, line, &left_minor);
        }
        refused = refused || line->reason_count > 0;
    }
    for (size_t i = 0; i < entry->line_count; i++) {
        struct redeem_line *line = &entry->lines[i];

        if (line->reason_count > 0)
            continue;
        if (refused || entry->validate)
            count_uses(line, -line->units);
        if (refused)
            refuse(line, MSG_REASON_OTHER_CODE_REFUSED, RULES_NEVER);
    }
    entry->state = !refused ? REDEEM_ACCEPTED : stored ? REDEEM_REFUSED : REDEEM_UNSTORED;
}
