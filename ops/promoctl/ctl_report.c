/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl_audit.h"
#include "ctl_print.h"
#include "jsonio_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

void ctl_report_begin(struct ctl_report *report, const char *name, const char *words)
{
    report->name = name;
    report->words = words;
    report->rows = 0;
    report->started_us = clock_mono(&clock_real);
    buf_init(&report->shown);
}

void ctl_report_row(struct ctl_report *report, const char *json, size_t len)
{
    if (report->rows++ >= report->limit)
        return;
    if (report->json) {
        if (report->shown.len > 0)
            buf_add_char(&report->shown, ',');
        buf_add(&report->shown, json, len);
    } else {
        buf_add_str(&report->shown, "        ");
        buf_add(&report->shown, json, len);
        buf_add_char(&report->shown, '\n');
    }
}

void ctl_report_more(struct ctl_report *report, int64_t rows)
{
    report->rows += rows;
}

static void write_json(const struct ctl_report *report, double seconds)
{
    CLEANUP(buf_done) struct buf buf = {0};
    struct jsonio_writer writer;

    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "check", report->name);
    jsonio_add_bool(&writer, "ok", report->rows == 0);
    jsonio_add_text(&writer, "words", report->words);
    jsonio_add_int(&writer, "violations", report->rows);
    jsonio_put_key(&writer, "seconds");
    jsonio_put_double(&writer, round(seconds * 1000) / 1000);
    jsonio_put_key(&writer, "rows");
    jsonio_begin_array(&writer);
    if (report->shown.len > 0)
        jsonio_put_raw(&writer, report->shown.data, report->shown.len);
    jsonio_end_array(&writer);
    jsonio_end_object(&writer);
    buf_add_char(&buf, '\n');
    if (!buf_failed(&buf))
        fwrite(buf.data, 1, buf.len, stdout);
}

static void write_text(const struct ctl_report *report, double seconds)
{
    char rows[CTL_FIGURE_MAX];
    if (report->rows == 0) {
        printf("ok      %-32s %6.2f s\n", report->name, seconds);
        return;
    }
    printf("BROKEN  %-32s %6.2f s  %s violation%s\n        %s\n", report->name, seconds,
           ctl_grouped_int(report->rows, rows), report->rows == 1 ? "" : "s", report->words);
    fwrite(report->shown.data, 1, report->shown.len, stdout);
    if (report->rows > report->limit)
        printf("        ... the first %" PRId64 " are shown\n", report->limit);
}

void ctl_report_end(struct ctl_report *report)
{
    double seconds = (double)(clock_mono(&clock_real) - report->started_us) / (double)TIME_US_PER_S;
    if (report->json)
        write_json(report, seconds);
    else
        write_text(report, seconds);
    fflush(stdout);
    report->checked++;
    report->failed += report->rows > 0;
    buf_done(&report->shown);
}

static void write_remark(const struct ctl_report *report, const char *kind, const char *name,
                         const char *text)
{
    if (report->json) {
        CLEANUP(buf_done) struct buf buf = {0};
        struct jsonio_writer writer;
        buf_init(&buf);
        jsonio_writer_init(&writer, &buf);
        jsonio_begin_object(&writer);
        jsonio_add_text(&writer, "check", name);
        jsonio_add_text(&writer, kind, text);
        jsonio_end_object(&writer);
        printf("%s\n", buf.data);
    } else {
        printf("%-7s %-32s %s\n", kind, name, text);
    }
}

void ctl_report_skip(struct ctl_report *report, const char *name, const char *why)
{
    write_remark(report, "skipped", name, why);
}

void ctl_report_note(struct ctl_report *report, const char *name, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    write_remark(report, "note", name, text);
}
