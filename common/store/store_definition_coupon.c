/* SPDX-License-Identifier: Apache-2.0 */
#include "store_definition_internal.h"
#include "store_sql.h"

#include <stdio.h>
#include <string.h>

/* The ids of what a coupon refers to. */
struct references {
    int32_t campaign;
    const int32_t *discounts;
    size_t discount_count;
};

static int find_campaign(const struct store_change *change, const char *campaign,
                         int32_t *ret_campaign, struct err *ret_refused, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_text(&params, campaign);
    if (db_query(change->db, &store_sql_coupon_campaign, &params, &res, err) < 0)
        return err_wrap(err, "look up a coupon's campaign");
    if (db_result_rows(&res) == 0)
        return REFUSE(ret_refused, UNKNOWN_CAMPAIGN, "/campaign",
                      "There is no campaign of this id.");
    if (db_get_bool(&res, 0, 1))
        return REFUSE(ret_refused, CAMPAIGN_ARCHIVED, "/campaign",
                      "The campaign or one above it is archived.");
    *ret_campaign = db_get_int32(&res, 0, 0);
    return 1;
}

static int find_discounts(const struct store_change *change, const struct msg_texts *discounts,
                          struct references *refs, struct err *ret_refused, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    int32_t *ids = arena_zalloc(change->arena, discounts->count, sizeof(ids[0]));
    const char *currency = NULL;

    if (ids == NULL)
        return err_nomem(err);
    db_params_init(&params);
    db_array_begin(&params, DB_TEXT);
    for (size_t i = 0; i < discounts->count; i++)
        db_array_text(&params, discounts->items[i]);
    db_array_end(&params);
    if (db_query(change->db, &store_sql_coupon_discounts, &params, &res, err) < 0)
        return err_wrap(err, "look up a coupon's discounts");
    for (int i = 0; i < db_result_rows(&res); i++) {
        char pointer[32];

        snprintf(pointer, sizeof(pointer), "/discounts/%d", i);
        if (db_is_null(&res, i, 0))
            return REFUSE(ret_refused, UNKNOWN_DISCOUNT, pointer,
                          "There is no discount of this id.");
        if (db_get_bool(&res, i, 1))
            return REFUSE(ret_refused, DISCOUNT_ARCHIVED, pointer, "The discount is archived.");
        ids[i] = db_get_int32(&res, i, 0);
        if (db_is_null(&res, i, 2))
            continue;
        if (currency != NULL && strcmp(currency, db_get_text(&res, i, 2, NULL)) != 0)
            return REFUSE(ret_refused, CURRENCY_MISMATCH, pointer,
                          "The discount is in another currency than one before it.");
        currency = db_get_text(&res, i, 2, NULL);
    }
    refs->discounts = ids;
    refs->discount_count = discounts->count;
    return 1;
}

/* What insert, update and same have between their first parameter and their stamp. */
static void put_params(struct db_params *params, const struct msg_coupon_put *put,
                       const struct references *refs)
{
    db_param_int4(params, refs->campaign);
    db_param_text(params, put->name);
    db_param_bool(params, put->active);
    db_param_bool(params, put->apply == MSG_APPLY_BEST);
    definition_param_time(params, put->starts_at);
    definition_param_time(params, put->ends_at);
    db_param_int8(params, msg_int_or(put->limits.total, 0));
    db_param_int8(params, msg_int_or(put->limits.per_customer, 0));
    db_param_int4(params, (int32_t)msg_int_or(put->code_defaults.max_uses, 0));
    db_param_int4(params, (int32_t)msg_int_or(put->code_defaults.per_customer, 0));
    db_param_text(params, put->pattern);
}

static void discount_params(struct db_params *params, const struct references *refs)
{
    db_array_begin(params, DB_INT4);
    for (size_t i = 0; i < refs->discount_count; i++)
        db_array_int4(params, refs->discounts[i]);
    db_array_end(params);
}

static int write_discounts(const struct store_change *change, int32_t id,
                           const struct references *refs, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_int4(&params, id);
    if (db_query(change->db, &store_sql_coupon_discounts_drop, &params, NULL, err) < 0)
        return err_wrap(err, "replace a coupon's discounts");
    discount_params(&params, refs);
    if (db_query(change->db, &store_sql_coupon_discounts_put, &params, NULL, err) < 0)
        return err_wrap(err, "replace a coupon's discounts");
    return 0;
}

/* The coupon that is there: 1 it may be changed, 0 refused, 2 it says the same already. */
static int check_present(const struct store_change *change, const struct msg_coupon_put *put,
                         const struct references *refs, const struct db_result *found,
                         struct err *ret_refused, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    int32_t id = db_get_int32(found, 0, 0);
    const struct limit limits[] = {
        {LIMIT_COUPON_TOTAL, db_get_int64(found, 0, 4), msg_int_or(put->limits.total, 0)},
        {LIMIT_COUPON_CUSTOMER, db_get_int64(found, 0, 5), msg_int_or(put->limits.per_customer, 0)},
        {LIMIT_CODE_USES, db_get_int64(found, 0, 6), msg_int_or(put->code_defaults.max_uses, 0)},
        {LIMIT_CODE_CUSTOMER, db_get_int64(found, 0, 7),
         msg_int_or(put->code_defaults.per_customer, 0)},
    };

    /* What was issued under a campaign counts there for ever, so a coupon does not change sides by
     * the way. */
    if (db_get_int32(found, 0, 3) != refs->campaign)
        return REFUSE(ret_refused, CAMPAIGN_CHANGED, "/campaign",
                      "The coupon belongs to another campaign.");
    db_params_init(&params);
    db_param_int4(&params, id);
    put_params(&params, put, refs);
    discount_params(&params, refs);
    int same = definition_same(change, &store_sql_coupon_same, &params, err);

    if (same != 0)
        return same < 0 ? -1 : 2;
    return definition_limits(change->db, id, limits, ARRAY_LEN(limits), ret_refused, err);
}

int store_definition_put_coupon(const struct store_change *change, const struct msg_coupon_put *put,
                                struct store_definition *ret, struct err *ret_refused,
                                struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result found = {0};
    struct store_definition done = {
        .event = {MSG_DEFINITION_COUPON, put->id, 0,
                  put->active ? MSG_STATUS_ACTIVE : MSG_STATUS_INACTIVE}};
    struct references refs = {0};
    struct stamp stamp;
    int32_t id = 0;
    int said;

    db_params_init(&params);
    if (definition_lock(change, err) < 0)
        return -1;
    int exists = definition_get(change, MSG_DEFINITION_COUPON, put->id, &found, err);

    if (exists < 0)
        return -1;
    if (definition_allows(&found, put->expected_version, ret_refused) == 0)
        return 0;
    said = find_campaign(change, put->campaign, &refs.campaign, ret_refused, err);
    if (said <= 0)
        return said;
    said = find_discounts(change, &put->discounts, &refs, ret_refused, err);
    if (said <= 0)
        return said;
    if (exists > 0) {
        said = check_present(change, put, &refs, &found, ret_refused, err);
        if (said <= 0)
            return said;
        id = db_get_int32(&found, 0, 0);
        if (said == 2) {
            done.event.version = db_get_int64(&found, 0, 1);
            done.unchanged = true;
            *ret = done;
            return 1;
        }
    }

    if (definition_stamp(change, &stamp, err) < 0)
        return -1;
    if (exists > 0)
        db_param_int4(&params, id);
    else
        db_param_text(&params, put->id);
    put_params(&params, put, &refs);
    definition_param_stamp(&params, &stamp);
    if (definition_write(change, exists > 0 ? &store_sql_coupon_update : &store_sql_coupon_insert,
                         &params, exists == 0, &id, &done.event.version, err) < 0 ||
        write_discounts(change, id, &refs, err) < 0 ||
        definition_note(change, &stamp, MSG_DEFINITION_COUPON, id, done.event.version, "put", err) <
            0)
        return -1;
    *ret = done;
    return 1;
}
