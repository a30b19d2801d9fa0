/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids as UUIDs version 5. What is hashed starts with a letter for the kind of id, and every text
 * carries its length, so that two different causes never hash the same bytes.
 */
#include "base_buf.h"
#include "msg_event.h"

#include <stdlib.h>
#include <string.h>

/* A name space of our own; made once at random. */
static const uint8_t space[DIGEST_UUID_LEN] = {0x6f, 0x1c, 0x5a, 0x0e, 0x93, 0x4d, 0x4b, 0x8e,
                                               0xa7, 0x21, 0x0d, 0x6e, 0x58, 0xf2, 0xc4, 0x17};

static void put_text(struct buf *buf, const char *text, size_t len)
{
    buf_add_be32(buf, (uint32_t)len);
    buf_add(buf, text, len);
}

static void begin(struct buf *buf, char letter, enum msg_kind kind, const char *source,
                  const char *id)
{
    buf_init(buf);
    buf_add_char(buf, letter);
    buf_add_char(buf, (char)kind);
    put_text(buf, source, strlen(source));
    put_text(buf, id, strlen(id));
}

/* A wrong id would break exactly-once for good: without memory, rather end the process. */
static void finish(struct buf *buf, uint8_t out[DIGEST_UUID_LEN])
{
    if (buf_failed(buf))
        abort();
    digest_uuid5(space, buf->data, buf->len, out);
    buf_done(buf);
}

void msg_event_id(enum msg_kind kind, const char *source, const char *id, const char *event_type,
                  const char *verdict, size_t verdict_len, uint8_t out[DIGEST_UUID_LEN])
{
    struct buf buf;
    begin(&buf, verdict == NULL ? 'E' : 'V', kind, source, id);
    put_text(&buf, event_type, strlen(event_type));
    if (verdict != NULL)
        put_text(&buf, verdict, verdict_len);
    finish(&buf, out);
}

void msg_event_id_nth(enum msg_kind kind, const char *source, const char *id,
                      const char *event_type, int64_t n, uint8_t out[DIGEST_UUID_LEN])
{
    struct buf buf;
    begin(&buf, 'N', kind, source, id);
    put_text(&buf, event_type, strlen(event_type));
    buf_add_be64(&buf, (uint64_t)n);
    finish(&buf, out);
}

void msg_job_id(enum msg_kind kind, const char *source, const char *id,
                uint8_t out[DIGEST_UUID_LEN])
{
    struct buf buf;
    begin(&buf, 'J', kind, source, id);
    finish(&buf, out);
}

void msg_timer_id(const char *type, const char *subject, int64_t due, uint8_t out[DIGEST_UUID_LEN])
{
    struct buf buf;
    begin(&buf, 'T', MSG_KIND_INTERNAL, type, subject);
    buf_add_be64(&buf, (uint64_t)due);
    finish(&buf, out);
}

void msg_token_id(const struct msg_token *token, uint8_t out[DIGEST_UUID_LEN])
{
    struct buf buf;
    begin(&buf, 'K', MSG_KIND_NONE, token->job, "");
    buf_add_be64(&buf, (uint64_t)token->lane);
    buf_add_be64(&buf, (uint64_t)token->n);
    buf_add_be64(&buf, (uint64_t)token->epoch);
    finish(&buf, out);
}
