/* SPDX-License-Identifier: Apache-2.0 */
#include "store_catalog.h"

#include "db_query.h"
#include "db_tx.h"
#include "store_catalog_internal.h"
#include "store_sql.h"

#include <stdlib.h>
#include <string.h>

/* Loads that definitions may overtake before we let the batch be tried again. */
#define LOADS_MAX 16

struct store_catalog *store_catalog_new(void)
{
    struct store_catalog *catalog = calloc(1, sizeof(*catalog));

    if (catalog == NULL)
        return NULL;
    catalog->version = -1;
    for (size_t i = 0; i < CATALOG_KINDS; i++) {
        store_map_init(&catalog->tables[i].by_id);
        store_map_init(&catalog->tables[i].by_ext);
    }
    return catalog;
}

void store_catalog_forget(struct store_catalog *catalog)
{
    for (size_t i = 0; i < CATALOG_KINDS; i++) {
        struct table *table = &catalog->tables[i];

        for (size_t j = 0; j < table->count; j++)
            catalog_entry_free(table->entries[j]);
        free(table->entries);
        table->entries = NULL;
        table->count = 0;
        table->room = 0;
        store_map_clear(&table->by_id);
        store_map_clear(&table->by_ext);
    }
    catalog->version = -1;
}

void store_catalog_free(struct store_catalog *catalog)
{
    if (catalog == NULL)
        return;
    store_catalog_forget(catalog);
    for (size_t i = 0; i < CATALOG_KINDS; i++) {
        store_map_done(&catalog->tables[i].by_id);
        store_map_done(&catalog->tables[i].by_ext);
    }
    free(catalog);
}

int store_catalog_moved(struct err *err)
{
    return err_set(err, ERR_RETRY, "store", "definitions_moved", "definitions have changed");
}

int store_catalog_hold(const struct store_catalog *catalog, struct db_conn *db, struct err *err)
{
    int same = store_catalog_check(catalog, db, err);

    return same == 0 ? store_catalog_moved(err) : same < 0 ? -1 : 0;
}

int64_t store_catalog_version(const struct store_catalog *catalog)
{
    return catalog->version;
}

static int read_version(struct db_conn *db, const struct db_stmt *stmt, int64_t *ret_version,
                        struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query(db, stmt, NULL, &res, err) < 0)
        return err_wrap(err, "read the version of the definitions");
    *ret_version = db_get_int64(&res, 0, 0);
    return 0;
}

int store_catalog_check(const struct store_catalog *catalog, struct db_conn *db, struct err *err)
{
    int64_t version = 0;

    if (read_version(db, &store_sql_catalog_check, &version, err) < 0)
        return -1;
    return version == catalog->version;
}

/* What one load sends, in this order: the version, each kind's rows, and the version again. */
#define LOAD_STATEMENTS (CATALOG_KINDS + 2)

static const struct db_stmt *const load_statements[LOAD_STATEMENTS] = {
    &store_sql_catalog_version,
    [CATALOG_CAMPAIGN + 1] = &store_sql_catalog_campaigns,
    [CATALOG_DISCOUNT + 1] = &store_sql_catalog_discounts,
    [CATALOG_COUPON + 1] = &store_sql_catalog_coupons,
    [CATALOG_AFFILIATE + 1] = &store_sql_catalog_affiliates,
    [CATALOG_KINDS + 1] = &store_sql_catalog_version,
};

static int query_all(struct db_conn *db, int64_t since, struct db_result results[LOAD_STATEMENTS],
                     struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    int queued = 0;

    db_params_init(&params);
    db_param_int8(&params, since);
    if (db_pipeline_begin(db, err) < 0)
        return -1;
    for (size_t i = 0; i < LOAD_STATEMENTS && queued == 0; i++)
        queued = db_pipeline_queue(db, load_statements[i],
                                   load_statements[i]->param_count > 0 ? &params : NULL, err);
    return db_pipeline_sync(db, queued < 0 ? NULL : results, queued < 0 ? 0 : LOAD_STATEMENTS, err);
}

/*
 * One load. Each statement sees what is committed when it starts. All of them saw the same
 * definitions when the version before them is the version behind them, because every change of a
 * definition raises it. 1: so it was. 0: definitions moved in between; what was loaded is newer
 * than catalog->version, or half of it, and the next load, which starts at the same version, brings
 * it again together with the rest.
 */
static int load(struct store_catalog *catalog, struct db_conn *db, struct err *err)
{
    struct db_result results[LOAD_STATEMENTS] = {0};
    int said = query_all(db, catalog->version, results, err);

    for (int i = 0; i < CATALOG_KINDS && said == 0; i++)
        said = catalog_load(catalog, (enum catalog_kind)i, &results[i + 1], err);
    if (said == 0) {
        int64_t before = db_get_int64(&results[0], 0, 0);
        int64_t behind = db_get_int64(&results[LOAD_STATEMENTS - 1], 0, 0);

        if (before == behind) {
            said = catalog_link(catalog, err) < 0 ? -1 : 1;
            catalog->version = before;
        }
    }
    for (size_t i = 0; i < LOAD_STATEMENTS; i++)
        db_result_done(&results[i]);
    return said;
}

static int load_all(struct store_catalog *catalog, struct db_conn *db, struct err *err)
{
    for (int i = 0; i < LOADS_MAX; i++) {
        int said = load(catalog, db, err);

        if (said != 0)
            return said < 0 ? -1 : 0;
    }
    return err_set(err, ERR_RETRY, "store", "definitions_moving",
                   "definitions changed during each of %d loads", LOADS_MAX);
}

int store_catalog_refresh(struct store_catalog *catalog, struct db_conn *db, struct err *err)
{
    bool own_tx = db_tx_state(db) == DB_TX_NONE; /* a pipeline needs one */
    int64_t version = 0;
    int said = read_version(db, &store_sql_catalog_version, &version, err);

    if (said == 0 && version == catalog->version)
        return 0;
    if (said == 0 && version < catalog->version)
        store_catalog_forget(catalog); /* another data base, or an older state of it */
    if (said == 0 && own_tx)
        said = db_tx_begin(db, err);
    if (said == 0)
        said = load_all(catalog, db, err);
    if (said == 0 && own_tx)
        said = db_tx_commit(db, err);
    if (said == 0)
        return 1;
    store_catalog_forget(catalog);
    if (own_tx)
        (void)db_tx_rollback(db, &(struct err){0});
    return err_wrap(err, "load the definitions");
}

struct entry *catalog_find(const struct store_catalog *catalog, enum catalog_kind kind, int32_t id)
{
    return store_map_get(&catalog->tables[kind].by_id, &id, sizeof(id));
}

static const struct entry *find_ext(const struct store_catalog *catalog, enum catalog_kind kind,
                                    const char *ext_id)
{
    return store_map_get(&catalog->tables[kind].by_ext, ext_id, strlen(ext_id));
}

const struct store_campaign *store_catalog_campaign(const struct store_catalog *catalog,
                                                    const char *ext_id)
{
    const struct entry *entry = find_ext(catalog, CATALOG_CAMPAIGN, ext_id);

    return entry == NULL ? NULL : &entry->as.campaign;
}

const struct store_campaign *store_catalog_campaign_of(const struct store_catalog *catalog,
                                                       int32_t id)
{
    const struct entry *entry = catalog_find(catalog, CATALOG_CAMPAIGN, id);

    return entry == NULL ? NULL : &entry->as.campaign;
}

const struct store_discount *store_catalog_discount(const struct store_catalog *catalog,
                                                    const char *ext_id)
{
    const struct entry *entry = find_ext(catalog, CATALOG_DISCOUNT, ext_id);

    return entry == NULL ? NULL : &entry->as.discount;
}

const struct store_discount *store_catalog_discount_of(const struct store_catalog *catalog,
                                                       int32_t id)
{
    const struct entry *entry = catalog_find(catalog, CATALOG_DISCOUNT, id);

    return entry == NULL ? NULL : &entry->as.discount;
}

const struct store_coupon *store_catalog_coupon(const struct store_catalog *catalog,
                                                const char *ext_id)
{
    const struct entry *entry = find_ext(catalog, CATALOG_COUPON, ext_id);

    return entry == NULL ? NULL : &entry->as.coupon;
}

const struct store_coupon *store_catalog_coupon_of(const struct store_catalog *catalog, int32_t id)
{
    const struct entry *entry = catalog_find(catalog, CATALOG_COUPON, id);

    return entry == NULL ? NULL : &entry->as.coupon;
}

const struct store_affiliate *store_catalog_affiliate(const struct store_catalog *catalog,
                                                      const char *ext_id)
{
    const struct entry *entry = find_ext(catalog, CATALOG_AFFILIATE, ext_id);

    return entry == NULL ? NULL : &entry->as.affiliate;
}

const struct store_affiliate *store_catalog_affiliate_of(const struct store_catalog *catalog,
                                                         int32_t id)
{
    const struct entry *entry = catalog_find(catalog, CATALOG_AFFILIATE, id);

    return entry == NULL ? NULL : &entry->as.affiliate;
}

size_t store_catalog_campaign_count(const struct store_catalog *catalog)
{
    return catalog->tables[CATALOG_CAMPAIGN].count;
}

const struct store_campaign *store_catalog_campaign_at(const struct store_catalog *catalog,
                                                       size_t i)
{
    return &catalog->tables[CATALOG_CAMPAIGN].entries[i]->as.campaign;
}

size_t store_catalog_coupon_count(const struct store_catalog *catalog)
{
    return catalog->tables[CATALOG_COUPON].count;
}

const struct store_coupon *store_catalog_coupon_at(const struct store_catalog *catalog, size_t i)
{
    return &catalog->tables[CATALOG_COUPON].entries[i]->as.coupon;
}

bool store_campaign_within(const struct store_campaign *campaign,
                           const struct store_campaign *above)
{
    for (size_t i = 0; i < campaign->chain_len; i++)
        if (campaign->chain[i] == above)
            return true;
    return false;
}
