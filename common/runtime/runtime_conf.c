/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_conf.h"

#include "base_attr.h"
#include "kafka_conf.h"
#include "msg_topics.h"

#define GENERATES (RUNTIME_PROGRAM_GENERATE)
#define HASHES (RUNTIME_PROGRAM_GENERATE | RUNTIME_PROGRAM_REDEEM)
#define CHUNKS (RUNTIME_PROGRAM_GENERATE | RUNTIME_PROGRAM_EXPORT)

const char *const runtime_program_names[] = {
    "campaign-worker", "generate-worker", "redeem-worker", "export-worker", "maintain-worker", NULL,
};

static const struct conf_option options[] = {
    {.name = "kafka.brokers",
     .group = "Servers",
     CONF_STRING_AT(struct runtime_conf, brokers),
     .env = "KAFKA_BROKERS",
     .required = true,
     .help = "Kafka brokers to begin with, host:port, separated by commas."},
    {.name = "pg.url",
     .group = "Servers",
     CONF_SECRET_AT(struct runtime_conf, pg_url),
     .env = "PGURL",
     .required = true,
     .help = "PostgreSQL data base of the fleet, postgresql://user@host:port/name."},
    {.name = "topic.prefix",
     .group = "Servers",
     CONF_STRING_AT(struct runtime_conf, topic_prefix),
     .fallback = "promo",
     .min = 1,
     .max = MSG_TOPIC_PREFIX_MAX,
     .help = "First word of every topic's name."},
    {.name = "lock.timeout",
     .group = "Servers",
     CONF_DURATION_AT(struct runtime_conf, lock_timeout_ms),
     .fallback = "3s",
     .min = 100,
     .max = 60000,
     .help = "Longest wait for a row lock. Then sessions of frozen workers are ended, and the "
             "batch is tried again."},
    {.name = "statement.timeout",
     .group = "Servers",
     CONF_DURATION_AT(struct runtime_conf, statement_timeout_ms),
     .fallback = "30s",
     .min = 1000,
     .max = 600000,
     .help = "Longest time for one SQL statement."},
    {.name = "session.timeout",
     .group = "Servers",
     CONF_DURATION_AT(struct runtime_conf, session_timeout_ms),
     .fallback = "6s",
     .min = 1000,
     .max = 300000,
     .help = "Without a sign of life for so long, a worker's partitions go to others. A worker "
             "that is restarted sooner has them back without a rebalance."},
    {.name = "transaction.watchdog",
     .group = "Servers",
     CONF_DURATION_AT(struct runtime_conf, kafka_watchdog_ms),
     .fallback = "15s",
     .min = 1000,
     .max = 300000,
     .help = "A Kafka transaction that takes longer hangs: the process leaves with status 75 for "
             "a new one to take over."},
    {.name = "slot",
     .group = "Process",
     CONF_STRING_AT(struct runtime_conf, slot),
     .max = 64,
     .help = "Name of this process among its kind, such as generate-1: stable over restarts, used "
             "by one process at a time. Without it the kind with -1."},
    {.name = "http.listen",
     .group = "Process",
     CONF_STRING_AT(struct runtime_conf, http_listen),
     .fallback = "127.0.0.1:0",
     .help = "Address of /metrics, /healthz and /readyz; port 0 takes a free one, the log tells."},
    {.name = "log.level",
     .group = "Process",
     CONF_ENUM_AT(struct runtime_conf, log_level),
     .words = log_level_names,
     .fallback = "info",
     .help = "Lines below this level are not written."},
    {.name = "fleet.secret",
     .group = "Process",
     CONF_SECRET_AT(struct runtime_conf, fleet_secret),
     .programs = HASHES,
     .min = 32,
     .max = 1024,
     .required = true,
     .help = "Master secret of the fleet: codes are drawn and customers hashed with keys derived "
             "from it. Never change it while codes of it are in use."},
    {.name = "batch.max",
     .group = "Work",
     CONF_INT_AT(struct runtime_conf, batch_max),
     .fallback = "2000",
     .min = 1,
     .max = 10000,
     .help = "Most messages settled in one transaction."},
    {.name = "chunk.time",
     .group = "Work",
     CONF_DURATION_AT(struct runtime_conf, chunk_ms),
     .programs = CHUNKS,
     .fallback = "250ms",
     .min = 10,
     .max = 5000,
     .help = "Work in one chunk of a job; its size follows the rate seen."},
    {.name = "export.dir",
     .group = "Work",
     CONF_STRING_AT(struct runtime_conf, export_dir),
     .programs = RUNTIME_PROGRAM_EXPORT,
     .required = true,
     .help = "Folder that exports are written to, shared by all export-workers."},
    {.name = "probe.after",
     .group = "Work",
     CONF_DURATION_AT(struct runtime_conf, probe_after_ms),
     .programs = RUNTIME_PROGRAM_MAINTAIN,
     .fallback = "30s",
     .min = 100,
     .max = 86400000,
     .help = "A lane of a job that has not moved for so long gets its token once more."},
    {.name = "snapshot.every",
     .group = "Work",
     CONF_DURATION_AT(struct runtime_conf, snapshot_every_ms),
     .programs = RUNTIME_PROGRAM_MAINTAIN,
     .fallback = "1s",
     .min = 100,
     .max = 3600000,
     .help = "How often changed campaigns are told to the metrics topic."},
};

/* Of ops/stack and its tests, which run in the same environment. */
static const char *const ignored_env[] = {
    "PROMO_STACK_STATE", "PROMO_STATE", "PROMO_BUILD_DIR", "PROMO_TEST_ENV", NULL,
};

void runtime_conf_table(unsigned program, const char *about, struct conf_table *ret_table)
{
    unsigned index = 0;

    while (program != 0 && (1u << index) != program)
        index++;
    *ret_table = (struct conf_table){
        .program = runtime_program_names[index],
        .about = about,
        .bit = program,
        .program_names = runtime_program_names,
        .options = options,
        .option_count = ARRAY_LEN(options),
        .pass_prefix = "kafka.",
        .pass_denied = kafka_conf_denied,
        .pass_secret = kafka_conf_is_secret,
        .ignored_env = ignored_env,
    };
}
