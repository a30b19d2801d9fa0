/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting a command: what is a member of the export is decided here, by one statement that gives
 * the snapshot and the bounds of the work together. What is archived may still be exported.
 */
#include "export_worker.h"
#include "store_source.h"

#include <string.h>

/* What a command names; exactly one is not NULL. */
struct subject {
    const struct store_campaign *campaign;
    const struct store_coupon *coupon;
};

static bool find_subject(const struct export *export, const struct msg_export *data,
                         struct subject *ret_subject, struct runtime_outcome *ret)
{
    enum msg_reason_id reason =
        data->coupon != NULL ? MSG_REASON_UNKNOWN_COUPON : MSG_REASON_UNKNOWN_CAMPAIGN;

    *ret_subject = (struct subject){0};
    if (data->coupon != NULL)
        ret_subject->coupon = store_catalog_coupon(export->catalog, data->coupon);
    else
        ret_subject->campaign = store_catalog_campaign(export->catalog, data->campaign);
    if (ret_subject->campaign != NULL || ret_subject->coupon != NULL)
        return true;
    (void)runtime_refuse(ret, msg_reason_code(reason),
                         data->coupon != NULL ? "/coupon" : "/campaign", "%s",
                         msg_reason_text(reason));
    return false;
}

static bool is_wanted(const struct store_coupon *coupon, const struct subject *subject,
                      bool descendants)
{
    if (subject->coupon != NULL)
        return coupon == subject->coupon;
    return descendants ? store_campaign_within(coupon->campaign, subject->campaign)
                       : coupon->campaign == subject->campaign;
}

static int find_codes(struct runtime *runtime, const struct export *export,
                      const struct subject *subject, struct export_params *params,
                      const char **ret_snapshot, struct err *err)
{
    size_t all = store_catalog_coupon_count(export->catalog);
    int32_t *coupons = arena_zalloc(runtime_arena(runtime), all + 1, sizeof(*coupons));
    size_t count = 0;

    if (coupons == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < all; i++) {
        const struct store_coupon *coupon = store_catalog_coupon_at(export->catalog, i);

        if (is_wanted(coupon, subject, params->descendants))
            coupons[count++] = coupon->id;
    }
    return store_export_code_ranges(runtime_db(runtime), runtime_arena(runtime), coupons, count,
                                    ret_snapshot, &params->ranges, &params->range_count, err);
}

/* The one token of a job without slots. */
static int emit_extra(struct runtime *runtime, const struct jobs_job *job, struct err *err)
{
    struct jobs_token token = {.lane = JOBS_LANE_EXTRA};

    memcpy(token.job, job->id, sizeof(token.job));
    return runtime_job_emit_token(runtime, job->kind, &token, err);
}

static int write_job(struct runtime *runtime, const struct export_params *params,
                     const char *snapshot, struct jobs_job *job, struct err *err)
{
    struct db_conn *db = runtime_db(runtime);
    struct jobs_token tokens[JOBS_LANES];
    size_t count = 0;

    if (export_params_write(runtime_arena(runtime), params, &job->params, err) < 0 ||
        store_source_id(runtime_sources(runtime), db, job->source, &job->source_id, err) < 0 ||
        jobs_create(db, job, false, tokens, &count, err) < 0 ||
        store_export_set_snapshot(db, job->id, snapshot, err) < 0)
        return -1;
    if (job->total > 0)
        return runtime_job_start(runtime, job, tokens, count, err);
    if (store_export_open_extra(db, job->id, err) < 0)
        return -1;
    return emit_extra(runtime, job, err);
}

int export_accept(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                  struct runtime_outcome *ret, struct err *err)
{
    const struct export *export = opaque;
    const struct msg_command *command = item->command;
    const struct msg_export *data = command->data.export;
    struct export_params params = {.descendants = data->include_descendants};
    struct jobs_job job = {.kind = JOBS_EXPORT_CODES,
                           .state = JOBS_RUNNING,
                           .source = command->envelope.source,
                           .ce_id = command->envelope.id,
                           .traceparent = command->envelope.traceparent,
                           .campaign = data->campaign,
                           .coupon = data->coupon,
                           .width = JOBS_WIDTH_DEFAULT,
                           .accepted_us = item->now_us};
    struct subject subject;
    struct msg_job_event event;
    const char *snapshot = NULL;

    if (!find_subject(export, data, &subject, ret))
        return 0;
    if (subject.campaign != NULL)
        job.campaign_id = subject.campaign->id;
    else
        job.coupon_id = subject.coupon->id;
    msg_job_id(MSG_KIND_EXPORT, job.source, job.ce_id, job.id);
    if (command->type->id == MSG_CODES_EXPORT) {
        if (find_codes(runtime, export, &subject, &params, &snapshot, err) < 0)
            return -1;
        job.total = export_params_slots(&params);
    } else {
        job.kind = JOBS_EXPORT_REDEMPTIONS;
        if (store_export_redemption_reach(runtime_db(runtime), runtime_arena(runtime), &snapshot,
                                          &job.total, err) < 0)
            return -1;
    }
    if (write_job(runtime, &params, snapshot, &job, err) < 0 ||
        runtime_job_event(runtime, &job, &event, err) < 0)
        return -1;
    ret->type = msg_event_type(MSG_EVENT_JOB_ACCEPTED)->name;
    ret->key = event.job;
    ret->has_job = true;
    memcpy(ret->job, job.id, sizeof(ret->job));
    return runtime_job_data(runtime, MSG_EVENT_JOB_ACCEPTED, &event, &ret->data, &ret->data_len,
                            err);
}

int export_again(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                 const uint8_t id[16], bool replay, struct err *err)
{
    struct jobs_job job;
    int found = jobs_get(runtime_db(runtime), runtime_arena(runtime), id, &job, err);

    if (found < 0)
        return -1;
    if (found > 0 && replay && job.total == 0)
        return emit_extra(runtime, &job, err);
    return runtime_job_again(runtime, item, opaque, id, replay, err);
}
