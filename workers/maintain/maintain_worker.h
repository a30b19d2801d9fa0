/* SPDX-License-Identifier: Apache-2.0
 *
 * The maintain-worker: cancels jobs, publishes tokens of lanes that stand still once more, and
 * tells the metrics topic what has changed (maintain_snapshot.c). Its timers run where partition 0
 * of the internal topic is held, so in one process of the fleet at a time; they only publish, and
 * what they publish does no harm a second time.
 */
#ifndef MAINTAIN_WORKER_H
#define MAINTAIN_WORKER_H

#include "runtime.h"

extern const struct worker maintain_worker;

/* maintain_snapshot.c */
/* Timer: commands to publish the snapshots of changed campaigns. */
int maintain_snapshots_due(struct runtime *runtime, struct err *err) MUST_CHECK;
/* The command: publish what the campaign's tallies come to, unless that was published before. */
int maintain_snapshot(struct runtime *runtime, const struct runtime_item *item,
                      struct err *err) MUST_CHECK;

#endif
