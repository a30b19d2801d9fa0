/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of redeem and validate commands, set-wise.
 */
#include "redeem_worker.h"

#include "db_tx.h"

#include <stdlib.h>
#include <string.h>

#define SAVEPOINT "run"

/* --- distinct codes
 * ------------------------------------------------------------------------------------------ */

static int stock_of(struct redeem_run *run, struct redeem_line *line, bool validate,
                    struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    struct redeem_stock *stock = store_map_get(&run->redeem->stocks, line->key, strlen(line->key));

    if (stock == NULL) {
        stock = arena_zalloc(arena, 1, sizeof(*stock));
        if (stock == NULL)
            return err_nomem(err);
        stock->key = line->key;
        if (!store_map_put(&run->redeem->stocks, stock->key, strlen(stock->key), stock))
            return err_nomem(err);
        run->stocks[run->stock_count++] = stock;
    }
    line->stock = stock;
    if (!validate) {
        stock->redeemed = true;
        stock->asked += line->units;
    }
    return 0;
}

static int gather_stocks(struct redeem_run *run, struct err *err)
{
    size_t lines = 0;

    store_map_clear(&run->redeem->stocks);
    for (size_t i = 0; i < run->count; i++)
        lines += run->entries[i].line_count;
    run->stock_count = 0;
    run->stocks =
        arena_zalloc(runtime_arena(run->runtime), lines + 1, sizeof(struct redeem_stock *));
    if (run->stocks == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        for (size_t j = 0; entry->state == REDEEM_OPEN && j < entry->line_count; j++) {
            if (entry->lines[j].key != NULL &&
                stock_of(run, &entry->lines[j], entry->validate, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int know(struct redeem_run *run, struct redeem_stock *stock, const struct store_code *code,
                struct err *err)
{
    const struct store_coupon *coupon =
        store_catalog_coupon_of(run->redeem->catalog, code->coupon_id);

    if (coupon == NULL) /* younger than the catalogue */
        return err_set(err, ERR_RETRY, "redeem", "definitions_moved", "definitions have changed");
    int32_t *path =
        arena_zalloc(runtime_arena(run->runtime), coupon->campaign->chain_len, sizeof(*path));

    if (path == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < coupon->campaign->chain_len; i++)
        path[i] = coupon->campaign->chain[i]->id;
    stock->known = true;
    stock->row = *code;
    stock->coupon = coupon;
    stock->path = path;
    stock->base = code->uses - stock->taken;
    return 0;
}

static int know_all(struct redeem_run *run, const struct store_code *codes, size_t count,
                    bool taken, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct redeem_stock *stock =
            store_map_get(&run->redeem->stocks, codes[i].key, strlen(codes[i].key));

        if (stock == NULL)
            return err_set(err, ERR_BUG, "redeem", "unasked_code", "a code nobody asked for");
        stock->taken = taken ? stock->asked : 0;
        if (know(run, stock, &codes[i], err) < 0)
            return -1;
    }
    return 0;
}

/* Read the codes that are not known yet and that some redeem names (lock), or only validates do. */
static int read_stocks(struct redeem_run *run, bool lock, struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    const char **keys = arena_zalloc(arena, run->stock_count + 1, sizeof(*keys));
    struct store_code *codes = NULL;
    size_t count = 0;
    size_t found = 0;

    if (keys == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->stock_count; i++) {
        if (!run->stocks[i]->known && run->stocks[i]->redeemed == lock)
            keys[count++] = run->stocks[i]->key;
    }
    if (count == 0)
        return 0;
    if (store_code_read(runtime_db(run->runtime), arena, keys, count, lock, &codes, &found, err) <
        0)
        return -1;
    return know_all(run, codes, found, false, err);
}

static int take_stocks(struct redeem_run *run, struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    const char **keys = arena_zalloc(arena, run->stock_count + 1, sizeof(*keys));
    int32_t *uses = arena_zalloc(arena, run->stock_count + 1, sizeof(*uses));
    struct store_code *codes = NULL;
    size_t count = 0;
    size_t found = 0;

    if (keys == NULL || uses == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->stock_count; i++) {
        if (!run->stocks[i]->redeemed)
            continue;
        keys[count] = run->stocks[i]->key;
        uses[count++] = run->stocks[i]->asked;
    }
    if (count == 0)
        return 0;
    if (store_code_take(runtime_db(run->runtime), arena, keys, uses, count, &codes, &found, err) <
        0)
        return -1;
    return know_all(run, codes, found, true, err);
}

/* What was decided and what was taken may differ: give back, or take what was only locked. */
static int settle_stocks(struct redeem_run *run, struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    const char **keys = arena_zalloc(arena, run->stock_count + 1, sizeof(*keys));
    int32_t *changes = arena_zalloc(arena, run->stock_count + 1, sizeof(*changes));
    size_t count = 0;

    if (keys == NULL || changes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->stock_count; i++) {
        const struct redeem_stock *stock = run->stocks[i];

        if (stock->used == stock->taken)
            continue;
        keys[count] = stock->key;
        changes[count++] = stock->used - stock->taken;
    }
    return store_code_settle(runtime_db(run->runtime), keys, changes, count, err);
}

/* --- counters of limits
 * -------------------------------------------------------------------------------------- */

static const char *number_text(struct arena *arena, int32_t number)
{
    return arena_printf(arena, "%d", (int)number);
}

struct collecting {
    struct store_counter *counters;
    size_t count;
    const uint8_t (*keyed)[STORE_KEYED_LEN];
    const bool *has_keyed;
    bool customer_needed;
};

static void collect(struct collecting *to, enum store_scope scope, const char *subject,
                    int64_t total, int64_t per_customer)
{
    if (total > 0 && to->count < REDEEM_SCOPE_MAX)
        to->counters[to->count++] =
            (struct store_counter){.scope = scope, .subject = subject, .most = total};
    if (per_customer <= 0)
        return;
    to->customer_needed = true;
    for (size_t i = 0; i < 2 && to->count < REDEEM_SCOPE_MAX; i++) {
        struct store_counter *counter = &to->counters[to->count];

        if (!to->has_keyed[i])
            continue;
        *counter = (struct store_counter){
            .scope = scope, .subject = subject, .per_customer = true, .most = per_customer};
        memcpy(counter->customer, to->keyed[i], STORE_KEYED_LEN);
        to->count++;
    }
}

size_t redeem_limits(const struct store_coupon *coupon, const struct store_code *code,
                     const uint8_t keyed[2][STORE_KEYED_LEN], const bool has_keyed[2],
                     struct arena *arena, struct store_counter ret[REDEEM_SCOPE_MAX],
                     bool *ret_customer_needed)
{
    struct collecting to = {.counters = ret, .keyed = keyed, .has_keyed = has_keyed};
    int32_t per_code =
        code->customer_limit == STORE_INHERIT ? coupon->code_customer_limit : code->customer_limit;

    /* The code's total is its own column. */
    collect(&to, STORE_SCOPE_CODE, code->key, 0, per_code);
    if (coupon->total_limit > 0 || coupon->customer_limit > 0)
        collect(&to, STORE_SCOPE_COUPON, number_text(arena, coupon->id), coupon->total_limit,
                coupon->customer_limit);
    for (size_t i = coupon->campaign->chain_len; i-- > 0;) {
        const struct store_campaign *campaign = coupon->campaign->chain[i];

        if (campaign->total_limit > 0 || campaign->customer_limit > 0)
            collect(&to, STORE_SCOPE_CAMPAIGN, number_text(arena, campaign->id),
                    campaign->total_limit, campaign->customer_limit);
    }
    *ret_customer_needed = to.customer_needed;
    return to.count;
}

static int counter_of(struct redeem_run *run, const struct store_counter *row,
                      struct redeem_counter **ret, struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    uint8_t name[1 + 1 + STORE_KEYED_LEN + 256];
    size_t subject_len = row->subject == NULL ? 0 : strlen(row->subject);
    size_t len = 2;

    if (row->subject == NULL || subject_len > 256)
        return err_nomem(err);
    name[0] = (uint8_t)row->scope;
    name[1] = row->per_customer;
    if (row->per_customer) {
        memcpy(name + len, row->customer, STORE_KEYED_LEN);
        len += STORE_KEYED_LEN;
    }
    memcpy(name + len, row->subject, subject_len);
    len += subject_len;
    *ret = store_map_get(&run->redeem->counters, name, len);
    if (*ret != NULL)
        return 0;
    struct redeem_counter *counter = arena_zalloc(arena, 1, sizeof(*counter));
    const char *key = arena_memdup(arena, name, len);

    if (counter == NULL || key == NULL || !store_map_put(&run->redeem->counters, key, len, counter))
        return err_nomem(err);
    counter->row = *row;
    *ret = counter;
    run->counter_count++;
    return 0;
}

static int limits_of(struct redeem_run *run, const struct redeem_entry *entry,
                     struct redeem_line *line, struct err *err)
{
    static const enum rules_level_kind kinds[] = {
        [STORE_SCOPE_CODE] = RULES_CODE,
        [STORE_SCOPE_COUPON] = RULES_COUPON,
        [STORE_SCOPE_CAMPAIGN] = RULES_CAMPAIGN,
    };
    struct store_counter rows[REDEEM_SCOPE_MAX];
    struct arena *arena = runtime_arena(run->runtime);
    size_t count = redeem_limits(line->stock->coupon, &line->stock->row, entry->keyed,
                                 entry->has_keyed, arena, rows, &line->customer_needed);
    struct redeem_limit *limits = arena_zalloc(arena, count + 1, sizeof(*limits));

    if (limits == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        limits[i].kind = kinds[rows[i].scope];
        if (counter_of(run, &rows[i], &limits[i].counter, err) < 0)
            return -1;
    }
    line->limits = limits;
    line->limit_count = count;
    return 0;
}

/* Find the counters of every line, and read them: locked, since they are about to be taken. */
static int read_counters(struct redeem_run *run, struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    struct store_counter *rows;
    size_t count = 0;

    store_map_clear(&run->redeem->counters);
    run->counter_count = 0;
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        for (size_t j = 0; entry->state == REDEEM_OPEN && j < entry->line_count; j++) {
            struct redeem_line *line = &entry->lines[j];

            if (line->stock != NULL && line->stock->known && limits_of(run, entry, line, err) < 0)
                return -1;
        }
    }
    if (run->counter_count == 0)
        return 0;
    run->counters = arena_zalloc(arena, run->counter_count, sizeof(struct redeem_counter *));
    rows = arena_zalloc(arena, run->counter_count, sizeof(*rows));
    if (run->counters == NULL || rows == NULL)
        return err_nomem(err);
    for (size_t slot = 0; slot < run->redeem->counters.room; slot++) {
        if (run->redeem->counters.slots[slot].key != NULL)
            run->counters[count++] = run->redeem->counters.slots[slot].value;
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = run->counters[i]->row;
    if (store_counter_read(runtime_db(run->runtime), rows, count, true, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        run->counters[i]->row.uses = rows[i].uses;
    return 0;
}

static int settle_counters(struct redeem_run *run, struct err *err)
{
    struct store_counter *rows =
        arena_zalloc(runtime_arena(run->runtime), run->counter_count + 1, sizeof(*rows));
    size_t count = 0;

    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->counter_count; i++) {
        if (run->counters[i]->used == 0)
            continue;
        rows[count] = run->counters[i]->row;
        rows[count++].uses = run->counters[i]->used;
    }
    return store_counter_add(runtime_db(run->runtime), rows, count, err);
}

/* --- tallies
 * -------------------------------------------------------------------------------------------------
 */

int redeem_tally(struct redeem_run *run, int32_t campaign, const char *name, int64_t value,
                 struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    const char *key = arena_printf(arena, "%d:%s", (int)campaign, name);

    if (key == NULL)
        return err_nomem(err);
    struct store_tally *tally = store_map_get(&run->redeem->tallies, key, strlen(key));

    if (tally == NULL) {
        tally = arena_zalloc(arena, 1, sizeof(*tally));
        if (tally == NULL || !store_map_put(&run->redeem->tallies, key, strlen(key), tally))
            return err_nomem(err);
        tally->campaign_id = campaign;
        tally->name = name;
    }
    tally->value += value;
    return 0;
}

static int tally_money(struct redeem_run *run, int32_t campaign, const char *what,
                       const char *currency, int64_t minor, struct err *err)
{
    const char *name = arena_printf(runtime_arena(run->runtime), "%s:%s", what, currency);

    if (name == NULL)
        return err_nomem(err);
    return redeem_tally(run, campaign, name, minor, err);
}

static int tally_entry(struct redeem_run *run, const struct redeem_entry *entry, struct err *err)
{
    const struct msg_order *order = entry->data->order;

    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];
        int32_t campaign = line->path[line->path_len - 1];

        if (entry->state == REDEEM_REFUSED) {
            const char *name = arena_printf(runtime_arena(run->runtime), "refused:%s",
                                            msg_reason_code(line->reasons[0].id));

            if (name == NULL || redeem_tally(run, campaign, name, 1, err) < 0)
                return name == NULL ? err_nomem(err) : -1;
            continue;
        }
        if (redeem_tally(run, campaign, "redeemed", 1, err) < 0 ||
            tally_money(run, campaign, "discount", order->currency, line->discount_minor, err) <
                0 ||
            (i == 0 &&
             tally_money(run, campaign, "order", order->currency, order->total_minor, err) < 0))
            return -1;
    }
    return 0;
}

int redeem_tallies_settle(struct redeem_run *run, struct err *err)
{
    const struct store_map *map = &run->redeem->tallies;
    struct store_tally *tallies =
        arena_zalloc(runtime_arena(run->runtime), map->count + 1, sizeof(*tallies));
    size_t count = 0;

    if (tallies == NULL)
        return err_nomem(err);
    for (size_t slot = 0; slot < map->room; slot++) {
        if (map->slots[slot].key != NULL)
            tallies[count++] = *(const struct store_tally *)map->slots[slot].value;
    }
    return store_tally_add(runtime_db(run->runtime), (int16_t)run->shard, tallies, count, err);
}

/* --- the run
 * -------------------------------------------------------------------------------------------------
 */

static void reopen(struct redeem_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        entry->state = REDEEM_OPEN;
        for (size_t j = 0; j < entry->line_count; j++) {
            struct redeem_line *line = &entry->lines[j];

            *line = (struct redeem_line){
                .given = line->given, .key = line->key, .units = 1, .uses_left = STORE_UNLIMITED};
        }
    }
}

/* Answer what the ledger knows already. */
static int answer_known(struct redeem_run *run, struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    int32_t *sources = arena_zalloc(arena, run->count, sizeof(*sources));
    const char **ids = arena_zalloc(arena, run->count, sizeof(*ids));
    struct store_redemption *rows = NULL;
    size_t asked = 0;
    size_t found = 0;

    if (sources == NULL || ids == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->count; i++) {
        if (run->entries[i].validate)
            continue;
        sources[asked] = run->entries[i].source_id;
        ids[asked++] = run->entries[i].item->command->envelope.id;
    }
    if (asked == 0)
        return 0;
    if (store_redemption_find(runtime_db(run->runtime), arena, sources, ids, asked, &rows, &found,
                              err) < 0)
        return -1;
    store_map_clear(&run->redeem->identities);
    for (size_t i = 0; i < found; i++) {
        const char *name = arena_printf(arena, "%d:%s", (int)rows[i].source_id, rows[i].ce_id);

        if (name == NULL)
            return err_nomem(err);
        if (rows[i].line == 0 &&
            !store_map_put(&run->redeem->identities, name, strlen(name), &rows[i]))
            return err_nomem(err);
    }
    for (size_t i = 0; found > 0 && i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];
        const char *name =
            arena_printf(arena, "%d:%s", (int)entry->source_id, entry->item->command->envelope.id);

        if (name == NULL)
            return err_nomem(err);
        const struct store_redemption *first =
            entry->validate ? NULL : store_map_get(&run->redeem->identities, name, strlen(name));

        if (first == NULL)
            continue;
        size_t count = 1;

        while (first + count < rows + found && first[count].line > 0)
            count++;
        entry->state = REDEEM_ANSWERED;
        if (redeem_emit_known(run->runtime, run->redeem->catalog, entry, first, count, err) < 0)
            return -1;
    }
    return 0;
}

static int decide_all(struct redeem_run *run, struct err *err)
{
    store_map_clear(&run->redeem->tallies);
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        if (entry->state != REDEEM_OPEN)
            continue;
        redeem_decide(entry);
        if (!entry->validate &&
            (entry->state == REDEEM_ACCEPTED || entry->state == REDEEM_REFUSED) &&
            tally_entry(run, entry, err) < 0)
            return -1;
    }
    return 0;
}

static int write_ledger(struct redeem_run *run, struct err *err)
{
    size_t lines = 0;
    size_t count = 0;
    struct store_redemption *rows;

    for (size_t i = 0; i < run->count; i++)
        lines += run->entries[i].line_count;
    rows = arena_zalloc(runtime_arena(run->runtime), lines + 1, sizeof(*rows));
    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->count; i++) {
        const struct redeem_entry *entry = &run->entries[i];

        if (!entry->validate &&
            (entry->state == REDEEM_ACCEPTED || entry->state == REDEEM_REFUSED) &&
            redeem_rows(run->runtime, entry, rows, &count, err) < 0)
            return -1;
    }
    return store_redemption_put(runtime_db(run->runtime), rows, count, err);
}

static int settle(struct redeem_run *run, bool careful, struct err *err)
{
    reopen(run);
    if (careful && answer_known(run, err) < 0)
        return -1;
    if (gather_stocks(run, err) < 0 || (!careful && take_stocks(run, err) < 0) ||
        read_stocks(run, true, err) < 0 || read_stocks(run, false, err) < 0 ||
        read_counters(run, err) < 0 || decide_all(run, err) < 0 || settle_stocks(run, err) < 0 ||
        redeem_tallies_settle(run, err) < 0 || write_ledger(run, err) < 0 ||
        settle_counters(run, err) < 0)
        return -1;
    return 0;
}

static int publish(struct redeem_run *run, struct err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct redeem_entry *entry = &run->entries[i];

        if (entry->state != REDEEM_ANSWERED &&
            redeem_emit(run->runtime, run->redeem->catalog, entry, entry->item->now_us, false,
                        err) < 0)
            return -1;
    }
    return 0;
}

int redeem_run_settle(struct redeem_run *run, bool careful, struct err *err)
{
    struct db_conn *db = runtime_db(run->runtime);

    if (!careful) {
        if (db_tx_savepoint(db, SAVEPOINT, err) < 0)
            return -1;
        if (settle(run, false, err) == 0)
            return db_tx_release(db, SAVEPOINT, err) < 0 ? -1 : publish(run, err);
        if (err->kind != ERR_DUPLICATE)
            return -1;
        /* Some command was here before. */
        err_clear(err);
        if (db_tx_rollback_to(db, SAVEPOINT, err) < 0 || db_tx_release(db, SAVEPOINT, err) < 0)
            return -1;
    }
    if (settle(run, true, err) < 0) {
        /* Between look-up and insert another worker was faster with the same command: decide again.
         */
        if (err->kind == ERR_DUPLICATE)
            err->kind = ERR_RETRY;
        return -1;
    }
    return publish(run, err);
}
