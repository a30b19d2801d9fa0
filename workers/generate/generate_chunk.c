/* SPDX-License-Identifier: Apache-2.0
 *
 * A chunk: draw a range of serials and copy them straight into the table. Only when one of them is
 * taken, the range is done again the careful way: what is taken is drawn anew in its stratum, and
 * after the last redraw left to the overflow, which the extra lane places anywhere in the space
 * when all lanes are through.
 */
#include "generate_worker.h"

#include "base_fault.h"
#include "codes_checksum.h"
#include "codes_pattern.h"
#include "db_tx.h"
#include "store_tally.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define ROWS_FIRST 10000
#define ROWS_MOST 250000
#define OVERFLOW_AT_ONCE 1000
#define OVERFLOW_STEPS 64
#define SAVEPOINT "chunk"

/* A chunk in the making. */
struct making {
    struct runtime *runtime;
    struct generate *generate;
    struct generate_plan *plan;
    const struct jobs_taken *taken;
    int64_t end;
    int64_t rows;
    struct codes_checksum checksum;
    /* of the block in hand: */
    unsigned attempts[GENERATE_BLOCK]; /* the draw that stands in block[i]; 0 the first */
    struct store_redrawn redrawn[GENERATE_BLOCK];
};

static void start_over(struct making *making)
{
    const char *secret = runtime_conf(making->runtime)->fleet_secret;

    making->rows = 0;
    codes_checksum_init(&making->checksum, secret, strlen(secret));
    codes_strata_seek(making->plan->strata, (uint64_t)making->taken->position);
}

/* Draw block[i] again, in its stratum, until it holds no blocked word; 0 when its tries are used
 * up. */
static int redraw(struct making *making, size_t i, struct err *err)
{
    struct codes_code *code = &making->generate->block[i];

    while (making->attempts[i] < CODES_REDRAWS) {
        making->attempts[i]++;
        if (codes_strata_redraw(making->plan->strata, code->serial, making->attempts[i], code,
                                err) < 0)
            return -1;
        if (!codes_words_hit(making->plan->words, code->key, code->key_len))
            return 1;
    }
    return 0;
}

/*
 * The next block of the range, blocked words already drawn anew: 1 and *ret_count codes, 0 at the
 * end. Codes that stay blocked are noted as open and taken out of the block.
 */
static int draw_block(struct making *making, int64_t *position, size_t *ret_count,
                      size_t *ret_redrawn, struct err *err)
{
    struct codes_code *block = making->generate->block;
    size_t want = (size_t)MIN_OF(making->end - *position, GENERATE_BLOCK);
    size_t drawn = 0;
    size_t kept = 0;
    size_t redrawn = 0;

    if (want == 0)
        return 0;
    if (codes_strata_next(making->plan->strata, block, want, &drawn, err) < 0)
        return -1;
    assert(drawn == want);
    for (size_t i = 0; i < drawn; i++) {
        int stands = 1;

        making->attempts[i] = 0;
        if (codes_words_hit(making->plan->words, block[i].key, block[i].key_len))
            stands = redraw(making, i, err);
        if (stands < 0)
            return -1;
        if (making->attempts[i] > 0)
            making->redrawn[redrawn++] =
                (struct store_redrawn){.serial = (int32_t)block[i].serial,
                                       .attempt = (int32_t)making->attempts[i] + (stands ? 0 : 1),
                                       .placed = stands > 0};
        if (stands > 0 && kept != i) {
            block[kept] = block[i];
            making->attempts[kept] = making->attempts[i];
        }
        kept += stands > 0 ? 1 : 0;
    }
    *position += (int64_t)drawn;
    *ret_count = kept;
    *ret_redrawn = redrawn;
    return 1;
}

static void count_code(struct making *making, const struct codes_code *code)
{
    making->rows++;
    codes_checksum_add(&making->checksum, code->key, code->key_len);
}

/* Straight into the table. ERR_DUPLICATE: some code is taken, and the savepoint has to be rolled
 * back to. */
static int make_fast(struct making *making, struct err *err)
{
    struct db_conn *db = runtime_db(making->runtime);
    CLEANUP(db_copy_abort) struct db_copy copy = {0};
    CLEANUP(buf_done)
    struct buf redrawn; /* rows for code_redrawn: a COPY occupies the connection */
    int64_t position = making->taken->position;
    size_t count = 0;
    size_t redrawn_count = 0;
    int more;

    buf_init(&redrawn);
    start_over(making);
    if (store_code_copy_begin(&copy, db, err) < 0)
        return -1;
    while ((more = draw_block(making, &position, &count, &redrawn_count, err)) > 0) {
        buf_add(&redrawn, making->redrawn, redrawn_count * sizeof(making->redrawn[0]));
        for (size_t i = 0; i < count; i++) {
            const struct codes_code *code = &making->generate->block[i];

            if (store_code_copy_row(&copy, code->key, code->key_len, making->taken->job.batch_id,
                                    (int32_t)code->serial, err) < 0)
                return -1;
            count_code(making, code);
        }
    }
    if (more < 0)
        return -1;
    fault_point("in_copy");
    if (db_copy_end(&copy, NULL, err) < 0)
        return -1;
    if (buf_failed(&redrawn))
        return err_nomem(err);
    return store_redrawn_put(db, making->taken->job.batch_id,
                             (const struct store_redrawn *)(const void *)redrawn.data,
                             redrawn.len / sizeof(struct store_redrawn), err);
}

/* Place a block: what is taken is drawn anew and tried again, up to the last redraw. */
static int place_block(struct making *making, size_t count, size_t redrawn_count, struct err *err)
{
    struct db_conn *db = runtime_db(making->runtime);
    struct codes_code *block = making->generate->block;
    int32_t batch = making->taken->job.batch_id;
    const char *keys[GENERATE_BLOCK];
    int32_t serials[GENERATE_BLOCK];
    bool placed[GENERATE_BLOCK];

    if (store_redrawn_put(db, batch, making->redrawn, redrawn_count, err) < 0)
        return -1;
    while (count > 0) {
        size_t left = 0;

        for (size_t i = 0; i < count; i++) {
            keys[i] = block[i].key;
            serials[i] = (int32_t)block[i].serial;
        }
        if (store_code_put_some(db, batch, keys, serials, count, placed, err) < 0)
            return -1;
        for (size_t i = 0; i < count; i++) {
            if (placed[i]) {
                count_code(making, &block[i]);
                continue;
            }
            bool noted = making->attempts[i] > 0;
            int stands = redraw(making, i, err);
            struct store_redrawn row = {.serial = serials[i],
                                        .attempt = (int32_t)making->attempts[i] + (stands ? 0 : 1),
                                        .placed = stands > 0};

            if (stands < 0 || (noted ? store_redrawn_move(db, batch, &row, err)
                                     : store_redrawn_put(db, batch, &row, 1, err)) < 0)
                return -1;
            if (stands > 0) {
                making->attempts[left] = making->attempts[i];
                if (left != i)
                    block[left] = block[i];
                left++;
            }
        }
        count = left;
    }
    return 0;
}

static int make_carefully(struct making *making, struct err *err)
{
    int64_t position = making->taken->position;
    size_t count = 0;
    size_t redrawn = 0;
    int more;

    start_over(making);
    while ((more = draw_block(making, &position, &count, &redrawn, err)) > 0) {
        if (place_block(making, count, redrawn, err) < 0)
            return -1;
    }
    return more;
}

static int make(struct making *making, struct err *err)
{
    struct db_conn *db = runtime_db(making->runtime);

    if (db_tx_savepoint(db, SAVEPOINT, err) < 0)
        return -1;
    if (make_fast(making, err) == 0)
        return db_tx_release(db, SAVEPOINT, err);
    if (err->kind != ERR_DUPLICATE)
        return -1;
    err_clear(err);
    if (db_tx_rollback_to(db, SAVEPOINT, err) < 0 || db_tx_release(db, SAVEPOINT, err) < 0)
        return -1;
    return make_carefully(making, err);
}

/*
 * One serial of the overflow: steps from where it stands until a free code is found. 1 placed, 0
 * the space is full (row->attempt says so).
 */
static int place_anywhere(struct making *making, struct store_redrawn *row, struct err *err)
{
    struct db_conn *db = runtime_db(making->runtime);
    struct codes_code *block = making->generate->block;
    int32_t batch = making->taken->job.batch_id;
    uint64_t step = (uint64_t)row->attempt - CODES_REDRAWS - 1;
    const char *keys[OVERFLOW_STEPS];
    bool taken[OVERFLOW_STEPS];

    for (;;) {
        uint64_t steps[OVERFLOW_STEPS];
        size_t count = 0;
        int more = 1;

        while (count < OVERFLOW_STEPS && more > 0) {
            more = codes_strata_overflow(making->plan->strata, (uint64_t)row->serial, step,
                                         &block[count], err);
            if (more < 0)
                return -1;
            if (more > 0 &&
                !codes_words_hit(making->plan->words, block[count].key, block[count].key_len)) {
                keys[count] = block[count].key;
                steps[count++] = step;
            }
            step++;
        }
        if (store_code_taken(db, keys, count, taken, err) < 0)
            return -1;
        for (size_t i = 0; i < count; i++) {
            bool placed = false;

            if (taken[i])
                continue;
            if (store_code_put_some(db, batch, &keys[i], &row->serial, 1, &placed, err) < 0)
                return -1;
            if (!placed)
                continue;
            row->attempt = (int32_t)MIN_OF(steps[i] + CODES_REDRAWS + 1, (uint64_t)INT32_MAX);
            row->placed = true;
            count_code(making, &block[i]);
            return 1;
        }
        if (more == 0) {
            row->attempt = STORE_REDRAWN_FULL;
            return 0;
        }
    }
}

static int make_overflow(struct making *making, struct err *err)
{
    struct db_conn *db = runtime_db(making->runtime);
    int32_t batch = making->taken->job.batch_id;
    int64_t began = clock_mono(&clock_real);
    int64_t time_us = runtime_conf(making->runtime)->chunk_ms * TIME_US_PER_MS;
    struct store_redrawn rows[OVERFLOW_AT_ONCE];
    size_t count = 0;
    int64_t most = making->taken->last - making->taken->position;

    start_over(making);
    if (store_redrawn_open(db, batch, rows, (size_t)MIN_OF(most, OVERFLOW_AT_ONCE), &count, err) <
        0)
        return -1;
    making->end = making->taken->position;
    for (size_t i = 0; i < count; i++) {
        int placed = place_anywhere(making, &rows[i], err);

        if (placed < 0 || store_redrawn_move(db, batch, &rows[i], err) < 0)
            return -1;
        if (placed == 0) { /* full for this serial is full for all that are left */
            making->end = making->taken->last;
            return 0;
        }
        making->end++;
        if (clock_mono(&clock_real) - began > time_us)
            return 0;
    }
    return 0;
}

static int do_chunk(struct runtime *runtime, void *state, const struct jobs_taken *taken,
                    struct jobs_chunk *ret, struct err *err)
{
    struct generate *generate = state;
    struct making *making = arena_zalloc(runtime_arena(runtime), 1, sizeof(*making));
    struct store_tally issued = {.campaign_id = taken->job.campaign_id, .name = "issued"};
    int64_t began = clock_mono(&clock_real);

    if (making == NULL)
        return err_nomem(err);
    making->runtime = runtime;
    making->generate = generate;
    making->taken = taken;
    if (generate_plan_of(runtime, generate, &taken->job, &making->plan, err) < 0)
        return -1;
    if (taken->token.lane == JOBS_LANE_EXTRA) {
        if (make_overflow(making, err) < 0)
            return -1;
    } else {
        int64_t rows = runtime_pace_rows(&generate->pace, runtime_conf(runtime)->chunk_ms,
                                         ROWS_FIRST, ROWS_MOST);

        making->end = MIN_OF(taken->position + rows, taken->last);
        if (make(making, err) < 0)
            return -1;
        runtime_pace_seen(&generate->pace, making->end - taken->position,
                          clock_mono(&clock_real) - began);
    }
    issued.value = making->rows;
    if (making->rows > 0 &&
        store_tally_add(runtime_db(runtime), (int16_t)generate->shard, &issued, 1, err) < 0)
        return -1;
    *ret = (struct jobs_chunk){
        .end = making->end, .rows = making->rows, .checksum = making->checksum.sum};
    return 0;
}

static int finish(struct runtime *runtime, void *state UNUSED, const struct jobs_job *job,
                  struct jobs_ending *ret, struct err *err)
{
    struct msg_reason full = {.code = msg_reason_code(MSG_REASON_SPACE_FULL),
                              .message = msg_reason_text(MSG_REASON_SPACE_FULL)};
    struct store_redrawn_sums sums;
    struct msg_job_event event;
    size_t len = 0;

    if (store_redrawn_count(runtime_db(runtime), job->batch_id, &sums, err) < 0)
        return -1;
    if (sums.open > 0 && !sums.full) {
        ret->extra = sums.open;
        return 0;
    }
    ret->state = sums.open > 0 ? JOBS_FAILED : JOBS_COMPLETED;
    if (store_code_summarize(runtime_db(runtime), err) < 0 ||
        runtime_job_event(runtime, job, &event, err) < 0)
        return -1;
    int64_t elapsed_us = MAX_OF(clock_wall(&clock_real) - job->accepted_us, 1);

    event.state = sums.open > 0 ? MSG_JOB_FAILED : MSG_JOB_COMPLETED;
    event.rows = msg_int_of(job->done);
    event.redrawn = msg_int_of(sums.redrawn);
    event.checksum = arena_printf(runtime_arena(runtime), "%" PRIu64, job->checksum);
    event.elapsed_ms = msg_int_of(elapsed_us / TIME_US_PER_MS);
    event.rate_per_s =
        msg_int_of((int64_t)((double)job->done * (double)TIME_US_PER_S / (double)elapsed_us));
    if (sums.open > 0) {
        event.reasons.items = &full;
        event.reasons.count = 1;
    }
    return runtime_job_data(runtime, sums.open > 0 ? MSG_EVENT_JOB_FAILED : MSG_EVENT_JOB_COMPLETED,
                            &event, &ret->outcome, &len, err);
}

const struct runtime_job_work generate_work = {.chunk = do_chunk, .finish = finish};
