/* SPDX-License-Identifier: Apache-2.0 */
#include "base_digest.h"

#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SHA1_LEN 20
#define SHA256_BLOCK 64

struct digest {
    EVP_MD_CTX *ctx;
};

/* Looking an algorithm up costs more than hashing a short text: once per process. */
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MD *sha1;
/* A context per thread, for the digests made in one call; the key frees it when the thread ends. */
static pthread_key_t context_key;
static __thread EVP_MD_CTX *context;

static void require(bool ok)
{
    if (!ok) {
        (void)fputs("OpenSSL cannot make a digest\n", stderr);
        abort();
    }
}

static void free_context(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    require(sha256 != NULL && sha1 != NULL && pthread_key_create(&context_key, free_context) == 0);
}

static EVP_MD_CTX *thread_context(void)
{
    if (context == NULL) {
        require(pthread_once(&fetch_once, fetch) == 0);
        context = EVP_MD_CTX_new();
        require(context != NULL && pthread_setspecific(context_key, context) == 0);
    }
    return context;
}

struct span {
    const void *bytes;
    size_t len;
};

/* The digest of up to two pieces, one behind the other. */
static void hash_pieces(EVP_MD_CTX *ctx, const EVP_MD *algorithm, struct span first,
                        struct span second, uint8_t *out)
{
    require(EVP_DigestInit_ex2(ctx, algorithm, NULL) == 1 &&
            EVP_DigestUpdate(ctx, first.bytes, first.len) == 1 &&
            EVP_DigestUpdate(ctx, second.bytes, second.len) == 1 &&
            EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_LEN])
{
    EVP_MD_CTX *ctx = thread_context();
    hash_pieces(ctx, sha256, (struct span){bytes, len}, (struct span){"", 0}, out);
}

/* RFC 2104. By hand: setting up EVP_MAC costs several times the hashing of a short text. */
void digest_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                        uint8_t out[DIGEST_SHA256_LEN])
{
    EVP_MD_CTX *ctx = thread_context();
    uint8_t block[SHA256_BLOCK] = {0};
    uint8_t pad[SHA256_BLOCK];
    uint8_t inner[DIGEST_SHA256_LEN];
    if (key_len > sizeof(block))
        digest_sha256(key, key_len, block);
    else if (key_len > 0)
        memcpy(block, key, key_len);

    for (size_t i = 0; i < sizeof(block); i++)
        pad[i] = block[i] ^ 0x36;
    hash_pieces(ctx, sha256, (struct span){pad, sizeof(pad)}, (struct span){bytes, len}, inner);
    for (size_t i = 0; i < sizeof(block); i++)
        pad[i] = block[i] ^ 0x5c;
    hash_pieces(ctx, sha256, (struct span){pad, sizeof(pad)}, (struct span){inner, sizeof(inner)},
                out);
    digest_wipe(block, sizeof(block));
    digest_wipe(pad, sizeof(pad));
}

static void digest_start(struct digest *digest)
{
    require(pthread_once(&fetch_once, fetch) == 0);
    require(EVP_DigestInit_ex2(digest->ctx, sha256, NULL) == 1);
}

struct digest *digest_new(void)
{
    struct digest *digest = malloc(sizeof(*digest));
    require(digest != NULL);
    digest->ctx = EVP_MD_CTX_new();
    require(digest->ctx != NULL);
    digest_start(digest);
    return digest;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->ctx);
    free(digest);
}

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
    require(EVP_DigestUpdate(digest->ctx, bytes, len) == 1);
}

void digest_final(struct digest *digest, uint8_t out[DIGEST_SHA256_LEN])
{
    require(EVP_DigestFinal_ex(digest->ctx, out, NULL) == 1);
    digest_start(digest);
}

static inline uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline uint64_t load_le64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

/* By value, so that the state stays in registers. */
static inline struct sip sip_round(struct sip s)
{
    s.v0 += s.v1;
    s.v1 = rotate_left(s.v1, 13) ^ s.v0;
    s.v0 = rotate_left(s.v0, 32);
    s.v2 += s.v3;
    s.v3 = rotate_left(s.v3, 16) ^ s.v2;
    s.v0 += s.v3;
    s.v3 = rotate_left(s.v3, 21) ^ s.v0;
    s.v2 += s.v1;
    s.v1 = rotate_left(s.v1, 17) ^ s.v2;
    s.v2 = rotate_left(s.v2, 32);
    return s;
}

static inline struct sip sip_word(struct sip s, uint64_t word)
{
    s.v3 ^= word;
    s = sip_round(sip_round(s));
    s.v0 ^= word;
    return s;
}

uint64_t digest_siphash(const uint8_t key[16], const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t k0 = load_le64(key);
    uint64_t k1 = load_le64(key + 8);
    struct sip s = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                    k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t left = len;
    for (; left >= 8; left -= 8, at += 8)
        s = sip_word(s, load_le64(at));
    /* The rest, and the length's low byte on top. */
    uint64_t last = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)at[i] << (8 * i);
    s = sip_word(s, last);
    s.v2 ^= 0xff;
    s = sip_round(sip_round(sip_round(sip_round(s))));
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static void uuid_stamp(uint8_t uuid[DIGEST_UUID_LEN], unsigned version)
{
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | version << 4);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void digest_uuid5(const uint8_t space[DIGEST_UUID_LEN], const void *name, size_t len,
                  uint8_t out[DIGEST_UUID_LEN])
{
    EVP_MD_CTX *ctx = thread_context();
    uint8_t hash[SHA1_LEN];
    hash_pieces(ctx, sha1, (struct span){space, DIGEST_UUID_LEN}, (struct span){name, len}, hash);
    memcpy(out, hash, DIGEST_UUID_LEN);
    uuid_stamp(out, 5);
}

void digest_uuid7(int64_t unix_ms, uint8_t out[DIGEST_UUID_LEN])
{
    for (unsigned i = 0; i < 6; i++)
        out[i] = (uint8_t)((uint64_t)unix_ms >> (8 * (5 - i)));
    digest_random(out + 6, DIGEST_UUID_LEN - 6);
    uuid_stamp(out, 7);
}

static bool dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static const char hex_digits[] = "0123456789abcdef";

const char *digest_uuid_text(const uint8_t uuid[DIGEST_UUID_LEN], char out[DIGEST_UUID_TEXT])
{
    char *at = out;
    for (size_t i = 0; i < DIGEST_UUID_LEN; i++) {
        if (dash_before(i))
            *at++ = '-';
        *at++ = hex_digits[uuid[i] >> 4];
        *at++ = hex_digits[uuid[i] & 15];
    }
    *at = '\0';
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Two digits; the closing NUL is no digit, so this never reads behind it. */
static int hex_byte(const char *text)
{
    int high = hex_value(text[0]);
    int low = high < 0 ? -1 : hex_value(text[1]);
    return low < 0 ? -1 : high * 16 + low;
}

int digest_uuid_parse(const char *text, uint8_t out[DIGEST_UUID_LEN])
{
    uint8_t uuid[DIGEST_UUID_LEN];
    const char *at = text;
    for (size_t i = 0; i < DIGEST_UUID_LEN; i++) {
        if (dash_before(i) && *at++ != '-')
            return -1;
        int byte = hex_byte(at);
        if (byte < 0)
            return -1;
        uuid[i] = (uint8_t)byte;
        at += 2;
    }
    if (*at != '\0')
        return -1;
    memcpy(out, uuid, sizeof(uuid));
    return 0;
}

const char *digest_hex(const void *bytes, size_t len, char *out)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digits[from[i] >> 4];
        out[2 * i + 1] = hex_digits[from[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

int digest_unhex(const char *text, void *out, size_t len)
{
    /* Looked through before anything is written, so that a failure leaves out alone. */
    for (size_t i = 0; i < len; i++) {
        if (hex_byte(text + 2 * i) < 0)
            return -1;
    }
    if (text[2 * len] != '\0')
        return -1;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)hex_byte(text + 2 * i);
    return 0;
}

void digest_random(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        require(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

void digest_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}
