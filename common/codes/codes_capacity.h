/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a job fit its space, and how hard are its codes to guess? Figures first, verdict second, so
 * that a plan can show the figures of a job that would be refused.
 */
#ifndef CODES_CAPACITY_H
#define CODES_CAPACITY_H

#include "base_attr.h"
#include "base_err.h"
#include "codes_number.h"
#include "codes_pattern.h"

#include <stdbool.h>
#include <stdint.h>

/* Guesses expected for one hit: below the first a job is refused, below the second warned about. */
#define CODES_ODDS_REFUSE UINT64_C(10000000)
#define CODES_ODDS_WARN UINT64_C(1000000000)

struct codes_capacity {
    codes_u128 space;      /* M                                                              */
    codes_u128 allowed;    /* strings without blocked words, at most M                       */
    codes_u128 live;       /* codes of the space that exist, or that other jobs have reserved */
    codes_u128 available;  /* allowed - live, at least 0                                     */
    uint64_t requested;    /* N                                                              */
    bool fits;             /* N <= available                                                 */
    codes_u128 odds;       /* M / (live + N), rounded down: expected guesses for one hit     */
    bool guessable;        /* odds < CODES_ODDS_REFUSE                                       */
    bool warn;             /* odds < CODES_ODDS_WARN                                         */
    double bits;           /* log2 of all strings of the pattern, free places included       */
    double share;          /* (live + N) / allowed: 0..1, above 1 when it does not fit       */
    double bytes_per_code; /* estimate: table row and unique index in PostgreSQL            */
    double bytes;          /* bytes_per_code * N                                            */
};

/*
 * allowed: from codes_words_count(), or the pattern's space. row_bytes: what a row of the code
 * table has beside key and display form, without PostgreSQL's own header. display_stored: the
 * display form is a column of its own.
 */
void codes_capacity_figure(const struct codes_pattern *pattern, codes_u128 allowed, codes_u128 live,
                           uint64_t requested, unsigned row_bytes, bool display_stored,
                           struct codes_capacity *ret_capacity);
/*
 * 0: fine. 1: fine, but the codes are easy enough to guess that somebody should be told.
 * -1: refused, ERR_POISON, domain "codes": count_out_of_range (N is 0 or above CODES_JOB_MAX),
 * capacity_exceeded (the text has the exact number available) or guessable (never when
 * allow_guessable).
 */
int codes_capacity_verdict(const struct codes_capacity *capacity, bool allow_guessable,
                           struct err *err) MUST_CHECK;

#endif
