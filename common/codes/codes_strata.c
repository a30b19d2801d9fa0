/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_strata.h"

#include "codes_internal.h"

#include <assert.h>
#include <openssl/evp.h>

/*
 * PRF input, one AES block, big endian: serial (4 bytes), attempt (8), block number (4). Block 0
 * draws the rank, every further block two free digits of 64 bits each.
 */
#define BLOCK 16
#define BLOCKS_AT_ONCE 256

/* Attempts: 0 and the redraws as they are, then the steps of the overflow, last the walk's start.
 */
#define ATTEMPT_OVERFLOW 16
#define ATTEMPT_WALK UINT64_MAX

struct codes_strata {
    const struct codes_pattern *pattern;
    EVP_CIPHER_CTX *cipher;
    codes_u128 space;
    codes_u128 quotient; /* M / N */
    uint64_t rest;       /* M mod N */
    uint64_t count;
    uint64_t position;
    unsigned free_places;
    unsigned blocks; /* per code */
    uint8_t in[BLOCKS_AT_ONCE * BLOCK];
    uint8_t out[BLOCKS_AT_ONCE * BLOCK];
};

static uint64_t read_be64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return __builtin_bswap64(value);
}

static void write_block(uint8_t *block, uint64_t serial, uint64_t attempt, uint32_t number)
{
    uint32_t serial_be = __builtin_bswap32((uint32_t)serial);
    uint64_t attempt_be = __builtin_bswap64(attempt);
    uint32_t number_be = __builtin_bswap32(number);

    memcpy(block, &serial_be, sizeof serial_be);
    memcpy(block + 4, &attempt_be, sizeof attempt_be);
    memcpy(block + 12, &number_be, sizeof number_be);
}

/* Encrypt the blocks of `codes` consecutive serials into strata->out. */
static int run_prf(struct codes_strata *strata, uint64_t serial, uint64_t attempt, unsigned codes,
                   struct err *err)
{
    uint8_t *block = strata->in;
    int len = 0;

    for (unsigned i = 0; i < codes; i++)
        for (unsigned number = 0; number < strata->blocks; number++, block += BLOCK)
            write_block(block, serial + i, attempt, number);
    if (EVP_EncryptUpdate(strata->cipher, strata->out, &len, strata->in,
                          (int)(block - strata->in)) != 1 ||
        len != block - strata->in)
        return err_set(err, ERR_FATAL, "codes", "cipher", "AES-256 failed");
    return 0;
}

/* The rank's random number of the index-th code in strata->out. */
static codes_u128 prf_number(const struct codes_strata *strata, unsigned index)
{
    const uint8_t *block = strata->out + (size_t)index * strata->blocks * BLOCK;

    return (codes_u128)read_be64(block) << 64 | read_be64(block + 8);
}

static void make_code(const struct codes_strata *strata, unsigned index, uint64_t serial,
                      codes_u128 rank, struct codes_code *out)
{
    const uint8_t *bytes = strata->out + (size_t)index * strata->blocks * BLOCK + BLOCK;
    const struct codes_pattern *pattern = strata->pattern;
    uint8_t digits[CODES_PLACES_MAX];

    for (unsigned i = 0; i < strata->free_places; i++)
        digits[i] = (uint8_t)(read_be64(bytes + (size_t)i * 8) %
                              pattern->places[pattern->ranked + i]->set.count);
    codes_pattern_render(pattern, rank, strata->free_places > 0 ? digits : NULL, out);
    out->serial = (uint32_t)serial;
}

int codes_strata_new(const struct codes_pattern *pattern, uint64_t count,
                     const uint8_t key[CODES_KEY_LEN], struct codes_strata **ret_strata,
                     struct err *err)
{
    if (count == 0 || count > CODES_JOB_MAX || count > pattern->space)
        return err_set(err, ERR_POISON, "codes", "bad_count",
                       "a job draws at least one code and no more than its space has");
    struct codes_strata *strata = calloc(1, sizeof *strata);
    if (strata == NULL)
        return err_nomem(err);
    strata->pattern = pattern;
    strata->space = pattern->space;
    strata->count = count;
    strata->quotient = pattern->space / count;
    strata->rest = (uint64_t)(pattern->space % count);
    strata->free_places = pattern->place_count - pattern->ranked;
    strata->blocks = 1 + (strata->free_places + 1) / 2;
    strata->cipher = EVP_CIPHER_CTX_new();
    if (strata->cipher == NULL ||
        EVP_EncryptInit_ex(strata->cipher, EVP_aes_256_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(strata->cipher, 0) != 1) {
        codes_strata_free(strata);
        return err_set(err, ERR_FATAL, "codes", "cipher", "OpenSSL gives no AES-256");
    }
    *ret_strata = strata;
    return 0;
}

void codes_strata_free(struct codes_strata *strata)
{
    if (strata == NULL)
        return;
    EVP_CIPHER_CTX_free(strata->cipher); /* wipes the key schedule */
    free(strata);
}

void codes_strata_seek(struct codes_strata *strata, uint64_t serial)
{
    assert(serial <= strata->count);
    strata->position = serial;
}

/* lo_i; lo_N is M. */
static codes_u128 stratum_low(const struct codes_strata *strata, uint64_t serial)
{
    /* Both factors are at most 2e9: the product fits. */
    return strata->quotient * serial + serial * strata->rest / strata->count;
}

void codes_strata_bounds(const struct codes_strata *strata, uint64_t serial, codes_u128 *ret_lo,
                         codes_u128 *ret_width)
{
    assert(serial < strata->count);
    *ret_lo = stratum_low(strata, serial);
    *ret_width = stratum_low(strata, serial + 1) - *ret_lo;
}

uint64_t codes_strata_serial_of(const struct codes_strata *strata, codes_u128 rank)
{
    assert(rank < strata->space);
    /* lo_i = floor(i * M / N) <= rank  <=>  i * M < (rank + 1) * N; 2^96 * 2e9 fits 128 bits. */
    return (uint64_t)(((rank + 1) * strata->count - 1) / strata->space);
}

int codes_strata_next(struct codes_strata *strata, struct codes_code *out, size_t room,
                      size_t *ret_count, struct err *err)
{
    uint64_t left = strata->count - strata->position;
    size_t wanted = room < left ? room : (size_t)left;
    const unsigned burst = BLOCKS_AT_ONCE / strata->blocks;
    codes_u128 low = stratum_low(strata, strata->position);

    for (size_t done = 0; done < wanted;) {
        unsigned codes = wanted - done < burst ? (unsigned)(wanted - done) : burst;
        uint64_t first = strata->position + done;

        if (run_prf(strata, first, 0, codes, err) < 0)
            return -1;
        for (unsigned i = 0; i < codes; i++) {
            codes_u128 high = stratum_low(strata, first + i + 1);
            codes_u128 rank = low + prf_number(strata, i) % (high - low);
            make_code(strata, i, first + i, rank, &out[done + i]);
            low = high;
        }
        done += codes;
    }
    strata->position += wanted;
    if (wanted == 0)
        return 0;
    *ret_count = wanted;
    return 1;
}

int codes_strata_redraw(struct codes_strata *strata, uint64_t serial, unsigned attempt,
                        struct codes_code *out, struct err *err)
{
    codes_u128 low;
    codes_u128 width;

    assert(attempt <= CODES_REDRAWS);
    codes_strata_bounds(strata, serial, &low, &width);
    if (run_prf(strata, serial, attempt, 1, err) < 0)
        return -1;
    make_code(strata, 0, serial, low + prf_number(strata, 0) % width, out);
    return 0;
}

int codes_strata_overflow(struct codes_strata *strata, uint64_t serial, uint64_t step,
                          struct codes_code *out, struct err *err)
{
    codes_u128 start = 0;

    assert(serial < strata->count);
    if (step >= CODES_OVERFLOW_TRIES) {
        if (step - CODES_OVERFLOW_TRIES >= strata->space)
            return 0;
        if (run_prf(strata, serial, ATTEMPT_WALK, 1, err) < 0)
            return -1;
        start = prf_number(strata, 0) % strata->space;
    }
    if (run_prf(strata, serial, ATTEMPT_OVERFLOW + step, 1, err) < 0)
        return -1;
    codes_u128 rank = step < CODES_OVERFLOW_TRIES
                          ? prf_number(strata, 0) % strata->space
                          : (start + (step - CODES_OVERFLOW_TRIES)) % strata->space;
    make_code(strata, 0, serial, rank, out);
    return 1;
}
