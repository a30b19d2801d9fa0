/* SPDX-License-Identifier: Apache-2.0 */
#include "definition_fixture.h"

#include "base_buf.h"
#include "base_time.h"
#include "db_migrate.h"
#include "db_query.h"
#include "db_tx.h"
#include "test_env.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define YEAR_2026_US INT64_C(1767225600000000)
#define DATA "{\"id\":\"x\",\"note\":[1,2]}"

#define CHECK(call, err)                                                                           \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s: %s", #call, (err).code, (err).text);                                 \
    } while (0)

static int opened(struct fixture *fx, struct err *err)
{
    struct db_settings settings = {.url = test_env_database(), .lock_timeout_ms = 10000};

    if (db_conn_open(&settings, &fx->db, err) < 0 || db_migrate(fx->db, NULL, NULL, err) < 0)
        return -1;
    settings.lock_timeout_ms = 200;
    if (db_conn_open(&settings, &fx->other, err) < 0)
        return -1;
    fx->arena = arena_new(1 << 20, 0);
    return fx->arena == NULL ? err_nomem(err) : 0;
}

int fixture_open(void **state)
{
    static struct fixture fx;
    struct err err = {0};

    *state = &fx;
    if (opened(&fx, &err) == 0)
        return 0;
    print_error("%s: %s\n", err.code, err.text);
    return -1;
}

int fixture_close(void **state)
{
    struct fixture *fx = *state;

    db_conn_close(fx->db);
    db_conn_close(fx->other);
    arena_free(fx->arena);
    return 0;
}

int fixture_reset(void **state)
{
    struct fixture *fx = *state;
    struct err err = {0};

    (void)db_tx_rollback(fx->db, &err);
    (void)db_tx_rollback(fx->other, &err);
    arena_reset(fx->arena);
    fixture_exec(
        fx,
        "truncate source, campaign_path, campaign, discount, coupon, coupon_discount, affiliate, "
        "definition_history, command, job, lane, chunk, space, batch, code, code_redrawn, "
        "redemption, counter, tally, campaign_snapshot restart identity;"
        "update definition_version set version = 0");
    return 0;
}

struct store_change fixture_change(struct fixture *fx, struct db_conn *db, int64_t at)
{
    return (struct store_change){
        .db = db,
        .arena = fx->arena,
        .at_us = YEAR_2026_US + at * TIME_US_PER_S,
        .source = "shop",
        .actor = "ann",
        .value = DATA,
        .value_len = sizeof(DATA) - 1,
    };
}

static struct store_change begin(struct fixture *fx)
{
    static int64_t at;
    struct err err = {0};

    CHECK(db_tx_begin(fx->db, &err), err);
    fx->done = (struct store_definition){0};
    fx->refused = (struct err){0};
    return fixture_change(fx, fx->db, ++at);
}

static int end(struct fixture *fx, int said, const struct err *said_err)
{
    struct err err = {0};

    if (said < 0)
        fail_msg("a change failed: %s: %s", said_err->code, said_err->text);
    CHECK(db_tx_commit(fx->db, &err), err);
    return said;
}

int fixture_campaign(struct fixture *fx, const struct msg_campaign_put *put)
{
    struct store_change change = begin(fx);
    struct err err = {0};

    return end(fx, store_definition_put_campaign(&change, put, &fx->done, &fx->refused, &err),
               &err);
}

int fixture_discount(struct fixture *fx, const struct msg_discount_put *put)
{
    struct store_change change = begin(fx);
    struct err err = {0};

    return end(fx, store_definition_put_discount(&change, put, &fx->done, &fx->refused, &err),
               &err);
}

int fixture_coupon(struct fixture *fx, const struct msg_coupon_put *put)
{
    struct store_change change = begin(fx);
    struct err err = {0};

    return end(fx, store_definition_put_coupon(&change, put, &fx->done, &fx->refused, &err), &err);
}

int fixture_affiliate(struct fixture *fx, const struct msg_affiliate_put *put)
{
    struct store_change change = begin(fx);
    struct err err = {0};

    return end(fx, store_definition_put_affiliate(&change, put, &fx->done, &fx->refused, &err),
               &err);
}

int fixture_archive(struct fixture *fx, enum msg_definition_kind kind, const char *id)
{
    struct store_change change = begin(fx);
    struct err err = {0};

    return end(fx, store_definition_archive(&change, kind, id, &fx->done, &fx->refused, &err),
               &err);
}

void fixture_assert_done(const struct fixture *fx, int said, int64_t version, const char *file,
                         int line)
{
    if (said == 0)
        print_error("refused: %s at %s: %s\n", fx->refused.code, fx->refused.pointer,
                    fx->refused.text);
    _assert_int_equal((uint64_t)said, 1, file, line);
    _assert_int_equal((uint64_t)fx->done.event.version, (uint64_t)version, file, line);
}

void fixture_assert_refused(const struct fixture *fx, int said, const char *code,
                            const char *pointer, const char *file, int line)
{
    _assert_int_equal((uint64_t)said, 0, file, line);
    _assert_string_equal(fx->refused.code, code, file, line);
    _assert_string_equal(fx->refused.pointer, pointer, file, line);
    _assert_true(fx->refused.text[0] != '\0', "a sentence", file, line);
}

void fixture_exec(struct fixture *fx, const char *sql)
{
    struct err err = {0};

    CHECK(db_exec(fx->db, sql, &err), err);
}

int64_t fixture_int(struct fixture *fx, const char *sql)
{
    CLEANUP(db_result_done) struct db_result res = {0};
    struct err err = {0};

    CHECK(db_query_once(fx->db, sql, NULL, &res, &err), err);
    assert_int_equal(db_result_rows(&res), 1);
    return db_get_int64(&res, 0, 0);
}

const char *fixture_text(struct fixture *fx, const char *sql)
{
    CLEANUP(db_result_done) struct db_result res = {0};
    struct err err = {0};

    CHECK(db_query_once(fx->db, sql, NULL, &res, &err), err);
    if (db_result_rows(&res) == 0)
        return "";
    const char *text = arena_strdup(fx->arena, db_get_text(&res, 0, 0, NULL));

    assert_non_null(text);
    return text;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct buf buf;
    char block[4096];
    size_t len = 0;

    buf_init(&buf);
    if (file == NULL)
        fail_msg("cannot read %s", path);
    while ((len = fread(block, 1, sizeof(block), file)) > 0)
        buf_add(&buf, block, len);
    (void)fclose(file);
    return buf_detach(&buf, NULL);
}

void fixture_audit(struct fixture *fx)
{
    static const char *const checks[] = {
        "01_code_uses_within_limit", "03_counter_within_limit", "04_definition_limits_hold",
        "05_counter_equals_ledger",  "06_counter_exists",       "25_definition_versions",
        "26_campaign_paths",
    };

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        CLEANUP(db_result_done) struct db_result res = {0};
        char path[512];
        struct err err = {0};

        snprintf(path, sizeof(path), "%s/schemas/sql/checks/%s.sql", SOURCE_DIR, checks[i]);
        char *sql = read_file(path);
        int said = db_query_once(fx->db, sql, NULL, &res, &err);

        free(sql);
        if (said < 0)
            fail_msg("%s: %s", checks[i], err.text);
        if (db_result_rows(&res) > 0)
            fail_msg("%s finds %d rows", checks[i], db_result_rows(&res));
    }
}
