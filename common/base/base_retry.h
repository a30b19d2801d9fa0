/* SPDX-License-Identifier: Apache-2.0
 *
 * Back-off with decorrelated jitter (Brooker, "Exponential Backoff and Jitter", AWS 2015), under a
 * budget of time and of attempts. The wait itself is base_signal's, so that a stop ends it.
 */
#ifndef BASE_RETRY_H
#define BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
    int64_t base_ms;
    int64_t cap_ms;
    int64_t budget_ms;     /* 0: no end by time     */
    unsigned max_attempts; /* 0: no end by attempts */
    /* private */
    unsigned attempts;
    int64_t last_ms;
    int64_t spent_ms;
};

void retry_init(struct retry *retry, int64_t base_ms, int64_t cap_ms, int64_t budget_ms,
                unsigned max_attempts);
void retry_reset(struct retry *retry);
/*
 * Milliseconds to wait before the next attempt; -1 when a budget is used up. The first attempt
 * counts: max_attempts 3 gives two waits. The time budget counts the waits only, and the last wait
 * is cut to what is left of it. random: any 64 random bits.
 */
int64_t retry_next_ms(struct retry *retry, uint64_t random);

#endif
