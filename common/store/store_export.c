/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements that read rows are planned anew each time (db_query_once): a plan that was kept
 * from when a table was small would read all of it once it is large.
 */
#include "store_export.h"

#include "db_query.h"
#include "store_code.h"
#include "store_sql.h"

#define CODE_INACTIVE 1
#define CODE_DELETED 2

int store_export_code_ranges(struct db_conn *db, struct arena *arena, const int32_t *coupons,
                             size_t coupon_count, const char **ret_snapshot,
                             struct store_export_range **ret_ranges, size_t *ret_count,
                             struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    struct db_array batches;
    struct db_array firsts;
    struct db_array lasts;

    db_params_init(&params);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < coupon_count; i++)
        db_array_int4(&params, coupons[i]);
    db_array_end(&params);
    if (db_query(db, &store_sql_export_code_ranges, &params, &res, err) < 0)
        return err_wrap(err, "look up the codes to export");
    db_get_array(&res, 0, 1, &batches);
    db_get_array(&res, 0, 2, &firsts);
    db_get_array(&res, 0, 3, &lasts);
    size_t count = (size_t)batches.count;
    struct store_export_range *ranges = arena_zalloc(arena, count + 1, sizeof(*ranges));
    const char *snapshot = arena_strdup(arena, db_get_text(&res, 0, 0, NULL));

    if (ranges == NULL || snapshot == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int64_t batch = 0;

        (void)db_array_next_int(&batches, &batch, NULL);
        (void)db_array_next_int(&firsts, &ranges[i].first, NULL);
        (void)db_array_next_int(&lasts, &ranges[i].last, NULL);
        ranges[i].batch_id = (int32_t)batch;
    }
    *ret_snapshot = snapshot;
    *ret_ranges = ranges;
    *ret_count = count;
    return 0;
}

int store_export_redemption_reach(struct db_conn *db, struct arena *arena,
                                  const char **ret_snapshot, int64_t *ret_last, struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query(db, &store_sql_export_redemption_reach, NULL, &res, err) < 0)
        return err_wrap(err, "look up how far the ledger goes");
    const char *snapshot = arena_strdup(arena, db_get_text(&res, 0, 0, NULL));

    if (snapshot == NULL)
        return err_nomem(err);
    *ret_snapshot = snapshot;
    *ret_last = db_get_int64(&res, 0, 1);
    return 0;
}

int store_export_set_snapshot(struct db_conn *db, const uint8_t job[16], const char *snapshot,
                              struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, job);
    db_param_text(&params, snapshot);
    if (db_query(db, &store_sql_export_job_snapshot, &params, NULL, err) < 0)
        return err_wrap(err, "write a job's snapshot");
    return 0;
}

int store_export_set_total(struct db_conn *db, const uint8_t job[16], struct err *err)
{
    CLEANUP(db_params_done) struct db_params params;

    db_params_init(&params);
    db_param_uuid(&params, job);
    if (db_query(db, &store_sql_export_job_total, &params, NULL, err) < 0)
        return err_wrap(err, "write a job's total");
    return 0;
}

int store_export_open_extra(struct db_conn *db, const uint8_t job[16], struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, job);
    if (db_query(db, &store_sql_job_one_more_lane, &params, NULL, err) < 0)
        return err_wrap(err, "open the extra lane");
    db_param_int8(&params, 1);
    if (db_query(db, &store_sql_lane_extra, &params, NULL, err) < 0)
        return err_wrap(err, "open the extra lane");
    return 0;
}

static int64_t time_or(const struct db_result *res, int row, int col, int64_t none)
{
    return db_is_null(res, row, col) ? none : db_get_timestamptz(res, row, col);
}

int store_export_batch(struct db_conn *db, struct arena *arena, int32_t batch_id,
                       struct store_export_batch *ret, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    const char *pattern = NULL;

    db_params_init(&params);
    db_param_int4(&params, batch_id);
    if (db_query(db, &store_sql_export_batch, &params, &res, err) < 0)
        return err_wrap(err, "read a batch");
    if (db_result_rows(&res) == 0)
        return err_set(err, ERR_BUG, "store", "no_batch", "batch %d is not there", (int)batch_id);
    if (!db_is_null(&res, 0, 1)) {
        pattern = arena_strdup(arena, db_get_text(&res, 0, 1, NULL));
        if (pattern == NULL)
            return err_nomem(err);
    }
    *ret = (struct store_export_batch){
        .coupon_id = db_get_int32(&res, 0, 0),
        .pattern = pattern,
        .active = db_get_bool(&res, 0, 2),
        .max_uses = db_get_int32(&res, 0, 3),
        .starts_us = time_or(&res, 0, 4, INT64_MIN),
        .ends_us = time_or(&res, 0, 5, INT64_MAX),
    };
    return 0;
}

int store_export_codes(struct db_conn *db, const struct store_export_range *range,
                       const char *snapshot, store_export_code_fn each, void *opaque,
                       struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, range->batch_id);
    db_param_int4(&params, (int32_t)range->first);
    db_param_int4(&params, (int32_t)range->last);
    db_param_text(&params, snapshot);
    if (db_query_once(db, store_sql_export_codes.text, &params, &res, err) < 0)
        return err_wrap(err, "read codes");
    for (int i = 0; i < db_result_rows(&res); i++) {
        struct store_export_code row = {0};
        int32_t flags = db_get_int32(&res, i, 3);

        row.key = db_get_text(&res, i, 0, &row.key_len);
        row.serial = db_get_int32(&res, i, 1);
        row.uses = db_get_int32(&res, i, 2);
        row.active = (flags & CODE_INACTIVE) == 0;
        row.deleted = (flags & CODE_DELETED) != 0;
        row.max_uses = db_is_null(&res, i, 4) ? STORE_INHERIT : db_get_int32(&res, i, 4);
        if (each(opaque, &row, err) < 0)
            return -1;
    }
    return 0;
}

static const char *text_or_null(const struct db_result *res, int row, int col)
{
    return db_is_null(res, row, col) ? NULL : db_get_text(res, row, col, NULL);
}

static const uint8_t *bytes_or_null(const struct db_result *res, int row, int col, size_t *ret_len)
{
    *ret_len = 0;
    return db_is_null(res, row, col) ? NULL : db_get_bytea(res, row, col, ret_len);
}

/* path: room for STORE_EXPORT_PATH_MAX. */
static void read_redemption(const struct db_result *res, int i, int32_t *path,
                            struct store_export_redemption *ret)
{
    struct db_array levels;
    int64_t level = 0;

    *ret = (struct store_export_redemption){
        .seq = db_get_int64(res, i, 0),
        .at_us = db_get_timestamptz(res, i, 1),
        .state = db_get_int32(res, i, 2),
        .source = db_get_text(res, i, 3, NULL),
        .ce_id = db_get_text(res, i, 4, NULL),
        .line = db_get_int32(res, i, 5),
        .code = db_get_text(res, i, 6, NULL),
        .batch_id = db_get_int32(res, i, 7),
        .serial = db_is_null(res, i, 8) ? -1 : db_get_int32(res, i, 8),
        .coupon_id = db_get_int32(res, i, 9),
        .path = path,
        .order_id = text_or_null(res, i, 11),
        .currency = text_or_null(res, i, 12),
        .order_minor = db_get_int64(res, i, 13),
        .units = db_get_int32(res, i, 14),
        .discount_minor = db_get_int64(res, i, 15),
        .reason = db_get_int32(res, i, 16),
        .released_us = time_or(res, i, 17, -1),
    };
    ret->customer = bytes_or_null(res, i, 18, &ret->customer_len);
    ret->email = bytes_or_null(res, i, 19, &ret->email_len);
    db_get_array(res, i, 10, &levels);
    while (ret->path_len < STORE_EXPORT_PATH_MAX && db_array_next_int(&levels, &level, NULL))
        path[ret->path_len++] = (int32_t)level;
}

static void param_id(struct db_params *params, int32_t id)
{
    if (id == 0)
        db_param_null(params);
    else
        db_param_int4(params, id);
}

int store_export_redemptions(struct db_conn *db, const struct store_export_filter *filter,
                             int64_t first, int64_t last, const char *snapshot,
                             store_export_redemption_fn each, void *opaque, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    int32_t path[STORE_EXPORT_PATH_MAX];

    db_params_init(&params);
    db_param_int8(&params, first);
    db_param_int8(&params, last);
    db_param_text(&params, snapshot);
    param_id(&params, filter->campaign_id);
    db_param_bool(&params, filter->descendants);
    param_id(&params, filter->coupon_id);
    if (db_query_once(db, store_sql_export_redemptions.text, &params, &res, err) < 0)
        return err_wrap(err, "read redemptions");
    for (int i = 0; i < db_result_rows(&res); i++) {
        struct store_export_redemption row;

        read_redemption(&res, i, path, &row);
        if (each(opaque, &row, err) < 0)
            return -1;
    }
    return 0;
}

int store_export_parts(struct db_conn *db, struct arena *arena, const uint8_t job[16],
                       struct store_export_part **ret_parts, size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_uuid(&params, job);
    if (db_query(db, &store_sql_export_parts, &params, &res, err) < 0)
        return err_wrap(err, "read the parts of an export");
    size_t count = (size_t)db_result_rows(&res);
    struct store_export_part *parts = arena_zalloc(arena, count + 1, sizeof(*parts));

    if (parts == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct store_export_part){
            .file = arena_strdup(arena, db_get_text(&res, (int)i, 0, NULL)),
            .rows = db_get_int64(&res, (int)i, 1),
            .bytes = db_get_int64(&res, (int)i, 2),
            .sha256 = arena_strdup(arena, db_get_text(&res, (int)i, 3, NULL)),
            .read_at = arena_strdup(arena, db_get_text(&res, (int)i, 4, NULL)),
        };
        if (parts[i].file == NULL || parts[i].sha256 == NULL || parts[i].read_at == NULL)
            return err_nomem(err);
    }
    *ret_parts = parts;
    *ret_count = count;
    return 0;
}
