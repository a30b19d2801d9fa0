/* SPDX-License-Identifier: Apache-2.0
 *
 * A line of `promoctl submit`: a command as a structured CloudEvent, made into the record to be
 * published: attributes as ce_ headers, data as compact JSON, a key that keeps what belongs
 * together in order.
 *
 * Only what cannot be published or never answered is refused here: no JSON, no usable id, source or
 * type, attributes that are none. Wrong data are the workers' to refuse.
 */
#ifndef CTL_LINE_H
#define CTL_LINE_H

#include "base_arena.h"
#include "base_err.h"
#include "base_record.h"
#include "msg_command.h"

#include <stddef.h>

/* Longer lines are refused: the topics take records of 8 MiB. */
#define CTL_LINE_MAX ((size_t)16 * 1024 * 1024)
#define CTL_ATTRIBUTES_MAX 64

/* All of it lives in the arena. */
struct ctl_line {
    const struct msg_command_type *type;
    enum msg_topic commands; /* where it goes             */
    enum msg_topic events;   /* where it will be answered */
    const char *id;
    const char *source;
    struct record record;
};

/* ERR_POISON with a JSON Pointer: refused. */
int ctl_line_parse(struct arena *arena, const struct msg_topics *names, const char *bytes,
                   size_t len, struct ctl_line *ret_line, struct err *err) MUST_CHECK;

#endif
