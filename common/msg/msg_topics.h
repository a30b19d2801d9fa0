/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet's topics. What schemas/topics.json says is built in, so code and file cannot differ:
 * partitions and settings come from there, the enum names its entries in its order.
 */
#ifndef MSG_TOPICS_H
#define MSG_TOPICS_H

#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum msg_topic {
    MSG_TOPIC_CAMPAIGN_COMMANDS,
    MSG_TOPIC_GENERATE_COMMANDS,
    MSG_TOPIC_REDEEM_COMMANDS,
    MSG_TOPIC_EXPORT_COMMANDS,
    MSG_TOPIC_MAINTAIN_COMMANDS,
    MSG_TOPIC_GENERATE_CHUNKS,
    MSG_TOPIC_EXPORT_CHUNKS,
    MSG_TOPIC_INTERNAL,
    MSG_TOPIC_CAMPAIGN_EVENTS,
    MSG_TOPIC_JOB_EVENTS,
    MSG_TOPIC_REDEMPTION_EVENTS,
    MSG_TOPIC_METRICS,
    MSG_TOPIC_DEAD_LETTER,
};
#define MSG_TOPIC_COUNT 13
/* Longest name of a topic without its prefix, and of a prefix. */
#define MSG_TOPIC_PREFIX_MAX 64
#define MSG_TOPIC_NAME_MAX 128

/* Who reads a topic of commands; the numbers stand in the data base (table command). */
enum msg_kind {
    MSG_KIND_NONE = 0,
    MSG_KIND_CAMPAIGN = 1,
    MSG_KIND_GENERATE = 2,
    MSG_KIND_REDEEM = 3,
    MSG_KIND_EXPORT = 4,
    MSG_KIND_MAINTAIN = 5,
    MSG_KIND_INTERNAL = 6,
};

struct msg_topic_setting {
    const char *name; /* a topic configuration of Kafka's */
    const char *value;
};

struct msg_topic_spec {
    const char *name; /* without prefix: "campaign.commands" */
    const char *carries;
    const char *key;
    int32_t partitions;
    const struct msg_topic_setting *settings;
    size_t setting_count;
};

const struct msg_topic_spec *msg_topic_spec(enum msg_topic topic);
/* "campaign", "generate", ...; static. */
const char *msg_kind_name(enum msg_kind kind);
/* The command topics have the kind of their reader, the internal one MSG_KIND_INTERNAL, all others
 * MSG_KIND_NONE. */
enum msg_kind msg_topic_kind(enum msg_topic topic);
/* Do the readers of this topic ignore unknown fields? (chunks, internal) */
bool msg_topic_internal(enum msg_topic topic);

/* All names under one prefix: "promo" makes "promo.campaign.commands". */
struct msg_topics {
    char names[MSG_TOPIC_COUNT][MSG_TOPIC_NAME_MAX];
};
/* ERR_POISON, domain "msg", bad_prefix: not 1..64 of [A-Za-z0-9._-]. */
int msg_topics_init(struct msg_topics *topics, const char *prefix, struct err *err) MUST_CHECK;
/* Is this name one of ours? */
bool msg_topics_find(const struct msg_topics *topics, const char *name, enum msg_topic *ret_topic);

#endif
