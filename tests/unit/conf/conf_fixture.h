/* SPDX-License-Identifier: Apache-2.0
 *
 * A small table of options with one row of each type, and a way to load it from two lists.
 */
#ifndef CONF_FIXTURE_H
#define CONF_FIXTURE_H

#include "conf.h"

#include <stdio.h>
#include <string.h>

#define PROGRAM_ONE 1u
#define PROGRAM_TWO 2u

enum level { LEVEL_LOW, LEVEL_MIDDLE, LEVEL_HIGH };

struct settings {
    const char *brokers;
    const char *slot;
    int64_t batch;
    bool strict;
    int64_t timeout_ms;
    int64_t room;
    enum level level;
    const char *secret;
    int64_t other;
    bool wait;
};

static const char *const level_words[] = {"low", "middle", "high", NULL};
static const char *const program_names[] = {"one-worker", "two-worker", NULL};
static const char *const ignored[] = {"PROMO_STACK_STATE", "PROMO_STATE", NULL};

static const struct conf_option options[] = {
    {.name = "kafka.brokers",
     .group = "Kafka",
     CONF_STRING_AT(struct settings, brokers),
     .min = 1,
     .max = 100,
     .env = "KAFKA_BROKERS",
     .required = true,
     .help = "Bootstrap list: host:port, with commas between."},
    {.name = "slot",
     .group = "Worker",
     CONF_STRING_AT(struct settings, slot),
     .max = 8,
     .help = "Name | of this worker."},
    {.name = "batch.max",
     .group = "Worker",
     CONF_INT_AT(struct settings, batch),
     .fallback = "1000",
     .min = 1,
     .max = 10000,
     .help =
         "Most messages that are taken into one batch. More of them make the two commits cheaper, "
         "fewer of them make an answer come sooner."},
    {.name = "strict",
     .group = "Worker",
     CONF_BOOL_AT(struct settings, strict),
     .fallback = "false",
     .help = "Be strict."},
    {.name = "call.timeout",
     .group = "Worker",
     CONF_DURATION_AT(struct settings, timeout_ms),
     .fallback = "10s",
     .min = 100,
     .max = 3600000,
     .help = "Longest call."},
    {.name = "room",
     .group = "Worker",
     CONF_SIZE_AT(struct settings, room),
     .fallback = "64k",
     .min = 1024,
     .max = 8388608,
     .help = "Memory."},
    {.name = "level",
     .group = "Worker",
     CONF_ENUM_AT(struct settings, level),
     .fallback = "middle",
     .words = level_words,
     .help = "How high."},
    {.name = "fleet.secret",
     .group = "Worker",
     CONF_SECRET_AT(struct settings, secret),
     .min = 4,
     .max = 64,
     .help = "The fleet's secret."},
    {.name = "two.only",
     .group = "Second",
     CONF_INT_AT(struct settings, other),
     .fallback = "5",
     .programs = PROGRAM_TWO,
     .help = "Of the second program."},
    {.name = "wait",
     .group = "Second",
     CONF_BOOL_AT(struct settings, wait),
     .fallback = "false",
     .flag_only = true,
     .help = "Wait."},
};

static inline const char *denied_reason(const char *name)
{
    return strcmp(name, "enable.auto.commit") == 0 ? "the loop commits offsets itself" : NULL;
}

static inline bool is_secret_property(const char *name)
{
    return strcmp(name, "sasl.password") == 0;
}

static inline void print_version(FILE *out)
{
    (void)fputs("one-worker 1.2.3\n", out);
}

static const struct conf_table fixture_table = {
    .program = "one-worker",
    .about = "Does one thing.",
    .bit = PROGRAM_ONE,
    .program_names = program_names,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .pass_prefix = "kafka.",
    .pass_denied = denied_reason,
    .pass_secret = is_secret_property,
    .ignored_env = ignored,
    .version = print_version,
};

/* Lists for load(); what conf_load() takes has no const, as main()'s argv has none. */
#define WORDS(...) ((const char *const[]){"one-worker", __VA_ARGS__ __VA_OPT__(, ) NULL})
#define ENV(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static inline int count_words(const char *const *words)
{
    int count = 0;
    while (words[count] != NULL)
        count++;
    return count;
}

static inline int load_table(const struct conf_table *table, const char *const *argv,
                             const char *const *environment, struct settings *settings, FILE *out,
                             struct conf *conf, struct err *err)
{
    memset(settings, 0, sizeof(*settings));
    return conf_load(table, count_words(argv), (char **)argv, (char **)environment, settings, out,
                     conf, err);
}

static inline int load(const char *const *argv, const char *const *environment,
                       struct settings *settings, struct conf *conf, struct err *err)
{
    return load_table(&fixture_table, argv, environment, settings, stdout, conf, err);
}

#endif
