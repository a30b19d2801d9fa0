/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes JSON into a struct buf, in the order of the calls, without white space. The writer puts
 * the commas; wrong nesting is our own mistake (assert). The buffer is the caller's; shortage of
 * memory shows in buf_failed(). Bytes of a text that are not UTF-8 become U+FFFD, so that the
 * output is always valid.
 *
 *     jsonio_writer_init(&writer, &buf);
 *     jsonio_begin_object(&writer);
 *     jsonio_put_key(&writer, "total");
 *     jsonio_put_int(&writer, 7);
 *     jsonio_end_object(&writer);
 */
#ifndef JSONIO_WRITER_H
#define JSONIO_WRITER_H

#include "base_attr.h"
#include "base_buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

struct jsonio_writer {
    struct buf *buf;
    uint64_t filled; /* bit d: level d has a member already */
    unsigned depth;
    bool after_key;
};

void jsonio_writer_init(struct jsonio_writer *writer, struct buf *buf);
void jsonio_begin_object(struct jsonio_writer *writer);
void jsonio_end_object(struct jsonio_writer *writer);
void jsonio_begin_array(struct jsonio_writer *writer);
void jsonio_end_array(struct jsonio_writer *writer);
void jsonio_put_key(struct jsonio_writer *writer, const char *name);
void jsonio_put_int(struct jsonio_writer *writer, int64_t value);
void jsonio_put_bool(struct jsonio_writer *writer, bool value);
void jsonio_put_null(struct jsonio_writer *writer);
void jsonio_put_text(struct jsonio_writer *writer, const char *text); /* NULL: null */
void jsonio_put_text_len(struct jsonio_writer *writer, const char *text, size_t len);
void jsonio_put_printf(struct jsonio_writer *writer, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Shortest form that reads back the same; not finite: null. */
void jsonio_put_double(struct jsonio_writer *writer, double value);
/* Bytes that are one JSON value already. */
void jsonio_put_raw(struct jsonio_writer *writer, const char *json, size_t len);
/* A tree, members in its own order. */
void jsonio_put_node(struct jsonio_writer *writer, const struct json_object *node);

/* key and value in one line */
static inline void jsonio_add_int(struct jsonio_writer *writer, const char *name, int64_t value)
{
    jsonio_put_key(writer, name);
    jsonio_put_int(writer, value);
}
static inline void jsonio_add_bool(struct jsonio_writer *writer, const char *name, bool value)
{
    jsonio_put_key(writer, name);
    jsonio_put_bool(writer, value);
}
static inline void jsonio_add_text(struct jsonio_writer *writer, const char *name, const char *text)
{
    jsonio_put_key(writer, name);
    jsonio_put_text(writer, text);
}

#endif
