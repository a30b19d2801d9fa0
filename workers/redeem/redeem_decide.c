/* SPDX-License-Identifier: Apache-2.0
 *
 * From facts to verdict, in memory: the bridge to library rules. All codes of a command or none.
 */
#include "redeem_worker.h"

#include <string.h>

/* rules knows nothing of messages: its reasons under their public names. */
static const enum msg_reason_id reason_ids[RULES_REASONS_MAX] = {
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

void redeem_refuse(struct redeem_entry *entry, enum msg_reason_id reason, const char *pointer)
{
    entry->state = REDEEM_UNSTORED;
    entry->reason = reason;
    entry->pointer = pointer;
}

const char *redeem_code_pointer(struct arena *arena, size_t i)
{
    return arena_printf(arena, "/codes/%zu", i);
}

bool redeem_named_before(const char *const *keys, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (keys[i] != NULL && strcmp(keys[i], keys[at]) == 0)
            return true;
    }
    return false;
}

/* A line that one reason stands against. */
static int refuse_line(struct arena *arena, struct redeem_line *line, enum msg_reason_id id,
                       struct err *err)
{
    struct redeem_reason *reason = arena_alloc(arena, sizeof(*reason));

    if (reason == NULL)
        return err_nomem(err);
    *reason = (struct redeem_reason){id, RULES_NEVER};
    line->reasons = reason;
    line->reason_count = 1;
    return 0;
}

static int refuse_found(struct arena *arena, struct redeem_line *line,
                        const struct rules_finding *findings, size_t count, struct err *err)
{
    struct redeem_reason *reasons = arena_alloc(arena, count * sizeof(*reasons));

    if (reasons == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        reasons[i] = (struct redeem_reason){reason_ids[findings[i].reason], findings[i].next_us};
    line->reasons = reasons;
    line->reason_count = count;
    return 0;
}

/* --- facts --------------------------------------------------------------------------------------
 */

#define LEVELS_MAX (2 + STORE_CAMPAIGN_LEVELS_MAX)

static size_t facts_levels(const struct redeem_stock *stock, struct rules_level levels[LEVELS_MAX])
{
    const struct store_coupon *coupon = stock->coupon;
    size_t count = 0;

    levels[count++] = (struct rules_level){RULES_CODE, stock->row.active, stock->row.starts_us,
                                           stock->row.ends_us};
    levels[count++] = (struct rules_level){RULES_COUPON, coupon->active && !coupon->archived,
                                           coupon->starts_us, coupon->ends_us};
    for (size_t i = coupon->campaign->chain_len; i-- > 0;) {
        const struct store_campaign *campaign = coupon->campaign->chain[i];

        levels[count++] =
            (struct rules_level){RULES_CAMPAIGN, campaign->status == STORE_CAMPAIGN_ACTIVE,
                                 campaign->starts_us, campaign->ends_us};
    }
    return count;
}

static size_t facts_limits(const struct redeem_line *line,
                           struct rules_limit limits[REDEEM_LIMITS_MAX + 1])
{
    const struct redeem_stock *stock = line->stock;
    size_t count = 0;

    if (stock->row.most > 0)
        limits[count++] = (struct rules_limit){RULES_CODE, false, stock->row.most,
                                               (int64_t)stock->base + stock->used};
    for (size_t i = 0; i < line->limit_count; i++) {
        const struct redeem_counter *counter = line->limits[i].counter;

        limits[count++] =
            (struct rules_limit){line->limits[i].kind, counter->row.per_customer, counter->row.most,
                                 counter->row.uses + counter->used};
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

/* --- verdict ------------------------------------------------------------------------------------
 */

/* Count a line's uses for the codes and commands that follow. */
static void count_uses(struct redeem_line *line, int32_t units)
{
    line->stock->used += units;
    for (size_t i = 0; i < line->limit_count; i++)
        line->limits[i].counter->used += units;
}

static int give_shares(struct redeem_run *run, struct redeem_line *line,
                       const struct rules_discount *discounts, size_t count,
                       const struct msg_order *order, int64_t *left_minor, struct err *err)
{
    int64_t minors[RULES_DISCOUNTS_MAX];
    const struct store_coupon *coupon = line->stock->coupon;
    struct redeem_share *shares = arena_alloc(run->arena, (count + 1) * sizeof(*shares));

    if (shares == NULL)
        return err_nomem(err);
    line->discount_minor = rules_discount_apply(discounts, count, coupon->apply_best,
                                                order->currency, *left_minor, minors);
    *left_minor -= line->discount_minor;
    line->shares = shares;
    for (size_t i = 0; i < count; i++) {
        if (minors[i] > 0)
            shares[line->share_count++] =
                (struct redeem_share){coupon->discounts[i]->id, minors[i]};
    }
    return 0;
}

static int decide_line(struct redeem_run *run, const struct redeem_entry *entry,
                       struct redeem_line *line, int64_t *left_minor, struct err *err)
{
    struct redeem_stock *stock = line->stock;
    const struct msg_order *order = entry->data->order;
    struct rules_level levels[LEVELS_MAX];
    struct rules_limit limits[REDEEM_LIMITS_MAX + 1];
    struct rules_discount discounts[RULES_DISCOUNTS_MAX];
    struct rules_finding findings[RULES_REASONS_MAX];
    size_t discount_count = facts_discounts(stock->coupon, discounts);
    struct rules_facts facts = {.now_us = entry->now_us,
                                .levels = levels,
                                .level_count = facts_levels(stock, levels),
                                .limits = limits,
                                .limit_count = facts_limits(line, limits),
                                .customer_needed = line->customer_needed,
                                .customer_known = entry->has_keyed[0] || entry->has_keyed[1],
                                .units = line->units};

    line->coupon_id = stock->coupon->id;
    line->batch_id = stock->row.batch_id;
    line->path = stock->path;
    line->path_len = stock->coupon->campaign->chain_len;
    facts_money(discounts, discount_count, order, &facts);
    size_t found = rules_verdict(&facts, findings);

    if (found > 0)
        return refuse_found(run->arena, line, findings, found, err);
    count_uses(line, line->units);
    line->uses_left =
        stock->row.most > 0 ? stock->row.most - stock->base - stock->used : STORE_UNLIMITED;
    return order == NULL
               ? 0
               : give_shares(run, line, discounts, discount_count, order, left_minor, err);
}

static int check_line(struct redeem_run *run, struct redeem_entry *entry, const char *const *keys,
                      size_t i, int64_t *left_minor, bool *ret_stored, struct err *err)
{
    struct redeem_line *line = &entry->lines[i];
    enum msg_reason_id id = MSG_REASON_NONE;

    if (line->key == NULL)
        id = MSG_REASON_BAD_CODE;
    else if (!line->stock->known)
        id = MSG_REASON_UNKNOWN_CODE;
    else if (redeem_named_before(keys, i))
        id = MSG_REASON_CODE_REPEATED;
    if (id == MSG_REASON_NONE)
        return decide_line(run, entry, line, left_minor, err);
    /* Guesses and typing errors leave no row. */
    *ret_stored = false;
    return refuse_line(run->arena, line, id, err);
}

/* What left no row when it was read first had no effect then, and gets none now: a code that is
 * known today was not known then. */
static int pass_over(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    for (size_t i = 0; i < entry->line_count; i++) {
        if (refuse_line(run->arena, &entry->lines[i], MSG_REASON_UNKNOWN_CODE, err) < 0)
            return -1;
    }
    entry->state = REDEEM_UNSTORED;
    return 0;
}

int redeem_decide(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    int64_t left_minor = entry->data->order != NULL ? entry->data->order->total_minor : 0;
    bool validate = entry->what == MSG_CODE_VALIDATE;
    bool passed_over = entry->item->replayed && !validate;
    const char *keys[MSG_CODES_MAX];
    bool refused = false;
    bool stored = true;

    for (size_t i = 0; i < entry->line_count; i++)
        keys[i] = entry->lines[i].key;
    for (size_t i = 0; i < entry->line_count; i++) {
        if (check_line(run, entry, keys, i, &left_minor, &stored, err) < 0)
            return -1;
        refused = refused || entry->lines[i].reason_count > 0;
    }
    for (size_t i = 0; i < entry->line_count; i++) {
        struct redeem_line *line = &entry->lines[i];

        if (line->reason_count > 0)
            continue;
        if (refused || validate || passed_over)
            count_uses(line, -line->units);
        if (refused && refuse_line(run->arena, line, MSG_REASON_OTHER_CODE_REFUSED, err) < 0)
            return -1;
    }
    entry->state = !refused ? REDEEM_ACCEPTED : stored ? REDEEM_REFUSED : REDEEM_UNSTORED;
    return passed_over && entry->state != REDEEM_UNSTORED ? pass_over(run, entry, err) : 0;
}
