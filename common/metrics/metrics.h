/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: counters, gauges and histograms, declared in one table and addressed by their row's
 * number (an enum of the caller's beside the table) and a label's number.
 *
 * A row has at most one label. Its values are a fixed list (`values`; the label's number is the
 * index), or are named as they come, up to `dynamic_max`: metrics_label() gives the number of a
 * text, and that of "other" when all are taken. Rows without label use the number 0. Series of a
 * fixed list and of rows without label are always written, with 0 if nothing happened.
 *
 * Any thread may change and any thread may write out: every number is one atomic. A histogram's
 * count is the sum of the buckets as written, so it always agrees with them; its sum may be one
 * observation ahead or behind.
 */
#ifndef METRICS_H
#define METRICS_H

#include "base_attr.h"
#include "base_buf.h"
#include "base_err.h"

#include <stddef.h>
#include <stdint.h>

#define METRICS_LABEL_MAX 64 /* bytes of a dynamic label's value, with the closing NUL */
#define METRICS_DYNAMIC_LIMIT 1024

enum metrics_type {
    METRICS_COUNTER, /* name ends in _total */
    METRICS_GAUGE,
    METRICS_HISTOGRAM, /* seconds or bytes, by convention in the name's end */
};

struct metrics_row {
    const char *name;
    const char *help;
    enum metrics_type type;
    unsigned dynamic_max;      /* most values of the label beside "other"; 0: fixed ones  */
    const char *label;         /* NULL: none                                              */
    const char *const *values; /* fixed values, NULL at the end; or NULL with dynamic_max */
    const double *bounds;      /* upper bounds of a histogram's buckets, rising; +Inf is added */
    size_t bound_count;
};

/* Seconds: 1 ms to 60 s, for everything that a batch does. 15 bounds. */
extern const double metrics_seconds[];
#define METRICS_SECONDS_COUNT 15

struct metrics;

/* The table is borrowed and must outlive the object. -1 with ERR_BUG when a row is not well formed:
 * pointer is its name. */
int metrics_new(const struct metrics_row *rows, size_t count, struct metrics **ret_metrics,
                struct err *err) MUST_CHECK;
void metrics_free(struct metrics *metrics); /* takes NULL */
DEFINE_CLEANUP(struct metrics, metrics_free)

/* The number of a value of a row's label. Fixed: the index, or the last one for an unknown text.
 * Dynamic: made as needed; bytes outside of printable ASCII become '_'. */
unsigned metrics_label(struct metrics *metrics, unsigned row, const char *value);

void metrics_add(struct metrics *metrics, unsigned row, unsigned label, uint64_t count);
void metrics_set(struct metrics *metrics, unsigned row, unsigned label, double value);
void metrics_shift(struct metrics *metrics, unsigned row, unsigned label, double by); /* gauge */
void metrics_observe(struct metrics *metrics, unsigned row, unsigned label, double value);
void metrics_observe_us(struct metrics *metrics, unsigned row, unsigned label, int64_t us);

/* Reading one number: a counter's or gauge's value, a histogram's count. */
double metrics_value(const struct metrics *metrics, unsigned row, unsigned label);

/* Append all in the Prometheus text format 0.0.4. */
void metrics_write(const struct metrics *metrics, struct buf *out);
/* Append the table as Markdown. */
void metrics_markdown(const struct metrics_row *rows, size_t count, struct buf *out);

#endif
