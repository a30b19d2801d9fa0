/* SPDX-License-Identifier: Apache-2.0 */
#include "store_snapshot.h"

#include "db_query.h"
#include "store_sql.h"

int store_snapshot_dirty(struct db_conn *db, struct arena *arena, size_t max,
                         const char ***ret_campaigns, size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, (int32_t)max);
    if (db_query(db, &store_sql_snapshot_dirty, &params, &res, err) < 0)
        return err_wrap(err, "look for changed campaigns");
    size_t count = (size_t)db_result_rows(&res);
    const char **campaigns = arena_zalloc(arena, count + 1, sizeof(*campaigns));

    if (campaigns == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        campaigns[i] = arena_strdup(arena, db_get_text(&res, (int)i, 0, NULL));
        if (campaigns[i] == NULL)
            return err_nomem(err);
    }
    *ret_campaigns = campaigns;
    *ret_count = count;
    return 0;
}

int store_snapshot_lock(struct db_conn *db, struct arena *arena, const char *campaign,
                        struct store_snapshot *ret, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, campaign);
    if (db_query(db, &store_sql_snapshot_lock, &params, &res, err) < 0)
        return err_wrap(err, "lock a campaign's snapshot");
    if (db_result_rows(&res) == 0)
        return 0;
    *ret = (struct store_snapshot){
        .campaign_id = db_get_int32(&res, 0, 0),
        .parent =
            db_is_null(&res, 0, 1) ? NULL : arena_strdup(arena, db_get_text(&res, 0, 1, NULL)),
        .version = db_get_int64(&res, 0, 2),
        .changes = db_get_int64(&res, 0, 3),
        .due = db_get_int64(&res, 0, 4),
        .data = db_is_null(&res, 0, 5) ? NULL : arena_strdup(arena, db_get_text(&res, 0, 5, NULL)),
    };
    return 1;
}

int store_snapshot_put(struct db_conn *db, const struct store_snapshot *snapshot, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_int4(&params, snapshot->campaign_id);
    db_param_int8(&params, snapshot->version);
    db_param_int8(&params, snapshot->changes);
    db_param_int8(&params, snapshot->due);
    db_param_text(&params, snapshot->data);
    if (db_query(db, &store_sql_snapshot_put, &params, NULL, err) < 0)
        return err_wrap(err, "write a snapshot");
    return 0;
}

int store_snapshot_sums(struct db_conn *db, struct arena *arena, int32_t campaign_id,
                        struct store_sum **ret_sums, size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, campaign_id);
    if (db_query(db, &store_sql_snapshot_sums, &params, &res, err) < 0)
        return err_wrap(err, "add up the tallies");
    size_t count = (size_t)db_result_rows(&res);
    struct store_sum *sums = arena_zalloc(arena, count + 1, sizeof(*sums));

    if (sums == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        sums[i].name = arena_strdup(arena, db_get_text(&res, (int)i, 0, NULL));
        sums[i].own = db_get_int64(&res, (int)i, 1);
        sums[i].total = db_get_int64(&res, (int)i, 2);
        if (sums[i].name == NULL)
            return err_nomem(err);
    }
    *ret_sums = sums;
    *ret_count = count;
    return 0;
}
