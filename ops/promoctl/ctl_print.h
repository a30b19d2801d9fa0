/* SPDX-License-Identifier: Apache-2.0
 *
 * What promoctl writes: tables (aligned text, or JSON lines), figures for people, and a progress
 * line that only a terminal gets.
 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include "base_attr.h"
#include "base_buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ctl_column {
    const char *name; /* member of the JSON object, and in capitals the heading */
    bool number;      /* cells are JSON numbers, aligned to the right          */
};

/*
 * A table under way. As JSON, each row is written when its last cell is in; as text, all rows wait
 * for ctl_table_end(), because the widest cell decides: for lists of bounded length.
 */
struct ctl_table {
    const struct ctl_column *columns;
    size_t column_count;
    bool json;
    FILE *out;
    /* private */
    struct buf cells; /* all cells, each closed by a NUL */
    struct buf row;   /* JSON of the row under way */
    size_t cell;      /* next column */
    size_t rows;
};

void ctl_table_begin(struct ctl_table *table, const struct ctl_column *columns, size_t count,
                     bool json, FILE *out);
/* NULL: null, shown as "-". Of a number column: its decimal text. */
void ctl_table_text(struct ctl_table *table, const char *text);
void ctl_table_int(struct ctl_table *table, int64_t value);
/* Writes what is left and frees. Without a row a text table writes nothing. */
void ctl_table_end(struct ctl_table *table);

#define CTL_FIGURE_MAX 64
/* "1,234,567"; digits is decimal text. */
const char *ctl_grouped(const char *digits, char out[CTL_FIGURE_MAX]);
const char *ctl_grouped_int(int64_t value, char out[CTL_FIGURE_MAX]);
/* "1.4 GB" (powers of 1000), "38 s", "4 min 10 s", "2 h 5 min". */
const char *ctl_bytes(double bytes, char out[CTL_FIGURE_MAX]);
const char *ctl_seconds(double seconds, char out[CTL_FIGURE_MAX]);

/* Does stderr show a progress line? */
bool ctl_progress_on(void);
/* One line that replaces the one before: bar, share, done of total, rate a second, time left. total
 * 0: no bar. */
void ctl_progress(const char *label, int64_t done, int64_t total, double rate);
/* Take the line away. */
void ctl_progress_clear(void);

#endif
