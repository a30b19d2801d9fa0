/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_jobs.h"

#include "base_time.h"
#include "jobs.h"

#include <assert.h>

static enum msg_job_kind event_kind(enum jobs_kind kind)
{
    switch (kind) {
    case JOBS_GENERATE:
        return MSG_JOB_CODES_GENERATE;
    case JOBS_EXPORT_CODES:
        return MSG_JOB_CODES_EXPORT;
    case JOBS_EXPORT_REDEMPTIONS:
        return MSG_JOB_REDEMPTIONS_EXPORT;
    }
    assert(!"no such kind of job");
    return MSG_JOB_CODES_GENERATE;
}

/* Names the command, so that a replay of it finds the jobs that it ended, and the publisher the
 * reason. */
static const char *reason_message(struct runtime *runtime, const struct runtime_item *item)
{
    const struct msg_envelope *envelope = &item->command->envelope;

    return arena_printf(runtime_arena(runtime), "Archived by command %s of %s.", envelope->id,
                        envelope->source);
}

/* The terminal event of a job, answering the command that started it. */
static int publish(struct runtime *runtime, const struct runtime_item *item,
                   const struct jobs_job *job, const char *data, size_t data_len, struct err *err)
{
    char id[DIGEST_UUID_TEXT];
    struct msg_event event = {
        .type = msg_event_type(MSG_EVENT_JOB_CANCELLED)->name,
        .topic = MSG_TOPIC_JOB_EVENTS,
        .key = arena_strdup(runtime_arena(runtime), digest_uuid_text(job->id, id)),
        .time_us = item->now_us,
        .cause_id = job->ce_id,
        .cause_source = job->source,
        .traceparent = job->traceparent,
        .data = data,
        .data_len = data_len,
    };

    if (event.key == NULL)
        return err_nomem(err);
    msg_event_id(job->kind == JOBS_GENERATE ? MSG_KIND_GENERATE : MSG_KIND_EXPORT, job->source,
                 job->ce_id, event.type, NULL, 0, event.id);
    return runtime_emit(runtime, &event, NULL, err);
}

static int cancel(struct runtime *runtime, const struct runtime_item *item,
                  const struct store_definition_job *one, const char *message, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    struct jobs_job job;
    char id[DIGEST_UUID_TEXT];
    const char *data = NULL;
    size_t data_len = 0;
    struct msg_reason reason = {.code = msg_reason_code(MSG_REASON_JOB_CANCELLED),
                                .message = message};
    int found = jobs_get(runtime_db(runtime), arena, one->id, &job, err);

    if (found <= 0)
        return found;
    const struct msg_job_event event = {
        .job = digest_uuid_text(job.id, id),
        .kind = event_kind(job.kind),
        .state = MSG_JOB_CANCELLED,
        .total = job.total,
        .done = job.done,
        .campaign = one->campaign,
        .coupon = one->coupon,
        .batch = {job.batch_id > 0 ? MSG_GIVEN : MSG_ABSENT, job.batch_id},
        .rows = msg_int_of(job.done),
        .elapsed_ms = msg_int_of((item->now_us - job.accepted_us) / TIME_US_PER_MS),
        .reasons = {&reason, 1},
    };

    if (msg_event_data(arena, MSG_EVENT_JOB_CANCELLED, &event, &data, &data_len, err) < 0)
        return err_wrap(err, "describe a cancelled job");
    int ended = jobs_end(runtime_db(runtime), one->id, JOBS_CANCELLED, data, item->now_us, err);

    if (ended <= 0)
        return ended;
    return publish(runtime, item, &job, data, data_len, err);
}

int campaign_jobs_cancel(struct runtime *runtime, const struct runtime_item *item,
                         const struct store_definition *archived, struct err *err)
{
    const char *message = reason_message(runtime, item);

    if (message == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < archived->job_count; i++)
        if (cancel(runtime, item, &archived->jobs[i], message, err) < 0)
            return -1;
    return 0;
}

int campaign_jobs_again(struct runtime *runtime, const struct runtime_item *item, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    const uint8_t(*ids)[16] = NULL;
    size_t count = 0;
    const char *message = reason_message(runtime, item);

    if (message == NULL)
        return err_nomem(err);
    if (store_definition_cancelled(runtime_db(runtime), arena, item->now_us, message, &ids, &count,
                                   err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct jobs_job job;
        int found = jobs_get(runtime_db(runtime), arena, ids[i], &job, err);

        if (found < 0 ||
            (found > 0 && publish(runtime, item, &job, job.outcome, job.outcome_len, err) < 0))
            return -1;
    }
    return 0;
}
