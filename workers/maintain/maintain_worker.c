/* SPDX-License-Identifier: Apache-2.0 */
#include "maintain_worker.h"

#include "log.h"
#include "runtime_jobs.h"
#include "runtime_ledger.h"

#include <string.h>

#define PROBES_AT_ONCE 256

/* A runtime_decide_fn */
static int cancel(struct runtime *runtime, const struct runtime_item *item, void *opaque UNUSED,
                  struct runtime_outcome *ret, struct err *err)
{
    static const enum msg_job_kind kinds[] = {
        [JOBS_GENERATE] = MSG_JOB_CODES_GENERATE,
        [JOBS_EXPORT_CODES] = MSG_JOB_CODES_EXPORT,
        [JOBS_EXPORT_REDEMPTIONS] = MSG_JOB_REDEMPTIONS_EXPORT,
    };
    struct msg_job_steered data = {.state = MSG_JOB_CANCELLED};
    struct jobs_job job;
    uint8_t id[16];
    char text[DIGEST_UUID_TEXT];

    if (digest_uuid_parse(item->command->data.job_cancel->job, id) < 0)
        return err_set(err, ERR_BUG, "maintain", "bad_job", "the decoder let a bad id pass");
    int done = runtime_job_cancel(runtime, id, MSG_REASON_JOB_CANCELLED, item->now_us, err);

    if (done < 0)
        return -1;
    int found = jobs_get(runtime_db(runtime), runtime_arena(runtime), id, &job, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return runtime_refuse(ret, msg_reason_code(MSG_REASON_UNKNOWN_JOB), "/job", "%s",
                              msg_reason_text(MSG_REASON_UNKNOWN_JOB));
    if (done == 0)
        return runtime_refuse(ret, msg_reason_code(MSG_REASON_JOB_FINISHED), "/job",
                              "The job is %s.", jobs_state_name(job.state));
    data.job = arena_strdup(runtime_arena(runtime), digest_uuid_text(id, text));
    data.kind = kinds[job.kind];
    data.total = job.total;
    data.done = job.done;
    if (data.job == NULL)
        return err_nomem(err);
    ret->type = msg_event_type(MSG_EVENT_JOB_STEERED)->name;
    ret->key = data.job;
    ret->has_job = true;
    memcpy(ret->job, id, sizeof(ret->job));
    return msg_event_data(runtime_arena(runtime), MSG_EVENT_JOB_STEERED, &data, &ret->data,
                          &ret->data_len, err);
}

/* A runtime_again_fn: with the first time's outcome went the end of the job. */
static int cancel_again(struct runtime *runtime, const struct runtime_item *item UNUSED,
                        void *opaque UNUSED, const uint8_t id[16], bool replay, struct err *err)
{
    struct jobs_job job;
    int found = 0;

    if (replay)
        found = jobs_get(runtime_db(runtime), runtime_arena(runtime), id, &job, err);
    return found <= 0 ? found : runtime_job_emit_end(runtime, &job, false, err);
}

static int batch(struct runtime *runtime, void *state UNUSED, const struct runtime_batch *items,
                 struct err *err)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct runtime_item *item = &items->items[i];
        int done = -1;

        switch (item->command->type->id) {
        case MSG_JOB_CANCEL:
            done = runtime_ledger_serve(runtime, item, cancel, cancel_again, NULL, err);
            break;
        case MSG_SNAPSHOT_DUE:
            done = maintain_snapshot(runtime, item, err);
            break;
        default:
            return err_set(err, ERR_BUG, "maintain", "wrong_type", "not a command of ours");
        }
        if (done < 0)
            return -1;
    }
    return 0;
}

static int probe_stalled(struct runtime *runtime, enum jobs_kind from, enum jobs_kind to,
                         struct err *err)
{
    struct jobs_token tokens[PROBES_AT_ONCE];
    size_t count = 0;

    if (jobs_stalled(runtime_db(runtime), runtime_conf(runtime)->probe_after_ms, from, to, tokens,
                     PROBES_AT_ONCE, &count, err) < 0)
        return -1;
    if (count > 0)
        log_info("tokens_again", LOG_INT("tokens", (int64_t)count));
    for (size_t i = 0; i < count; i++) {
        if (runtime_job_emit_token(runtime, from, &tokens[i], err) < 0)
            return -1;
    }
    return 0;
}

static int tick(struct runtime *runtime, void *state UNUSED, struct err *err)
{
    if (!runtime_holds(runtime, MSG_TOPIC_INTERNAL, 0))
        return 0;
    if (probe_stalled(runtime, JOBS_GENERATE, JOBS_GENERATE, err) < 0 ||
        probe_stalled(runtime, JOBS_EXPORT_CODES, JOBS_EXPORT_REDEMPTIONS, err) < 0)
        return -1;
    return maintain_snapshots_due(runtime, err);
}

static const struct runtime_topic topics[] = {
    {MSG_TOPIC_MAINTAIN_COMMANDS, 100},
    {MSG_TOPIC_INTERNAL, 0},
};

const struct worker maintain_worker = {
    .kind = "maintain",
    .programs = RUNTIME_PROGRAM_MAINTAIN,
    .about = "Cancels jobs, watches over their tokens and publishes metrics.",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .tick_ms = 1000,
    .batch = batch,
    .tick = tick,
};
