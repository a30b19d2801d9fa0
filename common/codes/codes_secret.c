/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_secret.h"

#include "base_buf.h"
#include "base_digest.h"

static void add_part(struct buf *buf, const void *bytes, size_t len)
{
    buf_add_be64(buf, len);
    buf_add(buf, bytes, len);
}

static void derive(const void *secret, size_t secret_len, struct buf *message,
                   uint8_t out[CODES_KEY_LEN])
{
    /* As with digest.h: going on with a wrong key would be worse than ending. */
    if (buf_failed(message))
        abort();
    digest_hmac_sha256(secret, secret_len, message->data, message->len, out);
}

void codes_secret_job(const void *secret, size_t secret_len, const char *purpose,
                      const char *source, size_t source_len, const char *id, size_t id_len,
                      uint8_t out[CODES_KEY_LEN])
{
    CLEANUP(buf_done) struct buf message;

    buf_init(&message);
    add_part(&message, purpose, strlen(purpose));
    add_part(&message, source, source_len);
    add_part(&message, id, id_len);
    derive(secret, secret_len, &message, out);
}

void codes_secret_fleet(const void *secret, size_t secret_len, const char *purpose,
                        uint8_t out[CODES_KEY_LEN])
{
    CLEANUP(buf_done) struct buf message;

    buf_init(&message);
    add_part(&message, purpose, strlen(purpose));
    derive(secret, secret_len, &message, out);
}
