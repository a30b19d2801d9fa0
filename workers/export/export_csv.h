/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of CSV after RFC 4180: fields between commas, line ends are CR LF, a field that holds a
 * comma, a quote or a line end stands in quotes, quotes in it are doubled.
 *
 * Formula guard: a text that a spreadsheet would take for a formula (it begins with = + - @, a tab
 * or a line end) gets an apostrophe in front. Numbers and times are ours and are never guarded, so
 * that negative amounts stay numbers.
 *
 * Everything is appended to the buffer; shortage of memory shows in buf_failed().
 */
#ifndef EXPORT_CSV_H
#define EXPORT_CSV_H

#include "base_buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct export_csv {
    struct buf *out;
    bool inside; /* the row has a field already */
};

void export_csv_text(struct export_csv *csv, const char *text); /* NULL: empty */
void export_csv_text_n(struct export_csv *csv, const char *text, size_t len);
/* A text that we have made and that needs neither quotes nor guard. */
void export_csv_plain(struct export_csv *csv, const char *text);
void export_csv_int(struct export_csv *csv, int64_t value);
void export_csv_bool(struct export_csv *csv, bool value);
void export_csv_time(struct export_csv *csv, int64_t us); /* RFC 3339 */
void export_csv_hex(struct export_csv *csv, const void *bytes, size_t len);
void export_csv_empty(struct export_csv *csv);
void export_csv_end(struct export_csv *csv);

#endif
