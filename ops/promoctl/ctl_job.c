/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl job watch, promoctl job list
 */
#include "base_digest.h"
#include "base_signal.h"
#include "ctl.h"
#include "ctl_print.h"
#include "ctl_sql.h"
#include "db_query.h"
#include "jsonio_writer.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#define LOOK_MS 500
/* A command that was just sent becomes a job in a moment. */
#define APPEAR_MS 10000
/* How long a data base that went away is waited for. */
#define RETURN_MS 60000

/* The numbers of the columns job.kind and job.state. */
static const char *kind_name(int kind)
{
    static const char *const names[] = {"codes_generate", "codes_export", "redemptions_export"};
    return kind >= 1 && kind <= (int)ARRAY_LEN(names) ? names[kind - 1] : "unknown";
}

static const char *state_name(int state)
{
    static const char *const names[] = {"running", "paused", "completed", "failed", "cancelled"};
    return state >= 1 && state <= (int)ARRAY_LEN(names) ? names[state - 1] : "unknown";
}

struct watch {
    struct ctl *ctl;
    struct db_conn *db;
    bool found;
    uint8_t job[DIGEST_UUID_LEN];
    char job_text[DIGEST_UUID_TEXT];
    /* as last read */
    int kind;
    int state;
    int64_t total;
    int64_t done;
    int lanes_open;
    int lanes_left;
    double seconds; /* since it was accepted, up to its end */
    struct buf outcome;
    /* rate */
    double rate;
    int64_t rate_done;
    int64_t rate_us;
    int64_t told_done; /* as last written, -1: nothing */
    int told_state;
};

/* 1 found; 0 not there (yet). */
static int find_job(struct watch *watch, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    const char *wanted = watch->ctl->args[0];

    db_params_init(&params);
    db_param_text(&params, wanted);
    if (db_query(watch->db, &ctl_sql_job_find, &params, &res, err) < 0)
        return -1;
    if (db_result_rows(&res) > 1)
        return err_set(err, ERR_POISON, "ctl", "ambiguous",
                       "several sources have sent a command %s: name the job (promoctl job list)",
                       wanted);
    if (db_result_rows(&res) == 1) {
        memcpy(watch->job, db_get_uuid(&res, 0, 0), sizeof watch->job);
        digest_uuid_text(watch->job, watch->job_text);
        watch->found = true;
        return 1;
    }
    if (db_query(watch->db, &ctl_sql_job_refused, &params, &res, err) < 0)
        return -1;
    if (db_result_rows(&res) > 0)
        return err_set(err, ERR_POISON, "ctl", "refused", "the command was refused: %.300s",
                       db_get_text(&res, 0, 1, NULL));
    return 0;
}

static int read_job(struct watch *watch, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_uuid(&params, watch->job);
    if (db_query(watch->db, &ctl_sql_job_watch, &params, &res, err) < 0)
        return -1;
    if (db_result_rows(&res) == 0)
        return err_set(err, ERR_POISON, "ctl", "no_job", "job %s is gone", watch->job_text);
    watch->kind = db_get_int32(&res, 0, 0);
    watch->state = db_get_int32(&res, 0, 1);
    watch->total = db_get_int64(&res, 0, 2);
    watch->done = db_get_int64(&res, 0, 3);
    watch->seconds = strtod(db_get_text(&res, 0, 5, NULL), NULL);
    watch->lanes_open = db_get_int32(&res, 0, 6);
    watch->lanes_left = db_get_int32(&res, 0, 7);
    buf_clear(&watch->outcome);
    if (!db_is_null(&res, 0, 4))
        buf_add_str(&watch->outcome, db_get_text(&res, 0, 4, NULL));
    return buf_failed(&watch->outcome) ? err_nomem(err) : 0;
}

/* Over the whole life at first, then following what happens. */
static void reckon_rate(struct watch *watch)
{
    int64_t now = clock_mono(&clock_real);
    if (watch->state >= 3 || watch->rate_us == 0) {
        watch->rate = watch->seconds > 0 ? (double)watch->done / watch->seconds : 0;
    } else {
        double elapsed = (double)(now - watch->rate_us) / (double)TIME_US_PER_S;
        double last =
            (double)(watch->done - watch->rate_done) / (elapsed > 0.001 ? elapsed : 0.001);
        watch->rate += (last - watch->rate) * 0.25;
    }
    watch->rate_us = now;
    watch->rate_done = watch->done;
}

static void write_json(struct watch *watch)
{
    CLEANUP(buf_done) struct buf buf = {0};
    struct jsonio_writer writer;
    double left = watch->rate > 0 ? (double)(watch->total - watch->done) / watch->rate : -1;

    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "job", watch->job_text);
    jsonio_add_text(&writer, "kind", kind_name(watch->kind));
    jsonio_add_text(&writer, "state", state_name(watch->state));
    jsonio_add_int(&writer, "total", watch->total);
    jsonio_add_int(&writer, "done", watch->done);
    jsonio_add_int(&writer, "lanes_open", watch->lanes_open);
    jsonio_add_int(&writer, "lanes_left", watch->lanes_left);
    jsonio_add_int(&writer, "rate_per_s", (int64_t)watch->rate);
    if (watch->state < 3 && left >= 0)
        jsonio_add_int(&writer, "eta_s", (int64_t)left);
    jsonio_put_key(&writer, "elapsed_s");
    jsonio_put_double(&writer, round(watch->seconds * 1000) / 1000);
    if (watch->outcome.len > 0) {
        jsonio_put_key(&writer, "outcome");
        jsonio_put_raw(&writer, watch->outcome.data, watch->outcome.len);
    }
    jsonio_end_object(&writer);
    buf_add_char(&buf, '\n');
    if (!buf_failed(&buf))
        fwrite(buf.data, 1, buf.len, stdout);
    fflush(stdout);
}

static void tell(struct watch *watch, bool people)
{
    char label[64];
    if (people) {
        snprintf(label, sizeof label, "%s %s", kind_name(watch->kind), state_name(watch->state));
        ctl_progress(label, watch->done, watch->total, watch->rate);
    } else if (watch->told_done != watch->done || watch->told_state != watch->state) {
        write_json(watch);
    }
    watch->told_done = watch->done;
    watch->told_state = watch->state;
}

static void tell_end(const struct watch *watch)
{
    char done[CTL_FIGURE_MAX], total[CTL_FIGURE_MAX], rate[CTL_FIGURE_MAX], time[CTL_FIGURE_MAX];
    ctl_progress_clear();
    printf("job %s: %s %s, %s of %s in %s (%s/s)\n", watch->job_text, kind_name(watch->kind),
           state_name(watch->state), ctl_grouped_int(watch->done, done),
           ctl_grouped_int(watch->total, total), ctl_seconds(watch->seconds, time),
           ctl_grouped_int((int64_t)watch->rate, rate));
    if (watch->state != 3 && watch->outcome.len > 0)
        printf("%s\n", watch->outcome.data);
}

static int open_db(void *opaque, struct err *err)
{
    struct watch *watch = opaque;
    return ctl_open_db(watch->ctl, "watch", &watch->db, err);
}

/* 1: the job has ended; 0: look again. */
static int look(struct watch *watch, struct err *err)
{
    if (!watch->db && ctl_retry(RETURN_MS, "PostgreSQL", open_db, watch, err) < 0)
        return -1;
    int found = watch->found ? 1 : find_job(watch, err);
    if (found <= 0)
        return found;
    if (read_job(watch, err) < 0)
        return -1;
    reckon_rate(watch);
    return watch->state >= 3;
}

static int watch_job(struct watch *watch, int64_t timeout_ms, enum ctl_exit *ret_exit,
                     struct err *err)
{
    const int64_t start = clock_mono(&clock_real);
    const bool people = ctl_progress_on() && isatty(STDOUT_FILENO);

    for (;;) {
        int ended = look(watch, err);
        if (ended < 0 && err->kind == ERR_TRANSIENT && watch->db && !signal_stop_requested()) {
            /* The server went away: a new connection goes on where this one was. */
            db_conn_close(watch->db);
            watch->db = NULL;
            continue;
        }
        if (ended < 0)
            return -1;
        if (watch->found)
            tell(watch, people);
        if (ended > 0) {
            if (people)
                tell_end(watch);
            *ret_exit = watch->state == 3 ? CTL_OK : CTL_NEGATIVE;
            return 0;
        }
        int64_t elapsed_ms = (clock_mono(&clock_real) - start) / TIME_US_PER_MS;
        if (!watch->found && elapsed_ms >= (timeout_ms ? timeout_ms : APPEAR_MS))
            return err_set(err, ERR_POISON, "ctl", "no_job",
                           "there is no job %s, nor one of a "
                           "command of this id",
                           watch->ctl->args[0]);
        if (timeout_ms && elapsed_ms >= timeout_ms) {
            ctl_progress_clear();
            fprintf(stderr, "promoctl: the time is over: job %s is still %s\n", watch->job_text,
                    state_name(watch->state));
            *ret_exit = CTL_TIMEOUT;
            return 0;
        }
        if (!signal_sleep_ms(LOOK_MS))
            return err_set(err, ERR_TRANSIENT, "ctl", "stopped", "interrupted");
    }
}

int ctl_job_watch(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    struct watch watch = {.ctl = ctl, .told_done = -1};
    int64_t timeout_ms = 0;

    if (ctl_timeout_ms(ctl, 0, &timeout_ms, err) < 0)
        return -1;
    buf_init(&watch.outcome);
    int got = watch_job(&watch, timeout_ms, ret_exit, err);
    if (got < 0)
        ctl_progress_clear();
    db_conn_close(watch.db);
    buf_done(&watch.outcome);
    return got;
}

int ctl_job_list(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    static const struct ctl_column columns[] = {
        {"job", false},     {"kind", false},     {"state", false},  {"source", false},
        {"command", false}, {"campaign", false}, {"coupon", false}, {"total", true},
        {"done", true},     {"accepted", false}, {"seconds", true}};
    CLEANUP(db_conn_closep) struct db_conn *db = NULL;
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    struct ctl_table table;

    db_params_init(&params);
    db_param_int4(&params, ctl->options.state);
    db_param_int4(&params, (int32_t)ctl->options.limit);
    if (ctl_open_db(ctl, "list", &db, err) < 0 ||
        db_query(db, &ctl_sql_job_list, &params, &res, err) < 0)
        return -1;
    ctl_table_begin(&table, columns, ARRAY_LEN(columns), ctl->options.json, stdout);
    for (int row = 0; row < db_result_rows(&res); row++) {
        char time[TIME_TEXT_MAX];
        ctl_table_text(&table, db_get_text(&res, row, 0, NULL));
        ctl_table_text(&table, kind_name(db_get_int32(&res, row, 1)));
        ctl_table_text(&table, state_name(db_get_int32(&res, row, 2)));
        for (int col = 3; col <= 6; col++)
            ctl_table_text(&table,
                           db_is_null(&res, row, col) ? NULL : db_get_text(&res, row, col, NULL));
        ctl_table_int(&table, db_get_int64(&res, row, 7));
        ctl_table_int(&table, db_get_int64(&res, row, 8));
        ctl_table_text(&table, time_format(db_get_timestamptz(&res, row, 9), time));
        ctl_table_text(&table, db_get_text(&res, row, 10, NULL));
    }
    ctl_table_end(&table);
    *ret_exit = CTL_OK;
    return 0;
}
