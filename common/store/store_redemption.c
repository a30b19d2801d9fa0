/* SPDX-License-Identifier: Apache-2.0 */
#include "store_redemption.h"

#include "db_query.h"
#include "store_sql.h"

#include <string.h>

static const char *text_of(struct arena *arena, const struct db_result *res, int row, int col)
{
    return db_is_null(res, row, col) ? NULL : arena_strdup(arena, db_get_text(res, row, col, NULL));
}

static const uint8_t *keyed_of(struct arena *arena, const struct db_result *res, int row, int col)
{
    size_t len = 0;
    const uint8_t *bytes = db_get_bytea(res, row, col, &len);

    if (db_is_null(res, row, col) || len != STORE_KEYED_LEN)
        return NULL;
    return (const uint8_t *)arena_memdup(arena, bytes, len);
}

static int path_of(struct arena *arena, const struct db_result *res, int row, int col,
                   struct store_redemption *ret, struct err *err)
{
    struct db_array array;
    int64_t id = 0;
    size_t at = 0;

    db_get_array(res, row, col, &array);
    int32_t *path = arena_zalloc(arena, (size_t)array.count + 1, sizeof(*path));

    if (path == NULL)
        return err_nomem(err);
    while (db_array_next_int(&array, &id, NULL))
        path[at++] = (int32_t)id;
    ret->path = path;
    ret->path_len = at;
    return 0;
}

static int read_row(struct arena *arena, const struct db_result *res, int i,
                    struct store_redemption *ret, struct err *err)
{
    size_t hash_len = 0;
    const uint8_t *hash = db_get_bytea(res, i, 20, &hash_len);

    *ret = (struct store_redemption){
        .source_id = db_get_int32(res, i, 0),
        .ce_id = text_of(arena, res, i, 1),
        .line = db_get_int16(res, i, 2),
        .state = (enum store_redemption_state)db_get_int32(res, i, 3),
        .units = db_get_int32(res, i, 4),
        .partition = db_get_int32(res, i, 5),
        .offset = db_get_int64(res, i, 6),
        .at_us = db_get_timestamptz(res, i, 7),
        .code = text_of(arena, res, i, 8),
        .batch_id = db_get_int32(res, i, 9),
        .coupon_id = db_get_int32(res, i, 10),
        .uses_left = db_is_null(res, i, 12) ? STORE_UNLIMITED : db_get_int32(res, i, 12),
        .discount_id = db_get_int32(res, i, 13),
        .discount_minor = db_get_int64(res, i, 14),
        .order_minor = db_get_int64(res, i, 15),
        .currency = text_of(arena, res, i, 16),
        .order_id = text_of(arena, res, i, 17),
        .customer = keyed_of(arena, res, i, 18),
        .email = keyed_of(arena, res, i, 19),
        .reason = db_get_int16(res, i, 21),
        .detail = text_of(arena, res, i, 22),
    };
    if (ret->ce_id == NULL)
        return err_nomem(err);
    if (hash_len == sizeof(ret->hash))
        memcpy(ret->hash, hash, hash_len);
    return path_of(arena, res, i, 11, ret, err);
}

static void identity_params(struct db_params *params, const struct store_identity *ids,
                            size_t count)
{
    db_array_begin(params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(params, ids[i].source_id);
    db_array_end(params);
    db_array_begin(params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(params, ids[i].ce_id);
    db_array_end(params);
}

int store_redemption_find(struct db_conn *db, struct arena *arena, const struct store_identity *ids,
                          size_t count, struct store_redemption **ret, size_t *ret_count,
                          struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    identity_params(&params, ids, count);
    if (db_query(db, &store_sql_redemption_find, &params, &res, err) < 0)
        return err_wrap(err, "look up redeem commands");
    size_t rows = (size_t)db_result_rows(&res);
    struct store_redemption *found = arena_zalloc(arena, rows + 1, sizeof(*found));

    if (found == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < rows; i++) {
        if (read_row(arena, &res, (int)i, &found[i], err) < 0)
            return -1;
    }
    *ret = found;
    *ret_count = rows;
    return 0;
}

static void copy_id(struct db_copy *copy, int32_t id)
{
    if (id == 0)
        db_copy_null(copy);
    else
        db_copy_int4(copy, id);
}

static int copy_row(struct db_copy *copy, const struct store_redemption *row, struct err *err)
{
    if (db_copy_row_begin(copy, 23, err) < 0)
        return -1;
    db_copy_int4(copy, row->source_id);
    db_copy_text(copy, row->ce_id);
    db_copy_int2(copy, row->line);
    db_copy_int2(copy, (int16_t)row->state);
    db_copy_int4(copy, row->units);
    db_copy_int4(copy, row->partition);
    db_copy_int8(copy, row->offset);
    db_copy_timestamptz(copy, row->at_us);
    db_copy_text(copy, row->code);
    copy_id(copy, row->batch_id);
    copy_id(copy, row->coupon_id);
    copy_id(copy, row->path_id);
    if (row->uses_left == STORE_UNLIMITED)
        db_copy_null(copy);
    else
        db_copy_int4(copy, row->uses_left);
    copy_id(copy, row->discount_id);
    db_copy_int8(copy, row->discount_minor);
    db_copy_int8(copy, row->order_minor);
    db_copy_text(copy, row->currency);
    db_copy_text(copy, row->order_id);
    db_copy_bytea(copy, row->customer, STORE_KEYED_LEN);
    db_copy_bytea(copy, row->email, STORE_KEYED_LEN);
    db_copy_bytea(copy, row->hash, sizeof(row->hash));
    if (row->reason == 0)
        db_copy_null(copy);
    else
        db_copy_int2(copy, row->reason);
    db_copy_text(copy, row->detail);
    return 0;
}

int store_redemption_put(struct db_conn *db, const struct store_redemption *rows, size_t count,
                         struct err *err)
{
    CLEANUP(db_copy_abort) struct db_copy copy = {0};

    if (count == 0)
        return 0;
    if (db_copy_begin(&copy, db,
                      "copy redemption (source_id, ce_id, line, state, units, partition, "
                      "\"offset\", at, code, batch_id, coupon_id, path_id, uses_left, discount_id, "
                      "discount_minor, order_minor, currency, order_id, customer, email, hash, "
                      "reason, detail) from stdin (format binary)",
                      err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (copy_row(&copy, &rows[i], err) < 0)
            return -1;
    }
    if (db_copy_end(&copy, NULL, err) < 0)
        return err_wrap(err, "write the ledger");
    return 0;
}

int store_redemption_lock(struct db_conn *db, const struct store_identity *ids, size_t count,
                          struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    identity_params(&params, ids, count);
    if (db_query(db, &store_sql_redemption_lock, &params, NULL, err) < 0)
        return err_wrap(err, "lock redemptions");
    return 0;
}

int store_redemption_release(struct db_conn *db, const struct store_released *lines, size_t count,
                             struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(&params, lines[i].of.source_id);
    db_array_end(&params);
    db_array_begin(&params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(&params, lines[i].of.ce_id);
    db_array_end(&params);
    db_array_begin(&params, DB_INT2);
    for (size_t i = 0; i < count; i++)
        db_array_int2(&params, lines[i].line);
    db_array_end(&params);
    db_array_begin(&params, DB_TIMESTAMPTZ);
    for (size_t i = 0; i < count; i++)
        db_array_timestamptz(&params, lines[i].at_us);
    db_array_end(&params);
    if (db_query(db, &store_sql_redemption_release, &params, &res, err) < 0)
        return err_wrap(err, "mark redemptions as released");
    if (db_result_affected(&res) != (int64_t)count)
        return err_set(err, ERR_BUG, "store", "not_redeemed",
                       "a line to be released is not there, or not redeemed");
    return 0;
}
