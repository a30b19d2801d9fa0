/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs in the loop: tokens and events of what the library jobs decides. A worker that does chunks
 * gives two callbacks; taking tokens, successors, progress and the end are the same for all.
 */
#ifndef RUNTIME_JOBS_H
#define RUNTIME_JOBS_H

#include "jobs.h"
#include "runtime.h"
#include "runtime_ledger.h"

struct runtime_job_work {
    /* Do some of [taken->position, taken->last), at least one, and say in *ret how far it went. */
    int (*chunk)(struct runtime *runtime, void *state, const struct jobs_taken *taken,
                 struct jobs_chunk *ret, struct err *err);
    /* All lanes are through; see jobs_finish_fn. */
    int (*finish)(struct runtime *runtime, void *state, const struct jobs_job *job,
                  struct jobs_ending *ret, struct err *err);
};

/* Serve a token: do its chunk, publish what follows; a token that is out of date is dropped. */
int runtime_job_token(struct runtime *runtime, const struct runtime_item *item,
                      const struct runtime_job_work *work, void *state, struct err *err) MUST_CHECK;

/* A time-boxed chunk size: rows for `ms` at the rate seen so far. Start with {0}. */
struct runtime_pace {
    double per_us;
};
int64_t runtime_pace_rows(const struct runtime_pace *pace, int64_t ms, int64_t first_guess,
                          int64_t most);
void runtime_pace_seen(struct runtime_pace *pace, int64_t rows, int64_t us);

/*
 * For a decide function: what a job's event says of it (identity, kind, state, total, done,
 * campaign, coupon); the caller adds the rest. Texts are borrowed from the job and the arena.
 */
int runtime_job_event(struct runtime *runtime, const struct jobs_job *job,
                      struct msg_job_event *ret, struct err *err) MUST_CHECK;
/* The data of an event as JSON in the arena. */
int runtime_job_data(struct runtime *runtime, enum msg_event_id id,
                     const struct msg_job_event *event, const char **ret_data, size_t *ret_len,
                     struct err *err) MUST_CHECK;
/* Publish the first tokens of a job. */
int runtime_job_start(struct runtime *runtime, const struct jobs_job *job,
                      const struct jobs_token *tokens, size_t count, struct err *err) MUST_CHECK;
/* Publish one token again (re-issue). */
int runtime_job_emit_token(struct runtime *runtime, enum jobs_kind kind,
                           const struct jobs_token *token, struct err *err) MUST_CHECK;
/* Publish the terminal event of a job that is over, with the command behind the job as its cause.
 */
int runtime_job_emit_end(struct runtime *runtime, const struct jobs_job *job, bool repeated,
                         struct err *err) MUST_CHECK;
/*
 * End a job as cancelled and publish its terminal event: 1 this call did it, 0 it was over, or
 * there is none. reason: a code of msg_reason.
 */
int runtime_job_cancel(struct runtime *runtime, const uint8_t id[16], enum msg_reason_id reason,
                       int64_t now_us, struct err *err) MUST_CHECK;

/* A runtime_again_fn: a replay publishes the first tokens again, a repeat the terminal event if
 * there is one. */
int runtime_job_again(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                      const uint8_t job[16], bool replay, struct err *err) MUST_CHECK;

#endif
