/* SPDX-License-Identifier: Apache-2.0 */
#include "db_it.h"

#include "db_copy.h"
#include "db_result.h"

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

static const char into[] = "copy c (id, name) from stdin (format binary)";

static struct db_conn *conn;
static struct db_copy copy;

static int set_up(void **state)
{
    (void)state;
    conn = it_connect();
    it_exec(conn, "drop table if exists c; create table c (id bigint primary key, name text)");
    copy = (struct db_copy){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_copy_abort(&copy);
    db_conn_close(conn);
    return 0;
}

static void put_row(int64_t id, const char *name)
{
    ok(db_copy_row_begin(&copy, 2, err));
    db_copy_int8(&copy, id);
    db_copy_text(&copy, name);
}

static int64_t count(void)
{
    return it_number(conn, "select count(*) from c");
}

static void every_type_goes_in(void **state)
{
    (void)state;
    static const uint8_t uuid[16] = {0xab, 0xcd};
    struct db_result res = {0};
    int64_t rows = 0;

    it_exec(
        conn,
        "drop table if exists all_types; create table all_types (a bool, b smallint, c int, "
        "d bigint, e text, f bytea, g uuid, h timestamptz, i numeric, j jsonb, k xid8, l text)");
    ok(db_copy_begin(&copy, conn, "copy all_types from stdin (format binary)", err));
    ok(db_copy_row_begin(&copy, 12, err));
    db_copy_bool(&copy, true);
    db_copy_int2(&copy, -2);
    db_copy_int4(&copy, INT32_MIN);
    db_copy_int8(&copy, INT64_MAX);
    db_copy_text(&copy, "tab\there \\N, \"x\"");
    db_copy_bytea(&copy, "\0\xff", 2);
    db_copy_uuid(&copy, uuid);
    db_copy_timestamptz(&copy, 1);
    db_copy_numeric_u128(&copy, ~(unsigned __int128)0);
    db_copy_jsonb(&copy, "[1]", 3);
    db_copy_xid8(&copy, 77);
    db_copy_null(&copy);
    ok(db_copy_end(&copy, &rows, err));
    assert_int_equal(rows, 1);
    ok(db_query_once(conn,
                     "select a::text, b::text, c::text, d::text, e, encode(f, 'hex'), g::text, "
                     "h::text, i::text, j::text, k::text, coalesce(l, 'is null') from all_types",
                     NULL, &res, err));
    static const char *const expected[] = {"true",
                                           "-2",
                                           "-2147483648",
                                           "9223372036854775807",
                                           "tab\there \\N, \"x\"",
                                           "00ff",
                                           "abcd0000-0000-0000-0000-000000000000",
                                           "1970-01-01 00:00:00.000001+00",
                                           "340282366920938463463374607431768211455",
                                           "[1]",
                                           "77",
                                           "is null"};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(db_get_text(&res, 0, (int)i, NULL), expected[i]);
    db_result_done(&res);
}

static int add_up(void *opaque, const char *bytes, size_t len, struct err *err)
{
    int64_t *sums = opaque;
    char line[64];

    (void)err;
    assert_true(len < sizeof(line) && len > 1);
    memcpy(line, bytes, len);
    line[len] = '\0';
    assert_int_equal(line[len - 1], '\n'); /* one whole row */
    sums[0]++;
    sums[1] += strtoll(line, NULL, 10);
    return 0;
}

static void a_hundred_thousand_rows_go_in_and_come_out(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const char *const formats[] = {"copy c to stdout", "copy c to stdout (format csv)"};
    int64_t rows = 0;

    ok(db_copy_begin(&copy, conn, into, err));
    for (int64_t i = 0; i < COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "code-%lld", (long long)i);
        put_row(i, name);
        assert_true(copy.buf.len < DB_COPY_SEND + 1024);
    }
    assert_int_equal(copy.rows, COUNT);
    ok(db_copy_end(&copy, &rows, err));
    assert_int_equal(rows, COUNT);
    assert_int_equal(it_number(conn, "select count(*) from c where name = 'code-' || id"), COUNT);

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        int64_t sums[2] = {0, 0};
        ok(db_copy_out(conn, formats[i], add_up, sums, &rows, err));
        assert_int_equal(rows, COUNT);
        assert_int_equal(sums[0], COUNT);
        assert_int_equal(sums[1], (int64_t)COUNT * (COUNT - 1) / 2);
    }
}

static int gather(void *opaque, const char *bytes, size_t len, struct err *err)
{
    struct buf *buf = opaque;

    (void)err;
    buf_add(buf, bytes, len);
    return 0;
}

static void binary_out_is_the_format_of_binary_in(void **state)
{
    (void)state;
    struct buf buf CLEANUP(buf_done);
    int64_t rows = 0;

    buf_init(&buf);
    it_exec(conn, "insert into c values (258, 'ab')");
    ok(db_copy_out(conn, "copy c to stdout (format binary)", gather, &buf, &rows, err));
    static const char expected[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                                   "\0\2\0\0\0\10\0\0\0\0\0\0\1\2\0\0\0\2"
                                   "ab\377\377";
    assert_int_equal(rows, 1);
    assert_int_equal(buf.len, sizeof(expected) - 1);
    assert_memory_equal(buf.data, expected, buf.len);
}

static void nothing_at_all_is_a_copy_too(void **state)
{
    (void)state;
    int64_t rows = 7;

    ok(db_copy_begin(&copy, conn, into, err));
    ok(db_copy_end(&copy, &rows, err));
    assert_int_equal(rows, 0);
    int64_t sums[2] = {0, 0};
    rows = 7;
    ok(db_copy_out(conn, "copy c to stdout", add_up, sums, &rows, err));
    assert_int_equal(rows, 0);
    assert_int_equal(sums[0], 0);
}

static void a_row_that_the_table_refuses_fails_the_whole(void **state)
{
    (void)state;
    ok(db_copy_begin(&copy, conn, into, err));
    for (int64_t i = 0; i < 50000; i++)
        put_row(i == 20000 ? 19999 : i, "some name that takes a little room");
    fails(db_copy_end(&copy, NULL, err), ERR_DUPLICATE, "23505");
    assert_string_equal(db_conn_constraint(conn), "c_pkey");
    assert_int_equal(count(), 0);
}

static void a_field_of_another_type_is_refused(void **state)
{
    (void)state;
    it_exec(conn, "drop table if exists narrow; create table narrow (id int)");
    ok(db_copy_begin(&copy, conn, "copy narrow from stdin (format binary)", err));
    ok(db_copy_row_begin(&copy, 1, err));
    db_copy_int8(&copy, 1);
    fails(db_copy_end(&copy, NULL, err), ERR_POISON, "22P03");

    /* Too few bytes look like a broken protocol to the server. */
    ok(db_copy_begin(&copy, conn, into, err));
    ok(db_copy_row_begin(&copy, 2, err));
    db_copy_int4(&copy, 1);
    db_copy_text(&copy, "x");
    fails(db_copy_end(&copy, NULL, err), ERR_TRANSIENT, "08P01");
    assert_true(db_conn_alive(conn));

    ok(db_copy_begin(&copy, conn, into, err));
    put_row(1, "\xff");
    fails(db_copy_end(&copy, NULL, err), ERR_POISON, "22021");
    assert_int_equal(count(), 0);
}

static void a_copy_that_is_given_up_leaves_nothing(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_copy_begin(&copy, conn, into, err));
    for (int64_t i = 0; i < 50000; i++)
        put_row(i, "some name that takes a little room");
    db_copy_abort(&copy);
    db_copy_abort(&copy);
    assert_int_equal(db_tx_state(conn), DB_TX_FAILED);
    ok(db_tx_rollback(conn, err));
    assert_int_equal(count(), 0);
    fails(db_copy_row_begin(&copy, 2, err), ERR_BUG, "copy");
    fails(db_copy_end(&copy, NULL, err), ERR_BUG, "copy");
}

static void a_row_with_too_few_fields_is_a_bug(void **state)
{
    (void)state;
    ok(db_copy_begin(&copy, conn, into, err));
    ok(db_copy_row_begin(&copy, 2, err));
    db_copy_int8(&copy, 1);
    fails(db_copy_row_begin(&copy, 2, err), ERR_BUG, "copy");
    assert_int_equal(count(), 0); /* the connection is usable again */

    ok(db_copy_begin(&copy, conn, into, err));
    ok(db_copy_row_begin(&copy, 2, err));
    fails(db_copy_end(&copy, NULL, err), ERR_BUG, "copy");
    assert_int_equal(count(), 0);
}

static void only_copy_is_copied(void **state)
{
    (void)state;
    fails(db_copy_begin(&copy, conn, "copy nowhere from stdin (format binary)", err), ERR_FATAL,
          "42P01");
    fails(db_copy_begin(&copy, conn, "copy c from stdin", err), ERR_BUG, "copy");
    assert_int_equal(count(), 0);
    fails(db_copy_out(conn, "copy nowhere to stdout", gather, NULL, NULL, err), ERR_FATAL, "42P01");
    ok(db_copy_begin(&copy, conn, into, err));
    fails(db_exec(conn, "select 1", err), ERR_BUG, "busy");
    db_copy_abort(&copy);
    fails(db_copy_begin(&copy, conn, "select 1", err), ERR_BUG, "copy");
    assert_false(db_conn_alive(conn));
}

static void rollback_with_a_copy_left_open_gives_the_connection_up(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_copy_begin(&copy, conn, into, err));
    fails(db_tx_rollback(conn, err), ERR_TRANSIENT, "connection_lost");
    fails(db_copy_row_begin(&copy, 2, err), ERR_TRANSIENT, "connection_lost");
}

static void a_session_that_ends_in_a_copy_ends_the_copy(void **state)
{
    (void)state;
    struct err why = {0};
    int rc = 0;

    ok(db_copy_begin(&copy, conn, into, err));
    put_row(1, "x");
    it_terminate(conn);
    /* Noticed while sending; not only at the end of however many rows. */
    for (int64_t i = 0; i < 1000000 && rc == 0; i++) {
        rc = db_copy_row_begin(&copy, 2, &why);
        if (rc == 0) {
            db_copy_int8(&copy, i);
            db_copy_text(&copy, "some name that takes a little room");
        }
    }
    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_TRANSIENT);
    assert_int_equal(db_tx_state(conn), DB_TX_BROKEN);
}

static int refuse(void *opaque, const char *bytes, size_t len, struct err *err)
{
    int *left = opaque;

    (void)bytes;
    (void)len;
    if ((*left)-- > 0)
        return 0;
    return err_set(err, ERR_TRANSIENT, "sink", "no_space", "the disk is full");
}

static void a_callback_that_fails_ends_the_copy_with_its_error(void **state)
{
    (void)state;
    int left = 10;

    fails(db_copy_out(conn, "copy (select generate_series(1, 10000000)) to stdout", refuse, &left,
                      NULL, err),
          ERR_TRANSIENT, "no_space");
    assert_int_equal(left, -1);
    assert_false(db_conn_alive(conn));
}

static void an_error_among_the_rows_comes_out(void **state)
{
    (void)state;
    int64_t sums[2] = {0, 0};

    fails(db_copy_out(conn,
                      "copy (select 100 / (50000 - i) from generate_series(1, 60000) i) to stdout",
                      add_up, sums, NULL, err),
          ERR_POISON, "22012");
    assert_int_equal(sums[0], 49999);
    it_exec(conn, "select 1");
}

struct peak {
    int64_t rows;
    size_t most;
};

static int watch_memory(void *opaque, const char *bytes, size_t len, struct err *err)
{
    struct peak *peak = opaque;

    (void)bytes;
    (void)err;
    assert_int_equal(len, 1001);
    if (peak->rows++ % 1000 == 0) {
        struct mallinfo2 info = mallinfo2();
        peak->most = MAX_OF(peak->most, info.uordblks + info.hblkhd);
    }
    return 0;
}

static void memory_does_not_grow_with_the_rows(void **state)
{
    (void)state;
    struct mallinfo2 before = mallinfo2();
    struct peak peak = {0};
    int64_t rows = 0;

    ok(db_copy_out(conn,
                   "copy (select repeat('x', 1000) from generate_series(1, 200000)) to stdout",
                   watch_memory, &peak, &rows, err));
    assert_int_equal(rows, 200000);
    /* 200 MB went through. (Under a sanitizer both are 0.) */
    assert_true(peak.most <= before.uordblks + before.hblkhd + 1024 * 1024);

    peak.most = 0;
    before = mallinfo2();
    char name[1001];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    it_exec(conn, "create temp table big (id bigint, name text)");
    ok(db_copy_begin(&copy, conn, "copy big from stdin (format binary)", err));
    for (int64_t i = 0; i < 50000; i++) {
        put_row(i, name);
        if (i % 1000 == 0) {
            struct mallinfo2 info = mallinfo2();
            peak.most = MAX_OF(peak.most, info.uordblks + info.hblkhd);
        }
    }
    ok(db_copy_end(&copy, &rows, err));
    assert_true(peak.most <= before.uordblks + before.hblkhd + 2 * 1024 * 1024);
}

static void *stop_soon(void *unused)
{
    (void)unused;
    (void)usleep(100000);
    signal_request_stop();
    return NULL;
}

/* A lock keeps the server from reading: what we send piles up and nothing comes back. */
static void a_stop_request_ends_a_copy_that_does_not_move(void **state)
{
    (void)state;
    const struct db_settings settings = {.stop_grace_ms = 200, .lock_timeout_ms = -1};
    struct db_conn *blocker = conn;
    struct db_conn *blocked = it_open(&settings);
    struct err why = {0};
    int rc = 0;
    int64_t start = clock_mono(&clock_real);
    pthread_t thread;

    ok(db_tx_begin(blocker, err));
    it_exec(blocker, "insert into c values (1, 'x')"); /* its key: whoever wants it, too, waits */
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    ok(db_copy_begin(&copy, blocked, into, err));
    for (int64_t i = 1; i < 10000000 && rc == 0; i++) {
        rc = db_copy_row_begin(&copy, 2, &why);
        if (rc == 0) {
            db_copy_int8(&copy, i);
            db_copy_text(&copy, "some name that takes a little room");
        }
    }
    assert_int_equal(rc, -1);
    assert_int_equal(why.kind, ERR_TRANSIENT);
    assert_string_equal(why.code, "stopped");
    assert_in_range(it_ms_since(start), 190, 10000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ok(signal_init(err));
    db_copy_abort(&copy);
    db_conn_close(blocked);
    ok(db_tx_rollback(blocker, err));
}

/* Rows that keep coming do not outlast a stop request. */
static int slow(void *opaque, const char *bytes, size_t len, struct err *err)
{
    (void)opaque;
    (void)bytes;
    (void)len;
    (void)err;
    (void)usleep(10);
    return 0;
}

static void a_stop_request_ends_an_endless_way_out(void **state)
{
    (void)state;
    const struct db_settings settings = {.stop_grace_ms = 200};
    struct db_conn *endless = it_open(&settings);
    int64_t start = clock_mono(&clock_real);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    fails(
        db_copy_out(endless,
                    "copy (select repeat('x', 100) from generate_series(1, 2000000000)) to stdout",
                    slow, NULL, NULL, err),
        ERR_TRANSIENT, "stopped");
    assert_in_range(it_ms_since(start), 290, 10000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ok(signal_init(err));
    db_conn_close(endless);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_goes_in),
        TEST(a_hundred_thousand_rows_go_in_and_come_out),
        TEST(binary_out_is_the_format_of_binary_in),
        TEST(nothing_at_all_is_a_copy_too),
        TEST(a_row_that_the_table_refuses_fails_the_whole),
        TEST(a_field_of_another_type_is_refused),
        TEST(a_copy_that_is_given_up_leaves_nothing),
        TEST(a_row_with_too_few_fields_is_a_bug),
        TEST(only_copy_is_copied),
        TEST(rollback_with_a_copy_left_open_gives_the_connection_up),
        TEST(a_session_that_ends_in_a_copy_ends_the_copy),
        TEST(a_callback_that_fails_ends_the_copy_with_its_error),
        TEST(an_error_among_the_rows_comes_out),
        TEST(memory_does_not_grow_with_the_rows),
        TEST(a_stop_request_ends_a_copy_that_does_not_move),
        TEST(a_stop_request_ends_an_endless_way_out),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
