/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl_print.h"

#include "jsonio_writer.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#define BAR_WIDTH 24

/* Characters, not bytes: every byte that does not continue a character. */
static size_t shown_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void ctl_table_begin(struct ctl_table *table, const struct ctl_column *columns, size_t count,
                     bool json, FILE *out)
{
    *table =
        (struct ctl_table){.columns = columns, .column_count = count, .json = json, .out = out};
    buf_init(&table->cells);
    buf_init(&table->row);
}

static void json_cell(struct ctl_table *table, const char *text)
{
    const struct ctl_column *column = &table->columns[table->cell];
    struct buf *row = &table->row;
    struct jsonio_writer writer;

    buf_add_char(row, table->cell == 0 ? '{' : ',');
    jsonio_writer_init(&writer, row);
    jsonio_put_text(&writer, column->name);
    buf_add_char(row, ':');
    jsonio_writer_init(&writer, row);
    if (text && column->number)
        jsonio_put_raw(&writer, text, strlen(text));
    else
        jsonio_put_text(&writer, text);
    if (table->cell + 1 < table->column_count)
        return;
    buf_add_str(row, "}\n");
    if (!buf_failed(row))
        fwrite(row->data, 1, row->len, table->out);
    buf_clear(row);
}

void ctl_table_text(struct ctl_table *table, const char *text)
{
    if (table->json)
        json_cell(table, text);
    else
        buf_add(&table->cells, text ? text : "-", text ? strlen(text) + 1 : 2);
    if (++table->cell == table->column_count) {
        table->cell = 0;
        table->rows++;
    }
}

void ctl_table_int(struct ctl_table *table, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    ctl_table_text(table, text);
}

static void write_padded(FILE *out, const char *text, size_t width, bool right, bool last)
{
    size_t shown = shown_width(text);
    int pad = shown < width ? (int)(width - shown) : 0;
    if (right)
        fprintf(out, "%*s%s%s", pad, "", text, last ? "\n" : "  ");
    else if (last)
        fprintf(out, "%s\n", text);
    else
        fprintf(out, "%s%*s  ", text, pad, "");
}

static void write_text_table(const struct ctl_table *table)
{
    size_t columns = table->column_count;
    size_t *widths = calloc(columns, sizeof *widths);
    if (!widths)
        return;
    for (size_t i = 0; i < columns; i++)
        widths[i] = strlen(table->columns[i].name);
    const char *cell = table->cells.data;
    for (size_t i = 0; i < table->rows * columns; i++, cell += strlen(cell) + 1)
        widths[i % columns] = MAX_OF(widths[i % columns], shown_width(cell));
    for (size_t i = 0; i < columns; i++) {
        char heading[64];
        size_t len = 0;
        for (const char *c = table->columns[i].name; *c && len + 1 < sizeof heading; c++)
            heading[len++] = *c == '_' ? ' ' : (char)toupper((unsigned char)*c);
        heading[len] = '\0';
        write_padded(table->out, heading, widths[i], table->columns[i].number, i + 1 == columns);
    }
    cell = table->cells.data;
    for (size_t i = 0; i < table->rows * columns; i++, cell += strlen(cell) + 1)
        write_padded(table->out, cell, widths[i % columns], table->columns[i % columns].number,
                     i % columns + 1 == columns);
    free(widths);
}

void ctl_table_end(struct ctl_table *table)
{
    if (!table->json && table->rows > 0 && !buf_failed(&table->cells))
        write_text_table(table);
    fflush(table->out);
    buf_done(&table->cells);
    buf_done(&table->row);
}

const char *ctl_grouped(const char *digits, char out[CTL_FIGURE_MAX])
{
    size_t len = strlen(digits);
    size_t at = 0;
    for (size_t i = 0; i < len && at + 2 < CTL_FIGURE_MAX; i++) {
        out[at++] = digits[i];
        if ((len - i - 1) % 3 == 0 && i + 1 < len && digits[i] != '-')
            out[at++] = ',';
    }
    out[at] = '\0';
    return out;
}

const char *ctl_grouped_int(int64_t value, char out[CTL_FIGURE_MAX])
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    return ctl_grouped(digits, out);
}

const char *ctl_bytes(double bytes, char out[CTL_FIGURE_MAX])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < ARRAY_LEN(units)) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, CTL_FIGURE_MAX, unit > 0 && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes,
             units[unit]);
    return out;
}

const char *ctl_seconds(double seconds, char out[CTL_FIGURE_MAX])
{
    if (!(seconds >= 0) || seconds > 1e15)
        snprintf(out, CTL_FIGURE_MAX, "unknown");
    else if (seconds < 1)
        snprintf(out, CTL_FIGURE_MAX, "less than 1 s");
    else if (seconds < 120)
        snprintf(out, CTL_FIGURE_MAX, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(out, CTL_FIGURE_MAX, "%.0f min %.0f s", floor(seconds / 60),
                 floor(fmod(seconds, 60)));
    else
        snprintf(out, CTL_FIGURE_MAX, "%.0f h %.0f min", floor(seconds / 3600),
                 floor(fmod(seconds, 3600) / 60));
    return out;
}

bool ctl_progress_on(void)
{
    static int on = -1;
    if (on < 0)
        on = isatty(STDERR_FILENO);
    return on > 0;
}

void ctl_progress(const char *label, int64_t done, int64_t total, double rate)
{
    char figures[4][CTL_FIGURE_MAX];
    char bar[BAR_WIDTH + 1];

    if (!ctl_progress_on())
        return;
    fprintf(stderr, "\r\033[K%s ", label);
    if (total > 0) {
        double share = (double)done / (double)total;
        int full = (int)(share * BAR_WIDTH);
        for (int i = 0; i < BAR_WIDTH; i++)
            bar[i] = i < full ? '#' : '.';
        bar[BAR_WIDTH] = '\0';
        fprintf(stderr, "[%s] %3.0f %%  %s of %s", bar, floor(share * 100),
                ctl_grouped_int(done, figures[0]), ctl_grouped_int(total, figures[1]));
    } else {
        fprintf(stderr, "%s", ctl_grouped_int(done, figures[0]));
    }
    if (rate > 0) {
        fprintf(stderr, "  %s/s", ctl_grouped_int((int64_t)rate, figures[2]));
        if (total > done)
            fprintf(stderr, "  %s left", ctl_seconds((double)(total - done) / rate, figures[3]));
    }
    fflush(stderr);
}

void ctl_progress_clear(void)
{
    if (ctl_progress_on()) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
