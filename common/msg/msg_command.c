/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry of the commands, and the way from a record to a checked command.
 */
#include "msg_command.h"

#include "jsonio.h"
#include "msg_tables.h"

#include <assert.h>
#include <string.h>

#define ON(topic) (1u << MSG_TOPIC_##topic)
#define REJECTED(noun) ("promofleet." noun ".rejected.v1")

static const struct msg_command_type types[MSG_COMMAND_COUNT] = {
    [MSG_CAMPAIGN_PUT] = {MSG_CAMPAIGN_PUT, "promofleet.campaign.put.v1", ON(CAMPAIGN_COMMANDS),
                          &msg_table_campaign_put, REJECTED("campaign"), MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_CAMPAIGN_ARCHIVE] = {MSG_CAMPAIGN_ARCHIVE, "promofleet.campaign.archive.v1",
                              ON(CAMPAIGN_COMMANDS), &msg_table_archive, REJECTED("campaign"),
                              MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_DISCOUNT_PUT] = {MSG_DISCOUNT_PUT, "promofleet.discount.put.v1", ON(CAMPAIGN_COMMANDS),
                          &msg_table_discount_put, REJECTED("discount"), MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_DISCOUNT_ARCHIVE] = {MSG_DISCOUNT_ARCHIVE, "promofleet.discount.archive.v1",
                              ON(CAMPAIGN_COMMANDS), &msg_table_archive, REJECTED("discount"),
                              MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_COUPON_PUT] = {MSG_COUPON_PUT, "promofleet.coupon.put.v1", ON(CAMPAIGN_COMMANDS),
                        &msg_table_coupon_put, REJECTED("coupon"), MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_COUPON_ARCHIVE] = {MSG_COUPON_ARCHIVE, "promofleet.coupon.archive.v1",
                            ON(CAMPAIGN_COMMANDS), &msg_table_archive, REJECTED("coupon"),
                            MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_AFFILIATE_PUT] = {MSG_AFFILIATE_PUT, "promofleet.affiliate.put.v1", ON(CAMPAIGN_COMMANDS),
                           &msg_table_affiliate_put, REJECTED("affiliate"),
                           MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_AFFILIATE_ARCHIVE] = {MSG_AFFILIATE_ARCHIVE, "promofleet.affiliate.archive.v1",
                               ON(CAMPAIGN_COMMANDS), &msg_table_archive, REJECTED("affiliate"),
                               MSG_TOPIC_CAMPAIGN_EVENTS},
    [MSG_CODES_GENERATE] = {MSG_CODES_GENERATE, "promofleet.codes.generate.v1",
                            ON(GENERATE_COMMANDS), &msg_table_generate, REJECTED("job"),
                            MSG_TOPIC_JOB_EVENTS},
    [MSG_CODE_REDEEM] = {MSG_CODE_REDEEM, "promofleet.code.redeem.v1", ON(REDEEM_COMMANDS),
                         &msg_table_redeem, REJECTED("code"), MSG_TOPIC_REDEMPTION_EVENTS},
    [MSG_CODE_VALIDATE] = {MSG_CODE_VALIDATE, "promofleet.code.validate.v1", ON(REDEEM_COMMANDS),
                           &msg_table_validate, REJECTED("code"), MSG_TOPIC_REDEMPTION_EVENTS},
    [MSG_CODE_RELEASE] = {MSG_CODE_RELEASE, "promofleet.code.release.v1", ON(REDEEM_COMMANDS),
                          &msg_table_release, REJECTED("code"), MSG_TOPIC_REDEMPTION_EVENTS},
    [MSG_CODES_EXPORT] = {MSG_CODES_EXPORT, "promofleet.codes.export.v1", ON(EXPORT_COMMANDS),
                          &msg_table_export, REJECTED("job"), MSG_TOPIC_JOB_EVENTS},
    [MSG_REDEMPTIONS_EXPORT] = {MSG_REDEMPTIONS_EXPORT, "promofleet.redemptions.export.v1",
                                ON(EXPORT_COMMANDS), &msg_table_export, REJECTED("job"),
                                MSG_TOPIC_JOB_EVENTS},
    [MSG_JOB_CANCEL] = {MSG_JOB_CANCEL, "promofleet.job.cancel.v1", ON(MAINTAIN_COMMANDS),
                        &msg_table_job_cancel, REJECTED("job"), MSG_TOPIC_JOB_EVENTS},
    [MSG_TOKEN] = {MSG_TOKEN, "promofleet.token.v1", ON(GENERATE_CHUNKS) | ON(EXPORT_CHUNKS),
                   &msg_table_token, NULL, MSG_TOPIC_JOB_EVENTS},
    [MSG_SNAPSHOT_DUE] = {MSG_SNAPSHOT_DUE, "promofleet.snapshot.v1", ON(INTERNAL),
                          &msg_table_snapshot_due, NULL, MSG_TOPIC_METRICS},
};

const struct msg_command_type *msg_command_type(enum msg_command_id id)
{
    return &types[id];
}

const struct msg_command_type *msg_command_type_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return NULL;
}

enum msg_topic msg_command_topic(const struct msg_command_type *type)
{
    return (enum msg_topic)__builtin_ctz(type->topics);
}

const char *msg_topic_rejected(enum msg_topic commands)
{
    switch (msg_topic_kind(commands)) {
    case MSG_KIND_CAMPAIGN:
        return REJECTED("campaign");
    case MSG_KIND_REDEEM:
        return REJECTED("code");
    case MSG_KIND_GENERATE:
    case MSG_KIND_EXPORT:
    case MSG_KIND_MAINTAIN:
        return REJECTED("job");
    case MSG_KIND_INTERNAL:
    case MSG_KIND_NONE:
        return NULL;
    }
    return NULL;
}

enum msg_topic msg_topic_events(enum msg_topic commands)
{
    switch (msg_topic_kind(commands)) {
    case MSG_KIND_CAMPAIGN:
        return MSG_TOPIC_CAMPAIGN_EVENTS;
    case MSG_KIND_REDEEM:
        return MSG_TOPIC_REDEMPTION_EVENTS;
    case MSG_KIND_GENERATE:
    case MSG_KIND_EXPORT:
    case MSG_KIND_MAINTAIN:
    case MSG_KIND_INTERNAL:
    case MSG_KIND_NONE:
        return MSG_TOPIC_JOB_EVENTS;
    }
    return MSG_TOPIC_JOB_EVENTS;
}

/* The type, if it may come on this topic; otherwise a reason is added. Fills what a refusal needs.
 */
static bool find_type(struct msg_command *command, struct msg_reasons *reasons)
{
    const struct msg_command_type *type = msg_command_type_find(command->envelope.type);
    command->rejected = msg_topic_rejected(command->topic);
    command->events = msg_topic_events(command->topic);
    if (type == NULL) {
        msg_reasons_add(reasons, MSG_REASON_UNKNOWN_TYPE, "", NULL);
        return false;
    }
    if (!(type->topics & 1u << command->topic)) {
        msg_reasons_add(reasons, MSG_REASON_WRONG_TOPIC, "",
                        "This command belongs to the topic %s.",
                        msg_topic_spec(msg_command_topic(type))->name);
        return false;
    }
    command->type = type;
    command->rejected = type->rejected;
    command->events = type->events;
    return true;
}

static int decode_data(struct arena *arena, struct msg_command *command,
                       const struct json_object *data, struct msg_reasons *reasons, struct err *err)
{
    if (jsonio_canonical_hash(command->envelope.type, data, command->hash, err) < 0)
        return -1;
    if (!find_type(command, reasons))
        return 0;
    void *decoded = arena_zalloc(arena, 1, command->type->table->size);
    if (decoded == NULL)
        return err_nomem(err);
    msg_table_decode(command->type->table, data, decoded, reasons);
    command->data.any = decoded;
    return 0;
}

static enum msg_verdict refuse(struct arena *arena, struct msg_command *command,
                               const struct msg_reasons *reasons, struct err *err)
{
    void *copy = arena_memdup(arena, reasons->items, reasons->count * sizeof(reasons->items[0]));
    if (copy == NULL) {
        (void)err_nomem(err);
        return MSG_FAILED;
    }
    command->reasons = copy;
    command->reason_count = reasons->count;
    command->data.any = NULL;
    (void)msg_reasons_err(reasons, err);
    return MSG_REFUSED;
}

enum msg_verdict msg_command_decode(const struct record *record, enum msg_topic topic,
                                    struct arena *arena, struct msg_command **ret_command,
                                    struct err *err)
{
    struct json_object *data CLEANUP(jsonio_freep) = NULL;
    struct msg_reasons reasons;
    struct err why = {0};
    *ret_command = NULL;
    reasons.arena = arena;
    reasons.count = 0;
    reasons.nomem = false;
    struct msg_command *command = arena_zalloc(arena, 1, sizeof(*command));
    if (command == NULL) {
        (void)err_nomem(err);
        return MSG_FAILED;
    }
    command->topic = topic;
    command->kind = msg_topic_kind(topic);
    int read = msg_envelope_read(arena, record, &command->envelope, &data, &why);
    if (read < 0) {
        if (err != NULL)
            *err = why;
        return why.kind == ERR_POISON ? MSG_UNREADABLE : MSG_FAILED;
    }
    if (read == 0) {
        if (find_type(command, &reasons))
            msg_reasons_add_err(&reasons, &why);
    } else if (decode_data(arena, command, data, &reasons, err) < 0) {
        return MSG_FAILED;
    }
    if (reasons.nomem) {
        (void)err_nomem(err);
        return MSG_FAILED;
    }
    if (reasons.count > 0) {
        enum msg_verdict verdict = refuse(arena, command, &reasons, err);
        if (verdict == MSG_REFUSED)
            *ret_command = command;
        return verdict;
    }
    *ret_command = command;
    return MSG_DECODED;
}
