/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers behind the table, for metrics.c (which changes them) and metrics_text.c (which reads
 * them).
 */
#ifndef METRICS_INTERNAL_H
#define METRICS_INTERNAL_H

#include "metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* One time series. A counter uses count; a gauge the bits of number; a histogram number as its sum
 * and buckets, the last of which is +Inf. */
struct metrics_series {
    _Atomic uint64_t count;
    _Atomic uint64_t number; /* bits of a double */
    _Atomic uint64_t *buckets;
};

struct metrics_family {
    const struct metrics_row *row;
    struct metrics_series *series; /* all there may ever be */
    unsigned room;
    /* Those in use. Raised with release order after the label's text is complete. */
    _Atomic unsigned used;
    char (*labels)[METRICS_LABEL_MAX]; /* dynamic only */
};

struct metrics {
    struct metrics_family *families;
    size_t count;
    pthread_mutex_t naming; /* two threads that name a new label value */
};

double metrics_number(const struct metrics_series *series);
/* Value of a series' label: as it was given, not escaped. */
const char *metrics_label_text(const struct metrics_family *family, unsigned label);

#endif
