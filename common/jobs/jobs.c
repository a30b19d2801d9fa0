/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

#include "db_query.h"
#include "jobs_internal.h"
#include "store_sql.h"

#include <string.h>

const char *jobs_kind_name(enum jobs_kind kind)
{
    switch (kind) {
    case JOBS_GENERATE:
        return "codes_generate";
    case JOBS_EXPORT_CODES:
        return "codes_export";
    case JOBS_EXPORT_REDEMPTIONS:
        return "redemptions_export";
    }
    return "?";
}

const char *jobs_state_name(enum jobs_state state)
{
    switch (state) {
    case JOBS_RUNNING:
        return "running";
    case JOBS_PAUSED:
        return "paused";
    case JOBS_COMPLETED:
        return "completed";
    case JOBS_FAILED:
        return "failed";
    case JOBS_CANCELLED:
        return "cancelled";
    }
    return "?";
}

int32_t jobs_partition(const uint8_t job[16], int lane, int32_t partitions)
{
    uint32_t hash =
        (uint32_t)job[0] << 24 | (uint32_t)job[1] << 16 | (uint32_t)job[2] << 8 | job[3];
    /* Four bits read backwards: 0, 8, 4, 12, 2, ... Workers hold ranges of partitions, so that
     * neighbours would often go to the same one. */
    uint32_t spread =
        (uint32_t)((lane & 1) << 3 | (lane & 2) << 1 | (lane & 4) >> 1 | (lane & 8) >> 3);

    return (int32_t)((hash % (uint32_t)partitions + spread * (uint32_t)partitions / JOBS_LANES) %
                     (uint32_t)partitions);
}

static void param_id(struct db_params *params, int32_t id)
{
    if (id == 0)
        db_param_null(params);
    else
        db_param_int4(params, id);
}

static int put_job(struct db_conn *db, const struct jobs_job *job, int lanes, bool with_snapshot,
                   struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, job->id);
    db_param_int2(&params, (int16_t)job->kind);
    db_param_int4(&params, job->source_id);
    db_param_text(&params, job->ce_id);
    db_param_text(&params, job->traceparent);
    param_id(&params, job->campaign_id);
    param_id(&params, job->coupon_id);
    param_id(&params, job->batch_id);
    db_param_jsonb(&params, job->params, strlen(job->params));
    db_param_int8(&params, job->total);
    db_param_int2(&params, (int16_t)lanes);
    db_param_int2(&params, (int16_t)job->width);
    db_param_timestamptz(&params, job->accepted_us);
    db_param_bool(&params, with_snapshot);
    return db_query(db, &store_sql_job_put, &params, NULL, err);
}

/* Where lane number `lane` of a job begins. */
static int64_t lane_start(int64_t total, int lane)
{
    return (int64_t)((__int128)total * lane / JOBS_LANES);
}

void jobs_first_tokens(const struct jobs_job *job, struct jobs_token tokens[JOBS_LANES],
                       size_t *ret_tokens)
{
    size_t open = 0;

    for (int lane = 0; lane < JOBS_LANES && open < (size_t)job->width; lane++) {
        if (lane_start(job->total, lane) == lane_start(job->total, lane + 1))
            continue;
        tokens[open] = (struct jobs_token){.lane = lane};
        memcpy(tokens[open].job, job->id, sizeof(job->id));
        open++;
    }
    *ret_tokens = open;
}

int jobs_create(struct db_conn *db, const struct jobs_job *job, bool with_snapshot,
                struct jobs_token tokens[JOBS_LANES], size_t *ret_tokens, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    int16_t states[JOBS_LANES];
    int lanes = 0;

    for (int lane = 0; lane < JOBS_LANES; lane++) {
        bool empty = lane_start(job->total, lane) == lane_start(job->total, lane + 1);

        states[lane] = empty ? JOBS_LANE_DONE : JOBS_LANE_PARKED;
        lanes += empty ? 0 : 1;
    }
    jobs_first_tokens(job, tokens, ret_tokens);
    for (size_t i = 0; i < *ret_tokens; i++)
        states[tokens[i].lane] = JOBS_LANE_OPEN;
    if (put_job(db, job, lanes, with_snapshot, err) < 0)
        return err_wrap(err, "write a job");
    if (job->total == 0)
        return 0;
    db_params_init(&params);
    db_param_uuid(&params, job->id);
    db_array_begin(&params, DB_INT2);
    for (int lane = 0; lane < JOBS_LANES; lane++)
        db_array_int2(&params, (int16_t)lane);
    db_array_end(&params);
    db_array_begin(&params, DB_INT2);
    for (int lane = 0; lane < JOBS_LANES; lane++)
        db_array_int2(&params, states[lane]);
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    for (int lane = 0; lane < JOBS_LANES; lane++)
        db_array_int8(&params, lane_start(job->total, lane));
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    for (int lane = 0; lane < JOBS_LANES; lane++)
        db_array_int8(&params, lane_start(job->total, lane + 1));
    db_array_end(&params);
    if (db_query(db, &store_sql_lane_put, &params, NULL, err) < 0)
        return err_wrap(err, "write a job's lanes");
    return 0;
}

static uint64_t get_checksum(const struct db_result *res, int col)
{
    unsigned __int128 value = 0;

    (void)db_get_numeric_u128(res, 0, col, &value);
    return (uint64_t)value;
}

static const char *get_text(struct arena *arena, const struct db_result *res, int col)
{
    return db_is_null(res, 0, col) ? NULL : arena_strdup(arena, db_get_text(res, 0, col, NULL));
}

int jobs_get(struct db_conn *db, struct arena *arena, const uint8_t id[16], struct jobs_job *ret,
             struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    struct jobs_job job = {0};

    db_params_init(&params);
    db_param_uuid(&params, id);
    if (db_query(db, &store_sql_job_get, &params, &res, err) < 0)
        return err_wrap(err, "read a job");
    if (db_result_rows(&res) == 0)
        return 0;
    memcpy(job.id, id, sizeof(job.id));
    job.kind = (enum jobs_kind)db_get_int32(&res, 0, 0);
    job.state = (enum jobs_state)db_get_int32(&res, 0, 1);
    job.source = get_text(arena, &res, 2);
    job.ce_id = get_text(arena, &res, 3);
    job.traceparent = get_text(arena, &res, 4);
    job.source_id = db_get_int32(&res, 0, 5);
    job.campaign_id = db_get_int32(&res, 0, 6);
    job.coupon_id = db_get_int32(&res, 0, 7);
    job.batch_id = db_get_int32(&res, 0, 8);
    job.params = get_text(arena, &res, 9);
    job.total = db_get_int64(&res, 0, 10);
    job.done = db_get_int64(&res, 0, 11);
    job.checksum = get_checksum(&res, 12);
    job.lanes_left = db_get_int32(&res, 0, 13);
    job.width = db_get_int32(&res, 0, 14);
    job.accepted_us = db_get_timestamptz(&res, 0, 15);
    job.finished_us = db_is_null(&res, 0, 16) ? -1 : db_get_timestamptz(&res, 0, 16);
    job.snapshot = get_text(arena, &res, 17);
    job.outcome = get_text(arena, &res, 18);
    job.campaign = get_text(arena, &res, 19);
    job.coupon = get_text(arena, &res, 20);
    job.outcome_len = job.outcome == NULL ? 0 : strlen(job.outcome);
    if (job.source == NULL || job.ce_id == NULL || job.params == NULL)
        return err_nomem(err);
    *ret = job;
    return 1;
}

int jobs_lock(struct db_conn *db, struct arena *arena, const uint8_t id[16], struct jobs_job *ret,
              struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, id);
    if (db_query(db, &store_sql_job_lock, &params, NULL, err) < 0)
        return err_wrap(err, "lock a job");
    return jobs_get(db, arena, id, ret, err);
}

int jobs_end(struct db_conn *db, const uint8_t id[16], enum jobs_state state, const char *outcome,
             int64_t now_us, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_uuid(&params, id);
    db_param_int2(&params, (int16_t)state);
    db_param_text(&params, outcome);
    db_param_timestamptz(&params, now_us);
    if (db_query(db, &store_sql_job_end, &params, &res, err) < 0)
        return err_wrap(err, "end a job");
    return db_result_rows(&res) > 0 ? 1 : 0;
}

int jobs_stalled(struct db_conn *db, int64_t after_ms, enum jobs_kind kinds_from,
                 enum jobs_kind kinds_to, struct jobs_token *tokens, size_t max, size_t *ret_count,
                 struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int8(&params, after_ms);
    db_param_int2(&params, (int16_t)kinds_from);
    db_param_int2(&params, (int16_t)kinds_to);
    db_param_int4(&params, (int32_t)max);
    if (db_query(db, &store_sql_lane_stalled, &params, &res, err) < 0)
        return err_wrap(err, "look for stalled lanes");
    for (int row = 0; row < db_result_rows(&res); row++) {
        tokens[row] = (struct jobs_token){.lane = db_get_int32(&res, row, 1),
                                          .n = db_get_int32(&res, row, 2),
                                          .epoch = db_get_int32(&res, row, 3)};
        memcpy(tokens[row].job, db_get_uuid(&res, row, 0), sizeof(tokens[row].job));
    }
    *ret_count = (size_t)db_result_rows(&res);
    return 0;
}
