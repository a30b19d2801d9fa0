/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl audit: the SQL checks, in one snapshot; then Kafka against the data base, then exports
 * against their manifests.
 */
#include "ctl_audit.h"

#include "db_migrate.h"
#include "db_query.h"
#include "db_tx.h"

#include <inttypes.h>

/* The comment lines behind the licence's, as one sentence; the caller frees it. */
static char *check_words(const char *text)
{
    struct buf words;
    buf_init(&words);
    for (const char *line = text; strncmp(line, "--", 2) == 0;) {
        const char *end = strchrnul(line, '\n');
        const char *from = line + 2;
        while (*from == ' ')
            from++;
        if (strncmp(from, "SPDX", 4) != 0) {
            if (words.len > 0)
                buf_add_char(&words, ' ');
            buf_add(&words, from, (size_t)(end - from));
        }
        line = *end ? end + 1 : end;
    }
    return buf_detach(&words, NULL);
}

static int run_check(struct db_conn *db, const struct ctl_check *check, struct ctl_report *report,
                     struct err *err)
{
    CLEANUP(buf_done) struct buf sql = {0};
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    buf_init(&sql);
    /* The check ends with a newline, so a comment on its last line hides nothing. */
    buf_printf(&sql,
               "select to_jsonb(violation)::text, count(*) over () from (\n%s\n) violation "
               "limit $1",
               check->text);
    db_params_init(&params);
    db_param_int8(&params, report->limit);
    if (buf_failed(&sql))
        return err_nomem(err);
    if (db_query_once(db, sql.data, &params, &res, err) < 0)
        return err_wrap(err, "check %s", check->name);
    int rows = db_result_rows(&res);
    for (int row = 0; row < rows; row++) {
        size_t len = 0;
        const char *json = db_get_text(&res, row, 0, &len);
        ctl_report_row(report, json, len);
    }
    if (rows > 0)
        ctl_report_more(report, db_get_int64(&res, 0, 1) - rows);
    return 0;
}

/*
 * Checks read whole tables, and the planner's guesses about what they join are poor: a nested loop
 * that it takes for cheap can take hours.
 */
static const char planner[] = "set local enable_nestloop = off;"
                              "set local work_mem = '128MB';"
                              "set local jit = off";

static int run_checks(struct db_conn *db, struct ctl_report *report, struct err *err)
{
    if (db_exec(db, planner, err) < 0)
        return -1;
    for (size_t i = 0; i < ctl_check_count; i++) {
        char *words = check_words(ctl_checks[i].text);
        if (!words)
            return err_nomem(err);
        ctl_report_begin(report, ctl_checks[i].name, words);
        int got = run_check(db, &ctl_checks[i], report, err);
        if (got == 0)
            ctl_report_end(report);
        else
            buf_done(&report->shown);
        free(words);
        if (got < 0)
            return -1;
    }
    return 0;
}

/* Why Kafka is left out, or NULL. */
static const char *kafka_left_out(const struct ctl *ctl)
{
    if (ctl->options.no_kafka)
        return "left out by --no-kafka";
    if (!ctl->options.brokers)
        return "no broker given (KAFKA_BROKERS)";
    return NULL;
}

static int run(struct ctl *ctl, struct ctl_report *report, struct err *err)
{
    CLEANUP(db_conn_closep) struct db_conn *db = NULL;
    CLEANUP(ctl_audit_kafka_freep) struct ctl_audit_kafka *kafka = NULL;
    const char *left_out = kafka_left_out(ctl);

    if (!left_out && ctl_audit_kafka_new(ctl, &kafka, err) < 0)
        return -1;
    if (ctl_open_db(ctl, "audit", &db, err) < 0 || db_migrate_check(db, err) < 0)
        return -1;
    if (db_exec(db, ctl_check_prelude, err) < 0)
        return err_wrap(err, "prepare the checks");
    if (db_tx_begin_mode(db, DB_TX_SNAPSHOT, err) < 0 || run_checks(db, report, err) < 0 ||
        (kafka && ctl_audit_kafka_before(kafka, db, err) < 0) || db_tx_commit(db, err) < 0)
        return -1;
    if (left_out)
        ctl_report_skip(report, "kafka", left_out);
    else if (ctl_audit_kafka_run(kafka, db, report, err) < 0)
        return -1;
    if (!ctl->options.export_dir)
        ctl_report_skip(report, "exports", "no directory given (--export-dir)");
    else if (ctl_audit_exports(report, db, ctl->options.export_dir, err) < 0)
        return -1;
    return 0;
}

int ctl_audit(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    struct ctl_report report = {.json = ctl->options.json, .limit = ctl->options.limit};

    if (run(ctl, &report, err) < 0)
        return err_wrap(err, "audit");
    if (!ctl->options.json && report.failed)
        printf("%d of %d checks are broken\n", report.failed, report.checked);
    else if (!ctl->options.json)
        printf("%d checks, all is well\n", report.checked);
    *ret_exit = report.failed ? CTL_NEGATIVE : CTL_OK;
    return 0;
}
