/* SPDX-License-Identifier: Apache-2.0 */
#include "msg_topics.h"

#include "msg_topics_internal.h"

#include <stdio.h>
#include <string.h>

const struct msg_topic_spec *msg_topic_spec(enum msg_topic topic)
{
    return &msg_topic_specs[topic];
}

const char *msg_kind_name(enum msg_kind kind)
{
    switch (kind) {
    case MSG_KIND_NONE:
        return "none";
    case MSG_KIND_CAMPAIGN:
        return "campaign";
    case MSG_KIND_GENERATE:
        return "generate";
    case MSG_KIND_REDEEM:
        return "redeem";
    case MSG_KIND_EXPORT:
        return "export";
    case MSG_KIND_MAINTAIN:
        return "maintain";
    case MSG_KIND_INTERNAL:
        return "internal";
    }
    return "none";
}

enum msg_kind msg_topic_kind(enum msg_topic topic)
{
    switch (topic) {
    case MSG_TOPIC_CAMPAIGN_COMMANDS:
        return MSG_KIND_CAMPAIGN;
    case MSG_TOPIC_GENERATE_COMMANDS:
        return MSG_KIND_GENERATE;
    case MSG_TOPIC_REDEEM_COMMANDS:
        return MSG_KIND_REDEEM;
    case MSG_TOPIC_EXPORT_COMMANDS:
        return MSG_KIND_EXPORT;
    case MSG_TOPIC_MAINTAIN_COMMANDS:
        return MSG_KIND_MAINTAIN;
    case MSG_TOPIC_INTERNAL:
        return MSG_KIND_INTERNAL;
    case MSG_TOPIC_GENERATE_CHUNKS:
    case MSG_TOPIC_EXPORT_CHUNKS:
    case MSG_TOPIC_CAMPAIGN_EVENTS:
    case MSG_TOPIC_JOB_EVENTS:
    case MSG_TOPIC_REDEMPTION_EVENTS:
    case MSG_TOPIC_METRICS:
    case MSG_TOPIC_DEAD_LETTER:
        return MSG_KIND_NONE;
    }
    return MSG_KIND_NONE;
}

bool msg_topic_internal(enum msg_topic topic)
{
    return topic == MSG_TOPIC_GENERATE_CHUNKS || topic == MSG_TOPIC_EXPORT_CHUNKS ||
           topic == MSG_TOPIC_INTERNAL;
}

int msg_topics_init(struct msg_topics *topics, const char *prefix, struct err *err)
{
    size_t len = strlen(prefix);
    if (len == 0 || len > MSG_TOPIC_PREFIX_MAX ||
        strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
        return err_set(err, ERR_POISON, "msg", "bad_prefix",
                       "a topic prefix has 1 to %d letters, digits, '.', '_' and '-'",
                       MSG_TOPIC_PREFIX_MAX);
    for (int i = 0; i < MSG_TOPIC_COUNT; i++)
        (void)snprintf(topics->names[i], sizeof(topics->names[i]), "%s.%s", prefix,
                       msg_topic_specs[i].name);
    return 0;
}

bool msg_topics_find(const struct msg_topics *topics, const char *name, enum msg_topic *ret_topic)
{
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        if (strcmp(topics->names[i], name) == 0) {
            *ret_topic = (enum msg_topic)i;
            return true;
        }
    }
    return false;
}
