/* SPDX-License-Identifier: Apache-2.0
 *
 * A message that was read. It owns its memory; the record and all it points to are valid until
 * kafka_message_free(). Free all messages before the client that they came from is closed.
 */
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include "base_attr.h"
#include "base_record.h"

struct kafka_message;

/*
 * time_us is 0 when the record has no timestamp, and is clamped to [TIME_MIN_US, TIME_MAX_US]: a
 * publisher may write any number there. A null value of a header stays NULL.
 */
const struct record *kafka_message_record(const struct kafka_message *message);
void kafka_message_free(struct kafka_message *message); /* takes NULL */
DEFINE_CLEANUP(struct kafka_message, kafka_message_free)

#endif
