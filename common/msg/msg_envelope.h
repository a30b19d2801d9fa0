/* SPDX-License-Identifier: Apache-2.0
 *
 * The CloudEvents 1.0 envelope of a Kafka record, in binary mode (ce_ headers) or structured mode
 * (content-type application/cloudevents+json).
 *
 * A readable envelope has specversion 1.0, id (1..128 bytes), source (1..256) and type (1..256),
 * each once, UTF-8 without control characters. With it, whatever else is wrong with the message can
 * be answered by a rejected outcome; without it the message is for the dead letter. Extensions that
 * we do not know are ignored.
 *
 * The size is checked before anything is parsed: a structured message of more than MSG_SIZE_MAX
 * bytes has therefore no readable envelope, a binary one has.
 */
#ifndef MSG_ENVELOPE_H
#define MSG_ENVELOPE_H

#include "base_arena.h"
#include "base_err.h"
#include "base_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSG_SIZE_MAX ((size_t)4 * 1024 * 1024)
#define MSG_ID_MAX 128
#define MSG_SOURCE_MAX 256
#define MSG_TYPE_MAX 256
/* Optional attributes: subject, dataschema, actor, traceparent. */
#define MSG_ATTRIBUTE_MAX 1024

struct json_object;

/* Texts live in the arena. */
struct msg_envelope {
    const char *id;
    const char *source;
    const char *type;
    const char *subject; /* NULL: not given, as with all that follow */
    const char *data_schema;
    const char *actor;       /* who stands behind the source */
    const char *traceparent; /* W3C trace context, passed on as it is */
    int64_t time_us;         /* -1: not given */
    bool structured;
};

/*
 * 1 readable: *ret_envelope and *ret_data are filled; *ret_data is the parsed data, owned by the
 * caller (jsonio_free). 0 readable, but the message is refused: *ret_envelope is filled, *err is
 * the reason (its pointer is relative to the data). -1: *err with ERR_POISON: not readable, for the
 * dead letter; any other kind: out of memory.
 */
int msg_envelope_read(struct arena *arena, const struct record *record,
                      struct msg_envelope *ret_envelope, struct json_object **ret_data,
                      struct err *err) MUST_CHECK;

#endif
