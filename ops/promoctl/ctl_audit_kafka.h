/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Kafka audit share: ctl_audit_kafka.c reads the topics, ctl_audit_ledger.c
 * compares them with the data base.
 */
#ifndef CTL_AUDIT_KAFKA_H
#define CTL_AUDIT_KAFKA_H

#include "ctl_audit.h"
#include "ctl_facts.h"
#include "kafka_conf.h"

/* A partition of a command topic whose commands up to `from` are known to be answered. */
struct ctl_answered {
    enum msg_topic topic;
    int32_t partition;
    int64_t from;
};

struct ctl_audit_kafka {
    struct kafka_settings settings;
    struct msg_topics names;
    struct ctl_facts facts;
    struct ctl_answered *answered;
    size_t answered_count;
    bool cut[MSG_TOPIC_COUNT]; /* its oldest records are gone (retention) */
    int64_t records;           /* commands read */
    int64_t pending;
    int64_t unjudged; /* commands without an outcome in a topic that is cut */
};

/* Where the commands of a row of table command are answered. kind: enum msg_kind */
enum msg_topic ctl_events_of_kind(int kind);
/* A violation about a command. */
void ctl_report_command(struct ctl_report *report, const char *what, const char *topic,
                        const char *source, const char *id, const char *detail);
/* Can the absence of an outcome be held against this command? */
bool ctl_fact_must_be_answered(const struct ctl_audit_kafka *audit, const struct ctl_fact *fact);

/* ctl_audit_ledger.c. Reads the terminal jobs into ended_before or ended_after. */
int ctl_ledger_jobs(struct ctl_audit_kafka *audit, struct db_conn *db, bool before,
                    struct err *err) MUST_CHECK;
/* Inside a snapshot taken after Kafka was read. */
int ctl_ledger_compare(struct ctl_audit_kafka *audit, struct db_conn *db, struct ctl_report *report,
                       struct err *err) MUST_CHECK;

#endif
