/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fleet publishes: events in CloudEvents binary mode, tokens, dead letters, and the ids of
 * events and jobs. Records and all they point to live in the arena.
 */
#ifndef MSG_EVENT_H
#define MSG_EVENT_H

#include "base_arena.h"
#include "base_digest.h"
#include "base_err.h"
#include "base_record.h"
#include "msg_command.h"
#include "msg_definition.h"
#include "msg_job.h"
#include "msg_redeem.h"
#include "msg_topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum msg_event_id {
    MSG_EVENT_CAMPAIGN_CHANGED,
    MSG_EVENT_CAMPAIGN_ARCHIVED,
    MSG_EVENT_CAMPAIGN_REJECTED,
    MSG_EVENT_DISCOUNT_CHANGED,
    MSG_EVENT_DISCOUNT_ARCHIVED,
    MSG_EVENT_DISCOUNT_REJECTED,
    MSG_EVENT_COUPON_CHANGED,
    MSG_EVENT_COUPON_ARCHIVED,
    MSG_EVENT_COUPON_REJECTED,
    MSG_EVENT_AFFILIATE_CHANGED,
    MSG_EVENT_AFFILIATE_ARCHIVED,
    MSG_EVENT_AFFILIATE_REJECTED,
    MSG_EVENT_JOB_ACCEPTED,
    MSG_EVENT_JOB_PROGRESSED,
    MSG_EVENT_JOB_COMPLETED,
    MSG_EVENT_JOB_FAILED,
    MSG_EVENT_JOB_CANCELLED,
    MSG_EVENT_JOB_REJECTED,
    MSG_EVENT_JOB_STEERED,
    MSG_EVENT_CODE_REDEEMED,
    MSG_EVENT_CODE_VALIDATED,
    MSG_EVENT_CODE_RELEASED,
    MSG_EVENT_CODE_REJECTED,
    MSG_EVENT_METRICS_SNAPSHOT,
};
#define MSG_EVENT_COUNT 24

struct msg_table;

struct msg_event_type {
    enum msg_event_id id;
    const char *name; /* "promofleet.campaign.changed.v1" */
    enum msg_topic topic;
    const struct msg_table *table;
    bool terminal; /* ends its command: what `submit --wait` waits for */
};
const struct msg_event_type *msg_event_type(enum msg_event_id id);
/* NULL when there is none of that name. */
const struct msg_event_type *msg_event_type_find(const char *name);

/*
 * The data of an event as JSON, in the arena with a closing NUL. `data` is the struct that belongs
 * to the type: msg_definition_event, msg_rejected, msg_job_event, msg_job_steered, msg_redeemed,
 * msg_released, msg_code_rejected, msg_metrics_snapshot. NULL members are left out. -1: out of
 * memory, or ERR_BUG when a required member is missing or a value breaks the contract.
 */
int msg_event_data(struct arena *arena, enum msg_event_id id, const void *data,
                   const char **ret_json, size_t *ret_len, struct err *err) MUST_CHECK;
/* {"reasons":[{"code":...,"pointer":...,"message":...}]} for any rejected event. */
int msg_rejected_data(struct arena *arena, const struct msg_reason *reasons, size_t count,
                      const char **ret_json, size_t *ret_len, struct err *err) MUST_CHECK;

/* An event about to be published. */
struct msg_event {
    const char *type; /* name of the event type                                               */
    enum msg_topic topic;
    const char *key; /* NULL: no key */
    uint8_t id[DIGEST_UUID_LEN];
    const char *source;   /* "promofleet/<worker kind>"                                    */
    int64_t time_us;      /* when it became true: the command's Kafka timestamp            */
    const char *cause_id; /* ce_id and ce_source of the command; NULL: no command behind it */
    const char *cause_source;
    const char *traceparent; /* the command's; NULL: none                                     */
    bool repeated;           /* the stored outcome again, for a publisher's retry              */
    const char *supersedes;  /* id of the outcome that this one corrects; NULL: none           */
    const char *data;
    size_t data_len;
};
/* partition -1: the key decides. */
int msg_event_record(struct arena *arena, const struct msg_topics *topics,
                     const struct msg_event *event, struct record *ret_record,
                     struct err *err) MUST_CHECK;

/*
 * A command to one of our own topics (a token, a timer): binary mode, source and id as given.
 * partition -1 lets the key decide.
 */
int msg_internal_record(struct arena *arena, const struct msg_topics *topics, enum msg_topic topic,
                        int32_t partition, const char *key, enum msg_command_id type,
                        const void *data, const char *source, const uint8_t id[DIGEST_UUID_LEN],
                        int64_t time_us, struct record *ret_record, struct err *err) MUST_CHECK;
/*
 * The token of (job, lane, n, epoch): key = job, id from the four, so that the same token always
 * has the same id.
 */
int msg_token_record(struct arena *arena, const struct msg_topics *topics, enum msg_topic chunks,
                     int32_t partition, const struct msg_token *token, const char *source,
                     int64_t time_us, struct record *ret_record, struct err *err) MUST_CHECK;

/*
 * The original bytes under the original key, the original headers, and behind them Connect-style
 * error headers __connect.errors.{topic,partition,offset,stage,class.name,exception.message}
 * (texts). stage: "DECODE", "APPLY", ...; the class name is the error's code. Points into
 * `original`.
 */
int msg_dead_letter_record(struct arena *arena, const struct msg_topics *topics,
                           const struct record *original, const char *stage, const struct err *why,
                           struct record *ret_record, struct err *err) MUST_CHECK;

/*
 * Ids are UUIDs version 5 of the cause and the kind of event: the same cause and kind make the same
 * id, and no two different ones do. `verdict` goes into the ids of outcomes that are not stored
 * (NULL for those that are): what distinguishes one answer from another, such as its data.
 */
void msg_event_id(enum msg_kind kind, const char *source, const char *id, const char *event_type,
                  const char *verdict, size_t verdict_len, uint8_t out[DIGEST_UUID_LEN]);
/* For a series of events of one cause (progress n of a job). */
void msg_event_id_nth(enum msg_kind kind, const char *source, const char *id,
                      const char *event_type, int64_t n, uint8_t out[DIGEST_UUID_LEN]);
void msg_job_id(enum msg_kind kind, const char *source, const char *id,
                uint8_t out[DIGEST_UUID_LEN]);
void msg_token_id(const struct msg_token *token, uint8_t out[DIGEST_UUID_LEN]);
/* Of an internal command: from what it is about and when it is due. */
void msg_timer_id(const char *type, const char *subject, int64_t due, uint8_t out[DIGEST_UUID_LEN]);

#endif
