/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_metrics.h"

#include "runtime_state.h"

static const char *const verdicts[] = {"unreadable", "rejected", "decoded",
                                       NULL}; /* by enum msg_verdict */

const struct metrics_row runtime_metric_rows[METRIC_COUNT] = {
    [METRIC_BUILD_INFO] = {.name = "promofleet_build_info",
                           .help = "Always 1; the label tells the version.",
                           .type = METRICS_GAUGE,
                           .label = "version",
                           .dynamic_max = 1},
    [METRIC_STATE] = {.name = "promofleet_state",
                      .help = "State of the loop: 0 starting, 1 connecting, 2 joining, 3 running, "
                              "4 recovering, 5 stopping.",
                      .type = METRICS_GAUGE},
    [METRIC_PARTITIONS] = {.name = "promofleet_partitions",
                           .help = "Partitions assigned to this worker.",
                           .type = METRICS_GAUGE},
    [METRIC_BATCHES] = {.name = "promofleet_batches_total",
                        .help = "Batches committed in PostgreSQL.",
                        .type = METRICS_COUNTER},
    [METRIC_MESSAGES] = {.name = "promofleet_messages_total",
                         .help = "Messages committed in PostgreSQL, by what decoding said.",
                         .type = METRICS_COUNTER,
                         .label = "verdict",
                         .values = verdicts},
    [METRIC_EVENTS] = {.name = "promofleet_events_total",
                       .help = "Events and tokens committed in Kafka.",
                       .type = METRICS_COUNTER},
    [METRIC_DEAD_LETTERS] = {.name = "promofleet_dead_letters_total",
                             .help = "Messages sent to the dead letter.",
                             .type = METRICS_COUNTER},
    [METRIC_RETRIES] = {.name = "promofleet_retries_total",
                        .help = "Transactions rolled back and tried again: deadlocks, lock "
                                "time-outs, definitions that moved.",
                        .type = METRICS_COUNTER},
    [METRIC_RECOVERIES] = {.name = "promofleet_recoveries_total",
                           .help = "Times that all clients were dropped and opened anew.",
                           .type = METRICS_COUNTER},
    [METRIC_PG_SECONDS] = {.name = "promofleet_pg_transaction_seconds",
                           .help = "Time of a batch's PostgreSQL transaction.",
                           .type = METRICS_HISTOGRAM,
                           .bounds = metrics_seconds,
                           .bound_count = METRICS_SECONDS_COUNT},
    [METRIC_KAFKA_SECONDS] = {.name = "promofleet_kafka_transaction_seconds",
                              .help = "Time of a batch's Kafka transaction.",
                              .type = METRICS_HISTOGRAM,
                              .bounds = metrics_seconds,
                              .bound_count = METRICS_SECONDS_COUNT},
    [METRIC_OUTCOME_SECONDS] = {.name = "promofleet_outcome_seconds",
                                .help = "From the Kafka timestamp of a batch's oldest message to "
                                        "the commit of its outcomes.",
                                .type = METRICS_HISTOGRAM,
                                .bounds = metrics_seconds,
                                .bound_count = METRICS_SECONDS_COUNT},
    [METRIC_ROWS] = {.name = "promofleet_job_rows_total",
                     .help = "Rows that chunks of jobs have made or written.",
                     .type = METRICS_COUNTER},
};

struct metrics *runtime_metrics;
