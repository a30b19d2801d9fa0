/* SPDX-License-Identifier: Apache-2.0 */
#include "store_progress.h"

#include "db_query.h"
#include "store_sql.h"

static int stale_epoch(struct err *err)
{
    return err_set(err, ERR_TRANSIENT, "store", "stale_epoch",
                   "another worker was assigned the partition");
}

int store_progress_assign(struct db_conn *db, const char *worker, const char *topic,
                          int32_t partition, const char *owner, struct store_progress *ret,
                          struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, worker);
    db_param_text(&params, topic);
    db_param_int4(&params, partition);
    db_param_text(&params, owner);
    if (db_query(db, &store_sql_progress_assign, &params, &res, err) < 0)
        return err_wrap(err, "take over partition %d of %s", partition, topic);
    *ret = (struct store_progress){
        .epoch = db_get_int64(&res, 0, 0),
        .from = db_get_int64(&res, 0, 1),
        .next = db_get_int64(&res, 0, 2),
        .next_time_us = db_is_null(&res, 0, 3) ? -1 : db_get_timestamptz(&res, 0, 3),
        .deaths = (unsigned)db_get_int32(&res, 0, 4),
        .death_offset = db_get_int64(&res, 0, 5),
    };
    return 0;
}

int store_progress_advance(struct db_conn *db, const char *worker,
                           const struct store_advance *advances, size_t count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, worker);
    db_array_begin(&params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(&params, advances[i].topic);
    db_array_end(&params);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(&params, advances[i].partition);
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    for (size_t i = 0; i < count; i++)
        db_array_int8(&params, advances[i].epoch);
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    for (size_t i = 0; i < count; i++)
        db_array_int8(&params, advances[i].from);
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    for (size_t i = 0; i < count; i++)
        db_array_int8(&params, advances[i].next);
    db_array_end(&params);
    db_array_begin(&params, DB_TIMESTAMPTZ);
    for (size_t i = 0; i < count; i++) {
        if (advances[i].next_time_us < 0)
            db_array_null(&params);
        else
            db_array_timestamptz(&params, advances[i].next_time_us);
    }
    db_array_end(&params);
    if (db_query(db, &store_sql_progress_advance, &params, &res, err) < 0)
        return err_wrap(err, "advance");
    if (db_result_affected(&res) != (int64_t)count)
        return stale_epoch(err);
    return 0;
}

int store_progress_note(struct db_conn *db, const char *worker, const char *topic,
                        int32_t partition, int64_t epoch, int64_t offset, unsigned *ret_deaths,
                        struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, worker);
    db_param_text(&params, topic);
    db_param_int4(&params, partition);
    db_param_int8(&params, epoch);
    db_param_int8(&params, offset);
    if (db_query(db, &store_sql_progress_note, &params, &res, err) < 0)
        return err_wrap(err, "note an attempt");
    if (db_result_rows(&res) == 0)
        return stale_epoch(err);
    *ret_deaths = (unsigned)db_get_int32(&res, 0, 0);
    return 0;
}
