/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"
#include "metrics_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(enum metrics_type type)
{
    switch (type) {
    case METRICS_COUNTER:
        return "counter";
    case METRICS_GAUGE:
        return "gauge";
    case METRICS_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

/* The fewest digits that read back as the same number. */
static void add_number(struct buf *out, double value)
{
    if (isnan(value)) {
        buf_add_str(out, "NaN");
        return;
    }
    if (isinf(value)) {
        buf_add_str(out, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_str(out, text);
}

/* Backslash and line feed everywhere, the quote in a label's value only. */
static void add_escaped(struct buf *out, const char *text, bool quoted)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            buf_add_str(out, "\\\\");
        else if (*text == '\n')
            buf_add_str(out, "\\n");
        else if (*text == '"' && quoted)
            buf_add_str(out, "\\\"");
        else
            buf_add_char(out, *text);
    }
}

/* name_suffix{label="value",le="bound"} and a space; le: NULL for none. */
static void add_series_name(struct buf *out, const struct metrics_family *family, unsigned label,
                            const char *suffix, const char *le)
{
    const struct metrics_row *row = family->row;
    buf_add_str(out, row->name);
    buf_add_str(out, suffix);
    if (row->label != NULL || le != NULL) {
        buf_add_char(out, '{');
        if (row->label != NULL) {
            buf_printf(out, "%s=\"", row->label);
            add_escaped(out, metrics_label_text(family, label), true);
            buf_add_char(out, '"');
        }
        if (le != NULL)
            buf_printf(out, "%sle=\"%s\"", row->label != NULL ? "," : "", le);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ' ');
}

static void add_histogram(struct buf *out, const struct metrics_family *family, unsigned label)
{
    const struct metrics_row *row = family->row;
    const struct metrics_series *series = &family->series[label];
    /* The sum is read first: it may lag behind the count that is given, not run ahead of it. */
    double sum = metrics_number(series);
    uint64_t count = 0;
    for (size_t i = 0; i <= row->bound_count; i++) {
        struct buf le;
        buf_init(&le);
        add_number(&le, i < row->bound_count ? row->bounds[i] : INFINITY);
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        add_series_name(out, family, label, "_bucket", le.data);
        buf_printf(out, "%" PRIu64 "\n", count);
        buf_done(&le);
    }
    add_series_name(out, family, label, "_sum", NULL);
    add_number(out, sum);
    buf_add_char(out, '\n');
    add_series_name(out, family, label, "_count", NULL);
    buf_printf(out, "%" PRIu64 "\n", count);
}

static void add_series(struct buf *out, const struct metrics_family *family, unsigned label)
{
    const struct metrics_series *series = &family->series[label];
    switch (family->row->type) {
    case METRICS_COUNTER:
        add_series_name(out, family, label, "", NULL);
        buf_printf(out, "%" PRIu64 "\n",
                   atomic_load_explicit(&series->count, memory_order_relaxed));
        break;
    case METRICS_GAUGE:
        add_series_name(out, family, label, "", NULL);
        add_number(out, metrics_number(series));
        buf_add_char(out, '\n');
        break;
    case METRICS_HISTOGRAM:
        add_histogram(out, family, label);
        break;
    }
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const struct metrics_family *family = &metrics->families[i];
        buf_printf(out, "# HELP %s ", family->row->name);
        add_escaped(out, family->row->help, false);
        buf_printf(out, "\n# TYPE %s %s\n", family->row->name, type_name(family->row->type));
        unsigned used = atomic_load_explicit(&family->used, memory_order_acquire);
        for (unsigned label = 0; label < used; label++)
            add_series(out, family, label);
    }
}

/* A cell's text: a bar would end the cell, a line break the row. */
static void add_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_add_str(out, "\\|");
        else
            buf_add_char(out, *text == '\n' ? ' ' : *text);
    }
}

void metrics_markdown(const struct metrics_row *rows, size_t count, struct buf *out)
{
    buf_add_str(out, "| Metric | Type | Label | Meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        const struct metrics_row *row = &rows[i];
        buf_printf(out, "| `%s` | %s | ", row->name, type_name(row->type));
        if (row->label != NULL)
            buf_printf(out, "`%s`", row->label);
        if (row->label != NULL && row->values != NULL) {
            for (size_t j = 0; row->values[j] != NULL; j++) {
                buf_add_str(out, j == 0 ? ": " : ", ");
                add_cell(out, row->values[j]);
            }
        } else if (row->label != NULL) {
            buf_printf(out, " (at most %u values, then `other`)", row->dynamic_max);
        }
        buf_add_str(out, " | ");
        add_cell(out, row->help);
        for (size_t j = 0; j < row->bound_count; j++) {
            buf_add_str(out, j == 0 ? " Buckets: " : ", ");
            add_number(out, row->bounds[j]);
        }
        buf_add_str(out, row->bound_count > 0 ? ". |\n" : " |\n");
    }
}
