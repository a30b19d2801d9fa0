/* SPDX-License-Identifier: Apache-2.0 */
#include "store_code.h"

#include "db_query.h"
#include "db_tx.h"
#include "store_sql.h"

#include <stdlib.h>
#include <string.h>

#define SUMMARY "summary"

int store_space_lock(struct db_conn *db, const char *fingerprint, const char *pattern,
                     unsigned __int128 capacity, unsigned __int128 usable, struct store_space *ret,
                     struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, fingerprint);
    db_param_text(&params, pattern);
    db_param_numeric_u128(&params, capacity);
    db_param_numeric_u128(&params, usable);
    if (db_query(db, &store_sql_space_put, &params, NULL, err) < 0)
        return err_wrap(err, "write a space");
    db_params_reset(&params);
    db_param_text(&params, fingerprint);
    if (db_query(db, &store_sql_space_lock, &params, &res, err) < 0)
        return err_wrap(err, "lock a space");
    ret->id = db_get_int32(&res, 0, 0);
    ret->live = db_get_int64(&res, 0, 1);
    return 0;
}

int store_space_reserve(struct db_conn *db, int32_t space, int64_t codes, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_int4(&params, space);
    db_param_int8(&params, codes);
    return db_query(db, &store_sql_space_reserve, &params, NULL, err);
}

static void param_limit(struct db_params *params, int32_t limit)
{
    if (limit == STORE_INHERIT)
        db_param_null(params);
    else
        db_param_int4(params, limit);
}

static void param_time(struct db_params *params, int64_t us)
{
    if (us < 0)
        db_param_null(params);
    else
        db_param_timestamptz(params, us);
}

int store_batch_put(struct db_conn *db, const struct store_batch *batch, int32_t *ret_id,
                    struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_uuid(&params, batch->job);
    db_param_int4(&params, batch->coupon_id);
    if (batch->space_id == 0)
        db_param_null(&params);
    else
        db_param_int4(&params, batch->space_id);
    db_param_int2(&params, (int16_t)batch->origin);
    db_param_text(&params, batch->pattern);
    db_param_int4(&params, batch->size);
    db_param_bool(&params, batch->active);
    param_limit(&params, batch->max_uses);
    param_limit(&params, batch->customer_limit);
    param_time(&params, batch->starts_us);
    param_time(&params, batch->ends_us);
    db_param_timestamptz(&params, batch->created_us);
    if (db_query(db, &store_sql_batch_put, &params, &res, err) < 0)
        return err_wrap(err, "write a batch");
    int32_t id = db_get_int32(&res, 0, 0);

    db_params_reset(&params);
    db_param_uuid(&params, batch->job);
    db_param_int4(&params, id);
    if (db_query(db, &store_sql_job_set_batch, &params, NULL, err) < 0)
        return err_wrap(err, "link job and batch");
    *ret_id = id;
    return 0;
}

int store_code_copy_begin(struct db_copy *copy, struct db_conn *db, struct err *err)
{
    return db_copy_begin(copy, db, "copy code (key, batch_id, serial) from stdin (format binary)",
                         err);
}

int store_code_copy_row(struct db_copy *copy, const char *key, size_t key_len, int32_t batch,
                        int32_t serial, struct err *err)
{
    if (db_copy_row_begin(copy, 3, err) < 0)
        return -1;
    db_copy_text_n(copy, key, key_len);
    db_copy_int4(copy, batch);
    db_copy_int4(copy, serial);
    return 0;
}

static int compare_serials(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a;
    int32_t right = *(const int32_t *)b;

    return (left > right) - (left < right);
}

int store_code_put_some(struct db_conn *db, int32_t batch, const char *const *keys,
                        const int32_t *serials, size_t count, bool *ret_placed, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, batch);
    db_array_begin(&params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(&params, keys[i]);
    db_array_end(&params);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(&params, serials[i]);
    db_array_end(&params);
    if (db_query(db, &store_sql_code_put_some, &params, &res, err) < 0)
        return err_wrap(err, "write codes");
    memset(ret_placed, 0, count * sizeof(*ret_placed));
    for (int row = 0; row < db_result_rows(&res); row++) {
        int32_t serial = db_get_int32(&res, row, 0);
        const int32_t *found = bsearch(&serial, serials, count, sizeof(*serials), compare_serials);

        if (found == NULL)
            return err_set(err, ERR_BUG, "store", "unknown_serial", "a serial that nobody put");
        ret_placed[found - serials] = true;
    }
    return 0;
}

int store_code_taken(struct db_conn *db, const char *const *keys, size_t count, bool *ret_taken,
                     struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_array_begin(&params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(&params, keys[i]);
    db_array_end(&params);
    if (db_query(db, &store_sql_code_taken, &params, &res, err) < 0)
        return err_wrap(err, "look up codes");
    memset(ret_taken, 0, count * sizeof(*ret_taken));
    for (int row = 0; row < db_result_rows(&res); row++)
        ret_taken[db_get_int32(&res, row, 0) - 1] = true;
    return 0;
}

/*
 * What is summarised stays so whatever becomes of the transaction; rolling back to the savepoint
 * gives back the lock on the table, which would hold up vacuum and other jobs' ends until the
 * commit, and the two limits.
 */
int store_code_summarize(struct db_conn *db, struct err *err)
{
    struct err why = {0};

    if (db_tx_savepoint(db, SUMMARY, err) < 0)
        return -1;
    int done = db_query(db, &store_sql_summary_limits, NULL, NULL, &why);

    if (done == 0)
        done = db_query(db, &store_sql_brin_summarize, NULL, NULL, &why);
    if (done < 0 && db_tx_state(db) != DB_TX_FAILED) { /* not for want of time */
        *err = why;
        return -1;
    }
    if (db_tx_rollback_to(db, SUMMARY, err) < 0)
        return -1;
    return db_tx_release(db, SUMMARY, err);
}

int store_redrawn_put(struct db_conn *db, int32_t batch, const struct store_redrawn *rows,
                      size_t count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    db_param_int4(&params, batch);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(&params, rows[i].serial);
    db_array_end(&params);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(&params, rows[i].attempt);
    db_array_end(&params);
    db_array_begin(&params, DB_BOOL);
    for (size_t i = 0; i < count; i++)
        db_array_bool(&params, rows[i].placed);
    db_array_end(&params);
    if (db_query(db, &store_sql_redrawn_put, &params, NULL, err) < 0)
        return err_wrap(err, "note redrawn serials");
    return 0;
}

int store_redrawn_open(struct db_conn *db, int32_t batch, struct store_redrawn *rows, size_t max,
                       size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, batch);
    db_param_int4(&params, (int32_t)max);
    if (db_query(db, &store_sql_redrawn_open, &params, &res, err) < 0)
        return err_wrap(err, "read redrawn serials");
    *ret_count = (size_t)db_result_rows(&res);
    for (int row = 0; row < db_result_rows(&res); row++)
        rows[row] = (struct store_redrawn){.serial = db_get_int32(&res, row, 0),
                                           .attempt = db_get_int32(&res, row, 1)};
    return 0;
}

int store_redrawn_count(struct db_conn *db, int32_t batch, struct store_redrawn_sums *ret,
                        struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, batch);
    if (db_query(db, &store_sql_redrawn_count, &params, &res, err) < 0)
        return err_wrap(err, "count redrawn serials");
    *ret = (struct store_redrawn_sums){.redrawn = db_get_int64(&res, 0, 0),
                                       .open = db_get_int64(&res, 0, 1),
                                       .full = db_get_bool(&res, 0, 2)};
    return 0;
}
