/* SPDX-License-Identifier: Apache-2.0
 *
 * The metrics that every worker has, in one table. One set per process.
 */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H

#include "metrics.h"

#include <stddef.h>

enum runtime_metric {
    METRIC_BUILD_INFO,
    METRIC_STATE,
    METRIC_PARTITIONS,
    METRIC_BATCHES,
    METRIC_MESSAGES,
    METRIC_EVENTS,
    METRIC_DEAD_LETTERS,
    METRIC_RETRIES,
    METRIC_RECOVERIES,
    METRIC_PG_SECONDS,
    METRIC_KAFKA_SECONDS,
    METRIC_OUTCOME_SECONDS,
    METRIC_ROWS,
    METRIC_COUNT,
};

extern const struct metrics_row runtime_metric_rows[METRIC_COUNT];
extern struct metrics *runtime_metrics; /* made by runtime_main before anything else runs */

#endif
