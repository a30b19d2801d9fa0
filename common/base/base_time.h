/* SPDX-License-Identifier: Apache-2.0
 *
 * Points in time are microseconds since 1970-01-01T00:00:00Z in an int64_t ("us"). Kafka counts in
 * milliseconds, PostgreSQL in microseconds since 2000-01-01; the conversions stand here only.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base_err.h"

#include <stdint.h>

#define TIME_US_PER_MS INT64_C(1000)
#define TIME_US_PER_S INT64_C(1000000)
/* PostgreSQL's epoch in ours. */
#define TIME_PG_EPOCH_US INT64_C(946684800000000)
/* The years we accept: 1970-01-01 to 9999-12-31. */
#define TIME_MIN_US INT64_C(0)
#define TIME_MAX_US INT64_C(253402300799999999)
#define TIME_TEXT_MAX 32

/* RFC 3339 with any offset, 0 to 6 digits of fraction; -1 and ERR_POISON otherwise. Leap second :60
 * refused. */
int time_parse(const char *text, int64_t *ret_us, struct err *err) MUST_CHECK;
/* "2026-11-20T19:06:00Z", with .mmm or .uuuuuu only where needed. Writes at most TIME_TEXT_MAX
 * bytes. */
const char *time_format(int64_t us, char out[TIME_TEXT_MAX]);

/*
 * A clock to be handed in, so that tests can hold it still. wall: us as above; mono: microseconds
 * of a clock that never steps.
 */
struct clock {
    int64_t (*wall)(void *opaque);
    int64_t (*mono)(void *opaque);
    void *opaque;
};
extern const struct clock clock_real;
int64_t clock_wall(const struct clock *clock);
int64_t clock_mono(const struct clock *clock);

#endif
