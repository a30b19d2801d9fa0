/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests, keyed digests and random bytes, on OpenSSL. None of these fails in practice; when
 * OpenSSL does (out of memory, no provider), they abort the process: going on with a wrong digest
 * would be worse.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA256_LEN 32
#define DIGEST_UUID_LEN 16
#define DIGEST_UUID_TEXT 37 /* with the closing NUL */

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_LEN]);
void digest_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                        uint8_t out[DIGEST_SHA256_LEN]);

/* Running SHA-256, for files and streams. */
struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *digest); /* takes NULL */
void digest_add(struct digest *digest, const void *bytes, size_t len);
void digest_final(struct digest *digest, uint8_t out[DIGEST_SHA256_LEN]);

/* SipHash-2-4 (Aumasson, Bernstein 2012), 64 bits: fast keyed hash for checksums and hash tables.
 */
uint64_t digest_siphash(const uint8_t key[16], const void *bytes, size_t len);

/* RFC 9562: version 5 of (name space, name) and version 7 (milliseconds since 1970, then random).
 */
void digest_uuid5(const uint8_t space[DIGEST_UUID_LEN], const void *name, size_t len,
                  uint8_t out[DIGEST_UUID_LEN]);
void digest_uuid7(int64_t unix_ms, uint8_t out[DIGEST_UUID_LEN]);
const char *digest_uuid_text(const uint8_t uuid[DIGEST_UUID_LEN], char out[DIGEST_UUID_TEXT]);
/* 0, or -1 when text is not 8-4-4-4-12 hexadecimal digits (either case). */
int digest_uuid_parse(const char *text, uint8_t out[DIGEST_UUID_LEN]);

/* Lower-case hexadecimal; out holds 2 * len + 1 bytes. */
const char *digest_hex(const void *bytes, size_t len, char *out);
/* 0, or -1 unless text is exactly 2 * len hexadecimal digits. */
int digest_unhex(const char *text, void *out, size_t len);

void digest_random(void *out, size_t len);
/* Overwrite a secret so that the compiler does not drop the writes. */
void digest_wipe(void *bytes, size_t len);

#endif
