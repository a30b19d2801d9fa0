/* SPDX-License-Identifier: Apache-2.0
 *
 * How many lines of each event were written in its present window. A fixed table: events are few
 * and constant; should there be more than it holds, the further ones are not limited. Not locked:
 * log.c does that. Event names are kept by pointer and compared as texts.
 */
#ifndef LOG_RATE_H
#define LOG_RATE_H

#include "log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_RATE_EVENTS 256

struct log_rate_event {
    const char *event; /* NULL: a free place */
    enum log_level level;
    int64_t window_us; /* its start */
    unsigned passed;
    uint64_t suppressed;
};

struct log_rate {
    unsigned max; /* 0: no limit */
    int64_t window_us;
    struct log_rate_event events[LOG_RATE_EVENTS];
};

void log_rate_init(struct log_rate *rate, unsigned max, int64_t window_us);
/* May this line be written now? If so, *ret_suppressed is how many before it were not. */
bool log_rate_pass(struct log_rate *rate, const char *event, enum log_level level, int64_t now_us,
                   uint64_t *ret_suppressed);

#endif
