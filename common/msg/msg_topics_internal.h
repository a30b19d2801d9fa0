/* SPDX-License-Identifier: Apache-2.0
 *
 * What the build makes from schemas/topics.json; msg_topics.c reads it.
 */
#ifndef MSG_TOPICS_INTERNAL_H
#define MSG_TOPICS_INTERNAL_H

#include "msg_topics.h"

extern const struct msg_topic_spec msg_topic_specs[MSG_TOPIC_COUNT];

#endif
