/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_worker.h"

#include "base_fault.h"
#include "campaign_jobs.h"
#include "runtime_ledger.h"
#include "store_definition.h"

#include <string.h>

/* The definitions stay locked until the commit, and with them every worker's commit: a batch is
 * kept short. */
#define BATCH_MAX 64

/* What a command type says, apart from what it puts. */
struct noun {
    enum msg_definition_kind kind;
    enum msg_event_id done;
    bool archive;
};

/* 1 and *ret; 0 it is none of ours. */
static int noun_of(enum msg_command_id id, struct noun *ret)
{
    static const struct {
        enum msg_command_id id;
        struct noun noun;
    } nouns[] = {
        {MSG_CAMPAIGN_PUT, {MSG_DEFINITION_CAMPAIGN, MSG_EVENT_CAMPAIGN_CHANGED, false}},
        {MSG_CAMPAIGN_ARCHIVE, {MSG_DEFINITION_CAMPAIGN, MSG_EVENT_CAMPAIGN_ARCHIVED, true}},
        {MSG_DISCOUNT_PUT, {MSG_DEFINITION_DISCOUNT, MSG_EVENT_DISCOUNT_CHANGED, false}},
        {MSG_DISCOUNT_ARCHIVE, {MSG_DEFINITION_DISCOUNT, MSG_EVENT_DISCOUNT_ARCHIVED, true}},
        {MSG_COUPON_PUT, {MSG_DEFINITION_COUPON, MSG_EVENT_COUPON_CHANGED, false}},
        {MSG_COUPON_ARCHIVE, {MSG_DEFINITION_COUPON, MSG_EVENT_COUPON_ARCHIVED, true}},
        {MSG_AFFILIATE_PUT, {MSG_DEFINITION_AFFILIATE, MSG_EVENT_AFFILIATE_CHANGED, false}},
        {MSG_AFFILIATE_ARCHIVE, {MSG_DEFINITION_AFFILIATE, MSG_EVENT_AFFILIATE_ARCHIVED, true}},
    };

    for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
        if (nouns[i].id != id)
            continue;
        *ret = nouns[i].noun;
        return 1;
    }
    return 0;
}

static const char *definition_id(const struct msg_command *command, const struct noun *noun)
{
    if (noun->archive)
        return command->data.archive->id;
    switch (noun->kind) {
    case MSG_DEFINITION_CAMPAIGN:
        return command->data.campaign_put->id;
    case MSG_DEFINITION_DISCOUNT:
        return command->data.discount_put->id;
    case MSG_DEFINITION_COUPON:
        return command->data.coupon_put->id;
    case MSG_DEFINITION_AFFILIATE:
        return command->data.affiliate_put->id;
    }
    return NULL;
}

/* 1 done, 0 refused, -1. */
static int apply(const struct store_change *change, const struct msg_command *command,
                 const struct noun *noun, struct store_definition *ret, struct err *ret_refused,
                 struct err *err)
{
    if (noun->archive)
        return store_definition_archive(change, noun->kind, command->data.archive->id, ret,
                                        ret_refused, err);
    switch (noun->kind) {
    case MSG_DEFINITION_CAMPAIGN:
        return store_definition_put_campaign(change, command->data.campaign_put, ret, ret_refused,
                                             err);
    case MSG_DEFINITION_DISCOUNT:
        return store_definition_put_discount(change, command->data.discount_put, ret, ret_refused,
                                             err);
    case MSG_DEFINITION_COUPON:
        return store_definition_put_coupon(change, command->data.coupon_put, ret, ret_refused, err);
    case MSG_DEFINITION_AFFILIATE:
        return store_definition_put_affiliate(change, command->data.affiliate_put, ret, ret_refused,
                                              err);
    }
    return err_set(err, ERR_BUG, "campaign", "bad_kind", "no such kind of definition");
}

static int decide(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                  struct runtime_outcome *ret, struct err *err)
{
    const struct msg_command *command = item->command;
    const struct store_change change = {
        .db = runtime_db(runtime),
        .arena = runtime_arena(runtime),
        .at_us = item->now_us,
        .source = command->envelope.source,
        .actor = command->envelope.actor,
        .value = item->record->value,
        .value_len = item->record->value_len,
        .structured = command->envelope.structured,
    };
    struct store_definition done = {0};
    struct noun noun;

    (void)opaque;
    if (noun_of(command->type->id, &noun) == 0)
        return err_set(err, ERR_BUG, "campaign", "foreign_type", "a command of another worker");
    int said = apply(&change, command, &noun, &done, &ret->refused, err);

    if (said < 0)
        return -1;
    fault_point("definition_written");
    ret->key = definition_id(command, &noun);
    if (said == 0)
        return 0;
    if (done.job_count > 0) {
        if (campaign_jobs_cancel(runtime, item, &done, err) < 0)
            return -1;
        ret->has_job = true;
        memcpy(ret->job, done.jobs[0], sizeof(ret->job));
    }
    ret->type = msg_event_type(noun.done)->name;
    return msg_event_data(runtime_arena(runtime), noun.done, &done.event, &ret->data,
                          &ret->data_len, err);
}

static int again(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                 const uint8_t job[16], bool replay, struct err *err)
{
    (void)opaque;
    (void)job;
    return replay ? campaign_jobs_again(runtime, item, err) : 0;
}

static int batch(struct runtime *runtime, void *state, const struct runtime_batch *batch,
                 struct err *err)
{
    (void)state;
    for (size_t i = 0; i < batch->count; i++)
        if (runtime_ledger_serve(runtime, &batch->items[i], decide, again, NULL, err) < 0)
            return -1;
    return 0;
}

static const struct runtime_topic topics[] = {{MSG_TOPIC_CAMPAIGN_COMMANDS, BATCH_MAX}};

const struct worker campaign_worker = {
    .kind = "campaign",
    .programs = RUNTIME_PROGRAM_CAMPAIGN,
    .about = "Applies campaigns, discounts, coupons and affiliates from campaign.commands.",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .batch = batch,
};
