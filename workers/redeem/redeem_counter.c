/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters of limits: which ones a code falls under, and their values over a batch.
 *
 * They are read without a lock and written last, by additions that the table's own check keeps
 * within the limit. When that check fails, another worker was faster; the batch is then decided
 * again with counters that are locked as soon as they are read.
 */
#include "redeem_worker.h"

#include <string.h>

/* Long enough for the longest key. */
#define NAME_MAX_BYTES (2 + STORE_KEYED_LEN + 256)

/* The one counter of this name in the batch. */
static int counter_of(struct redeem_run *run, const struct store_counter *row,
                      struct redeem_counter **ret, struct err *err)
{
    struct store_map *map = &run->redeem->counters;
    uint8_t name[NAME_MAX_BYTES];
    size_t subject_len = strlen(row->subject);
    size_t len = 2;

    if (subject_len > sizeof(name) - len - STORE_KEYED_LEN)
        return err_set(err, ERR_BUG, "redeem", "subject_too_long", "a key of %zu bytes",
                       subject_len);
    name[0] = (uint8_t)row->scope;
    name[1] = row->per_customer;
    if (row->per_customer) {
        memcpy(name + len, row->customer, STORE_KEYED_LEN);
        len += STORE_KEYED_LEN;
    }
    memcpy(name + len, row->subject, subject_len);
    len += subject_len;
    struct redeem_counter *counter = store_map_get(map, name, len);

    if (counter == NULL) {
        const char *key = arena_memdup(run->arena, name, len);

        counter = arena_zalloc(run->arena, 1, sizeof(*counter));
        if (counter == NULL || key == NULL || !store_map_put(map, key, len, counter))
            return err_nomem(err);
        counter->row = *row;
        counter->next = run->counters;
        run->counters = counter;
        run->counter_count++;
    }
    if (row->most > 0)
        counter->row.most = row->most;
    *ret = counter;
    return 0;
}

/* The limits of a line, as they are found. */
struct collecting {
    struct redeem_run *run;
    const uint8_t (*keyed)[STORE_KEYED_LEN];
    const bool *has_keyed;
    struct redeem_limit *limits;
    size_t count;
    bool customer_needed;
};

static int collect_one(struct collecting *to, const struct store_counter *row, struct err *err)
{
    static const enum rules_level_kind kinds[] = {
        [STORE_SCOPE_CODE] = RULES_CODE,
        [STORE_SCOPE_COUPON] = RULES_COUPON,
        [STORE_SCOPE_CAMPAIGN] = RULES_CAMPAIGN,
    };
    struct redeem_limit *limit = &to->limits[to->count++];

    limit->kind = kinds[row->scope];
    return counter_of(to->run, row, &limit->counter, err);
}

static int collect_total(struct collecting *to, enum store_scope scope, const char *subject,
                         int64_t most, struct err *err)
{
    struct store_counter row = {.scope = scope, .subject = subject, .most = most};

    return collect_one(to, &row, err);
}

static int collect_customer(struct collecting *to, enum store_scope scope, const char *subject,
                            int64_t most, struct err *err)
{
    to->customer_needed = true;
    for (size_t i = 0; i < 2; i++) {
        struct store_counter row = {
            .scope = scope, .subject = subject, .per_customer = true, .most = most};

        if (!to->has_keyed[i])
            continue;
        memcpy(row.customer, to->keyed[i], STORE_KEYED_LEN);
        if (collect_one(to, &row, err) < 0)
            return -1;
    }
    return 0;
}

static int collect_level(struct collecting *to, enum store_scope scope, int32_t id, int64_t total,
                         int64_t per_customer, struct err *err)
{
    const char *subject;

    if (total <= 0 && per_customer <= 0)
        return 0;
    subject = arena_printf(to->run->arena, "%d", (int)id);
    if (subject == NULL)
        return err_nomem(err);
    if (total > 0 && collect_total(to, scope, subject, total, err) < 0)
        return -1;
    return per_customer > 0 ? collect_customer(to, scope, subject, per_customer, err) : 0;
}

static int take_limits(struct redeem_run *run, struct redeem_line *line,
                       const struct collecting *from, struct err *err)
{
    struct redeem_limit *limits = arena_alloc(run->arena, (from->count + 1) * sizeof(*limits));

    if (limits == NULL)
        return err_nomem(err);
    memcpy(limits, from->limits, from->count * sizeof(*limits));
    line->limits = limits;
    line->limit_count = from->count;
    line->customer_needed = from->customer_needed;
    return 0;
}

/* What a redeem or validate of this code counts under. The code's total is its own column. */
static int limits_of(struct redeem_run *run, const struct redeem_entry *entry,
                     struct redeem_line *line, struct err *err)
{
    struct redeem_limit limits[REDEEM_LIMITS_MAX];
    struct collecting to = {
        .run = run, .keyed = entry->keyed, .has_keyed = entry->has_keyed, .limits = limits};
    const struct store_coupon *coupon = line->stock->coupon;
    int32_t per_code = line->stock->row.customer_limit;

    if (per_code == STORE_INHERIT)
        per_code = coupon->code_customer_limit;
    if (per_code > 0 && collect_customer(&to, STORE_SCOPE_CODE, line->key, per_code, err) < 0)
        return -1;
    if (collect_level(&to, STORE_SCOPE_COUPON, coupon->id, coupon->total_limit,
                      coupon->customer_limit, err) < 0)
        return -1;
    for (size_t i = coupon->campaign->chain_len; i-- > 0;) {
        const struct store_campaign *campaign = coupon->campaign->chain[i];

        if (collect_level(&to, STORE_SCOPE_CAMPAIGN, campaign->id, campaign->total_limit,
                          campaign->customer_limit, err) < 0)
            return -1;
    }
    return take_limits(run, line, &to, err);
}

/*
 * What a release gives back to: whatever may have counted the redemption, going by its row, whether
 * there is a limit now or not. Those that are there are those that did count it, because a limit
 * that comes later starts with what the ledger has.
 */
static int limits_of_row(struct redeem_run *run, struct redeem_line *line, struct err *err)
{
    const struct store_redemption *row = line->row;
    uint8_t keyed[2][STORE_KEYED_LEN] = {{0}};
    bool has_keyed[2] = {row->customer != NULL, row->email != NULL};
    struct collecting to = {.run = run, .keyed = keyed, .has_keyed = has_keyed};

    to.limits = arena_zalloc(run->arena, 2 + 3 * (1 + row->path_len), sizeof(*to.limits));
    if (to.limits == NULL)
        return err_nomem(err);
    if (has_keyed[0])
        memcpy(keyed[0], row->customer, STORE_KEYED_LEN);
    if (has_keyed[1])
        memcpy(keyed[1], row->email, STORE_KEYED_LEN);
    if (collect_customer(&to, STORE_SCOPE_CODE, line->key, 0, err) < 0)
        return -1;
    for (size_t i = 0; i < 1 + row->path_len; i++) {
        enum store_scope scope = i == 0 ? STORE_SCOPE_COUPON : STORE_SCOPE_CAMPAIGN;
        const char *subject =
            arena_printf(run->arena, "%d", (int)(i == 0 ? row->coupon_id : row->path[i - 1]));

        if (subject == NULL)
            return err_nomem(err);
        if (collect_total(&to, scope, subject, 0, err) < 0 ||
            collect_customer(&to, scope, subject, 0, err) < 0)
            return -1;
    }
    return take_limits(run, line, &to, err);
}

static int gather(struct redeem_run *run, struct err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        for (size_t j = 0; entry->state == REDEEM_OPEN && j < entry->line_count; j++) {
            struct redeem_line *line = &entry->lines[j];

            if (line->row != NULL) {
                if (limits_of_row(run, line, err) < 0)
                    return -1;
            } else if (entry->what != MSG_CODE_RELEASE && line->stock != NULL &&
                       line->stock->known && limits_of(run, entry, line, err) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int read_rows(struct redeem_run *run, struct redeem_counter *const *counters, size_t count,
                     bool lock, struct err *err)
{
    struct store_counter *rows = arena_zalloc(run->arena, count + 1, sizeof(*rows));

    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        rows[i] = counters[i]->row;
    if (store_counter_read(runtime_db(run->runtime), rows, count, lock, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        counters[i]->row = rows[i];
        counters[i]->read = true;
    }
    return 0;
}

int redeem_counters_read(struct redeem_run *run, struct err *err)
{
    struct redeem_counter **unread;
    size_t count = 0;

    if (gather(run, err) < 0)
        return -1;
    if (run->counter_count == 0)
        return 0;
    unread = arena_zalloc(run->arena, run->counter_count, sizeof(struct redeem_counter *));
    if (unread == NULL)
        return err_nomem(err);
    for (struct redeem_counter *counter = run->counters; counter != NULL; counter = counter->next) {
        if (!counter->read)
            unread[count++] = counter;
    }
    return read_rows(run, unread, count, run->lock_counters, err);
}

void redeem_counters_forget(struct redeem_run *run)
{
    store_map_clear(&run->redeem->counters);
    run->counters = NULL;
    run->counter_count = 0;
}

int redeem_counters_settle(struct redeem_run *run, struct err *err)
{
    struct db_conn *db = runtime_db(run->runtime);
    struct store_counter *more = arena_zalloc(run->arena, run->counter_count + 1, sizeof(*more));
    struct store_counter *less = arena_zalloc(run->arena, run->counter_count + 1, sizeof(*less));
    struct redeem_counter **moved =
        arena_zalloc(run->arena, run->counter_count + 1, sizeof(struct redeem_counter *));
    size_t more_count = 0;
    size_t less_count = 0;
    size_t count = 0;

    if (more == NULL || less == NULL || moved == NULL)
        return err_nomem(err);
    for (struct redeem_counter *counter = run->counters; counter != NULL; counter = counter->next) {
        struct store_counter row = counter->row;

        if (counter->used == 0)
            continue;
        moved[count++] = counter;
        row.uses = counter->used > 0 ? counter->used : -counter->used;
        if (counter->used > 0)
            more[more_count++] = row;
        else
            less[less_count++] = row;
    }
    /* Two statements would lock in two orders. */
    if (more_count > 0 && less_count > 0 && !run->lock_counters &&
        read_rows(run, moved, count, true, err) < 0)
        return -1;
    if (store_counter_give_back(db, less, less_count, err) < 0)
        return -1;
    return store_counter_add(db, more, more_count, err);
}
