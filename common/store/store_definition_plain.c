/* SPDX-License-Identifier: Apache-2.0
 *
 * Discounts and affiliates: nothing counts against them, and they refer to nothing.
 */
#include "store_definition_internal.h"
#include "store_sql.h"

/* Statements of a kind whose put is one row. */
struct plain {
    enum msg_definition_kind kind;
    const struct db_stmt *same;
    const struct db_stmt *insert;
    const struct db_stmt *update;
    /* The columns that a put gives, between the id and the stamp. */
    void (*params)(struct db_params *params, const void *put);
};

static void put_key(struct db_params *params, bool exists, int32_t id, const char *ext_id)
{
    if (exists)
        db_param_int4(params, id);
    else
        db_param_text(params, ext_id);
}

/* After the lock and all checks. */
static int write_plain(const struct store_change *change, const struct plain *plain,
                       const char *ext_id, const void *put, const struct db_result *found,
                       struct store_definition *ret, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    bool exists = db_result_rows(found) > 0;
    int32_t id = exists ? db_get_int32(found, 0, 0) : 0;
    struct store_definition done = {.event = {plain->kind, ext_id, 0, MSG_STATUS_ACTIVE}};
    struct stamp stamp;

    db_params_init(&params);
    if (exists) {
        put_key(&params, true, id, ext_id);
        plain->params(&params, put);
        int same = definition_same(change, plain->same, &params, err);

        if (same < 0)
            return -1;
        if (same > 0) {
            done.event.version = db_get_int64(found, 0, 1);
            done.unchanged = true;
            *ret = done;
            return 1;
        }
    }
    if (definition_stamp(change, &stamp, err) < 0)
        return -1;
    db_params_reset(&params);
    put_key(&params, exists, id, ext_id);
    plain->params(&params, put);
    definition_param_stamp(&params, &stamp);
    if (definition_write(change, exists ? plain->update : plain->insert, &params, !exists, &id,
                         &done.event.version, err) < 0 ||
        definition_note(change, &stamp, plain->kind, id, done.event.version, "put", err) < 0)
        return -1;
    *ret = done;
    return 1;
}

static void discount_params(struct db_params *params, const void *opaque)
{
    const struct msg_discount_put *put = opaque;

    db_param_text(params, put->name);
    switch (put->kind) {
    case MSG_DISCOUNT_PERCENT:
        db_param_int2(params, 1);
        db_param_int4(params, (int32_t)put->percent_bp.value);
        db_param_null(params);
        db_param_null(params);
        break;
    case MSG_DISCOUNT_AMOUNT:
        db_param_int2(params, 2);
        db_param_null(params);
        db_param_int8(params, put->amount_minor.value);
        db_param_text(params, put->currency);
        break;
    }
    definition_param_int(params, put->max_minor);
}

/* A coupon's amounts are all of one currency; a discount may not leave its neighbours. 1, or 0
 * refused. */
static int check_currency(const struct store_change *change, const struct msg_discount_put *put,
                          const struct db_result *found, struct err *ret_refused, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_result_rows(found) == 0 || put->kind != MSG_DISCOUNT_AMOUNT)
        return 1;
    db_params_init(&params);
    db_param_int4(&params, db_get_int32(found, 0, 0));
    db_param_text(&params, put->currency);
    if (db_query(change->db, &store_sql_discount_clash, &params, &res, err) < 0)
        return err_wrap(err, "compare currencies");
    if (db_get_bool(&res, 0, 0))
        return REFUSE(ret_refused, CURRENCY_MISMATCH, "/currency",
                      "A coupon uses this discount beside one of another currency.");
    return 1;
}

int store_definition_put_discount(const struct store_change *change,
                                  const struct msg_discount_put *put, struct store_definition *ret,
                                  struct err *ret_refused, struct err *err)
{
    static const struct plain plain = {MSG_DEFINITION_DISCOUNT, &store_sql_discount_same,
                                       &store_sql_discount_insert, &store_sql_discount_update,
                                       discount_params};
    CLEANUP(db_result_done) struct db_result found = {0};

    if (definition_lock(change, err) < 0 ||
        definition_get(change, MSG_DEFINITION_DISCOUNT, put->id, &found, err) < 0)
        return -1;
    if (definition_allows(&found, put->expected_version, ret_refused) == 0)
        return 0;
    int said = check_currency(change, put, &found, ret_refused, err);

    if (said <= 0)
        return said;
    return write_plain(change, &plain, put->id, put, &found, ret, err);
}

static void affiliate_params(struct db_params *params, const void *opaque)
{
    const struct msg_affiliate_put *put = opaque;

    db_param_text(params, put->external_id);
    db_param_text(params, put->email);
    db_param_text(params, put->name);
}

int store_definition_put_affiliate(const struct store_change *change,
                                   const struct msg_affiliate_put *put,
                                   struct store_definition *ret, struct err *ret_refused,
                                   struct err *err)
{
    static const struct plain plain = {MSG_DEFINITION_AFFILIATE, &store_sql_affiliate_same,
                                       &store_sql_affiliate_insert, &store_sql_affiliate_update,
                                       affiliate_params};
    CLEANUP(db_result_done) struct db_result found = {0};

    if (definition_lock(change, err) < 0 ||
        definition_get(change, MSG_DEFINITION_AFFILIATE, put->id, &found, err) < 0)
        return -1;
    if (definition_allows(&found, put->expected_version, ret_refused) == 0)
        return 0;
    return write_plain(change, &plain, put->id, put, &found, ret, err);
}
