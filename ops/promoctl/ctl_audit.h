/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of promoctl audit. Each part checks invariants one after the other and tells the report
 * what it found; a part that could not look (server away) fails.
 */
#ifndef CTL_AUDIT_H
#define CTL_AUDIT_H

#include "base_buf.h"
#include "ctl.h"
#include "db_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An SQL check as it was built in from schemas/sql/checks, in order of the names. */
struct ctl_check {
    const char *name; /* "01_code_uses_within_limit" */
    const char *text; /* comment lines that say the invariant, then one query */
};
extern const struct ctl_check ctl_checks[];
extern const size_t ctl_check_count;
/* Run before them, once a session. */
extern const char ctl_check_prelude[];

/* One check at a time: begin, rows, end. */
struct ctl_report {
    bool json;
    int64_t limit; /* rows shown of each check */
    int checked;
    int failed;
    /* private */
    const char *name;
    const char *words;
    int64_t rows;
    int64_t started_us;
    struct buf shown;
};

/* Both texts must live until the end of the check. */
void ctl_report_begin(struct ctl_report *report, const char *name, const char *words);
/* A violation, as JSON object of len bytes. */
void ctl_report_row(struct ctl_report *report, const char *json, size_t len);
/* Violations that are counted and not shown. */
void ctl_report_more(struct ctl_report *report, int64_t rows);
void ctl_report_end(struct ctl_report *report);
/* A check that was not made, and why. */
void ctl_report_skip(struct ctl_report *report, const char *name, const char *why);
/* Something to know that is no violation. */
void ctl_report_note(struct ctl_report *report, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ctl_audit_export.c: every manifest below the directory. */
int ctl_audit_exports(struct ctl_report *report, struct db_conn *db, const char *dir,
                      struct err *err) MUST_CHECK;

/*
 * ctl_audit_kafka.c. What has to be known of the data base before Kafka is read is taken first, in
 * the transaction of the SQL checks; the rest after that, because a command may be applied
 * meanwhile.
 */
struct ctl_audit_kafka;
int ctl_audit_kafka_new(const struct ctl *ctl, struct ctl_audit_kafka **ret,
                        struct err *err) MUST_CHECK;
void ctl_audit_kafka_free(struct ctl_audit_kafka *audit); /* takes NULL */
DEFINE_CLEANUP(struct ctl_audit_kafka, ctl_audit_kafka_free)
/* Inside the snapshot of the SQL checks: how far each topic is known to be answered. */
int ctl_audit_kafka_before(struct ctl_audit_kafka *audit, struct db_conn *db,
                           struct err *err) MUST_CHECK;
/* Outside a transaction. */
int ctl_audit_kafka_run(struct ctl_audit_kafka *audit, struct db_conn *db,
                        struct ctl_report *report, struct err *err) MUST_CHECK;

#endif
