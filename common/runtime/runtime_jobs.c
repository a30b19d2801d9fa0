/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_jobs.h"

#include "base_digest.h"
#include "runtime_internal.h"

#include <string.h>

static const struct job_kind {
    enum msg_kind command;
    enum msg_topic chunks;
    enum msg_job_kind event;
} kinds[] = {
    [JOBS_GENERATE] = {MSG_KIND_GENERATE, MSG_TOPIC_GENERATE_CHUNKS, MSG_JOB_CODES_GENERATE},
    [JOBS_EXPORT_CODES] = {MSG_KIND_EXPORT, MSG_TOPIC_EXPORT_CHUNKS, MSG_JOB_CODES_EXPORT},
    [JOBS_EXPORT_REDEMPTIONS] = {MSG_KIND_EXPORT, MSG_TOPIC_EXPORT_CHUNKS,
                                 MSG_JOB_REDEMPTIONS_EXPORT},
};

static enum msg_job_state event_state(enum jobs_state state)
{
    switch (state) {
    case JOBS_RUNNING:
        return MSG_JOB_RUNNING;
    case JOBS_PAUSED:
        return MSG_JOB_PAUSED;
    case JOBS_COMPLETED:
        return MSG_JOB_COMPLETED;
    case JOBS_FAILED:
        return MSG_JOB_FAILED;
    case JOBS_CANCELLED:
        return MSG_JOB_CANCELLED;
    }
    return MSG_JOB_FAILED;
}

static enum msg_event_id end_event(enum jobs_state state)
{
    if (state == JOBS_COMPLETED)
        return MSG_EVENT_JOB_COMPLETED;
    return state == JOBS_FAILED ? MSG_EVENT_JOB_FAILED : MSG_EVENT_JOB_CANCELLED;
}

static const char *id_text(struct runtime *runtime, const uint8_t id[16])
{
    char text[DIGEST_UUID_TEXT];

    return arena_strdup(runtime->arena, digest_uuid_text(id, text));
}

int runtime_job_event(struct runtime *runtime, const struct jobs_job *job,
                      struct msg_job_event *ret, struct err *err)
{
    const char *id = id_text(runtime, job->id);

    if (id == NULL)
        return err_nomem(err);
    *ret = (struct msg_job_event){.job = id,
                                  .kind = kinds[job->kind].event,
                                  .state = event_state(job->state),
                                  .total = job->total,
                                  .done = job->done,
                                  .campaign = job->campaign,
                                  .coupon = job->coupon};
    if (job->batch_id != 0)
        ret->batch = msg_int_of(job->batch_id);
    return 0;
}

int runtime_job_data(struct runtime *runtime, enum msg_event_id id,
                     const struct msg_job_event *event, const char **ret_data, size_t *ret_len,
                     struct err *err)
{
    return msg_event_data(runtime->arena, id, event, ret_data, ret_len, err);
}

int runtime_job_emit_token(struct runtime *runtime, enum jobs_kind kind,
                           const struct jobs_token *token, struct err *err)
{
    enum msg_topic chunks = kinds[kind].chunks;
    int32_t partition = jobs_partition(token->job, token->lane, msg_topic_spec(chunks)->partitions);
    struct msg_token data = {.job = id_text(runtime, token->job),
                             .lane = token->lane,
                             .n = token->n,
                             .epoch = token->epoch};
    struct record record;

    if (data.job == NULL)
        return err_nomem(err);
    if (msg_token_record(runtime->arena, &runtime->names, chunks, partition, &data,
                         runtime->event_source, clock_wall(&clock_real), &record, err) < 0)
        return -1;
    return runtime_emit_record(runtime, &record, err);
}

int runtime_job_start(struct runtime *runtime, const struct jobs_job *job,
                      const struct jobs_token *tokens, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (runtime_job_emit_token(runtime, job->kind, &tokens[i], err) < 0)
            return -1;
    }
    return 0;
}

static int emit_event(struct runtime *runtime, const struct jobs_job *job,
                      const struct msg_event *event, struct err *err)
{
    struct msg_envelope cause = {
        .id = job->ce_id, .source = job->source, .traceparent = job->traceparent};
    struct msg_event full = *event;

    full.topic = MSG_TOPIC_JOB_EVENTS;
    full.key = id_text(runtime, job->id);
    if (full.key == NULL)
        return err_nomem(err);
    return runtime_emit(runtime, &full, &cause, err);
}

int runtime_job_emit_end(struct runtime *runtime, const struct jobs_job *job, bool repeated,
                         struct err *err)
{
    struct msg_event event = {.type = msg_event_type(end_event(job->state))->name,
                              .time_us = job->finished_us,
                              .repeated = repeated,
                              .data = job->outcome,
                              .data_len = job->outcome_len};

    msg_event_id(kinds[job->kind].command, job->source, job->ce_id, event.type, NULL, 0, event.id);
    return emit_event(runtime, job, &event, err);
}

/* Progress after a chunk. Everything in it comes from the chunk row, so that a replay says the
 * same. */
static int emit_progress(struct runtime *runtime, const struct jobs_job *job,
                         const struct jobs_taken *taken, const struct jobs_said *said,
                         struct err *err)
{
    struct msg_job_event data;
    struct msg_event event = {.type = msg_event_type(MSG_EVENT_JOB_PROGRESSED)->name,
                              .time_us = said->at_us};
    double seconds = (double)MAX_OF(said->at_us - job->accepted_us, 1) / (double)TIME_US_PER_S;
    double rate = (double)said->done / seconds;

    if (runtime_job_event(runtime, job, &data, err) < 0)
        return -1;
    data.state = MSG_JOB_RUNNING;
    data.done = said->done;
    data.rate_per_s = msg_int_of((int64_t)rate);
    if (rate >= 1)
        data.eta_s = msg_int_of((int64_t)((double)(job->total - said->done) / rate));
    if (runtime_job_data(runtime, MSG_EVENT_JOB_PROGRESSED, &data, &event.data, &event.data_len,
                         err) < 0)
        return -1;
    msg_event_id_nth(kinds[job->kind].command, job->source, job->ce_id, event.type,
                     (int64_t)taken->token.n * (JOBS_LANES + 1) + taken->token.lane, event.id);
    return emit_event(runtime, job, &event, err);
}

static int publish_said(struct runtime *runtime, const struct jobs_taken *taken,
                        const struct jobs_said *said, struct err *err)
{
    if (said->has_token && runtime_job_emit_token(runtime, taken->job.kind, &said->token, err) < 0)
        return -1;
    if (said->progress && emit_progress(runtime, &taken->job, taken, said, err) < 0)
        return -1;
    if (!said->terminal)
        return 0;
    struct jobs_job job;

    if (jobs_get(runtime->db, runtime->arena, taken->job.id, &job, err) < 0)
        return -1;
    return runtime_job_emit_end(runtime, &job, false, err);
}

struct finishing {
    struct runtime *runtime;
    const struct runtime_job_work *work;
    void *state;
};

static int finish(void *opaque, const struct jobs_job *job, struct jobs_ending *ret,
                  struct err *err)
{
    struct finishing *finishing = opaque;

    return finishing->work->finish(finishing->runtime, finishing->state, job, ret, err);
}

int runtime_job_token(struct runtime *runtime, const struct runtime_item *item,
                      const struct runtime_job_work *work, void *state, struct err *err)
{
    const struct msg_token *data = item->command->data.token;
    struct jobs_token token = {
        .lane = (int)data->lane, .n = (int)data->n, .epoch = (int)data->epoch};
    struct finishing finishing = {runtime, work, state};
    struct jobs_taken taken;
    struct jobs_said said = {0};
    struct jobs_chunk chunk = {0};
    enum jobs_take how = JOBS_DROP;

    if (digest_uuid_parse(data->job, token.job) < 0) /* the decoder has looked */
        return err_set(err, ERR_BUG, "runtime", "bad_token", "a token without a job's id");
    LOG_CONTEXT(LOG_STR("job", data->job), LOG_INT("lane", token.lane), LOG_INT("n", token.n));
    if (jobs_take(runtime->db, runtime->arena, &token, item->record->partition,
                  item->record->offset, &how, &taken, &said, err) < 0)
        return -1;
    switch (how) {
    case JOBS_DROP:
        log_debug("token_dropped");
        return 0;
    case JOBS_AGAIN:
        return publish_said(runtime, &taken, &said, err);
    case JOBS_GO:
        break;
    }
    if (work->chunk(runtime, state, &taken, &chunk, err) < 0)
        return err_wrap(err, "job %s, lane %d, chunk %d", data->job, token.lane, token.n);
    if (jobs_put_chunk(runtime->db, &taken, &chunk, finish, &finishing, &said, err) < 0)
        return -1;
    metrics_add(runtime_metrics, METRIC_ROWS, 0, (uint64_t)chunk.rows);
    return publish_said(runtime, &taken, &said, err);
}

int runtime_job_cancel(struct runtime *runtime, const uint8_t id[16], enum msg_reason_id reason,
                       int64_t now_us, struct err *err)
{
    struct msg_reason why = {.code = msg_reason_code(reason), .message = msg_reason_text(reason)};
    struct msg_job_event data;
    struct jobs_job job;
    const char *outcome = NULL;
    size_t outcome_len = 0;
    int found = jobs_lock(runtime->db, runtime->arena, id, &job, err);

    if (found <= 0 || job.state >= JOBS_COMPLETED)
        return found < 0 ? -1 : 0;
    job.state = JOBS_CANCELLED;
    if (runtime_job_event(runtime, &job, &data, err) < 0)
        return -1;
    data.rows = msg_int_of(job.done);
    data.reasons.items = &why;
    data.reasons.count = 1;
    if (runtime_job_data(runtime, MSG_EVENT_JOB_CANCELLED, &data, &outcome, &outcome_len, err) < 0)
        return -1;
    if (jobs_end(runtime->db, id, JOBS_CANCELLED, outcome, now_us, err) < 0 ||
        jobs_get(runtime->db, runtime->arena, id, &job, err) < 0 ||
        runtime_job_emit_end(runtime, &job, false, err) < 0)
        return -1;
    return 1;
}

int runtime_job_again(struct runtime *runtime, const struct runtime_item *item UNUSED,
                      void *opaque UNUSED, const uint8_t id[16], bool replay, struct err *err)
{
    struct jobs_token tokens[JOBS_LANES];
    struct jobs_job job;
    size_t count = 0;
    int found = jobs_get(runtime->db, runtime->arena, id, &job, err);

    if (found <= 0)
        return found;
    if (replay && job.total > 0) {
        jobs_first_tokens(&job, tokens, &count);
        return runtime_job_start(runtime, &job, tokens, count, err);
    }
    /* An empty job ended with its acceptance. */
    if (job.outcome != NULL && (!replay || job.total == 0))
        return runtime_job_emit_end(runtime, &job, !replay, err);
    return 0;
}

int64_t runtime_pace_rows(const struct runtime_pace *pace, int64_t ms, int64_t first_guess,
                          int64_t most)
{
    double rows = pace->per_us * (double)ms * (double)TIME_US_PER_MS;

    if (pace->per_us <= 0)
        return MIN_OF(first_guess, most);
    return MAX_OF((int64_t)MIN_OF(rows, (double)most), 1);
}

void runtime_pace_seen(struct runtime_pace *pace, int64_t rows, int64_t us)
{
    double now = (double)rows / (double)MAX_OF(us, 1);

    /* Slow to rise, quick to fall: one lucky chunk must not make the next one too long. */
    if (pace->per_us <= 0 || now < pace->per_us)
        pace->per_us = now;
    else
        pace->per_us += (now - pace->per_us) / 4;
}
