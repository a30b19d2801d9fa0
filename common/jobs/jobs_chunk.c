/* SPDX-License-Identifier: Apache-2.0 */
#include "base_fault.h"
#include "db_query.h"
#include "jobs.h"
#include "jobs_internal.h"
#include "store_sql.h"

#include <string.h>

/* 1 the chunk is done, and *ret_said what it published if this token did it (else *ret_how is
 * JOBS_DROP). */
static int find_chunk(struct db_conn *db, const struct jobs_token *token, int32_t partition,
                      int64_t offset, enum jobs_take *ret_how, struct jobs_said *ret_said,
                      struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_uuid(&params, token->job);
    db_param_int2(&params, (int16_t)token->lane);
    db_param_int4(&params, token->n);
    if (db_query(db, &store_sql_chunk_get, &params, &res, err) < 0)
        return err_wrap(err, "look up a chunk");
    if (db_result_rows(&res) == 0)
        return 0;
    *ret_how = JOBS_DROP;
    if (db_get_int32(&res, 0, 0) != partition || db_get_int64(&res, 0, 1) != offset)
        return 1;
    int says = db_get_int32(&res, 0, 6);

    *ret_how = JOBS_AGAIN;
    *ret_said = (struct jobs_said){.has_token = db_get_int32(&res, 0, 2) >= 0,
                                   .token = {.lane = db_get_int32(&res, 0, 2),
                                             .n = db_get_int32(&res, 0, 3),
                                             .epoch = db_get_int32(&res, 0, 4)},
                                   .progress = (says & JOBS_SAYS_PROGRESS) != 0,
                                   .terminal = (says & JOBS_SAYS_TERMINAL) != 0,
                                   .done = db_get_int64(&res, 0, 5),
                                   .at_us = db_get_timestamptz(&res, 0, 7)};
    memcpy(ret_said->token.job, token->job, sizeof(token->job));
    return 1;
}

int jobs_take(struct db_conn *db, struct arena *arena, const struct jobs_token *token,
              int32_t partition, int64_t offset, enum jobs_take *ret_how,
              struct jobs_taken *ret_taken, struct jobs_said *ret_said, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    struct jobs_taken taken = {.token = *token, .partition = partition, .offset = offset};

    db_params_init(&params);
    db_param_uuid(&params, token->job);
    db_param_int2(&params, (int16_t)token->lane);
    if (db_query(db, &store_sql_lane_take, &params, &res, err) < 0)
        return err_wrap(err, "take a lane");
    /* Under the lane's lock: another worker may just have done this chunk. */
    int found = find_chunk(db, token, partition, offset, ret_how, ret_said, err);

    if (found < 0 || (found > 0 && *ret_how == JOBS_DROP))
        return found < 0 ? -1 : 0;
    int known = jobs_get(db, arena, token->job, &taken.job, err);

    if (known < 0)
        return -1;
    if (found > 0) {
        *ret_taken = taken;
        return 0;
    }
    *ret_how = JOBS_DROP;
    if (known == 0 || db_result_rows(&res) == 0 || taken.job.state != JOBS_RUNNING ||
        db_get_int32(&res, 0, 0) != JOBS_LANE_OPEN || db_get_int32(&res, 0, 1) != token->n ||
        db_get_int32(&res, 0, 2) != token->epoch)
        return 0;
    taken.position = db_get_int64(&res, 0, 3);
    taken.last = db_get_int64(&res, 0, 4);
    *ret_taken = taken;
    *ret_how = JOBS_GO;
    return 0;
}

static int move_lane(struct db_conn *db, const struct jobs_taken *taken, int64_t position,
                     struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, taken->job.id);
    db_param_int2(&params, (int16_t)taken->token.lane);
    db_param_int8(&params, position);
    return db_query(db, &store_sql_lane_move, &params, NULL, err);
}

/* Locks the job's row and adds to it. */
static int add_to_job(struct db_conn *db, struct jobs_job *job, const struct jobs_chunk *chunk,
                      bool lane_is_done, bool *ret_progress, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    unsigned __int128 checksum = 0;

    db_params_init(&params);
    db_param_uuid(&params, job->id);
    db_param_int8(&params, chunk->rows);
    db_param_numeric_u128(&params, chunk->checksum);
    db_param_bool(&params, lane_is_done);
    if (db_query(db, &store_sql_job_add, &params, &res, err) < 0)
        return err_wrap(err, "add to a job");
    if (db_result_rows(&res) == 0)
        return err_set(err, ERR_RETRY, "jobs", "job_moved", "the job is not running any more");
    job->done = db_get_int64(&res, 0, 0);
    job->lanes_left = db_get_int32(&res, 0, 1);
    (void)db_get_numeric_u128(&res, 0, 2, &checksum);
    job->checksum = (uint64_t)checksum;
    *ret_progress = db_get_bool(&res, 0, 3);
    return 0;
}

/* Run a statement that opens a lane: 1 and its token, 0 there was none to open. */
static int open_lane(struct db_conn *db, const struct db_stmt *stmt, const struct db_params *params,
                     const uint8_t job[16], struct jobs_token *ret, struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query(db, stmt, params, &res, err) < 0)
        return err_wrap(err, "open a lane");
    if (db_result_rows(&res) == 0)
        return 0;
    *ret = (struct jobs_token){.lane = db_get_int32(&res, 0, 0),
                               .n = db_get_int32(&res, 0, 1),
                               .epoch = db_get_int32(&res, 0, 2)};
    memcpy(ret->job, job, sizeof(ret->job));
    return 1;
}

static int open_next(struct db_conn *db, const uint8_t job[16], struct jobs_said *said,
                     struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, job);
    int opened = open_lane(db, &store_sql_lane_open, &params, job, &said->token, err);

    said->has_token = opened > 0;
    return opened < 0 ? -1 : 0;
}

static int open_extra(struct db_conn *db, const uint8_t job[16], int64_t extra,
                      struct jobs_said *said, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_uuid(&params, job);
    if (db_query(db, &store_sql_job_one_more_lane, &params, NULL, err) < 0)
        return err_wrap(err, "open the extra lane");
    db_param_int8(&params, extra);
    int opened = open_lane(db, &store_sql_lane_extra, &params, job, &said->token, err);

    said->has_token = opened > 0;
    return opened < 0 ? -1 : 0;
}

/* All lanes are through: more work for the extra lane, or the end. */
static int finish_job(struct db_conn *db, const struct jobs_job *job, jobs_finish_fn finish,
                      void *opaque, struct jobs_said *said, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    struct jobs_ending ending = {.state = JOBS_COMPLETED};

    if (finish(opaque, job, &ending, err) < 0)
        return -1;
    if (ending.extra > 0)
        return open_extra(db, job->id, ending.extra, said, err);
    db_params_init(&params);
    db_param_uuid(&params, job->id);
    db_param_int2(&params, (int16_t)ending.state);
    db_param_text(&params, ending.outcome);
    db_param_null(&params);
    if (db_query(db, &store_sql_job_end, &params, NULL, err) < 0)
        return err_wrap(err, "finish a job");
    said->terminal = true;
    said->progress = false;
    return 0;
}

static int put_row(struct db_conn *db, const struct jobs_taken *taken,
                   const struct jobs_chunk *chunk, struct jobs_said *said, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    int says =
        (said->progress ? JOBS_SAYS_PROGRESS : 0) | (said->terminal ? JOBS_SAYS_TERMINAL : 0);

    db_params_init(&params);
    db_param_uuid(&params, taken->job.id);
    db_param_int2(&params, (int16_t)taken->token.lane);
    db_param_int4(&params, taken->token.n);
    db_param_int4(&params, taken->token.epoch);
    db_param_int8(&params, taken->position);
    db_param_int8(&params, chunk->end);
    db_param_int8(&params, chunk->rows);
    db_param_numeric_u128(&params, chunk->checksum);
    db_param_int4(&params, taken->partition);
    db_param_int8(&params, taken->offset);
    db_param_int2(&params, (int16_t)(said->has_token ? said->token.lane : -1));
    db_param_int4(&params, said->token.n);
    db_param_int4(&params, said->token.epoch);
    db_param_int8(&params, said->done);
    db_param_int2(&params, (int16_t)says);
    if (chunk->detail == NULL)
        db_param_null(&params);
    else
        db_param_jsonb(&params, chunk->detail, strlen(chunk->detail));
    if (db_query(db, &store_sql_chunk_put, &params, &res, err) < 0)
        return err_wrap(err, "write a chunk");
    said->at_us = db_get_timestamptz(&res, 0, 0);
    return 0;
}

int jobs_put_chunk(struct db_conn *db, const struct jobs_taken *taken,
                   const struct jobs_chunk *chunk, jobs_finish_fn finish, void *opaque,
                   struct jobs_said *ret_said, struct err *err)
{
    struct jobs_said said = {0};
    struct jobs_job job = taken->job;
    bool lane_is_done = chunk->end == taken->last;

    fault_point("before_chunk_row");
    if (move_lane(db, taken, chunk->end, err) < 0)
        return err_wrap(err, "move a lane");
    if (add_to_job(db, &job, chunk, lane_is_done, &said.progress, err) < 0)
        return -1;
    said.done = job.done;
    if (!lane_is_done) {
        said.has_token = true;
        said.token = taken->token;
        said.token.n++;
    } else if (job.lanes_left > 0) {
        if (open_next(db, job.id, &said, err) < 0)
            return -1;
    } else if (finish_job(db, &job, finish, opaque, &said, err) < 0) {
        return -1;
    }
    if (put_row(db, taken, chunk, &said, err) < 0)
        return -1;
    *ret_said = said;
    return 0;
}
