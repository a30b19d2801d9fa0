/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include "metrics_internal.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OTHER "other"

const double metrics_seconds[METRICS_SECONDS_COUNT] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

static bool is_name(const char *text, bool colons)
{
    if (text[0] == '\0' || (text[0] >= '0' && text[0] <= '9'))
        return false;
    for (; *text != '\0'; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        bool digit = *text >= '0' && *text <= '9';
        if (!letter && !digit && *text != '_' && !(colons && *text == ':'))
            return false;
    }
    return true;
}

static bool ends_in_total(const char *name)
{
    size_t len = strlen(name);
    return len > 6 && strcmp(name + len - 6, "_total") == 0;
}

static unsigned count_values(const struct metrics_row *row)
{
    unsigned count = 0;
    while (row->values[count] != NULL)
        count++;
    return count;
}

/* What is wrong with a row, or NULL. */
static const char *find_fault(const struct metrics_row *row)
{
    if (row->name == NULL || !is_name(row->name, true))
        return "not a metric's name";
    if (row->help == NULL || row->help[0] == '\0')
        return "without help text";
    if ((row->type == METRICS_COUNTER) != ends_in_total(row->name))
        return "a counter's name, and no other, ends in _total";
    if (row->label == NULL) {
        if (row->values != NULL || row->dynamic_max != 0)
            return "values without a label";
    } else {
        if (!is_name(row->label, false) || strncmp(row->label, "__", 2) == 0 ||
            strcmp(row->label, "le") == 0)
            return "not a label's name";
        if ((row->values != NULL) == (row->dynamic_max != 0))
            return "a label has either fixed or dynamic values";
        if (row->values != NULL && row->values[0] == NULL)
            return "a label without values";
        if (row->dynamic_max > METRICS_DYNAMIC_LIMIT)
            return "too many dynamic values";
    }
    bool is_histogram = row->type == METRICS_HISTOGRAM;
    if (is_histogram != (row->bounds != NULL) || is_histogram != (row->bound_count > 0))
        return "a histogram, and nothing else, has bounds";
    for (size_t i = 0; i < row->bound_count; i++) {
        if (!isfinite(row->bounds[i]) || (i > 0 && row->bounds[i] <= row->bounds[i - 1]))
            return "bounds must rise";
    }
    return NULL;
}

static int check_rows(const struct metrics_row *rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = rows[i].name != NULL ? rows[i].name : "";
        const char *fault = find_fault(&rows[i]);
        for (size_t j = 0; j < i && fault == NULL; j++) {
            if (strcmp(rows[j].name, name) == 0)
                fault = "stands twice in the table";
        }
        if (fault != NULL) {
            (void)err_set(err, ERR_BUG, "metrics", "bad_row", "metric %zu (%s): %s", i, name,
                          fault);
            if (err != NULL)
                (void)snprintf(err->pointer, sizeof(err->pointer), "%s", name);
            return -1;
        }
    }
    return 0;
}

static int family_init(struct metrics_family *family, const struct metrics_row *row)
{
    family->row = row;
    family->room = row->values != NULL ? count_values(row) : row->dynamic_max + 1;
    assert(family->room > 0);
    family->series = calloc(family->room, sizeof(*family->series));
    if (family->series == NULL)
        return -1;
    if (row->dynamic_max > 0) {
        family->labels = calloc(family->room, sizeof(*family->labels));
        if (family->labels == NULL)
            return -1;
    }
    for (unsigned i = 0; row->type == METRICS_HISTOGRAM && i < family->room; i++) {
        family->series[i].buckets = calloc(row->bound_count + 1, sizeof(_Atomic uint64_t));
        if (family->series[i].buckets == NULL)
            return -1;
    }
    atomic_store(&family->used, row->dynamic_max > 0 ? 0 : family->room);
    return 0;
}

int metrics_new(const struct metrics_row *rows, size_t count, struct metrics **ret_metrics,
                struct err *err)
{
    if (check_rows(rows, count, err) < 0)
        return -1;
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return err_nomem(err);
    (void)pthread_mutex_init(&metrics->naming, NULL);
    metrics->families = calloc(count + 1, sizeof(*metrics->families));
    bool ok = metrics->families != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        metrics->count = i + 1;
        ok = family_init(&metrics->families[i], &rows[i]) == 0;
    }
    if (!ok) {
        metrics_free(metrics);
        return err_nomem(err);
    }
    *ret_metrics = metrics;
    return 0;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; metrics->families != NULL && i < metrics->count; i++) {
        struct metrics_family *family = &metrics->families[i];
        for (unsigned j = 0; family->series != NULL && j < family->room; j++)
            free(family->series[j].buckets);
        free(family->series);
        free(family->labels);
    }
    free(metrics->families);
    (void)pthread_mutex_destroy(&metrics->naming);
    free(metrics);
}

static struct metrics_family *family_of(const struct metrics *metrics, unsigned row)
{
    assert(row < metrics->count);
    return &metrics->families[row];
}

static struct metrics_series *series_of(const struct metrics *metrics, unsigned row, unsigned label)
{
    struct metrics_family *family = family_of(metrics, row);
    assert(label < atomic_load_explicit(&family->used, memory_order_relaxed));
    return &family->series[label];
}

const char *metrics_label_text(const struct metrics_family *family, unsigned label)
{
    return family->row->values != NULL ? family->row->values[label] : family->labels[label];
}

static bool find_label(const struct metrics_family *family, unsigned used, const char *value,
                       unsigned *ret_label)
{
    for (unsigned i = 0; i < used; i++) {
        if (strcmp(metrics_label_text(family, i), value) == 0) {
            *ret_label = i;
            return true;
        }
    }
    return false;
}

/* Printable ASCII, and no longer than fits. */
static void clean_label(const char *value, char out[METRICS_LABEL_MAX])
{
    size_t len = 0;
    for (; value[len] != '\0' && len < METRICS_LABEL_MAX - 1; len++)
        out[len] = value[len] >= 0x20 && value[len] <= 0x7e ? value[len] : '_';
    out[len] = '\0';
}

unsigned metrics_label(struct metrics *metrics, unsigned row, const char *value)
{
    struct metrics_family *family = family_of(metrics, row);
    unsigned label = 0;
    if (family->row->label == NULL)
        return 0;
    if (family->row->values != NULL)
        return find_label(family, family->room, value, &label) ? label : family->room - 1;

    char text[METRICS_LABEL_MAX];
    clean_label(value, text);
    unsigned used = atomic_load_explicit(&family->used, memory_order_acquire);
    if (find_label(family, used, text, &label))
        return label;
    (void)pthread_mutex_lock(&metrics->naming);
    used = atomic_load_explicit(&family->used, memory_order_relaxed);
    if (!find_label(family, used, text, &label)) {
        /* The last place is kept for "other". */
        if (used + 1 >= family->room)
            (void)snprintf(text, sizeof(text), "%s", OTHER);
        if (!find_label(family, used, text, &label)) {
            memcpy(family->labels[used], text, sizeof(text));
            label = used;
            atomic_store_explicit(&family->used, used + 1, memory_order_release);
        }
    }
    (void)pthread_mutex_unlock(&metrics->naming);
    return label;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void add_number(_Atomic uint64_t *number, double by)
{
    uint64_t before = atomic_load_explicit(number, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(number, &before, to_bits(from_bits(before) + by),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

double metrics_number(const struct metrics_series *series)
{
    return from_bits(atomic_load_explicit(&series->number, memory_order_relaxed));
}

void metrics_add(struct metrics *metrics, unsigned row, unsigned label, uint64_t count)
{
    assert(family_of(metrics, row)->row->type == METRICS_COUNTER);
    struct metrics_series *series = series_of(metrics, row, label);
    (void)atomic_fetch_add_explicit(&series->count, count, memory_order_relaxed);
}

void metrics_set(struct metrics *metrics, unsigned row, unsigned label, double value)
{
    assert(family_of(metrics, row)->row->type == METRICS_GAUGE);
    atomic_store_explicit(&series_of(metrics, row, label)->number, to_bits(value),
                          memory_order_relaxed);
}

void metrics_shift(struct metrics *metrics, unsigned row, unsigned label, double by)
{
    assert(family_of(metrics, row)->row->type == METRICS_GAUGE);
    add_number(&series_of(metrics, row, label)->number, by);
}

void metrics_observe(struct metrics *metrics, unsigned row, unsigned label, double value)
{
    const struct metrics_row *of = family_of(metrics, row)->row;
    assert(of->type == METRICS_HISTOGRAM);
    struct metrics_series *series = series_of(metrics, row, label);
    /* Few bounds, mostly small values: from below. A NaN is below no bound and ends in +Inf. */
    size_t bucket = 0;
    while (bucket < of->bound_count && !(value <= of->bounds[bucket]))
        bucket++;
    (void)atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    add_number(&series->number, value);
}

void metrics_observe_us(struct metrics *metrics, unsigned row, unsigned label, int64_t us)
{
    metrics_observe(metrics, row, label, (double)us / 1e6);
}

double metrics_value(const struct metrics *metrics, unsigned row, unsigned label)
{
    const struct metrics_row *of = family_of(metrics, row)->row;
    const struct metrics_series *series = series_of(metrics, row, label);
    uint64_t count = 0;
    switch (of->type) {
    case METRICS_COUNTER:
        return (double)atomic_load_explicit(&series->count, memory_order_relaxed);
    case METRICS_GAUGE:
        return metrics_number(series);
    case METRICS_HISTOGRAM:
        for (size_t i = 0; i <= of->bound_count; i++)
            count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        return (double)count;
    }
    return 0;
}
