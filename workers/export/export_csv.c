/* SPDX-License-Identifier: Apache-2.0 */
#include "export_csv.h"

#include "base_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void begin_field(struct export_csv *csv)
{
    if (csv->inside)
        buf_add_char(csv->out, ',');
    csv->inside = true;
}

static bool looks_like_formula(const char *text, size_t len)
{
    return len > 0 && memchr("=+-@\t\r\n", text[0], 7) != NULL;
}

static bool needs_quotes(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ',' || text[i] == '"' || text[i] == '\r' || text[i] == '\n')
            return true;
    }
    return false;
}

void export_csv_text_n(struct export_csv *csv, const char *text, size_t len)
{
    bool quoted = needs_quotes(text, len);

    begin_field(csv);
    if (quoted)
        buf_add_char(csv->out, '"');
    if (looks_like_formula(text, len))
        buf_add_char(csv->out, '\'');
    if (!quoted) {
        buf_add(csv->out, text, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buf_add_char(csv->out, '"');
        buf_add_char(csv->out, text[i]);
    }
    buf_add_char(csv->out, '"');
}

void export_csv_text(struct export_csv *csv, const char *text)
{
    if (text == NULL)
        export_csv_empty(csv);
    else
        export_csv_text_n(csv, text, strlen(text));
}

void export_csv_plain(struct export_csv *csv, const char *text)
{
    begin_field(csv);
    buf_add_str(csv->out, text);
}

void export_csv_int(struct export_csv *csv, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    export_csv_plain(csv, text);
}

void export_csv_bool(struct export_csv *csv, bool value)
{
    export_csv_plain(csv, value ? "true" : "false");
}

void export_csv_time(struct export_csv *csv, int64_t us)
{
    char text[TIME_TEXT_MAX];

    export_csv_plain(csv, time_format(us, text));
}

void export_csv_hex(struct export_csv *csv, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;

    begin_field(csv);
    for (size_t i = 0; i < len; i++) {
        buf_add_char(csv->out, digits[at[i] >> 4]);
        buf_add_char(csv->out, digits[at[i] & 15]);
    }
}

void export_csv_empty(struct export_csv *csv)
{
    begin_field(csv);
}

void export_csv_end(struct export_csv *csv)
{
    buf_add_str(csv->out, "\r\n");
    csv->inside = false;
}
