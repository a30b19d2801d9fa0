/* SPDX-License-Identifier: Apache-2.0 */
#include "base_buf.h"
#include "store_catalog_internal.h"
#include "store_definition.h"

#include <stdlib.h>
#include <string.h>

void catalog_entry_free(struct entry *entry)
{
    free(entry->ext_id);
    free(entry->texts);
    free(entry->discount_ids);
    free((void *)entry->links);
    free(entry);
}

static struct entry *entry_new(struct table *table, enum catalog_kind kind, int32_t id,
                               const char *ext_id)
{
    struct entry *entry = calloc(1, sizeof(*entry));

    if (entry == NULL)
        return NULL;
    entry->kind = kind;
    entry->id = id;
    entry->ext_id = strdup(ext_id);
    if (entry->ext_id == NULL)
        goto fail;
    if (table->count == table->room) {
        size_t room = table->room == 0 ? 64 : table->room * 2;
        struct entry **entries = realloc((void *)table->entries, room * sizeof(entries[0]));

        if (entries == NULL)
            goto fail;
        table->entries = entries;
        table->room = room;
    }
    /* A map that kept the first key while the second fails would point to freed memory: the caller
     * then forgets the whole catalogue, which the entry has to belong to. */
    table->entries[table->count++] = entry;
    if (!store_map_put(&table->by_id, &entry->id, sizeof(entry->id), entry) ||
        !store_map_put(&table->by_ext, entry->ext_id, strlen(entry->ext_id), entry))
        return NULL;
    return entry;
fail:
    catalog_entry_free(entry);
    return NULL;
}

/* Texts of a row, gathered into one block of memory. */
#define TEXTS_MAX 4
struct texts {
    const struct db_result *res;
    int row;
    struct buf buf;
    const char **slot[TEXTS_MAX];
    size_t at[TEXTS_MAX];
    size_t count;
};

static void text(struct texts *texts, int col, const char **slot)
{
    size_t len = 0;

    *slot = NULL;
    if (db_is_null(texts->res, texts->row, col))
        return;
    const char *bytes = db_get_text(texts->res, texts->row, col, &len);

    texts->slot[texts->count] = slot;
    texts->at[texts->count++] = texts->buf.len;
    buf_add(&texts->buf, bytes, len + 1);
}

static int take_texts(struct texts *texts, struct entry *entry)
{
    if (buf_failed(&texts->buf))
        return -1;
    free(entry->texts);
    entry->texts = NULL;
    if (texts->count == 0)
        return 0;
    entry->texts = buf_detach(&texts->buf, NULL);
    if (entry->texts == NULL)
        return -1;
    for (size_t i = 0; i < texts->count; i++)
        *texts->slot[i] = entry->texts + texts->at[i];
    return 0;
}

static int64_t time_or(const struct db_result *res, int row, int col, int64_t none)
{
    return db_is_null(res, row, col) ? none : db_get_timestamptz(res, row, col);
}

static void read_campaign(struct entry *entry, const struct db_result *res, int row,
                          struct texts *texts)
{
    struct store_campaign *campaign = &entry->as.campaign;

    campaign->id = entry->id;
    campaign->ext_id = entry->ext_id;
    campaign->parent_id = db_get_int32(res, row, 2);
    campaign->path_id = db_get_int32(res, row, 3);
    text(texts, 4, &campaign->name);
    campaign->status = (enum store_campaign_status)db_get_int16(res, row, 5);
    campaign->starts_us = time_or(res, row, 6, STORE_NO_START);
    campaign->ends_us = time_or(res, row, 7, STORE_NO_END);
    campaign->total_limit = db_get_int64(res, row, 8);
    campaign->customer_limit = db_get_int64(res, row, 9);
    campaign->version = db_get_int64(res, row, 10);
}

static void read_discount(struct entry *entry, const struct db_result *res, int row,
                          struct texts *texts)
{
    struct store_discount *discount = &entry->as.discount;

    discount->id = entry->id;
    discount->ext_id = entry->ext_id;
    text(texts, 2, &discount->name);
    discount->kind = (enum store_discount_kind)db_get_int16(res, row, 3);
    discount->percent_bp = db_get_int32(res, row, 4);
    discount->amount_minor = db_get_int64(res, row, 5);
    text(texts, 6, &discount->currency);
    discount->max_minor = db_get_int64(res, row, 7);
    discount->archived = db_get_bool(res, row, 8);
    discount->version = db_get_int64(res, row, 9);
}

static int read_coupon(struct entry *entry, const struct db_result *res, int row,
                       struct texts *texts)
{
    struct store_coupon *coupon = &entry->as.coupon;
    struct db_array array;
    int64_t id = 0;

    coupon->id = entry->id;
    coupon->ext_id = entry->ext_id;
    entry->campaign_id = db_get_int32(res, row, 2);
    text(texts, 3, &coupon->name);
    coupon->active = db_get_bool(res, row, 4);
    coupon->archived = db_get_bool(res, row, 5);
    coupon->apply_best = db_get_bool(res, row, 6);
    coupon->starts_us = time_or(res, row, 7, STORE_NO_START);
    coupon->ends_us = time_or(res, row, 8, STORE_NO_END);
    coupon->total_limit = db_get_int64(res, row, 9);
    coupon->customer_limit = db_get_int64(res, row, 10);
    coupon->code_max_uses = db_get_int32(res, row, 11);
    coupon->code_customer_limit = db_get_int32(res, row, 12);
    text(texts, 13, &coupon->pattern);
    coupon->version = db_get_int64(res, row, 14);

    db_get_array(res, row, 15, &array);
    free(entry->discount_ids);
    entry->discount_ids = calloc((size_t)array.count + 1, sizeof(entry->discount_ids[0]));
    if (entry->discount_ids == NULL)
        return -1;
    coupon->discount_count = 0;
    while (db_array_next_int(&array, &id, NULL))
        entry->discount_ids[coupon->discount_count++] = (int32_t)id;
    return 0;
}

static void read_affiliate(struct entry *entry, const struct db_result *res, int row,
                           struct texts *texts)
{
    struct store_affiliate *affiliate = &entry->as.affiliate;

    affiliate->id = entry->id;
    affiliate->ext_id = entry->ext_id;
    text(texts, 2, &affiliate->external_id);
    text(texts, 3, &affiliate->email);
    text(texts, 4, &affiliate->name);
    affiliate->archived = db_get_bool(res, row, 5);
    affiliate->version = db_get_int64(res, row, 6);
}

static int load_row(struct store_catalog *catalog, enum catalog_kind kind,
                    const struct db_result *res, int row)
{
    int32_t id = db_get_int32(res, row, 0);
    struct entry *entry = catalog_find(catalog, kind, id);
    struct texts texts = {.res = res, .row = row};
    int said = 0;

    if (entry == NULL)
        entry = entry_new(&catalog->tables[kind], kind, id, db_get_text(res, row, 1, NULL));
    if (entry == NULL)
        return -1;
    entry->linked = false;
    buf_init(&texts.buf);
    switch (kind) {
    case CATALOG_CAMPAIGN:
        read_campaign(entry, res, row, &texts);
        break;
    case CATALOG_DISCOUNT:
        read_discount(entry, res, row, &texts);
        break;
    case CATALOG_COUPON:
        said = read_coupon(entry, res, row, &texts);
        break;
    case CATALOG_AFFILIATE:
        read_affiliate(entry, res, row, &texts);
        break;
    }
    if (said == 0)
        said = take_texts(&texts, entry);
    buf_done(&texts.buf);
    return said;
}

int catalog_load(struct store_catalog *catalog, enum catalog_kind kind, const struct db_result *res,
                 struct err *err)
{
    for (int row = 0; row < db_result_rows(res); row++)
        if (load_row(catalog, kind, res, row) < 0)
            return err_nomem(err);
    return 0;
}

static int missing(struct err *err)
{
    return err_set(err, ERR_BUG, "store", "dangling_definition",
                   "a definition refers to one that is not there");
}

static int make_links(struct entry *entry, size_t count, struct err *err)
{
    free((void *)entry->links);
    entry->links = calloc(count + 1, sizeof(entry->links[0]));
    return entry->links == NULL ? err_nomem(err) : 0;
}

static int link_campaign(const struct store_catalog *catalog, struct entry *entry, struct err *err)
{
    struct store_campaign *campaign = &entry->as.campaign;
    struct store_campaign *up[STORE_CAMPAIGN_LEVELS_MAX];
    size_t count = 0;

    for (int32_t id = campaign->id; id != 0;) {
        struct entry *above = catalog_find(catalog, CATALOG_CAMPAIGN, id);

        if (above == NULL || count == STORE_CAMPAIGN_LEVELS_MAX)
            return missing(err);
        up[count++] = &above->as.campaign;
        id = above->as.campaign.parent_id;
    }
    if (make_links(entry, count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        entry->links[i] = up[count - 1 - i];
    campaign->chain = (const struct store_campaign *const *)entry->links;
    campaign->chain_len = count;
    return 0;
}

static int link_coupon(const struct store_catalog *catalog, struct entry *entry, struct err *err)
{
    struct store_coupon *coupon = &entry->as.coupon;
    struct entry *campaign = catalog_find(catalog, CATALOG_CAMPAIGN, entry->campaign_id);

    if (campaign == NULL)
        return missing(err);
    if (make_links(entry, coupon->discount_count, err) < 0)
        return -1;
    for (size_t i = 0; i < coupon->discount_count; i++) {
        struct entry *discount = catalog_find(catalog, CATALOG_DISCOUNT, entry->discount_ids[i]);

        if (discount == NULL)
            return missing(err);
        entry->links[i] = &discount->as.discount;
    }
    coupon->campaign = &campaign->as.campaign;
    coupon->discounts = (const struct store_discount *const *)entry->links;
    return 0;
}

int catalog_link(struct store_catalog *catalog, struct err *err)
{
    for (int kind = 0; kind < CATALOG_KINDS; kind++) {
        const struct table *table = &catalog->tables[kind];

        for (size_t i = 0; i < table->count; i++) {
            struct entry *entry = table->entries[i];
            int said = 0;

            if (entry->linked)
                continue;
            if (kind == CATALOG_CAMPAIGN)
                said = link_campaign(catalog, entry, err);
            else if (kind == CATALOG_COUPON)
                said = link_coupon(catalog, entry, err);
            if (said < 0)
                return -1;
            entry->linked = true;
        }
    }
    return 0;
}
