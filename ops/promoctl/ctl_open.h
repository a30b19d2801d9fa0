/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that were sent and are not printed yet, in the order of their lines. A ring of fixed
 * size, and a hash table over those that are not answered: memory goes with the window, not with
 * the length of the file.
 *
 * A command is known by (source, id) and the topic of its answer; two of the same cannot be open at
 * once, because their answers could not be told apart.
 */
#ifndef CTL_OPEN_H
#define CTL_OPEN_H

#include "base_attr.h"
#include "base_err.h"
#include "base_record.h"
#include "msg_topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ctl_open;

int ctl_open_new(size_t window, struct ctl_open **ret_open, struct err *err) MUST_CHECK;
void ctl_open_free(struct ctl_open *open); /* takes NULL */
DEFINE_CLEANUP(struct ctl_open, ctl_open_free)

bool ctl_open_full(const struct ctl_open *open);
size_t ctl_open_unanswered(const struct ctl_open *open);
/* Is a command of this identity open, to be answered on the same topic? */
bool ctl_open_has(const struct ctl_open *open, enum msg_topic events, const char *source,
                  const char *id);
/* Not full, not open yet. Copies the texts. */
int ctl_open_add(struct ctl_open *open, enum msg_topic commands, enum msg_topic events,
                 const char *source, const char *id, struct err *err) MUST_CHECK;
/*
 * A record of one of the events topics, or of the dead letter. 1: it is the terminal outcome of an
 * open command; 0: it is none.
 */
int ctl_open_offer(struct ctl_open *open, const struct msg_topics *names,
                   const struct record *record, struct err *err) MUST_CHECK;
/* Write the outcomes of the oldest commands up to the first that is not answered, and forget them.
 * skip: leave those that are not answered out, and go on. Returns how many were written. */
size_t ctl_open_print(struct ctl_open *open, bool skip, FILE *out);

#endif
