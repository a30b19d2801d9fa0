/* SPDX-License-Identifier: Apache-2.0
 *
 * What was published equals what the ledgers say: table command for definitions and jobs, table job
 * for the ends of jobs, table redemption for redeem commands.
 */
#include "ctl_audit_kafka.h"

#include "base_signal.h"
#include "db_query.h"
#include "msg_event.h"

#include <inttypes.h>

#define OUTCOME_MAX ((size_t)64 * 1024 * 1024)

typedef int (*row_fn)(struct ctl_audit_kafka *audit, const struct db_result *res, int row,
                      void *opaque, struct err *err);

/* All rows of a query, some at a time. Inside a transaction. */
static int each_row(struct ctl_audit_kafka *audit, struct db_conn *db, const char *query,
                    row_fn take, void *opaque, struct err *err)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_init(&sql);
    buf_printf(&sql, "declare audit_rows no scroll cursor for %s", query);
    if (buf_failed(&sql))
        return err_nomem(err);
    if (db_exec(db, sql.data, err) < 0)
        return -1;
    for (;;) {
        CLEANUP(db_result_done) struct db_result res = {0};
        if (signal_stop_requested())
            return err_set(err, ERR_TRANSIENT, "ctl", "stopped", "interrupted");
        if (db_query_once(db, "fetch 10000 from audit_rows", NULL, &res, err) < 0)
            return -1;
        if (db_result_rows(&res) == 0)
            break;
        for (int row = 0; row < db_result_rows(&res); row++)
            if (take(audit, &res, row, opaque, err) < 0)
                return -1;
    }
    return db_exec(db, "close audit_rows", err);
}

struct text {
    const char *at;
    size_t len;
};

static struct text get(const struct db_result *res, int row, int col)
{
    struct text text = {0};
    text.at = db_get_text(res, row, col, &text.len);
    return text;
}

static struct ctl_fact *find(const struct ctl_audit_kafka *audit, enum msg_topic events,
                             struct text source, struct text id)
{
    return ctl_facts_find(&audit->facts, events, source.at, source.len, id.at, id.len);
}

/* 1 and the hash as it was noted for an event; 0: the data are no JSON. */
static int hash_of(const char *type, struct text data, uint8_t out[JSONIO_HASH_LEN],
                   struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *root = NULL;
    struct err ignored = {0};

    if (jsonio_parse(data.at, data.len, OUTCOME_MAX, &root, &ignored) < 0)
        return 0;
    return jsonio_canonical_hash(type, root, out, err) < 0 ? -1 : 1;
}

static int take_job(struct ctl_audit_kafka *audit, const struct db_result *res, int row,
                    void *opaque, struct err *err)
{
    const bool *before = opaque;
    struct text source = get(res, row, 0);
    struct text id = get(res, row, 1);
    struct ctl_fact *fact =
        ctl_facts_get(&audit->facts, MSG_TOPIC_JOB_EVENTS, source.at, source.len, id.at, id.len);
    if (!fact)
        return err_nomem(err);
    if (*before)
        fact->ended_before++;
    else
        fact->ended_after++;
    return 0;
}

int ctl_ledger_jobs(struct ctl_audit_kafka *audit, struct db_conn *db, bool before, struct err *err)
{
    return each_row(audit, db,
                    "select s.name, j.ce_id from job j join source s on s.id = j.source_id"
                    " where j.state >= 3",
                    take_job, &before, err);
}

/* kind, source, id, type, outcome */
static int compare_command(struct ctl_audit_kafka *audit, const struct db_result *res, int row,
                           void *opaque, struct err *err)
{
    struct ctl_report *report = opaque;
    enum msg_topic events = ctl_events_of_kind(db_get_int16(res, row, 0));
    struct text type = get(res, row, 3);
    uint8_t hash[JSONIO_HASH_LEN];
    struct ctl_fact *fact = find(audit, events, get(res, row, 1), get(res, row, 2));

    if (!fact)
        return 0; /* its record is gone */
    fact->in_ledger = true;
    if (!ctl_fact_must_be_answered(audit, fact) || fact->dead > 0)
        return 0;
    int got = hash_of(type.at, get(res, row, 4), hash, err);
    if (got < 0)
        return -1;
    if (got == 0 || !ctl_fact_has_said(fact, hash))
        ctl_report_command(report, "the ledger has another outcome than was published",
                           audit->names.names[events], fact->source, fact->id, type.at);
    return 0;
}

/* state, source, id, outcome */
static int compare_job(struct ctl_audit_kafka *audit, const struct db_result *res, int row,
                       void *opaque, struct err *err)
{
    struct ctl_report *report = opaque;
    int state = db_get_int16(res, row, 0);
    const char *type = msg_event_type(state == 3   ? MSG_EVENT_JOB_COMPLETED
                                      : state == 4 ? MSG_EVENT_JOB_FAILED
                                                   : MSG_EVENT_JOB_CANCELLED)
                           ->name;
    uint8_t hash[JSONIO_HASH_LEN];
    struct ctl_fact *fact = find(audit, MSG_TOPIC_JOB_EVENTS, get(res, row, 1), get(res, row, 2));

    /* Without an end that was published there is nothing to compare: judged elsewhere. */
    if (!fact || fact->records == 0 || fact->ends == 0)
        return 0;
    int got = hash_of(type, get(res, row, 3), hash, err);
    if (got < 0)
        return -1;
    if (got == 0 || !ctl_fact_has_said(fact, hash))
        ctl_report_command(report, "the job has another end than was published",
                           audit->names.names[MSG_TOPIC_JOB_EVENTS], fact->source, fact->id, type);
    return 0;
}

/* source, id, redeemed rows, their discount */
static int compare_redemption(struct ctl_audit_kafka *audit, const struct db_result *res, int row,
                              void *opaque, struct err *err)
{
    struct ctl_report *report = opaque;
    const char *topic = audit->names.names[MSG_TOPIC_REDEMPTION_EVENTS];
    int64_t redeemed = db_get_int64(res, row, 2);
    int64_t discount = db_get_int64(res, row, 3);
    struct ctl_fact *fact =
        find(audit, MSG_TOPIC_REDEMPTION_EVENTS, get(res, row, 0), get(res, row, 1));
    char detail[160];

    (void)err;
    if (!fact)
        return 0;
    fact->in_ledger = true;
    if (!ctl_fact_must_be_answered(audit, fact) || fact->dead > 0)
        return 0;
    snprintf(detail, sizeof detail,
             "ledger: %" PRId64 " codes, discount %" PRId64
             "; published: %u codes, discount %" PRId64,
             redeemed, discount, fact->redeemed ? fact->codes : 0,
             fact->redeemed ? fact->discount_minor : 0);
    if (redeemed > 0 && fact->redeemed == 0)
        ctl_report_command(report, "redeemed in the ledger, published as something else", topic,
                           fact->source, fact->id, detail);
    else if (redeemed == 0 && fact->redeemed > 0)
        ctl_report_command(report, "published as redeemed, refused in the ledger", topic,
                           fact->source, fact->id, detail);
    else if (redeemed > 0 && (redeemed != fact->codes || discount != fact->discount_minor))
        ctl_report_command(report, "the ledger has other figures than were published", topic,
                           fact->source, fact->id, detail);
    return 0;
}

int ctl_ledger_compare(struct ctl_audit_kafka *audit, struct db_conn *db, struct ctl_report *report,
                       struct err *err)
{
    ctl_report_begin(report, "kafka_outcome_equals_ledger",
                     "What was published as the outcome of a command is what the ledger says, and "
                     "nothing but refusals was published of commands without ledger.");
    if (each_row(audit, db,
                 "select m.kind, s.name, m.ce_id, m.outcome_type, m.outcome from command m"
                 " join source s on s.id = m.source_id",
                 compare_command, report, err) < 0 ||
        each_row(
            audit, db,
            "select j.state, s.name, j.ce_id, j.outcome from job j"
            " join source s on s.id = j.source_id where j.state >= 3 and j.outcome is not null",
            compare_job, report, err) < 0 ||
        each_row(audit, db,
                 "select s.name, r.ce_id, count(*) filter (where r.state in (1, 3)),"
                 "       coalesce(sum(r.discount_minor) filter (where r.state in (1, 3)), 0)::int8"
                 "  from redemption r join source s on s.id = r.source_id"
                 " group by s.name, r.ce_id",
                 compare_redemption, report, err) < 0) {
        buf_done(&report->shown);
        return -1;
    }
    for (struct ctl_fact *fact = NULL; (fact = ctl_facts_next(&audit->facts, fact));) {
        bool redeems = fact->events == MSG_TOPIC_REDEMPTION_EVENTS;
        if (fact->events != MSG_TOPIC_DEAD_LETTER && fact->records > 0 && !fact->in_ledger &&
            (redeems ? fact->redeemed : fact->positive) > 0)
            ctl_report_command(report, "published as done, and not in the ledger",
                               audit->names.names[fact->events], fact->source, fact->id, NULL);
    }
    ctl_report_end(report);
    return 0;
}
