/* SPDX-License-Identifier: Apache-2.0 */
#include "store_definition_internal.h"
#include "store_sql.h"

#include <assert.h>

/* Numbers of campaign.status. */
static int16_t status_number(enum msg_campaign_status status)
{
    switch (status) {
    case MSG_CAMPAIGN_DRAFT:
        return 0;
    case MSG_CAMPAIGN_ACTIVE:
        return 1;
    case MSG_CAMPAIGN_PAUSED:
        return 2;
    }
    assert(!"no such status");
    return 0;
}

static enum msg_definition_status event_status(enum msg_campaign_status status)
{
    switch (status) {
    case MSG_CAMPAIGN_DRAFT:
        return MSG_STATUS_DRAFT;
    case MSG_CAMPAIGN_ACTIVE:
        return MSG_STATUS_ACTIVE;
    case MSG_CAMPAIGN_PAUSED:
        return MSG_STATUS_PAUSED;
    }
    assert(!"no such status");
    return MSG_STATUS_DRAFT;
}

/* The campaign above, which need not be (*ret_parent 0): 1, or 0 refused. */
static int find_parent(const struct store_change *change, const struct msg_campaign_put *put,
                       int32_t *ret_parent, struct err *ret_refused, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    *ret_parent = 0;
    if (put->parent == NULL)
        return 1;
    db_params_init(&params);
    db_param_text(&params, put->parent);
    db_param_text(&params, put->id);
    if (db_query(change->db, &store_sql_campaign_parent, &params, &res, err) < 0)
        return err_wrap(err, "look up a campaign's parent");
    if (db_result_rows(&res) == 0)
        return REFUSE(ret_refused, UNKNOWN_PARENT, "/parent",
                      "There is no campaign of the parent's id.");
    if (db_get_bool(&res, 0, 3))
        return REFUSE(ret_refused, PARENT_CYCLE, "/parent",
                      "The parent is the campaign itself or stands below it.");
    if (db_get_bool(&res, 0, 2))
        return REFUSE(ret_refused, CAMPAIGN_ARCHIVED, "/parent",
                      "The parent or a campaign above it is archived.");
    int levels = db_get_int32(&res, 0, 1) + db_get_int32(&res, 0, 4);

    if (levels > STORE_CAMPAIGN_LEVELS_MAX)
        return REFUSE(ret_refused, TREE_TOO_DEEP, "/parent",
                      "The tree would have %d levels here, more than %d.", levels,
                      STORE_CAMPAIGN_LEVELS_MAX);
    *ret_parent = db_get_int32(&res, 0, 0);
    return 1;
}

/* What insert, update and same have between their first parameter and their stamp. */
static void put_params(struct db_params *params, const struct msg_campaign_put *put, int32_t parent)
{
    if (parent != 0)
        db_param_int4(params, parent);
    else
        db_param_null(params);
    db_param_text(params, put->name);
    db_param_text(params, put->description);
    db_param_int2(params, status_number(put->status));
    definition_param_time(params, put->starts_at);
    definition_param_time(params, put->ends_at);
    db_param_int8(params, msg_int_or(put->limits.total, 0));
    db_param_int8(params, msg_int_or(put->limits.per_customer, 0));
}

static int repath(const struct store_change *change, int32_t id, const struct stamp *stamp,
                  struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_int4(&params, id);
    db_param_int8(&params, stamp->def_version);
    if (db_query(change->db, &store_sql_campaign_repath, &params, NULL, err) < 0)
        return err_wrap(err, "write the paths of a campaign");
    return 0;
}

int store_definition_put_campaign(const struct store_change *change,
                                  const struct msg_campaign_put *put, struct store_definition *ret,
                                  struct err *ret_refused, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result found = {0};
    struct store_definition done = {
        .event = {MSG_DEFINITION_CAMPAIGN, put->id, 0, event_status(put->status)}};
    struct stamp stamp;
    int32_t parent = 0;
    int32_t id = 0;
    int said;

    db_params_init(&params);
    if (definition_lock(change, err) < 0)
        return -1;
    int exists = definition_get(change, MSG_DEFINITION_CAMPAIGN, put->id, &found, err);

    if (exists < 0)
        return -1;
    if (definition_allows(&found, put->expected_version, ret_refused) == 0)
        return 0;
    said = find_parent(change, put, &parent, ret_refused, err);
    if (said <= 0)
        return said;

    if (exists > 0) {
        id = db_get_int32(&found, 0, 0);
        const struct limit limits[] = {
            {LIMIT_CAMPAIGN_TOTAL, db_get_int64(&found, 0, 4), msg_int_or(put->limits.total, 0)},
            {LIMIT_CAMPAIGN_CUSTOMER, db_get_int64(&found, 0, 5),
             msg_int_or(put->limits.per_customer, 0)},
        };

        db_param_int4(&params, id);
        put_params(&params, put, parent);
        said = definition_same(change, &store_sql_campaign_same, &params, err);
        if (said < 0)
            return -1;
        if (said > 0) {
            done.event.version = db_get_int64(&found, 0, 1);
            done.unchanged = true;
            *ret = done;
            return 1;
        }
        said = definition_limits(change->db, id, limits, ARRAY_LEN(limits), ret_refused, err);
        if (said <= 0)
            return said;
    }

    if (definition_stamp(change, &stamp, err) < 0)
        return -1;
    db_params_reset(&params);
    if (exists > 0)
        db_param_int4(&params, id);
    else
        db_param_text(&params, put->id);
    put_params(&params, put, parent);
    definition_param_stamp(&params, &stamp);
    if (definition_write(change,
                         exists > 0 ? &store_sql_campaign_update : &store_sql_campaign_insert,
                         &params, exists == 0, &id, &done.event.version, err) < 0)
        return -1;
    /* A column that is NULL reads as 0, which no campaign has as its id. */
    if (exists > 0 && db_get_int32(&found, 0, 3) != parent && repath(change, id, &stamp, err) < 0)
        return -1;
    if (definition_note(change, &stamp, MSG_DEFINITION_CAMPAIGN, id, done.event.version, "put",
                        err) < 0)
        return -1;
    *ret = done;
    return 1;
}
