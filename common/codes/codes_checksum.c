/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_checksum.h"

#include "base_digest.h"
#include "codes_secret.h"

#include <inttypes.h>

void codes_checksum_init(struct codes_checksum *checksum, const void *secret, size_t secret_len)
{
    uint8_t key[CODES_KEY_LEN];

    codes_secret_fleet(secret, secret_len, CODES_SECRET_CHECKSUM, key);
    memcpy(checksum->key, key, sizeof checksum->key);
    digest_wipe(key, sizeof key);
    checksum->sum = 0;
}

void codes_checksum_add(struct codes_checksum *checksum, const char *key, size_t len)
{
    checksum->sum += digest_siphash(checksum->key, key, len);
}

void codes_checksum_merge(struct codes_checksum *checksum, uint64_t sum)
{
    checksum->sum += sum;
}

const char *codes_checksum_text(uint64_t sum, char out[CODES_CHECKSUM_TEXT])
{
    snprintf(out, CODES_CHECKSUM_TEXT, "%016" PRIx64, sum);
    return out;
}
