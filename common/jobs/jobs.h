/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs are tokens. A job has 16 lanes, each a fixed share [position, last) of its work; `width` of
 * them are open: a token of each is in the chunk topic. Who takes token (job, lane, n, epoch) does
 * chunk n of that lane in one transaction with a chunk row, and the token of chunk n + 1 (or of a
 * parked lane that is opened in its place) is published instead of the one that was taken. So a job
 * never has more than `width` tokens waiting, and pause, resume, cancel and priority act at the
 * next token.
 *
 * The chunk row keeps the coordinates of the token that did it: only that very token (a replay)
 * publishes the successor again; any other token for a chunk that is done is dropped. Publishing a
 * token a second time is therefore harmless, which is all that re-issue of lost tokens needs.
 *
 * The work itself may need more when all lanes are through (serials that found no place): one more
 * lane, number JOBS_LANE_EXTRA, is opened then.
 *
 * Every function works inside the caller's open transaction and publishes nothing. Texts live in
 * the arena.
 */
#ifndef JOBS_H
#define JOBS_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOBS_LANES 16
#define JOBS_LANE_EXTRA 16
#define JOBS_WIDTH_DEFAULT 4

/* The numbers stand in table job. */
enum jobs_kind {
    JOBS_GENERATE = 1,
    JOBS_EXPORT_CODES = 2,
    JOBS_EXPORT_REDEMPTIONS = 3,
};
enum jobs_state {
    JOBS_RUNNING = 1,
    JOBS_PAUSED = 2,
    JOBS_COMPLETED = 3,
    JOBS_FAILED = 4,
    JOBS_CANCELLED = 5,
};
const char *jobs_kind_name(enum jobs_kind kind);    /* "generate", "export_codes", ... */
const char *jobs_state_name(enum jobs_state state); /* "running", ...                  */

struct jobs_token {
    uint8_t job[16];
    int lane;
    int n;
    int epoch;
};

/* A job as its row has it. */
struct jobs_job {
    uint8_t id[16];
    enum jobs_kind kind;
    enum jobs_state state;
    const char *source; /* of its command */
    const char *ce_id;
    const char *traceparent; /* may be NULL */
    const char *campaign;    /* publishers' names of the next two; NULL: none */
    const char *coupon;
    int32_t source_id;
    int32_t campaign_id; /* 0: none, as the next two */
    int32_t coupon_id;
    int32_t batch_id;
    const char *params; /* JSON, the job kind's own */
    int64_t total;
    int64_t done;
    uint64_t checksum;
    int lanes_left;
    int width;
    int64_t accepted_us;
    int64_t finished_us;  /* -1: not yet */
    const char *snapshot; /* pg_snapshot of the acceptance as text; NULL unless asked for */
    const char *outcome;  /* data of the terminal event; NULL before */
    size_t outcome_len;
};

/* Which partition of the chunk topic a lane's tokens go to: the first lanes of a job lie far apart,
 * so that they fall to different workers however many there are. */
int32_t jobs_partition(const uint8_t job[16], int lane, int32_t partitions);

/*
 * Write a job and its lanes from id, kind, source_id, ce_id, traceparent, campaign_id, coupon_id,
 * batch_id, params, total, width, accepted_us (and the current snapshot when with_snapshot).
 * tokens[] gets the first token of each open lane, *ret_tokens their number (at most JOBS_LANES). A
 * job with total 0 gets no lanes and no tokens; the caller ends it with jobs_end().
 */
int jobs_create(struct db_conn *db, const struct jobs_job *job, bool with_snapshot,
                struct jobs_token tokens[JOBS_LANES], size_t *ret_tokens,
                struct err *err) MUST_CHECK;
/* The tokens that jobs_create gave out, for the replay of a command. */
void jobs_first_tokens(const struct jobs_job *job, struct jobs_token tokens[JOBS_LANES],
                       size_t *ret_tokens);
/* 1 and *ret; 0 there is none. */
int jobs_get(struct db_conn *db, struct arena *arena, const uint8_t id[16], struct jobs_job *ret,
             struct err *err) MUST_CHECK;

/* The same, and the row is locked until the transaction ends. */
int jobs_lock(struct db_conn *db, struct arena *arena, const uint8_t id[16], struct jobs_job *ret,
              struct err *err) MUST_CHECK;

/* What a chunk published, or has to publish. */
struct jobs_said {
    bool has_token;
    struct jobs_token token;
    bool progress; /* a progress event with `done` */
    bool terminal; /* the job's terminal event     */
    int64_t done;
    int64_t at_us; /* when the chunk was done */
};

enum jobs_take {
    JOBS_GO,    /* do the chunk, then jobs_put_chunk()                              */
    JOBS_AGAIN, /* it was done by this very token: publish *ret_said and nothing else */
    JOBS_DROP,  /* done by another token, or out of date, or the job is not running  */
};
struct jobs_taken {
    struct jobs_job job;
    struct jobs_token token;
    int32_t partition; /* of the token */
    int64_t offset;
    int64_t position; /* the lane's rest: [position, last) */
    int64_t last;
};
/* Locks the lane. -1 or 0 with *ret_how; *ret_taken is filled for JOBS_GO and (job and token)
 * JOBS_AGAIN. */
int jobs_take(struct db_conn *db, struct arena *arena, const struct jobs_token *token,
              int32_t partition, int64_t offset, enum jobs_take *ret_how,
              struct jobs_taken *ret_taken, struct jobs_said *ret_said, struct err *err) MUST_CHECK;

/* What a chunk did: [position, end) of its lane. */
struct jobs_chunk {
    int64_t end;
    int64_t rows;
    uint64_t checksum;  /* added to the job's, modulo 2^64 */
    const char *detail; /* JSON kept in the chunk row; NULL none */
};
/* What the end of a job brings. */
struct jobs_ending {
    int64_t extra; /* > 0: open the extra lane with [0, extra) instead of ending */
    enum jobs_state state;
    const char *outcome; /* data of the terminal event, JSON */
};
/*
 * Called under the job's lock when the last lane is through: fill *ret. `job` is as of now. Called
 * again when the extra lane is through.
 */
typedef int (*jobs_finish_fn)(void *opaque, const struct jobs_job *job, struct jobs_ending *ret,
                              struct err *err);
/*
 * Write the chunk row, move the lane, add to the job, open the next lane or finish. ERR_RETRY with
 * code "job_moved": the job is not running any more; the batch rolls back and drops the token next
 * time.
 */
int jobs_put_chunk(struct db_conn *db, const struct jobs_taken *taken,
                   const struct jobs_chunk *chunk, jobs_finish_fn finish, void *opaque,
                   struct jobs_said *ret_said, struct err *err) MUST_CHECK;

/* End a running or paused job: 1 this call did it, 0 it was over already. */
int jobs_end(struct db_conn *db, const uint8_t id[16], enum jobs_state state, const char *outcome,
             int64_t now_us, struct err *err) MUST_CHECK;

/*
 * Tokens of lanes that have not moved for long, at most `max`: they may be lost, and to publish
 * them again does no harm. The wait doubles from after_ms with each time for the same chunk, so
 * that a backlog is not made worse.
 */
int jobs_stalled(struct db_conn *db, int64_t after_ms, enum jobs_kind kinds_from,
                 enum jobs_kind kinds_to, struct jobs_token *tokens, size_t max, size_t *ret_count,
                 struct err *err) MUST_CHECK;

#endif
