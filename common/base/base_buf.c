/* SPDX-License-Identifier: Apache-2.0 */
#include "base_buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN ((size_t)64)

/* What an empty buffer's data points at: read as "", never written. room is 0 then. */
static char nothing[1];

void buf_init(struct buf *buf)
{
    *buf = (struct buf){.data = nothing};
}

void buf_done(struct buf *buf)
{
    if (buf->room > 0)
        free(buf->data);
    buf_init(buf);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->room > 0)
        buf->data[0] = '\0';
}

char *buf_detach(struct buf *buf, size_t *ret_len)
{
    char *result = NULL;
    size_t len = buf->len;
    if (!buf->failed && (buf->room > 0 || buf_grow(buf, 0))) {
        result = buf->data;
        buf_init(buf);
        if (ret_len != NULL)
            *ret_len = len;
    } else {
        buf_done(buf);
    }
    return result;
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

bool buf_grow(struct buf *buf, size_t extra)
{
    if (buf->failed)
        return false;
    size_t need;
    if (__builtin_add_overflow(buf->len + 1, extra, &need) || need > SIZE_MAX / 2) {
        buf->failed = true;
        return false;
    }
    if (need <= buf->room)
        return true;
    size_t room = MAX_OF(buf->room, ROOM_MIN);
    while (room < need)
        room *= 2;
    char *data = realloc(buf->room > 0 ? buf->data : NULL, room);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    data[buf->len] = '\0';
    buf->data = data;
    buf->room = room;
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0 || !buf_grow(buf, len))
        return;
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    if (buf->failed)
        return;
    va_list args;
    va_list again;
    va_start(args, fmt);
    va_copy(again, args);
    size_t left = buf->room > 0 ? buf->room - buf->len : 0;
    int len = vsnprintf(left > 0 ? buf->data + buf->len : NULL, left, fmt, args);
    if (len < 0) {
        buf->failed = true;
    } else if ((size_t)len < left) {
        buf->len += (size_t)len;
    } else {
        if (left > 0)
            buf->data[buf->len] = '\0';
        if (buf_grow(buf, (size_t)len)) {
            (void)vsnprintf(buf->data + buf->len, buf->room - buf->len, fmt, again);
            buf->len += (size_t)len;
        }
    }
    va_end(again);
    va_end(args);
}

/* The low `count` bytes of value, the highest first. */
static void add_be(struct buf *buf, uint64_t value, size_t count)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> (8 * (count - 1 - i)));
    buf_add(buf, bytes, count);
}

void buf_add_be16(struct buf *buf, uint16_t value)
{
    add_be(buf, value, sizeof(value));
}

void buf_add_be32(struct buf *buf, uint32_t value)
{
    add_be(buf, value, sizeof(value));
}

void buf_add_be64(struct buf *buf, uint64_t value)
{
    add_be(buf, value, sizeof(value));
}
