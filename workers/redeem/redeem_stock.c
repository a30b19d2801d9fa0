/* SPDX-License-Identifier: Apache-2.0
 *
 * The codes of a run, each once however many commands name it.
 */
#include "redeem_worker.h"

#include <stdlib.h>
#include <string.h>

static int stock_of(struct redeem_run *run, const struct redeem_entry *entry,
                    struct redeem_line *line, struct err *err)
{
    struct store_map *stocks = &run->redeem->stocks;
    struct redeem_stock *stock = store_map_get(stocks, line->key, strlen(line->key));

    if (stock == NULL) {
        stock = arena_zalloc(run->arena, 1, sizeof(*stock));
        if (stock == NULL || !store_map_put(stocks, line->key, strlen(line->key), stock))
            return err_nomem(err);
        stock->key = line->key;
        run->stocks[run->stock_count++] = stock;
    }
    line->stock = stock;
    if (entry->what == MSG_CODE_REDEEM) {
        stock->locked = true;
        stock->asked += line->units;
    } else if (entry->what == MSG_CODE_RELEASE && !entry->before) {
        stock->locked = true;
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct redeem_stock *const *left = a;
    const struct redeem_stock *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

static int gather(struct redeem_run *run, struct err *err)
{
    size_t lines = 0;

    store_map_clear(&run->redeem->stocks);
    for (size_t i = 0; i < run->count; i++)
        lines += run->entries[i].line_count;
    run->stock_count = 0;
    run->stocks = arena_zalloc(run->arena, lines + 1, sizeof(struct redeem_stock *));
    if (run->stocks == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        for (size_t j = 0; entry->state == REDEEM_OPEN && j < entry->line_count; j++) {
            if (entry->lines[j].key != NULL && stock_of(run, entry, &entry->lines[j], err) < 0)
                return -1;
        }
    }
    /* Workers that go by the same order do not wait for each other crosswise. */
    qsort(run->stocks, run->stock_count, sizeof(struct redeem_stock *), by_key);
    return 0;
}

static int know(struct redeem_run *run, struct redeem_stock *stock, const struct store_code *code,
                struct err *err)
{
    const struct store_coupon *coupon =
        store_catalog_coupon_of(run->redeem->catalog, code->coupon_id);

    if (coupon == NULL) /* younger than the catalogue */
        return store_catalog_moved(err);
    const struct store_campaign *campaign = coupon->campaign;
    int32_t *path = arena_zalloc(run->arena, campaign->chain_len, sizeof(*path));

    if (path == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < campaign->chain_len; i++)
        path[i] = campaign->chain[i]->id;
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

static int take(struct redeem_run *run, struct err *err)
{
    const char **keys = arena_zalloc(run->arena, run->stock_count + 1, sizeof(*keys));
    int32_t *uses = arena_zalloc(run->arena, run->stock_count + 1, sizeof(*uses));
    struct store_code *codes = NULL;
    size_t count = 0;
    size_t found = 0;

    if (keys == NULL || uses == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->stock_count; i++) {
        if (run->stocks[i]->asked == 0)
            continue;
        keys[count] = run->stocks[i]->key;
        uses[count++] = run->stocks[i]->asked;
    }
    if (count == 0)
        return 0;
    if (store_code_take(runtime_db(run->runtime), run->arena, keys, uses, count, &codes, &found,
                        err) < 0)
        return -1;
    return know_all(run, codes, found, true, err);
}

/* The codes that are not known yet: those that are to be locked, or those only looked at. */
static int read_some(struct redeem_run *run, bool lock, struct err *err)
{
    const char **keys = arena_zalloc(run->arena, run->stock_count + 1, sizeof(*keys));
    struct store_code *codes = NULL;
    size_t count = 0;
    size_t found = 0;

    if (keys == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->stock_count; i++) {
        if (!run->stocks[i]->known && run->stocks[i]->locked == lock)
            keys[count++] = run->stocks[i]->key;
    }
    if (count == 0)
        return 0;
    if (store_code_read(runtime_db(run->runtime), run->arena, keys, count, lock, &codes, &found,
                        err) < 0)
        return -1;
    return know_all(run, codes, found, false, err);
}

int redeem_stocks_read(struct redeem_run *run, struct err *err)
{
    if (gather(run, err) < 0 || (!run->careful && take(run, err) < 0) ||
        read_some(run, true, err) < 0)
        return -1;
    return read_some(run, false, err);
}

int redeem_stocks_settle(struct redeem_run *run, struct err *err)
{
    const char **keys = arena_zalloc(run->arena, run->stock_count + 1, sizeof(*keys));
    int32_t *changes = arena_zalloc(run->arena, run->stock_count + 1, sizeof(*changes));
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
