/* SPDX-License-Identifier: Apache-2.0
 *
 * Growable byte buffer.
 *
 * Invariants: data is never NULL after buf_init and data[len] is always 0 (not counted), so text
 * can be read as a C string. A failed growth sets `failed` and drops this and all further appends:
 * append freely, look at buf_failed() once. The owner calls buf_done().
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base_attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t room;
    bool failed;
};

void buf_init(struct buf *buf);
void buf_done(struct buf *buf);  /* frees; usable again after buf_init; for CLEANUP(buf_done) */
void buf_clear(struct buf *buf); /* len = 0 and failed = false; keeps the memory */
/* Hand the bytes to the caller (free() them) and leave an empty buffer. NULL when failed. */
char *buf_detach(struct buf *buf, size_t *ret_len);
bool buf_failed(const struct buf *buf);

/* Make room for `extra` more bytes; false when memory is short. */
bool buf_grow(struct buf *buf, size_t extra);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Network byte order, as PostgreSQL's binary formats want it. */
void buf_add_be16(struct buf *buf, uint16_t value);
void buf_add_be32(struct buf *buf, uint32_t value);
void buf_add_be64(struct buf *buf, uint64_t value);

#endif
