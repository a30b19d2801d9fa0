/* SPDX-License-Identifier: Apache-2.0 */
#include "store_definition.h"

#include "store_definition_internal.h"
#include "store_sql.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* What the four kinds have in common, with its statements. */
struct kind {
    int16_t number; /* in definition_history */
    const struct db_stmt *get;
    const struct db_stmt *archive;
    const struct db_stmt *jobs; /* NULL: has none                        */
    const struct db_stmt *used; /* NULL: may be archived while it is used */
    enum msg_reason_id unknown;
};

static const struct kind *kind_of(enum msg_definition_kind kind)
{
    static const struct kind campaign = {
        1,    &store_sql_campaign_get,    &store_sql_campaign_archive, &store_sql_campaign_jobs,
        NULL, MSG_REASON_UNKNOWN_CAMPAIGN};
    static const struct kind discount = {
        2,    &store_sql_discount_get,  &store_sql_discount_archive,
        NULL, &store_sql_discount_used, MSG_REASON_UNKNOWN_DISCOUNT};
    static const struct kind coupon = {
        3,    &store_sql_coupon_get,    &store_sql_coupon_archive, &store_sql_coupon_jobs,
        NULL, MSG_REASON_UNKNOWN_COUPON};
    static const struct kind affiliate = {
        4,    &store_sql_affiliate_get,    &store_sql_affiliate_archive, NULL,
        NULL, MSG_REASON_UNKNOWN_AFFILIATE};

    switch (kind) {
    case MSG_DEFINITION_CAMPAIGN:
        return &campaign;
    case MSG_DEFINITION_DISCOUNT:
        return &discount;
    case MSG_DEFINITION_COUPON:
        return &coupon;
    case MSG_DEFINITION_AFFILIATE:
        return &affiliate;
    }
    assert(!"no such kind");
    return NULL;
}

void definition_param_int(struct db_params *params, struct msg_int value)
{
    if (value.is == MSG_GIVEN)
        db_param_int8(params, value.value);
    else
        db_param_null(params);
}

void definition_param_time(struct db_params *params, struct msg_int value)
{
    if (value.is == MSG_GIVEN)
        db_param_timestamptz(params, value.value);
    else
        db_param_null(params);
}

int definition_lock(const struct store_change *change, struct err *err)
{
    if (db_query(change->db, &store_sql_definition_lock, NULL, NULL, err) < 0)
        return err_wrap(err, "lock the definitions");
    return 0;
}

int definition_get(const struct store_change *change, enum msg_definition_kind kind,
                   const char *ext_id, struct db_result *ret_res, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_text(&params, ext_id);
    if (db_query(change->db, kind_of(kind)->get, &params, ret_res, err) < 0)
        return err_wrap(err, "look up a definition");
    return db_result_rows(ret_res) > 0;
}

int definition_allows(const struct db_result *found, struct msg_int expected,
                      struct err *ret_refused)
{
    bool exists = db_result_rows(found) > 0;
    int64_t version = exists ? db_get_int64(found, 0, 1) : 0;

    if (exists && db_get_bool(found, 0, 2))
        return REFUSE(ret_refused, ARCHIVED, "/id", "It is archived and takes no further change.");
    if (expected.is == MSG_GIVEN && expected.value != version)
        return REFUSE(ret_refused, VERSION_CONFLICT, "/expected_version",
                      "The version is %" PRId64 ", not %" PRId64 ".", version, expected.value);
    return 1;
}

int definition_stamp(const struct store_change *change, struct stamp *ret_stamp, struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};
    const char *by = change->source;

    if (change->actor != NULL)
        by = arena_printf(change->arena, "%s %s", change->source, change->actor);
    if (by == NULL)
        return err_nomem(err);
    if (db_query(change->db, &store_sql_definition_bump, NULL, &res, err) < 0)
        return err_wrap(err, "raise the version of the definitions");
    *ret_stamp = (struct stamp){db_get_int64(&res, 0, 0), change->at_us, by};
    return 0;
}

void definition_param_stamp(struct db_params *params, const struct stamp *stamp)
{
    db_param_int8(params, stamp->def_version);
    db_param_timestamptz(params, stamp->at_us);
    db_param_text(params, stamp->by);
}

int definition_note(const struct store_change *change, const struct stamp *stamp,
                    enum msg_definition_kind kind, int32_t id, int64_t version, const char *action,
                    struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_int2(&params, kind_of(kind)->number);
    db_param_int4(&params, id);
    db_param_int8(&params, version);
    db_param_timestamptz(&params, stamp->at_us);
    db_param_text(&params, stamp->by);
    db_param_text(&params, action);
    db_param_text_n(&params, change->value, change->value_len);
    db_param_bool(&params, change->structured);
    if (db_query(change->db, &store_sql_definition_history_put, &params, NULL, err) < 0)
        return err_wrap(err, "note a change of a definition");
    return 0;
}

int definition_write(const struct store_change *change, const struct db_stmt *stmt,
                     const struct db_params *params, bool insert, int32_t *ret_id,
                     int64_t *ret_version, struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query(change->db, stmt, params, &res, err) < 0)
        return err_wrap(err, "write a definition");
    if (db_result_rows(&res) != 1)
        return err_set(err, ERR_BUG, "store", "row_gone", "a locked definition is not there");
    if (insert) {
        *ret_id = db_get_int32(&res, 0, 0);
        *ret_version = 1;
    } else {
        *ret_version = db_get_int64(&res, 0, 0);
    }
    return 0;
}

int definition_same(const struct store_change *change, const struct db_stmt *stmt,
                    const struct db_params *params, struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query(change->db, stmt, params, &res, err) < 0)
        return err_wrap(err, "compare a definition");
    return db_result_rows(&res) == 1 && db_get_bool(&res, 0, 0);
}

static int is_used(const struct store_change *change, const struct kind *kind, int32_t id,
                   struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    if (kind->used == NULL)
        return 0;
    db_params_init(&params);
    db_param_int4(&params, id);
    if (db_query(change->db, kind->used, &params, &res, err) < 0)
        return err_wrap(err, "see whether a definition is in use");
    return db_get_bool(&res, 0, 0);
}

/* The ids in the first column, in the arena. */
static int take_ids(struct arena *arena, const struct db_result *res, const uint8_t (**ret_ids)[16],
                    size_t *ret_count, struct err *err)
{
    size_t count = (size_t)db_result_rows(res);
    uint8_t(*ids)[16] = arena_zalloc(arena, count + 1, sizeof(*ids));

    if (ids == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        memcpy(ids[i], db_get_uuid(res, (int)i, 0), sizeof(ids[i]));
    *ret_ids = (const uint8_t(*)[16])ids;
    *ret_count = count;
    return 0;
}

static int collect_jobs(const struct store_change *change, const struct kind *kind, int32_t id,
                        struct store_definition *ret, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    if (kind->jobs == NULL)
        return 0;
    db_params_init(&params);
    db_param_int4(&params, id);
    if (db_query(change->db, kind->jobs, &params, &res, err) < 0)
        return err_wrap(err, "collect the jobs of a definition");
    return take_ids(change->arena, &res, &ret->jobs, &ret->job_count, err);
}

int store_definition_archive(const struct store_change *change, enum msg_definition_kind kind,
                             const char *id, struct store_definition *ret, struct err *ret_refused,
                             struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result found = {0};
    const struct kind *what = kind_of(kind);
    struct store_definition done = {.event = {kind, id, 0, MSG_STATUS_ARCHIVED}};
    struct stamp stamp;

    db_params_init(&params);
    if (definition_lock(change, err) < 0)
        return -1;
    int exists = definition_get(change, kind, id, &found, err);

    if (exists < 0)
        return -1;
    if (exists == 0)
        return err_field(ret_refused, "/id", msg_reason_code(what->unknown), "%s",
                         msg_reason_text(what->unknown)) +
               1;
    int32_t row = db_get_int32(&found, 0, 0);

    if (db_get_bool(&found, 0, 2)) {
        done.event.version = db_get_int64(&found, 0, 1);
        done.unchanged = true;
        *ret = done;
        return 1;
    }
    int used = is_used(change, what, row, err);

    if (used < 0)
        return -1;
    if (used > 0)
        return REFUSE(ret_refused, IN_USE, "/id", "A coupon that is not archived uses it.");
    if (definition_stamp(change, &stamp, err) < 0)
        return -1;
    db_param_int4(&params, row);
    definition_param_stamp(&params, &stamp);
    if (definition_write(change, what->archive, &params, false, &row, &done.event.version, err) <
            0 ||
        definition_note(change, &stamp, kind, row, done.event.version, "archive", err) < 0 ||
        collect_jobs(change, what, row, &done, err) < 0)
        return -1;
    *ret = done;
    return 1;
}

int store_definition_cancelled(struct db_conn *db, struct arena *arena, int64_t at_us,
                               const char *message, const uint8_t (**ret_jobs)[16],
                               size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    db_param_timestamptz(&params, at_us);
    db_param_text(&params, message);
    if (db_query(db, &store_sql_definition_jobs_ended, &params, &res, err) < 0)
        return err_wrap(err, "look up cancelled jobs");
    return take_ids(arena, &res, ret_jobs, ret_count, err);
}
