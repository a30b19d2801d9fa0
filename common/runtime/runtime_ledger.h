/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger of the commands that come one by one (all but redeem): table command. A command's
 * identity is (source, id) per kind of command topic, for ever.
 *
 *   first time      decide() is called, its outcome stored and published
 *   replay          same partition and offset: the stored outcome again, as the first time
 *   repeat          the publisher's retry from elsewhere: the stored outcome, same id, marked
 * `repeated` other data      rejected with command_id_reused; nothing is stored
 */
#ifndef RUNTIME_LEDGER_H
#define RUNTIME_LEDGER_H

#include "runtime.h"

/* What a command came to. Strings live in the arena. */
struct runtime_outcome {
    const char *type; /* event type; NULL: refused, with `reasons`                               */
    const char *key;  /* Kafka key of the event; NULL: the command's id                           */
    const char *data; /* JSON                                                                     */
    size_t data_len;
    struct err refused; /* for a refusal: code, pointer and text                                  */
    bool has_job;
    uint8_t job[16];
};

/* Decide and apply a command. 0, or -1: rolls the batch back. A refusal is an outcome, not an
 * error. */
typedef int (*runtime_decide_fn)(struct runtime *runtime, const struct runtime_item *item,
                                 void *opaque, struct runtime_outcome *ret, struct err *err);
/*
 * A replay or a repeat of a job's command: publish what goes with the stored outcome (tokens on a
 * replay; the terminal event on a repeat). May be NULL.
 */
typedef int (*runtime_again_fn)(struct runtime *runtime, const struct runtime_item *item,
                                void *opaque, const uint8_t job[16], bool replay, struct err *err);

int runtime_ledger_serve(struct runtime *runtime, const struct runtime_item *item,
                         runtime_decide_fn decide, runtime_again_fn again, void *opaque,
                         struct err *err) MUST_CHECK;

/* Fill *ret with a refusal; returns 0. */
int runtime_refuse(struct runtime_outcome *ret, const char *code, const char *pointer,
                   const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
