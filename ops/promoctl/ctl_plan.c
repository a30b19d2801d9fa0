/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl plan: what the generate command would check and come to, without its effect.
 */
#include "base_digest.h"
#include "codes_capacity.h"
#include "codes_pattern.h"
#include "codes_strata.h"
#include "codes_words.h"
#include "ctl.h"
#include "ctl_print.h"
#include "db_query.h"
#include "jsonio_writer.h"

#include <inttypes.h>
#include <math.h>

#define SAMPLES 3
/* Columns of table code beside the key: batch_id, serial, uses, flags. */
#define CODE_ROW_BYTES 14
/* A plan without the data base is of use, too: do not wait long for one that is away. */
#define CONNECT_MS 3000

struct plan {
    struct codes_pattern *pattern;
    struct codes_words *words;
    struct codes_capacity figures;
    const char *unknown; /* why the data base said nothing; NULL: it did */
    struct err db_err;
    double rate; /* codes a second of the last jobs; 0: unknown */
    bool refused;
    bool warned;
    struct err verdict;
    size_t sample_count;
    struct codes_code samples[SAMPLES];
};

static void plan_done(struct plan *plan)
{
    codes_pattern_free(plan->pattern);
    codes_words_free(plan->words);
}

/* 1 and a copy of the coupon's pattern (NULL: it has none); -1: no such coupon either. */
static int coupon_pattern(struct db_conn *db, const char *coupon, char **ret_pattern,
                          struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, coupon);
    if (db_query_once(db, "select pattern from coupon where ext_id = $1", &params, &res, err) < 0)
        return -1;
    if (db_result_rows(&res) == 0)
        return err_set(err, ERR_POISON, "ctl", "unknown_coupon", "there is no coupon %s", coupon);
    if (db_is_null(&res, 0, 0))
        return 1;
    *ret_pattern = strdup(db_get_text(&res, 0, 0, NULL));
    return *ret_pattern ? 1 : err_nomem(err);
}

static int read_pattern(const struct ctl *ctl, struct db_conn *db, struct plan *plan,
                        struct err *err)
{
    const struct ctl_options *options = &ctl->options;
    bool shaped = options->length || options->charset || options->code_prefix || options->suffix ||
                  options->dash_every;
    char *found = NULL;

    if (options->pattern && shaped)
        return ctl_usage(err, "--pattern together with --length, --charset, --prefix, --suffix or "
                              "--dash-every: give one of both");
    if (options->coupon && !options->pattern && !shaped &&
        coupon_pattern(db, options->coupon, &found, err) < 0)
        return -1;
    const char *text = options->pattern ? options->pattern : found;
    int got;
    if (text) {
        got = codes_pattern_parse(text, strlen(text), options->check, &plan->pattern, err);
    } else if (shaped) {
        struct codes_format format = {
            .length = (unsigned)options->length,
            .charset = options->charset,
            .prefix = options->code_prefix,
            .suffix = options->suffix,
            .dash_every = (unsigned)options->dash_every,
            .check = options->check,
        };
        got = codes_pattern_from_format(&format, &plan->pattern, err);
    } else {
        got = codes_pattern_parse(CODES_PATTERN_DEFAULT, strlen(CODES_PATTERN_DEFAULT),
                                  options->check, &plan->pattern, err);
    }
    free(found);
    return got < 0 ? err_wrap(err, "pattern") : 0;
}

static int read_words(const struct ctl *ctl, struct plan *plan, struct err *err)
{
    if (codes_words_new(ctl->blocked_words, ctl->blocked_count, true, &plan->words, err) < 0)
        return err_wrap(err, "blocked words");
    return 0;
}

/* Codes of the space that exist or are reserved; 0 where the space is new. */
static int read_live(struct db_conn *db, const struct codes_pattern *pattern, codes_u128 *ret_live,
                     struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, codes_pattern_fingerprint(pattern));
    if (db_query_once(db, "select live from space where fingerprint = $1", &params, &res, err) < 0)
        return -1;
    *ret_live = db_result_rows(&res) > 0 ? (codes_u128)db_get_int64(&res, 0, 0) : 0;
    return 0;
}

/* Codes a second over the last five completed jobs; 0: there is none. */
static int read_rate(struct db_conn *db, double *ret_rate, struct err *err)
{
    static const char sql[] =
        "select coalesce((sum(done) / greatest(sum(extract(epoch from finished_at - accepted_at)),"
        "                                      0.001))::bigint, 0)"
        "  from (select done, accepted_at, finished_at"
        "          from job"
        "         where kind = 1 and state = 3 and done >= 1000"
        "         order by finished_at desc limit 5) j";
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query_once(db, sql, NULL, &res, err) < 0)
        return -1;
    *ret_rate = (double)db_get_int64(&res, 0, 0);
    return 0;
}

/* Codes that a job could make, under a key that nobody keeps. */
static int draw_samples(const struct ctl *ctl, struct plan *plan, struct err *err)
{
    CLEANUP(codes_strata_freep) struct codes_strata *strata = NULL;
    uint8_t key[CODES_KEY_LEN];
    codes_u128 space = codes_pattern_space(plan->pattern);
    uint64_t count = (uint64_t)ctl->options.count;

    if (count > space)
        count = (uint64_t)space;
    digest_random(key, sizeof key);
    if (codes_strata_new(plan->pattern, count, key, &strata, err) < 0)
        return -1;
    size_t wanted = count < SAMPLES ? (size_t)count : SAMPLES;
    for (size_t i = 0; i < wanted; i++) {
        /* Some serial of the i-th part of them. */
        uint64_t serial = 0;
        digest_random(&serial, sizeof serial);
        serial = count / wanted * i + serial % (count / wanted);
        for (unsigned attempt = 0; attempt <= CODES_REDRAWS; attempt++) {
            struct codes_code *code = &plan->samples[plan->sample_count];
            if (codes_strata_redraw(strata, serial, attempt, code, err) < 0)
                return -1;
            if (!codes_words_hit(plan->words, code->key, code->key_len)) {
                plan->sample_count++;
                break;
            }
        }
    }
    return 0;
}

static int make_plan(struct ctl *ctl, struct plan *plan, struct err *err)
{
    CLEANUP(db_conn_closep) struct db_conn *db = NULL;
    codes_u128 allowed = 0;
    codes_u128 live = 0;

    if (!ctl->options.pg_url)
        plan->unknown = "no data base given (PGURL)";
    else if (ctl_open_db(ctl, "plan", &db, &plan->db_err) < 0)
        plan->unknown = plan->db_err.text;
    if (ctl->options.coupon && !db) {
        if (!ctl->options.pg_url)
            return ctl_usage(err, "--coupon needs the data base: set PGURL or --pg-url");
        *err = plan->db_err;
        return -1;
    }
    if (read_pattern(ctl, db, plan, err) < 0 || read_words(ctl, plan, err) < 0 ||
        codes_words_count(plan->words, plan->pattern, &allowed, err) < 0)
        return -1;
    if (db && (read_live(db, plan->pattern, &live, &plan->db_err) < 0 ||
               read_rate(db, &plan->rate, &plan->db_err) < 0)) {
        plan->unknown = plan->db_err.text;
        live = 0;
        plan->rate = 0;
    }
    codes_capacity_figure(plan->pattern, allowed, live, (uint64_t)ctl->options.count,
                          CODE_ROW_BYTES, false, &plan->figures);
    int verdict =
        codes_capacity_verdict(&plan->figures, ctl->options.allow_guessable, &plan->verdict);
    plan->refused = verdict < 0;
    plan->warned = verdict > 0;
    return draw_samples(ctl, plan, err);
}

static const char *verdict_name(const struct plan *plan)
{
    if (plan->refused)
        return plan->verdict.code;
    return plan->warned ? "fits_guessable" : "fits";
}

static void put_u128(struct jsonio_writer *writer, const char *name, codes_u128 value)
{
    char text[CODES_U128_TEXT];
    jsonio_add_text(writer, name, codes_u128_text(value, text));
}

static void print_json(const struct plan *plan)
{
    const struct codes_capacity *figures = &plan->figures;
    CLEANUP(buf_done) struct buf buf = {0};
    struct jsonio_writer writer;

    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "verdict", verdict_name(plan));
    jsonio_add_text(&writer, "message", plan->refused ? plan->verdict.text : NULL);
    jsonio_add_text(&writer, "pattern", codes_pattern_text(plan->pattern));
    put_u128(&writer, "space", figures->space);
    jsonio_put_key(&writer, "bits");
    jsonio_put_double(&writer, round(figures->bits * 100) / 100);
    put_u128(&writer, "allowed", figures->allowed);
    if (plan->unknown)
        jsonio_add_text(&writer, "live", NULL);
    else
        put_u128(&writer, "live", figures->live);
    jsonio_add_text(&writer, "live_unknown", plan->unknown);
    put_u128(&writer, "available", figures->available);
    jsonio_add_int(&writer, "requested", (int64_t)figures->requested);
    jsonio_put_key(&writer, "share");
    jsonio_put_double(&writer, figures->share);
    put_u128(&writer, "guess_odds", figures->odds);
    jsonio_add_int(&writer, "bytes", (int64_t)figures->bytes);
    jsonio_put_key(&writer, "rate_per_s");
    if (plan->rate > 0)
        jsonio_put_double(&writer, plan->rate);
    else
        jsonio_put_null(&writer);
    jsonio_put_key(&writer, "expected_s");
    if (plan->rate > 0)
        jsonio_put_double(&writer, (double)figures->requested / plan->rate);
    else
        jsonio_put_null(&writer);
    jsonio_put_key(&writer, "samples");
    jsonio_begin_array(&writer);
    for (size_t i = 0; i < plan->sample_count; i++)
        jsonio_put_text(&writer, plan->samples[i].display);
    jsonio_end_array(&writer);
    jsonio_end_object(&writer);
    buf_add_char(&buf, '\n');
    if (!buf_failed(&buf))
        fwrite(buf.data, 1, buf.len, stdout);
}

static void line_u128(const char *label, codes_u128 value, const char *rest)
{
    char digits[CODES_U128_TEXT];
    char text[CTL_FIGURE_MAX];
    printf("%-15s %s%s\n", label, ctl_grouped(codes_u128_text(value, digits), text), rest);
}

static void print_verdict(const struct plan *plan)
{
    if (plan->refused)
        printf("%-15s refused (%s): %s\n", "verdict", plan->verdict.code, plan->verdict.text);
    else if (plan->figures.guessable)
        printf("%-15s fits; easy to guess, taken only with allow_guessable\n", "verdict");
    else if (plan->warned)
        printf("%-15s fits; warning: fewer than a thousand million guesses for one hit\n",
               "verdict");
    else
        printf("%-15s fits\n", "verdict");
}

static void print_text(const struct plan *plan)
{
    const struct codes_capacity *figures = &plan->figures;
    char rest[CTL_FIGURE_MAX + 32];
    char text[CTL_FIGURE_MAX];

    printf("%-15s %s\n", "pattern", codes_pattern_text(plan->pattern));
    snprintf(rest, sizeof rest, " strings (%.1f bits)", figures->bits);
    line_u128("space", figures->space, rest);
    line_u128("not blocked", figures->allowed, "");
    if (plan->unknown)
        printf("%-15s unknown, taken as 0: %s\n", "live codes", plan->unknown);
    else
        line_u128("live codes", figures->live, "");
    line_u128("available", figures->available, "");
    line_u128("asked for", figures->requested, "");
    if (figures->share < 1e-8)
        printf("%-15s less than 0.000001 %%\n", "share used");
    else
        printf("%-15s %.6g %%\n", "share used", figures->share * 100);
    line_u128("odds of a guess", figures->odds, " guesses for one hit");
    printf("%-15s %s, %.0f bytes a code with its index\n", "on disk",
           ctl_bytes(figures->bytes, text), figures->bytes_per_code);
    if (plan->rate > 0) {
        char rate[CTL_FIGURE_MAX];
        printf("%-15s %s at %s codes/s, as the last jobs had\n", "expected time",
               ctl_seconds((double)figures->requested / plan->rate, text),
               ctl_grouped_int((int64_t)plan->rate, rate));
    } else {
        printf("%-15s unknown: %s\n", "expected time",
               plan->unknown ? "no data base" : "no job of 1,000 codes or more has completed yet");
    }
    for (size_t i = 0; i < plan->sample_count; i++)
        printf("%-15s %s\n", i == 0 ? "such as" : "", plan->samples[i].display);
    print_verdict(plan);
}

int ctl_plan(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    struct plan plan = {0};
    int got = make_plan(ctl, &plan, err);
    if (got == 0) {
        if (ctl->options.json)
            print_json(&plan);
        else
            print_text(&plan);
        *ret_exit = plan.refused ? CTL_NEGATIVE : CTL_OK;
    }
    plan_done(&plan);
    return got;
}
