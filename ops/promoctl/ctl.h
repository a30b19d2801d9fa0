/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl: what its verbs have in common. A verb is one function in a file of its own; ctl_main.c
 * finds it, reads its options, runs it, prints its error and turns it into an exit code.
 *
 * Results go to stdout; errors (one line) and progress (on a terminal only) to stderr.
 */
#ifndef CTL_H
#define CTL_H

#include "base_attr.h"
#include "base_err.h"
#include "base_time.h"
#include "conf.h"
#include "db_conn.h"
#include "kafka_conf.h"
#include "msg_topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctl_exit {
    CTL_OK = 0,
    CTL_NEGATIVE = 1,     /* done, and the answer is a bad one; or it could not be done  */
    CTL_USAGE = 2,        /* options, arguments or input are wrong; nothing was done     */
    CTL_UNREACHABLE = 3,  /* PostgreSQL or Kafka does not answer, or does not let us in  */
    CTL_TIMEOUT = 4,      /* --timeout is over                                           */
    CTL_INTERRUPTED = 130 /* Ctrl-C                                                      */
};

/* Bits of struct conf_option.programs: which verb uses an option. */
enum ctl_bit {
    CTL_MIGRATE = 1 << 0,
    CTL_TOPICS_APPLY = 1 << 1,
    CTL_PLAN = 1 << 2,
    CTL_SUBMIT = 1 << 3,
    CTL_JOB_WATCH = 1 << 4,
    CTL_JOB_LIST = 1 << 5,
    CTL_CODE_SHOW = 1 << 6,
    CTL_AUDIT = 1 << 7,
};

struct ctl_options {
    const char *pg_url;
    const char *brokers;
    const char *prefix;
    bool json;
    const char *timeout; /* as typed; see ctl_timeout_ms            */
    int64_t replication; /* topics apply                            */
    bool alter;          /* topics apply                            */
    int64_t count;       /* plan ...                                */
    const char *pattern;
    int64_t length;
    const char *charset;
    const char *code_prefix;
    const char *suffix;
    int64_t dash_every;
    bool check;
    bool allow_guessable;
    const char *blocked_word; /* stands for the repeated flag: see struct ctl */
    const char *coupon;
    bool wait; /* submit ...                              */
    bool pipeline;
    int64_t window;
    int state;     /* job list: as in job.state, 0: any       */
    int64_t limit; /* job list, audit                         */
    bool no_kafka; /* audit                                   */
    const char *export_dir;
};

struct ctl {
    struct ctl_options options;
    struct conf conf;
    char **args; /* positional arguments after the verb */
    size_t arg_count;
    const char **blocked_words; /* one for each --blocked-word */
    size_t blocked_count;
};

/* 0 and *ret_exit, or -1 and *err, which decides the exit code (ctl_exit_of). */
typedef int (*ctl_verb_fn)(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);

int ctl_migrate(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_topics_apply(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_plan(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_submit(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_job_watch(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_job_list(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_code_show(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);
int ctl_audit(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err);

/* ctl_options.c: the option table; bit says whose help and checks are wanted. */
const struct conf_option *ctl_option_rows(size_t *ret_count);

/* ctl_server.c */
/* A usage error: domain "ctl", code "usage". Returns -1. */
int ctl_usage(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum ctl_exit ctl_exit_of(const struct err *err);
/* Fails with a usage error when --pg-url or --kafka-brokers is not given. */
int ctl_open_db(const struct ctl *ctl, const char *purpose, struct db_conn **ret_db,
                struct err *err) MUST_CHECK;
int ctl_kafka_settings(const struct ctl *ctl, struct kafka_settings *ret_settings,
                       struct err *err) MUST_CHECK;
int ctl_topic_names(const struct ctl *ctl, struct msg_topics *ret_names,
                    struct err *err) MUST_CHECK;
/* --timeout in milliseconds: a bare number counts seconds; fallback_ms when it is not given. */
int ctl_timeout_ms(const struct ctl *ctl, int64_t fallback_ms, int64_t *ret_ms,
                   struct err *err) MUST_CHECK;
/*
 * Call attempt() until it succeeds, fails for good (not ERR_TRANSIENT) or the time is over: then
 * its last error comes back. Backs off with jitter; says on stderr once what it waits for.
 */
typedef int (*ctl_attempt_fn)(void *opaque, struct err *err);
int ctl_retry(int64_t timeout_ms, const char *what, ctl_attempt_fn attempt, void *opaque,
              struct err *err) MUST_CHECK;

#endif
