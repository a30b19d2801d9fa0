/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_capacity.h"

#include "codes_internal.h"

#include <math.h>

/* PostgreSQL's storage: what stands beside the data of a row and of an index entry. */
#define PAGE_BYTES 8192.0
#define HEAP_PAGE_HEADER 24.0
#define HEAP_ROW_OVERHEAD 28.0 /* line pointer 4, tuple header 23, padded to 24 */
#define INDEX_PAGE_HEADER 40.0
#define INDEX_ENTRY_OVERHEAD 12.0 /* line pointer 4, tuple header 8 */
#define INDEX_FILL 0.90

static double align8(double bytes)
{
    return ceil(bytes / 8.0) * 8.0;
}

static double text_bytes(unsigned len)
{
    return len < 127 ? 1.0 + len : 4.0 + len;
}

static double estimate_bytes(const struct codes_pattern *pattern, unsigned row_bytes,
                             bool display_stored)
{
    double data = row_bytes + text_bytes(codes_pattern_key_bytes(pattern));
    double entry = INDEX_ENTRY_OVERHEAD + align8(text_bytes(codes_pattern_key_bytes(pattern)));

    if (display_stored)
        data += text_bytes(codes_pattern_display_bytes(pattern));
    double row = HEAP_ROW_OVERHEAD + align8(data);
    return row * PAGE_BYTES / (PAGE_BYTES - HEAP_PAGE_HEADER) +
           entry * PAGE_BYTES / ((PAGE_BYTES - INDEX_PAGE_HEADER) * INDEX_FILL);
}

void codes_capacity_figure(const struct codes_pattern *pattern, codes_u128 allowed, codes_u128 live,
                           uint64_t requested, unsigned row_bytes, bool display_stored,
                           struct codes_capacity *ret_capacity)
{
    struct codes_capacity capacity = {0};
    codes_u128 taken = live + requested;

    capacity.space = pattern->space;
    capacity.allowed = allowed;
    capacity.live = live;
    capacity.available = allowed > live ? allowed - live : 0;
    capacity.requested = requested;
    capacity.fits = requested <= capacity.available;
    capacity.odds = taken > 0 ? capacity.space / taken : capacity.space;
    capacity.guessable = capacity.odds < CODES_ODDS_REFUSE;
    capacity.warn = capacity.odds < CODES_ODDS_WARN;
    for (unsigned i = 0; i < pattern->place_count; i++)
        capacity.bits += log2(pattern->places[i]->set.count);
    capacity.share = allowed > 0 ? (double)taken / (double)allowed : taken > 0 ? HUGE_VAL : 0.0;
    capacity.bytes_per_code = estimate_bytes(pattern, row_bytes, display_stored);
    capacity.bytes = capacity.bytes_per_code * (double)requested;
    *ret_capacity = capacity;
}

int codes_capacity_verdict(const struct codes_capacity *capacity, bool allow_guessable,
                           struct err *err)
{
    char available[CODES_U128_TEXT];
    char odds[CODES_U128_TEXT];

    if (capacity->requested == 0 || capacity->requested > CODES_JOB_MAX)
        return err_set(err, ERR_POISON, "codes", "count_out_of_range",
                       "a job draws 1 to %llu codes", (unsigned long long)CODES_JOB_MAX);
    if (capacity->allowed == 0)
        return err_set(err, ERR_POISON, "codes", "capacity_exceeded",
                       "every code of the pattern contains a blocked word: 0 codes are available");
    if (!capacity->fits)
        return err_set(err, ERR_POISON, "codes", "capacity_exceeded",
                       "%llu codes were asked for, the pattern has room for exactly %s more",
                       (unsigned long long)capacity->requested,
                       codes_u128_text(capacity->available, available));
    if (capacity->guessable && !allow_guessable)
        return err_set(err, ERR_POISON, "codes", "guessable",
                       "one guess in %s would hit a code, at least one in %llu is asked for; make "
                       "the pattern longer or allow guessable codes",
                       codes_u128_text(capacity->odds, odds),
                       (unsigned long long)CODES_ODDS_REFUSE);
    return capacity->warn ? 1 : 0;
}
