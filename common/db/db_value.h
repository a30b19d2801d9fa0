/* SPDX-License-Identifier: Apache-2.0
 *
 * Values in PostgreSQL's binary formats: network byte order. Private to the library; used by
 * parameters, by COPY and by results.
 */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include "base_attr.h"
#include "base_buf.h"
#include "base_time.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the longest numeric that we write: 8 of header and 2 for each group of four digits. */
#define DB_NUMERIC_GROUPS 260
#define DB_NUMERIC_MAX (8 + 2 * DB_NUMERIC_GROUPS)
/* Digits of the longest numeric text: they always fit into the groups above. */
#define DB_NUMERIC_DIGITS 1000

/* Length of the encoded number, or 0: not a plain decimal of at most DB_NUMERIC_DIGITS digits. */
size_t db_value_numeric(const char *decimal, uint8_t out[DB_NUMERIC_MAX]);
size_t db_value_numeric_u128(unsigned __int128 value, uint8_t out[DB_NUMERIC_MAX]);
/* False: malformed, or out too small. */
bool db_value_numeric_text(const uint8_t *bytes, size_t len, char *out, size_t size);
/* False: not a whole number from 0 to 2^128 - 1. */
bool db_value_numeric_to_u128(const uint8_t *bytes, size_t len, unsigned __int128 *ret_value);

static inline void db_store16(uint8_t *at, uint16_t value)
{
    value = htobe16(value);
    memcpy(at, &value, sizeof(value));
}

static inline void db_store32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void db_store64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
}

static inline uint16_t db_load16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return be16toh(value);
}

static inline uint32_t db_load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

static inline uint64_t db_load64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

/* Microseconds since 1970 to PostgreSQL's, which count from 2000. What cannot be told is an
 * infinity. */
static inline uint64_t db_value_time(int64_t us)
{
    int64_t pg;
    if (us == INT64_MAX)
        return (uint64_t)INT64_MAX;
    if (__builtin_sub_overflow(us, TIME_PG_EPOCH_US, &pg))
        return (uint64_t)INT64_MIN;
    return (uint64_t)pg;
}

static inline int64_t db_value_time_us(uint64_t raw)
{
    int64_t pg = (int64_t)raw;
    int64_t us;
    if (pg == INT64_MIN || __builtin_add_overflow(pg, TIME_PG_EPOCH_US, &us))
        return pg < 0 ? INT64_MIN : INT64_MAX;
    return us;
}

/* The length word and the bytes, as in rows of COPY and in arrays; with a byte in front when prefix
 * >= 0. */
static inline void db_put_field(struct buf *buf, int prefix, const void *bytes, size_t len)
{
    size_t whole = len + (prefix >= 0 ? 1 : 0);
    if (whole > INT32_MAX || !buf_grow(buf, 4 + whole)) {
        buf->failed = true;
        return;
    }
    uint8_t *at = (uint8_t *)buf->data + buf->len;
    db_store32(at, (uint32_t)whole);
    at += 4;
    if (prefix >= 0)
        *at++ = (uint8_t)prefix;
    if (len > 0)
        memcpy(at, bytes, len);
    buf->len += 4 + whole;
    buf->data[buf->len] = '\0';
}

static inline void db_put_null(struct buf *buf)
{
    buf_add_be32(buf, UINT32_MAX);
}

/* jsonb's version byte. */
#define DB_JSONB_PREFIX 1

#endif
