/* SPDX-License-Identifier: Apache-2.0 */
#include "log_rate.h"

#include <string.h>

void log_rate_init(struct log_rate *rate, unsigned max, int64_t window_us)
{
    *rate = (struct log_rate){.max = max, .window_us = window_us};
}

/* FNV-1a; the table is searched on from there. */
static size_t place_of(const char *event, enum log_level level)
{
    uint32_t hash = UINT32_C(2166136261) ^ (uint32_t)level;
    for (const char *at = event; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
    return hash % LOG_RATE_EVENTS;
}

static struct log_rate_event *find(struct log_rate *rate, const char *event, enum log_level level)
{
    size_t from = place_of(event, level);
    for (size_t i = 0; i < LOG_RATE_EVENTS; i++) {
        struct log_rate_event *entry = &rate->events[(from + i) % LOG_RATE_EVENTS];
        if (entry->event == NULL) {
            entry->event = event;
            entry->level = level;
            return entry;
        }
        if (entry->level == level && strcmp(entry->event, event) == 0)
            return entry;
    }
    return NULL;
}

bool log_rate_pass(struct log_rate *rate, const char *event, enum log_level level, int64_t now_us,
                   uint64_t *ret_suppressed)
{
    *ret_suppressed = 0;
    if (rate->max == 0)
        return true;
    struct log_rate_event *entry = find(rate, event, level);
    if (entry == NULL)
        return true;
    if (entry->passed == 0 || now_us - entry->window_us >= rate->window_us) {
        entry->window_us = now_us;
        entry->passed = 0;
    }
    if (entry->passed >= rate->max) {
        entry->suppressed++;
        return false;
    }
    entry->passed++;
    *ret_suppressed = entry->suppressed;
    entry->suppressed = 0;
    return true;
}
