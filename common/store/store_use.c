/* SPDX-License-Identifier: Apache-2.0
 *
 * The half of store_redemption.h that takes and gives back uses: codes and counters.
 */
#include "db_error.h"
#include "db_query.h"
#include "store_code.h"
#include "store_redemption.h"
#include "store_sql.h"

#include <stdlib.h>
#include <string.h>

#define FLAG_INACTIVE 1

static void array_texts(struct db_params *params, const char *const *texts, size_t count)
{
    db_array_begin(params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(params, texts[i]);
    db_array_end(params);
}

static void array_int4(struct db_params *params, const int32_t *values, size_t count)
{
    db_array_begin(params, DB_INT4);
    for (size_t i = 0; i < count; i++)
        db_array_int4(params, values[i]);
    db_array_end(params);
}

static int read_codes(struct arena *arena, const struct db_result *res,
                      struct store_code **ret_codes, size_t *ret_count, struct err *err)
{
    size_t count = (size_t)db_result_rows(res);
    struct store_code *codes = arena_zalloc(arena, count + 1, sizeof(*codes));

    if (codes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int row = (int)i;

        codes[i] = (struct store_code){
            .key = arena_strdup(arena, db_get_text(res, row, 0, NULL)),
            .uses = db_get_int32(res, row, 1),
            .active = (db_get_int32(res, row, 2) & FLAG_INACTIVE) == 0 && db_get_bool(res, row, 6),
            .most = db_get_int32(res, row, 3),
            .batch_id = db_get_int32(res, row, 4),
            .coupon_id = db_get_int32(res, row, 5),
            .starts_us = db_is_null(res, row, 7) ? INT64_MIN : db_get_timestamptz(res, row, 7),
            .ends_us = db_is_null(res, row, 8) ? INT64_MAX : db_get_timestamptz(res, row, 8),
            .customer_limit = db_is_null(res, row, 9) ? STORE_INHERIT : db_get_int32(res, row, 9),
        };
        if (codes[i].key == NULL)
            return err_nomem(err);
    }
    *ret_codes = codes;
    *ret_count = count;
    return 0;
}

int store_code_take(struct db_conn *db, struct arena *arena, const char *const *keys,
                    const int32_t *uses, size_t count, struct store_code **ret_codes,
                    size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    array_texts(&params, keys, count);
    array_int4(&params, uses, count);
    if (db_query(db, &store_sql_code_take, &params, &res, err) < 0)
        return err_wrap(err, "take uses of codes");
    return read_codes(arena, &res, ret_codes, ret_count, err);
}

int store_code_read(struct db_conn *db, struct arena *arena, const char *const *keys, size_t count,
                    bool lock, struct store_code **ret_codes, size_t *ret_count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    array_texts(&params, keys, count);
    if (db_query(db, lock ? &store_sql_code_lock : &store_sql_code_look, &params, &res, err) < 0)
        return err_wrap(err, "read codes");
    return read_codes(arena, &res, ret_codes, ret_count, err);
}

int store_code_settle(struct db_conn *db, const char *const *keys, const int32_t *changes,
                      size_t count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    array_texts(&params, keys, count);
    array_int4(&params, changes, count);
    if (db_query(db, &store_sql_code_settle, &params, NULL, err) < 0)
        return err_wrap(err, "settle codes");
    return 0;
}

static void array_counters(struct db_params *params, const struct store_counter *counters,
                           size_t count)
{
    db_array_begin(params, DB_INT2);
    for (size_t i = 0; i < count; i++)
        db_array_int2(params, (int16_t)counters[i].scope);
    db_array_end(params);
    db_array_begin(params, DB_TEXT);
    for (size_t i = 0; i < count; i++)
        db_array_text(params, counters[i].subject);
    db_array_end(params);
    db_array_begin(params, DB_BYTEA);
    for (size_t i = 0; i < count; i++)
        db_array_bytea(params, counters[i].customer,
                       counters[i].per_customer ? STORE_KEYED_LEN : 0);
    db_array_end(params);
}

static void array_uses(struct db_params *params, const struct store_counter *counters, size_t count)
{
    db_array_begin(params, DB_INT8);
    for (size_t i = 0; i < count; i++)
        db_array_int8(params, counters[i].uses);
    db_array_end(params);
}

/* As PostgreSQL sorts the primary key: scope, subject and customer by bytes. */
static int compare(const struct store_counter *a, const struct store_counter *b)
{
    if (a->scope != b->scope)
        return a->scope < b->scope ? -1 : 1;
    int subjects = strcmp(a->subject, b->subject);

    if (subjects != 0)
        return subjects;
    if (a->per_customer != b->per_customer)
        return a->per_customer ? 1 : -1;
    return a->per_customer ? memcmp(a->customer, b->customer, STORE_KEYED_LEN) : 0;
}

static int compare_at(const void *a, const void *b)
{
    const struct store_counter *const *left = a;
    const struct store_counter *const *right = b;

    return compare(*left, *right);
}

static void set_uses(struct store_counter **sorted, size_t count, const struct store_counter *found)
{
    struct store_counter **hit =
        bsearch(&found, sorted, count, sizeof(struct store_counter *), compare_at);

    if (hit != NULL) {
        (*hit)->uses = found->uses;
        (*hit)->found = true;
    }
}

int store_counter_read(struct db_conn *db, struct store_counter *counters, size_t count, bool lock,
                       struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    array_counters(&params, counters, count);
    if (db_query(db, lock ? &store_sql_counter_lock : &store_sql_counter_look, &params, &res, err) <
        0)
        return err_wrap(err, "read counters");
    struct store_counter **sorted = calloc(count, sizeof(struct store_counter *));

    if (sorted == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &counters[i];
        counters[i].uses = 0;
        counters[i].found = false;
    }
    qsort(sorted, count, sizeof(struct store_counter *), compare_at);
    for (int row = 0; row < db_result_rows(&res); row++) {
        size_t len = 0;
        struct store_counter found = {.scope = (enum store_scope)db_get_int32(&res, row, 0),
                                      .subject = db_get_text(&res, row, 1, NULL),
                                      .uses = db_get_int64(&res, row, 3)};
        const uint8_t *customer = db_get_bytea(&res, row, 2, &len);

        found.per_customer = len == STORE_KEYED_LEN;
        if (found.per_customer)
            memcpy(found.customer, customer, len);
        set_uses(sorted, count, &found);
    }
    free(sorted);
    return 0;
}

int store_counter_add(struct db_conn *db, const struct store_counter *counters, size_t count,
                      struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    array_counters(&params, counters, count);
    array_uses(&params, counters, count);
    db_array_begin(&params, DB_INT8);
    for (size_t i = 0; i < count; i++)
        db_array_int8(&params, counters[i].most);
    db_array_end(&params);
    if (db_query(db, &store_sql_counter_add, &params, NULL, err) == 0)
        return 0;
    if (db_error_is(err, "23514") && strcmp(db_conn_constraint(db), "counter_within_limit") == 0)
        return err_set(err, ERR_RETRY, "store", "counter_moved",
                       "another worker has taken uses meanwhile");
    return err_wrap(err, "add to counters");
}

int store_counter_give_back(struct db_conn *db, const struct store_counter *counters, size_t count,
                            struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    array_counters(&params, counters, count);
    array_uses(&params, counters, count);
    if (db_query(db, &store_sql_counter_give_back, &params, NULL, err) < 0)
        return err_wrap(err, "give back to counters");
    return 0;
}
