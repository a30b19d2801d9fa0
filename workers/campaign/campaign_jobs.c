/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_jobs.h"

#include "runtime_jobs.h"

/* Names the command, so that a replay of it finds the jobs that it ended. */
static const char *reason_message(struct runtime *runtime, const struct runtime_item *item)
{
    const struct msg_envelope *envelope = &item->command->envelope;

    return arena_printf(runtime_arena(runtime), "Archived by command %s of %s.", envelope->id,
                        envelope->source);
}

/* runtime_job_cancel() with a reason of our own. */
static int cancel(struct runtime *runtime, const struct runtime_item *item, const uint8_t id[16],
                  const struct msg_reason *reason, struct err *err)
{
    struct db_conn *db = runtime_db(runtime);
    struct arena *arena = runtime_arena(runtime);
    struct msg_job_event event;
    struct jobs_job job;
    const char *data = NULL;
    size_t data_len = 0;
    int found = jobs_lock(db, arena, id, &job, err);

    if (found <= 0 || job.state >= JOBS_COMPLETED)
        return found < 0 ? -1 : 0;
    job.state = JOBS_CANCELLED;
    if (runtime_job_event(runtime, &job, &event, err) < 0)
        return -1;
    event.rows = msg_int_of(job.done);
    event.reasons.items = reason;
    event.reasons.count = 1;
    if (runtime_job_data(runtime, MSG_EVENT_JOB_CANCELLED, &event, &data, &data_len, err) < 0 ||
        jobs_end(db, id, JOBS_CANCELLED, data, item->now_us, err) < 0 ||
        jobs_get(db, arena, id, &job, err) < 0)
        return -1;
    return runtime_job_emit_end(runtime, &job, false, err);
}

int campaign_jobs_cancel(struct runtime *runtime, const struct runtime_item *item,
                         const struct store_definition *archived, struct err *err)
{
    const struct msg_reason reason = {
        .code = msg_reason_code(archived->event.kind == MSG_DEFINITION_CAMPAIGN
                                    ? MSG_REASON_CAMPAIGN_ARCHIVED
                                    : MSG_REASON_COUPON_ARCHIVED),
        .message = reason_message(runtime, item),
    };

    if (reason.message == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < archived->job_count; i++)
        if (cancel(runtime, item, archived->jobs[i], &reason, err) < 0)
            return -1;
    return 0;
}

int campaign_jobs_again(struct runtime *runtime, const struct runtime_item *item, struct err *err)
{
    struct db_conn *db = runtime_db(runtime);
    struct arena *arena = runtime_arena(runtime);
    const char *message = reason_message(runtime, item);
    const uint8_t(*ids)[16] = NULL;
    size_t count = 0;

    if (message == NULL)
        return err_nomem(err);
    if (store_definition_cancelled(db, arena, item->now_us, message, &ids, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct jobs_job job;

        if (jobs_get(db, arena, ids[i], &job, err) < 0 ||
            runtime_job_emit_end(runtime, &job, false, err) < 0)
            return -1;
    }
    return 0;
}
