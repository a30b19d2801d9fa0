/* SPDX-License-Identifier: Apache-2.0
 *
 * From a record to a checked command: the registry of the types, and the decoder. Validate fully,
 * then act: what comes out accepted needs no further check of its form.
 */
#ifndef MSG_COMMAND_H
#define MSG_COMMAND_H

#include "base_arena.h"
#include "base_err.h"
#include "base_record.h"
#include "msg_definition.h"
#include "msg_envelope.h"
#include "msg_job.h"
#include "msg_reason.h"
#include "msg_redeem.h"
#include "msg_topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum msg_command_id {
    MSG_CAMPAIGN_PUT,
    MSG_CAMPAIGN_ARCHIVE,
    MSG_DISCOUNT_PUT,
    MSG_DISCOUNT_ARCHIVE,
    MSG_COUPON_PUT,
    MSG_COUPON_ARCHIVE,
    MSG_AFFILIATE_PUT,
    MSG_AFFILIATE_ARCHIVE,
    MSG_CODES_GENERATE,
    MSG_CODE_REDEEM,
    MSG_CODE_VALIDATE,
    MSG_CODE_RELEASE,
    MSG_CODES_EXPORT,
    MSG_REDEMPTIONS_EXPORT,
    MSG_JOB_CANCEL,
    MSG_TOKEN,
    MSG_SNAPSHOT_DUE,
};
#define MSG_COMMAND_COUNT 17

struct msg_table;

struct msg_command_type {
    enum msg_command_id id;
    const char *name; /* "promofleet.campaign.put.v1"                              */
    unsigned topics;  /* bits 1u << enum msg_topic: where it may arrive            */
    const struct msg_table *table;
    const char *rejected;  /* type of the event that refuses it; NULL: internal, nobody is told */
    enum msg_topic events; /* where its outcome goes (nothing for internal ones)        */
};

const struct msg_command_type *msg_command_type(enum msg_command_id id);
/* NULL when there is none of that name. */
const struct msg_command_type *msg_command_type_find(const char *name);
/* The topic that a type is published to: its first. */
enum msg_topic msg_command_topic(const struct msg_command_type *type);
/* For a command of unknown type: the event that refuses it, by the topic it came on; NULL for the
 * internal topics. */
const char *msg_topic_rejected(enum msg_topic commands);
/* Where the outcomes of a topic's commands go. Only for command topics. */
enum msg_topic msg_topic_events(enum msg_topic commands);

enum msg_verdict {
    MSG_FAILED =
        -1, /* memory is short: *err with ERR_TRANSIENT; nothing is known about the message  */
    MSG_UNREADABLE, /* for the dead letter */
    MSG_REFUSED, /* the envelope is readable: answer with a rejected outcome                      */
    MSG_DECODED, /* type and data are filled                                                      */
};

struct msg_command {
    enum msg_topic topic;
    enum msg_kind kind;                  /* of the topic                                         */
    const struct msg_command_type *type; /* NULL when rejected as unknown_type       */
    struct msg_envelope envelope;
    const char *rejected; /* event type for a refusal, by type or by topic       */
    enum msg_topic events;
    /* Of type name and data (jsonio_canonical_hash); all zero when the data could not be parsed. */
    uint8_t hash[16];
    union {
        const void *any;
        const struct msg_campaign_put *campaign_put;
        const struct msg_discount_put *discount_put;
        const struct msg_coupon_put *coupon_put;
        const struct msg_affiliate_put *affiliate_put;
        const struct msg_archive *archive; /* of all four kinds */
        const struct msg_generate *generate;
        const struct msg_redeem *redeem; /* and validate */
        const struct msg_release *release;
        const struct msg_export *export; /* both kinds */
        const struct msg_job_cancel *job_cancel;
        const struct msg_token *token;
        const struct msg_snapshot_due *snapshot_due;
    } data;
    /* Everything that was found wrong, at most MSG_REASONS_MAX; none when decoded. */
    const struct msg_reason *reasons;
    size_t reason_count;
};

/*
 * Decode a record that was read from the topic. Everything lives in the arena and nothing points
 * into the record. MSG_DECODED: *ret_command. MSG_REFUSED: *ret_command with its envelope and all
 * reasons, and *err is the first of them (ERR_POISON, domain "msg"). MSG_UNREADABLE: *err says why;
 * *ret_command is NULL.
 */
enum msg_verdict msg_command_decode(const struct record *record, enum msg_topic topic,
                                    struct arena *arena, struct msg_command **ret_command,
                                    struct err *err) MUST_CHECK;

#endif
