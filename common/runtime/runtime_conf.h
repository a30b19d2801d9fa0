/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet's one table of options. Every worker takes its rows from it, the reference page is
 * generated from it, and an environment variable of one worker is therefore never unknown to
 * another.
 */
#ifndef RUNTIME_CONF_H
#define RUNTIME_CONF_H

#include "conf.h"
#include "log.h"

#include <stdbool.h>
#include <stdint.h>

#define RUNTIME_PROGRAM_CAMPAIGN (1u << 0)
#define RUNTIME_PROGRAM_GENERATE (1u << 1)
#define RUNTIME_PROGRAM_REDEEM (1u << 2)
#define RUNTIME_PROGRAM_EXPORT (1u << 3)
#define RUNTIME_PROGRAM_MAINTAIN (1u << 4)

struct runtime_conf {
    const char *brokers;
    const char *pg_url;
    const char *topic_prefix;
    const char *slot;
    const char *http_listen;
    enum log_level log_level;
    const char *fleet_secret; /* generate and redeem only */
    int64_t batch_max;
    int64_t lock_timeout_ms;
    int64_t statement_timeout_ms;
    int64_t kafka_watchdog_ms;
    int64_t session_timeout_ms;
    const char *export_dir;    /* export only */
    int64_t chunk_ms;          /* generate, export: work in one chunk */
    int64_t probe_after_ms;    /* maintain */
    int64_t snapshot_every_ms; /* maintain */
};

extern const char *const runtime_program_names[]; /* "campaign-worker", ..., NULL: by bit */
/* The table for one program: about is one sentence for its help. */
void runtime_conf_table(unsigned program, const char *about, struct conf_table *ret_table);

#endif
