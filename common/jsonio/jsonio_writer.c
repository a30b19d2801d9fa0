/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonio_writer.h"

#include "jsonio.h"
#include "jsonio_internal.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jsonio_writer_init(struct jsonio_writer *writer, struct buf *buf)
{
    *writer = (struct jsonio_writer){.buf = buf};
}

/* Called in front of every value and key. */
static void separate(struct jsonio_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    uint64_t bit = UINT64_C(1) << writer->depth;
    if (writer->filled & bit) {
        assert(writer->depth > 0);
        buf_add_char(writer->buf, ',');
    }
    writer->filled |= bit;
}

static void begin(struct jsonio_writer *writer, char c)
{
    separate(writer);
    assert(writer->depth < 63);
    writer->depth++;
    writer->filled &= ~(UINT64_C(1) << writer->depth);
    buf_add_char(writer->buf, c);
}

static void end(struct jsonio_writer *writer, char c)
{
    assert(writer->depth > 0 && !writer->after_key);
    writer->depth--;
    buf_add_char(writer->buf, c);
}

void jsonio_begin_object(struct jsonio_writer *writer)
{
    begin(writer, '{');
}

void jsonio_end_object(struct jsonio_writer *writer)
{
    end(writer, '}');
}

void jsonio_begin_array(struct jsonio_writer *writer)
{
    begin(writer, '[');
}

void jsonio_end_array(struct jsonio_writer *writer)
{
    end(writer, ']');
}

static void put_quoted(struct buf *buf, const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *last = at + len;
    const unsigned char *plain = at; /* first byte that is not copied yet */
    buf_add_char(buf, '"');
    while (at < last) {
        size_t step = 1;
        if (*at >= 0x80) {
            step = jsonio_utf8_step(at, (size_t)(last - at));
            if (step > 0) {
                at += step;
                continue;
            }
        } else if (*at >= 0x20 && *at != '"' && *at != '\\') {
            at++;
            continue;
        }
        buf_add(buf, plain, (size_t)(at - plain));
        if (step == 0) {
            buf_add(buf, "\xef\xbf\xbd", 3);
        } else {
            static const char escaped[] = "\"\\\b\f\n\r\t";
            static const char names[] = "\"\\bfnrt";
            const char *found = *at == '\0' ? NULL : strchr(escaped, (char)*at);
            if (found != NULL) {
                buf_add_char(buf, '\\');
                buf_add_char(buf, names[found - escaped]);
            } else {
                buf_printf(buf, "\\u%04x", *at);
            }
        }
        plain = ++at;
    }
    buf_add(buf, plain, (size_t)(last - plain));
    buf_add_char(buf, '"');
}

void jsonio_put_key(struct jsonio_writer *writer, const char *name)
{
    assert(writer->depth > 0 && !writer->after_key);
    separate(writer);
    put_quoted(writer->buf, name, strlen(name));
    buf_add_char(writer->buf, ':');
    writer->after_key = true;
}

void jsonio_put_int(struct jsonio_writer *writer, int64_t value)
{
    separate(writer);
    buf_printf(writer->buf, "%lld", (long long)value);
}

void jsonio_put_bool(struct jsonio_writer *writer, bool value)
{
    separate(writer);
    buf_add_str(writer->buf, value ? "true" : "false");
}

void jsonio_put_null(struct jsonio_writer *writer)
{
    separate(writer);
    buf_add_str(writer->buf, "null");
}

void jsonio_put_text(struct jsonio_writer *writer, const char *text)
{
    if (text == NULL)
        jsonio_put_null(writer);
    else
        jsonio_put_text_len(writer, text, strlen(text));
}

void jsonio_put_text_len(struct jsonio_writer *writer, const char *text, size_t len)
{
    separate(writer);
    put_quoted(writer->buf, text, len);
}

void jsonio_put_printf(struct jsonio_writer *writer, const char *fmt, ...)
{
    struct buf text CLEANUP(buf_done);
    char part[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(part, sizeof(part), fmt, args);
    va_end(args);
    buf_init(&text);
    if (len < 0) {
        writer->buf->failed = true;
    } else if ((size_t)len < sizeof(part)) {
        jsonio_put_text_len(writer, part, (size_t)len);
    } else if (!buf_grow(&text, (size_t)len + 1)) {
        writer->buf->failed = true;
    } else {
        va_start(args, fmt);
        (void)vsnprintf(text.data, (size_t)len + 1, fmt, args);
        va_end(args);
        jsonio_put_text_len(writer, text.data, (size_t)len);
    }
}

void jsonio_put_double(struct jsonio_writer *writer, double value)
{
    if (!isfinite(value)) {
        jsonio_put_null(writer);
        return;
    }
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    separate(writer);
    buf_add_str(writer->buf, text);
}

void jsonio_put_raw(struct jsonio_writer *writer, const char *json, size_t len)
{
    separate(writer);
    buf_add(writer->buf, json, len);
}

void jsonio_put_node(struct jsonio_writer *writer, const struct json_object *node)
{
    switch (jsonio_type(node)) {
    case JSONIO_NULL:
        jsonio_put_null(writer);
        break;
    case JSONIO_BOOL:
        jsonio_put_bool(writer, jsonio_bool(node));
        break;
    case JSONIO_INT:
        jsonio_put_int(writer, jsonio_int(node));
        break;
    case JSONIO_NUMBER:
        jsonio_put_double(writer, jsonio_double(node));
        break;
    case JSONIO_TEXT: {
        size_t len;
        const char *text = jsonio_text(node, &len);
        jsonio_put_text_len(writer, text, len);
        break;
    }
    case JSONIO_ARRAY:
        jsonio_begin_array(writer);
        for (size_t i = 0; i < jsonio_length(node); i++)
            jsonio_put_node(writer, jsonio_item(node, i));
        jsonio_end_array(writer);
        break;
    case JSONIO_OBJECT:
        jsonio_begin_object(writer);
        JSONIO_EACH (it, node) {
            jsonio_put_key(writer, it.key);
            jsonio_put_node(writer, it.value);
        }
        jsonio_end_object(writer);
        break;
    }
}
