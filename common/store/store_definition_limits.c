/* SPDX-License-Identifier: Apache-2.0 */
#include "store_definition_internal.h"

#include "db_query.h"
#include "store_sql.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* How a kind of limit is counted. Statements of NULL: nothing to do. */
struct way {
    const char *pointer;
    const struct db_stmt *fill;  /* $1 id, [$2 total,] the limit: returns the highest */
    const struct db_stmt *worst; /* NULL: counters of (scope, id)                     */
    const struct db_stmt *drop;  /* NULL: counters of (scope, id)                     */
    int16_t scope;               /* 0: has no counters                                */
    bool total;
};

static const struct way *way_of(enum limit_kind kind)
{
    static const struct way campaign_total = {
        "/limits/total", &store_sql_campaign_counters_fill, NULL, NULL, SCOPE_CAMPAIGN, true};
    static const struct way campaign_customer = {"/limits/per_customer",
                                                 &store_sql_campaign_counters_fill,
                                                 NULL,
                                                 NULL,
                                                 SCOPE_CAMPAIGN,
                                                 false};
    static const struct way coupon_total = {
        "/limits/total", &store_sql_coupon_counters_fill, NULL, NULL, SCOPE_COUPON, true};
    static const struct way coupon_customer = {
        "/limits/per_customer", &store_sql_coupon_counters_fill, NULL, NULL, SCOPE_COUPON, false};
    static const struct way code_uses = {
        "/code_defaults/max_uses", NULL, &store_sql_coupon_code_uses_worst, NULL, 0, true};
    static const struct way code_customer = {"/code_defaults/per_customer",
                                             &store_sql_coupon_code_counters_fill,
                                             &store_sql_coupon_code_counters_worst,
                                             &store_sql_coupon_code_counters_drop,
                                             SCOPE_CODE,
                                             false};

    switch (kind) {
    case LIMIT_CAMPAIGN_TOTAL:
        return &campaign_total;
    case LIMIT_CAMPAIGN_CUSTOMER:
        return &campaign_customer;
    case LIMIT_COUPON_TOTAL:
        return &coupon_total;
    case LIMIT_COUPON_CUSTOMER:
        return &coupon_customer;
    case LIMIT_CODE_USES:
        return &code_uses;
    case LIMIT_CODE_CUSTOMER:
        return &code_customer;
    }
    assert(!"no such limit");
    return NULL;
}

static void subject_params(struct db_params *params, const struct way *way, int32_t id)
{
    char subject[16];

    snprintf(subject, sizeof(subject), "%" PRId32, id);
    db_param_int2(params, way->scope);
    db_param_text(params, subject);
    db_param_bool(params, way->total);
}

/* The highest number of uses that a limit has to allow. */
static int worst(struct db_conn *db, const struct way *way, int32_t id, int64_t *ret_uses,
                 struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    if (way->worst != NULL)
        db_param_int4(&params, id);
    else
        subject_params(&params, way, id);
    if (db_query(db, way->worst != NULL ? way->worst : &store_sql_definition_counters_worst,
                 &params, &res, err) < 0)
        return err_wrap(err, "look at the uses under a limit");
    *ret_uses = db_get_int64(&res, 0, 0);
    return 0;
}

static int fill(struct db_conn *db, const struct way *way, int32_t id, int64_t limit,
                int64_t *ret_uses, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_int4(&params, id);
    if (way->scope != SCOPE_CODE)
        db_param_bool(&params, way->total);
    db_param_int8(&params, limit);
    if (db_query(db, way->fill, &params, &res, err) < 0)
        return err_wrap(err, "count the uses under a new limit");
    *ret_uses = db_get_int64(&res, 0, 0);
    return 0;
}

static int drop(struct db_conn *db, const struct way *way, int32_t id, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    if (way->scope == 0)
        return 0;
    db_params_init(&params);
    if (way->drop != NULL)
        db_param_int4(&params, id);
    else
        subject_params(&params, way, id);
    if (db_query(db, way->drop != NULL ? way->drop : &store_sql_definition_counters_drop, &params,
                 NULL, err) < 0)
        return err_wrap(err, "drop the counters of a limit");
    return 0;
}

static int refuse(const struct way *way, const struct limit *limit, int64_t uses,
                  struct err *ret_refused)
{
    return REFUSE(ret_refused, LIMIT_BELOW_USES, way->pointer,
                  "The limit of %" PRId64 " lies below the %" PRId64 " uses there are%s.",
                  limit->now, uses, way->total ? "" : " of one customer");
}

static bool is_counted(const struct limit *limit)
{
    return limit->was == 0 && limit->now > 0 && way_of(limit->kind)->fill != NULL;
}

int definition_limits(struct db_conn *db, int32_t id, const struct limit *limits, size_t count,
                      struct err *ret_refused, struct err *err)
{
    int64_t uses = 0;

    assert(count <= LIMITS_MAX);
    /* What can be refused without a change comes first, and what cannot be taken back comes last.
     */
    for (size_t i = 0; i < count; i++) {
        const struct way *way = way_of(limits[i].kind);
        bool tighter = limits[i].now > 0 && (limits[i].was == 0 || limits[i].now < limits[i].was);

        if (!tighter || is_counted(&limits[i]))
            continue;
        if (worst(db, way, id, &uses, err) < 0)
            return -1;
        if (uses > limits[i].now)
            return refuse(way, &limits[i], uses, ret_refused);
    }
    for (size_t i = 0; i < count; i++) {
        const struct way *way = way_of(limits[i].kind);

        if (!is_counted(&limits[i]))
            continue;
        if (fill(db, way, id, limits[i].now, &uses, err) < 0)
            return -1;
        if (uses <= limits[i].now)
            continue;
        for (size_t j = 0; j < i; j++)
            if (is_counted(&limits[j]) && drop(db, way_of(limits[j].kind), id, err) < 0)
                return -1;
        return refuse(way, &limits[i], uses, ret_refused);
    }
    for (size_t i = 0; i < count; i++)
        if (limits[i].was > 0 && limits[i].now == 0 &&
            drop(db, way_of(limits[i].kind), id, err) < 0)
            return -1;
    return 1;
}
