/* SPDX-License-Identifier: Apache-2.0 */
#include "base_retry.h"

#include "base_attr.h"

#include <assert.h>

void retry_init(struct retry *retry, int64_t base_ms, int64_t cap_ms, int64_t budget_ms,
                unsigned max_attempts)
{
    assert(base_ms > 0 && cap_ms >= base_ms && budget_ms >= 0);
    *retry = (struct retry){
        .base_ms = base_ms, .cap_ms = cap_ms, .budget_ms = budget_ms, .max_attempts = max_attempts};
    retry_reset(retry);
}

void retry_reset(struct retry *retry)
{
    retry->attempts = 0;
    retry->last_ms = retry->base_ms;
    retry->spent_ms = 0;
}

int64_t retry_next_ms(struct retry *retry, uint64_t random)
{
    retry->attempts++;
    if (retry->max_attempts != 0 && retry->attempts >= retry->max_attempts) {
        retry->attempts = retry->max_attempts;
        return -1;
    }
    if (retry->budget_ms != 0 && retry->spent_ms >= retry->budget_ms)
        return -1;

    /* Between base and three times the last wait; compared so that it cannot overflow. */
    int64_t most = retry->last_ms > retry->cap_ms / 3 ? retry->cap_ms : retry->last_ms * 3;
    most = MAX_OF(most, retry->base_ms);
    uint64_t span = (uint64_t)(most - retry->base_ms) + 1;
    int64_t wait_ms = retry->base_ms + (int64_t)(random % span);
    retry->last_ms = wait_ms;
    if (retry->budget_ms != 0)
        wait_ms = MIN_OF(wait_ms, retry->budget_ms - retry->spent_ms);
    /* Without a budget nobody looks at the sum. */
    if (retry->budget_ms != 0)
        retry->spent_ms += wait_ms;
    return wait_ms;
}
