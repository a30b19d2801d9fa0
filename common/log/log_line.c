/* SPDX-License-Identifier: Apache-2.0 */
#include "log_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void log_line_init(struct log_line *line, char *data, size_t size)
{
    *line = (struct log_line){.data = data, .room = size - LOG_LINE_RESERVE};
}

/* All of it or nothing. */
static bool put(struct log_line *line, const char *bytes, size_t len)
{
    if (len > line->room - line->len) {
        line->cut = true;
        return false;
    }
    memcpy(line->data + line->len, bytes, len);
    line->len += len;
    return true;
}

static bool put_text(struct log_line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* Bytes of the UTF-8 sequence at `at` (RFC 3629: shortest form, no surrogates); 0: none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return 1;
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ||
        (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

/* What stands in JSON for the character at `at`; returns the bytes consumed. */
static size_t escape(const unsigned char *at, size_t left, char out[8], size_t *ret_len)
{
    static const char hex[] = "0123456789abcdef";
    static const char replacement[3] = {'\xef', '\xbf', '\xbd'}; /* U+FFFD */
    static const char short_names[] = "\"\\\b\f\n\r\t";
    static const char short_letters[] = "\"\\bfnrt";
    size_t used = utf8_length(at, left);
    if (used == 0) {
        memcpy(out, replacement, sizeof(replacement));
        *ret_len = sizeof(replacement);
        return 1;
    }
    const char *name = at[0] == '\0' ? NULL : strchr(short_names, at[0]);
    if (used == 1 && name != NULL) {
        out[0] = '\\';
        out[1] = short_letters[name - short_names];
        *ret_len = 2;
    } else if (at[0] < 0x20 || at[0] == 0x7f) {
        const char code[6] = {'\\', 'u', '0', '0', hex[at[0] >> 4], hex[at[0] & 15]};
        memcpy(out, code, sizeof(code));
        *ret_len = sizeof(code);
    } else {
        memcpy(out, at, used);
        *ret_len = used;
    }
    return used;
}

/* The opening of a member: comma unless first, key, colon. All or nothing. */
static bool put_key(struct log_line *line, const char *key)
{
    size_t from = line->len;
    bool first = from == 0 || line->data[from - 1] == '{';
    if ((first || put_text(line, ",")) && put_text(line, "\"") && put_text(line, key) &&
        put_text(line, "\":"))
        return true;
    line->len = from;
    return false;
}

/* A member whose value is ready JSON. */
static void put_member(struct log_line *line, const char *key, const char *value)
{
    size_t from = line->len;
    if (put_key(line, key) && !put_text(line, value))
        line->len = from;
}

void log_line_text(struct log_line *line, const char *key, const void *bytes, size_t len)
{
    size_t from = line->len;
    if (!put_key(line, key) || !put_text(line, "\"") || line->len == line->room) {
        line->cut = true;
        line->len = from;
        return;
    }
    /* The closing quote has its place from here on. */
    size_t end = MIN_OF(line->room - 1, line->len + LOG_VALUE_MAX);
    const unsigned char *at = bytes;
    while (len > 0) {
        char piece[8];
        size_t piece_len = 0;
        size_t used = escape(at, len, piece, &piece_len);
        if (piece_len > end - line->len) {
            line->cut = true;
            break;
        }
        memcpy(line->data + line->len, piece, piece_len);
        line->len += piece_len;
        at += used;
        len -= used;
    }
    (void)put_text(line, "\"");
}

void log_line_int(struct log_line *line, const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    put_member(line, key, text);
}

static void put_number(struct log_line *line, const char *key, double value)
{
    /* JSON knows neither infinity nor NaN. */
    char text[32] = "null";
    if (isfinite(value))
        (void)snprintf(text, sizeof(text), "%.15g", value);
    put_member(line, key, text);
}

static void put_err(struct log_line *line, const struct err *err)
{
    if (err == NULL)
        return;
    const char *kind = err_kind_name(err->kind);
    log_line_text(line, "err_kind", kind, strlen(kind));
    if (err->domain != NULL)
        log_line_text(line, "err_domain", err->domain, strlen(err->domain));
    log_line_text(line, "err_code", err->code, strlen(err->code));
    if (err->pointer[0] != '\0')
        log_line_text(line, "err_pointer", err->pointer, strlen(err->pointer));
    log_line_text(line, "err_text", err->text, strlen(err->text));

    /* "db_conn.c:120 < store_job.c:61": where it came up, and who passed it on. */
    char trail[256];
    size_t len = 0;
    for (unsigned i = 0; i < MIN_OF(err->depth, ERR_TRAIL_MAX); i++) {
        const char *slash = strrchr(err->trail[i].file, '/');
        int more = snprintf(trail + len, sizeof(trail) - len, "%s%s:%d", i > 0 ? " < " : "",
                            slash != NULL ? slash + 1 : err->trail[i].file, err->trail[i].line);
        if (more < 0 || (size_t)more >= sizeof(trail) - len)
            break;
        len += (size_t)more;
    }
    if (len > 0)
        log_line_text(line, "err_at", trail, len);
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_len = strlen(text);
    size_t end_len = strlen(end);
    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

bool log_key_is_secret(const char *key)
{
    static const char *const names[] = {"password", "secret", "code", "codes", "customer", "email"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(key, names[i]) == 0)
            return true;
    }
    return ends_with(key, "_password") || ends_with(key, "_secret");
}

static size_t field_length(const struct log_field *field)
{
    return field->text.len == SIZE_MAX ? strlen(field->text.bytes) : field->text.len;
}

void log_line_field(struct log_line *line, const struct log_field *field)
{
    switch (field->type) {
    case LOG_TYPE_END:
        break;
    case LOG_TYPE_INT:
        log_line_int(line, field->key, field->integer);
        break;
    case LOG_TYPE_NUM:
        put_number(line, field->key, field->number);
        break;
    case LOG_TYPE_BOOL:
        put_member(line, field->key, field->truth ? "true" : "false");
        break;
    case LOG_TYPE_TEXT:
        if (field->text.bytes == NULL)
            put_member(line, field->key, "null");
        else if (log_key_is_secret(field->key))
            put_member(line, field->key, "\"[hidden]\"");
        else
            log_line_text(line, field->key, field->text.bytes, field_length(field));
        break;
    case LOG_TYPE_HASH: {
        char hash[LOG_HASH_TEXT];
        if (field->text.bytes == NULL)
            put_member(line, field->key, "null");
        else
            log_line_text(line, field->key, log_hash(field->text.bytes, field_length(field), hash),
                          sizeof(hash) - 1);
        break;
    }
    case LOG_TYPE_ERR:
        put_err(line, field->err);
        break;
    }
}

void log_line_raw(struct log_line *line, const char *members, size_t len)
{
    size_t from = line->len;
    bool first = from == 0 || line->data[from - 1] == '{';
    if ((!first && !put_text(line, ",")) || !put(line, members, len))
        line->len = from;
}

void log_line_end(struct log_line *line)
{
    bool first = line->len == 0 || line->data[line->len - 1] == '{';
    line->room += LOG_LINE_RESERVE;
    if (line->cut)
        (void)put_text(line, first ? "\"cut\":true" : ",\"cut\":true");
    (void)put_text(line, "}\n");
}
