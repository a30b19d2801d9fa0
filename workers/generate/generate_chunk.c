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
#define OVERFLOW_AT_ONCE GENERATE_BLOCK
#define OVERFLOW_WALK_FIRST 16 /* codes looked up at once; doubles up to OVERFLOW_WALK_MOST */
#define OVERFLOW_WALK_MOST 512
/* A serial's attempts: 0, the redraws 1..8, and from here on the steps of the overflow. */
#define ATTEMPT_OVERFLOW (CODES_REDRAWS + 1)
#define SAVEPOINT "chunk"

/* A chunk in the making. */
struct making {
    struct runtime *runtime;
    struct generate *generate;
    struct generate_plan *plan;
    const struct jobs_taken *taken;
    int64_t until_us; /* for what cannot know beforehand how long it takes: stop then */
    int64_t end;
    int64_t rows;
    struct codes_checksum checksum;
    /* of the block in hand: */
    unsigned attempts[GENERATE_BLOCK]; /* the draw that stands in block[i]; 0 the first */
    struct store_redrawn redrawn[GENERATE_BLOCK];
    size_t redrawn_count;
};

static void start_over(struct making *making)
{
    const char *secret = runtime_conf(making->runtime)->fleet_secret;

    making->rows = 0;
    codes_checksum_init(&making->checksum, secret, strlen(secret));
    codes_strata_seek(making->plan->strata, (uint64_t)making->taken->position);
    making->until_us =
        clock_mono(&clock_real) + runtime_conf(making->runtime)->chunk_ms * TIME_US_PER_MS;
}

static bool time_is_up(const struct making *making)
{
    return clock_mono(&clock_real) > making->until_us;
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

/* What has become of block[i] after a redraw: in its stratum, or open for the overflow. */
static void note_redrawn(struct making *making, size_t i, bool stands)
{
    making->redrawn[making->redrawn_count++] =
        (struct store_redrawn){.serial = (int32_t)making->generate->block[i].serial,
                               .attempt = stands ? (int32_t)making->attempts[i] : ATTEMPT_OVERFLOW,
                               .placed = stands};
}

static void keep(struct making *making, size_t i, size_t *kept)
{
    if (*kept != i) {
        making->generate->block[*kept] = making->generate->block[i];
        making->attempts[*kept] = making->attempts[i];
    }
    (*kept)++;
}

/*
 * The next block of the range, blocked words already drawn anew: 1 and *ret_count codes, 0 at the
 * end. making->redrawn has what was drawn anew; codes that stay blocked are open there and taken
 * out of the block.
 */
static int draw_block(struct making *making, int64_t *position, size_t *ret_count, struct err *err)
{
    struct codes_code *block = making->generate->block;
    size_t want = (size_t)MIN_OF(making->end - *position, GENERATE_BLOCK);
    size_t drawn = 0;
    size_t kept = 0;

    if (want == 0)
        return 0;
    if (codes_strata_next(making->plan->strata, block, want, &drawn, err) < 0)
        return -1;
    assert(drawn == want);
    making->redrawn_count = 0;
    for (size_t i = 0; i < drawn; i++) {
        making->attempts[i] = 0;
        if (codes_words_hit(making->plan->words, block[i].key, block[i].key_len)) {
            int stands = redraw(making, i, err);

            if (stands < 0)
                return -1;
            note_redrawn(making, i, stands > 0);
            if (stands == 0)
                continue;
        }
        keep(making, i, &kept);
    }
    *position += (int64_t)drawn;
    *ret_count = kept;
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
    int more;

    buf_init(&redrawn);
    start_over(making);
    if (store_code_copy_begin(&copy, db, err) < 0)
        return -1;
    while ((more = draw_block(making, &position, &count, err)) > 0) {
        buf_add(&redrawn, making->redrawn, making->redrawn_count * sizeof(making->redrawn[0]));
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

/* Put block[0, count) where it is free. */
static int put_block(struct making *making, size_t count, bool *ret_placed, struct err *err)
{
    const struct codes_code *block = making->generate->block;
    const char *keys[GENERATE_BLOCK];
    int32_t serials[GENERATE_BLOCK];

    for (size_t i = 0; i < count; i++) {
        keys[i] = block[i].key;
        serials[i] = (int32_t)block[i].serial;
    }
    if (store_code_put_some(runtime_db(making->runtime), making->taken->job.batch_id, keys, serials,
                            count, ret_placed, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (ret_placed[i])
            count_code(making, &block[i]);
    }
    return 0;
}

static int put_redrawn(struct making *making, struct err *err)
{
    return store_redrawn_put(runtime_db(making->runtime), making->taken->job.batch_id,
                             making->redrawn, making->redrawn_count, err);
}

/* Place a block: what is taken is drawn anew and tried again, up to the last redraw. */
static int place_block(struct making *making, size_t count, struct err *err)
{
    bool placed[GENERATE_BLOCK];

    if (put_redrawn(making, err) < 0)
        return -1;
    while (count > 0) {
        size_t left = 0;

        if (put_block(making, count, placed, err) < 0)
            return -1;
        making->redrawn_count = 0;
        for (size_t i = 0; i < count; i++) {
            if (placed[i])
                continue;
            making->plan->crowded = true;
            int stands = redraw(making, i, err);

            if (stands < 0)
                return -1;
            note_redrawn(making, i, stands > 0);
            if (stands > 0)
                keep(making, i, &left);
        }
        if (put_redrawn(making, err) < 0)
            return -1;
        count = left;
    }
    return 0;
}

/* How much is in the way only shows on the way: the time decides how far this goes. */
static int make_carefully(struct making *making, struct err *err)
{
    int64_t position = making->taken->position;
    size_t count = 0;
    int more;

    start_over(making);
    making->plan->crowded = false;
    while ((more = draw_block(making, &position, &count, err)) > 0) {
        if (place_block(making, count, err) < 0)
            return -1;
        if (time_is_up(making))
            making->end = position;
    }
    fault_point("careful_chunk");
    return more;
}

static int make(struct making *making, struct err *err)
{
    struct db_conn *db = runtime_db(making->runtime);

    /* Where the last chunk met other codes this one will, too. */
    if (making->plan->crowded)
        return make_carefully(making, err);
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

/* The code of a step of the overflow: 1, 0 it holds a blocked word, -1; *ret_end says that the walk
 * has been everywhere. */
static int draw_step(struct making *making, int32_t serial, uint64_t step, struct codes_code *out,
                     bool *ret_end, struct err *err)
{
    int more = codes_strata_overflow(making->plan->strata, (uint64_t)serial, step, out, err);

    *ret_end = more == 0;
    if (more <= 0)
        return more;
    return codes_words_hit(making->plan->words, out->key, out->key_len) ? 0 : 1;
}

/* Steps are numbered by attempts of 32 bits. More of them, one after the other taken, cannot be. */
static int32_t attempt_of(uint64_t step)
{
    return step > (uint64_t)INT32_MAX - ATTEMPT_OVERFLOW ? STORE_REDRAWN_FULL
                                                         : (int32_t)step + ATTEMPT_OVERFLOW;
}

/* The overflow's random tries, for all rows at once; what finds no place by them has to walk. */
static int try_anywhere(struct making *making, struct store_redrawn *rows, size_t count,
                        struct err *err)
{
    size_t row_of[OVERFLOW_AT_ONCE];
    bool placed[OVERFLOW_AT_ONCE];
    size_t trying;

    do {
        trying = 0;
        for (size_t i = 0; i < count; i++) {
            struct store_redrawn *row = &rows[i];
            int stands = 0;
            bool end = false;

            while (!row->placed && stands == 0 && !end &&
                   row->attempt < ATTEMPT_OVERFLOW + CODES_OVERFLOW_TRIES) {
                stands = draw_step(making, row->serial, (uint64_t)row->attempt - ATTEMPT_OVERFLOW,
                                   &making->generate->block[trying], &end, err);
                if (stands < 0)
                    return -1;
                row->attempt++;
            }
            if (stands > 0)
                row_of[trying++] = i;
        }
        if (trying > 0 && put_block(making, trying, placed, err) < 0)
            return -1;
        for (size_t i = 0; i < trying; i++) {
            if (!placed[i])
                continue;
            rows[row_of[i]].placed = true;
            rows[row_of[i]].attempt--; /* the one that placed it */
        }
    } while (trying > 0 && !time_is_up(making));
    return 0;
}

/*
 * One serial's walk through the space, from the step where it stands: to a free place, to the end
 * of the space (the attempt says that it is full), or until the time is up.
 */
static int walk(struct making *making, struct store_redrawn *row, struct err *err)
{
    struct codes_code *block = making->generate->block;
    uint64_t step = (uint64_t)row->attempt - ATTEMPT_OVERFLOW;
    size_t room = OVERFLOW_WALK_FIRST;
    bool end = false;

    while (!row->placed && row->attempt != STORE_REDRAWN_FULL) {
        const char *keys[OVERFLOW_WALK_MOST];
        uint64_t steps[OVERFLOW_WALK_MOST];
        bool taken[OVERFLOW_WALK_MOST];
        size_t count = 0;

        for (size_t drawn = 0; drawn < room && !end; drawn++) {
            int stands = draw_step(making, row->serial, step, &block[count], &end, err);

            if (stands < 0)
                return -1;
            if (stands > 0) {
                keys[count] = block[count].key;
                steps[count++] = step;
            }
            step += end ? 0 : 1;
        }
        if (count > 0 && store_code_taken(runtime_db(making->runtime), keys, count, taken, err) < 0)
            return -1;
        for (size_t i = 0; i < count && !row->placed; i++) {
            if (taken[i])
                continue;
            block[0] = block[i];
            if (put_block(making, 1, &row->placed, err) < 0)
                return -1;
            step = row->placed ? steps[i] : step; /* or somebody else has just taken it */
        }
        row->attempt = end && !row->placed ? STORE_REDRAWN_FULL : attempt_of(step);
        room = MIN_OF(room * 2, OVERFLOW_WALK_MOST);
        if (time_is_up(making))
            break;
    }
    return 0;
}

/* The extra lane: so and so many serials that are open, whichever come first. */
static int make_overflow(struct making *making, struct err *err)
{
    struct store_redrawn *rows = making->redrawn;
    int64_t most = MIN_OF(making->taken->last - making->taken->position, OVERFLOW_AT_ONCE);
    bool full = false;

    start_over(making);
    if (store_redrawn_open(runtime_db(making->runtime), making->taken->job.batch_id, rows,
                           (size_t)most, &making->redrawn_count, err) < 0 ||
        try_anywhere(making, rows, making->redrawn_count, err) < 0)
        return -1;
    fault_point("in_overflow");
    for (size_t i = 0; i < making->redrawn_count && !full && !time_is_up(making); i++) {
        if (!rows[i].placed && walk(making, &rows[i], err) < 0)
            return -1;
        full = rows[i].attempt == STORE_REDRAWN_FULL;
    }
    /* A space that is full for one is full for all that are left. */
    making->end = full || making->redrawn_count == 0 ? making->taken->last
                                                     : making->taken->position + making->rows;
    return put_redrawn(making, err);
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
        int64_t chunk_ms = runtime_conf(runtime)->chunk_ms;
        int64_t rows = runtime_pace_rows(&generate->pace, chunk_ms, ROWS_FIRST, ROWS_MOST);

        making->end = MIN_OF(taken->position + rows, taken->last);
        if (make(making, err) < 0)
            return -1;
        int64_t took_us = clock_mono(&clock_real) - began;

        /* The short end of a lane tells what a transaction costs, not how fast rows go in. */
        if (making->end == taken->position + rows || took_us > chunk_ms * TIME_US_PER_MS)
            runtime_pace_seen(&generate->pace, making->end - taken->position, took_us);
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

    fault_point("job_finishing");
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
