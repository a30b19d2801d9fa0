/* SPDX-License-Identifier: Apache-2.0
 *
 * What the integration tests of db share: cmocka with what it needs in front, and shorthand for
 * connections and statements that must succeed, or must fail in a certain way.
 */
#ifndef DB_IT_H
#define DB_IT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base_attr.h"
#include "base_signal.h"
#include "base_time.h"
#include "db_conn.h"
#include "db_error.h"
#include "db_query.h"
#include "db_tx.h"
#include "test_env.h"

/* The data base of this program; made by it_main(). */
static const char *it_url;

/* The calls must succeed; the error's text is what a failure shows. */
#define ok(call)                                                                                   \
    do {                                                                                           \
        struct err ok_err_ = {0};                                                                  \
        struct err *err = &ok_err_;                                                                \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s %s: %s", #call, err_kind_name(err->kind), err->code, err->text);      \
    } while (0)

/* The call must fail with this kind and code. */
#define fails(call, expected_kind, expected_code)                                                  \
    do {                                                                                           \
        struct err fails_err_ = {0};                                                               \
        struct err *err = &fails_err_;                                                             \
        int fails_rc_ = (call);                                                                    \
        it_last_err = fails_err_;                                                                  \
        if (fails_rc_ != -1 || err->kind != (expected_kind) ||                                     \
            strcmp(err->code, (expected_code)) != 0)                                               \
            fail_msg("%s: %d, %s %s: %s", #call, fails_rc_, err_kind_name(err->kind), err->code,   \
                     err->text);                                                                   \
    } while (0)

static UNUSED struct err it_last_err;

static inline UNUSED struct db_conn *it_open(const struct db_settings *settings)
{
    struct db_settings full = *settings;
    struct db_conn *conn = NULL;

    if (full.url == NULL)
        full.url = it_url;
    ok(db_conn_open(&full, &conn, err));
    return conn;
}

static inline UNUSED struct db_conn *it_connect(void)
{
    const struct db_settings settings = {.application_name = "promofleet/test"};
    return it_open(&settings);
}

static inline UNUSED void it_exec(struct db_conn *conn, const char *sql)
{
    ok(db_exec(conn, sql, err));
}

/* The number that a query gives in its only row. */
static inline UNUSED int64_t it_number(struct db_conn *conn, const char *sql)
{
    struct db_result res = {0};
    int64_t value;

    ok(db_query_once(conn, sql, NULL, &res, err));
    assert_int_equal(db_result_rows(&res), 1);
    value = db_get_int64(&res, 0, 0);
    db_result_done(&res);
    return value;
}

static inline UNUSED void it_text_is(struct db_conn *conn, const char *sql, const char *expected)
{
    struct db_result res = {0};

    ok(db_query_once(conn, sql, NULL, &res, err));
    assert_int_equal(db_result_rows(&res), 1);
    assert_string_equal(db_get_text(&res, 0, 0, NULL), expected);
    db_result_done(&res);
}

/* From another session; waits until the session is gone. */
static inline UNUSED void it_terminate(const struct db_conn *victim)
{
    struct db_conn *conn = it_connect();
    char sql[160];

    (void)snprintf(sql, sizeof(sql), "select pg_terminate_backend(%d, 5000)",
                   db_conn_backend_pid(victim));
    it_exec(conn, sql);
    db_conn_close(conn);
}

static inline UNUSED int64_t it_ms_since(int64_t start_us)
{
    return (clock_mono(&clock_real) - start_us) / TIME_US_PER_MS;
}

/* At the start of main(): leaves when there is no server. */
static inline void it_begin(void)
{
    struct err err = {0};

    it_url = test_env_database();
    if (signal_init(&err) < 0) {
        fprintf(stderr, "signals: %s\n", err.text);
        exit(1);
    }
}

#endif
