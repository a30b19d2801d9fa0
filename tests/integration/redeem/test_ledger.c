/* SPDX-License-Identifier: Apache-2.0
 *
 * store_redemption.h: rows of the ledger, as they are written, found, locked and released.
 */
#include "db_query.h"
#include "db_tx.h"
#include "definition_fixture.h"
#include "store_redemption.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CHECK(call)                                                                                \
    do {                                                                                           \
        struct err why = {0};                                                                      \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s: %s", #call, why.code, why.text);                                     \
    } while (0)

#define AT_US INT64_C(1767225600123000)

static const uint8_t customer[STORE_KEYED_LEN] = {1, 2, 3, 0, 5};
static const uint8_t email[STORE_KEYED_LEN] = {0xff, 0, 7};

static int seed(void **state)
{
    struct fixture *fx = *state;

    if (fixture_reset(state) < 0)
        return -1;
    fixture_campaign(fx, CAMPAIGN(.id = "root"));
    fixture_campaign(fx, CAMPAIGN(.id = "child", .parent = "root"));
    fixture_exec(fx, "insert into source (name) values ('shop'), ('till')");
    return 0;
}

static struct store_redemption row(int32_t source, const char *id, int16_t line)
{
    struct store_redemption made = {.source_id = source,
                                    .ce_id = id,
                                    .line = line,
                                    .state = STORE_REDEEMED,
                                    .units = 1,
                                    .partition = 5,
                                    .offset = INT64_C(1) << 40,
                                    .at_us = AT_US,
                                    .code = "abc",
                                    .uses_left = STORE_UNLIMITED};

    memset(made.hash, 0xab, sizeof(made.hash));
    return made;
}

static size_t find(struct fixture *fx, const struct store_identity *ids, size_t count,
                   struct store_redemption **rows)
{
    size_t found = 0;

    CHECK(store_redemption_find(fx->db, fx->arena, ids, count, rows, &found, &why));
    return found;
}

static void a_row_comes_back_as_it_was_written(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption full = row(1, "full", 0);
    struct store_identity id = {1, "full"};
    struct store_redemption *rows = NULL;

    full.state = STORE_REFUSED;
    full.units = 3;
    full.batch_id = 4;
    full.coupon_id = 9;
    full.path_id = 2;
    full.uses_left = 0;
    full.discount_id = 6;
    full.discount_minor = INT64_C(1000000000000000);
    full.order_minor = 1;
    full.currency = "EUR";
    full.order_id = "o \xe2\x82\xac";
    full.customer = customer;
    full.email = email;
    full.reason = 110;
    full.detail = "[[110,-1]]";
    CHECK(store_redemption_put(fx->db, &full, 1, &why));
    assert_int_equal(find(fx, &id, 1, &rows), 1);
    assert_int_equal(rows[0].state, STORE_REFUSED);
    assert_int_equal(rows[0].units, 3);
    assert_int_equal(rows[0].partition, 5);
    assert_int_equal(rows[0].offset, INT64_C(1) << 40);
    assert_int_equal(rows[0].at_us, AT_US);
    assert_string_equal(rows[0].code, "abc");
    assert_int_equal(rows[0].batch_id, 4);
    assert_int_equal(rows[0].coupon_id, 9);
    assert_int_equal(rows[0].path_len, 2);
    assert_int_equal(rows[0].path[0], 1);
    assert_int_equal(rows[0].path[1], 2);
    assert_int_equal(rows[0].uses_left, 0);
    assert_int_equal(rows[0].discount_id, 6);
    assert_int_equal(rows[0].discount_minor, INT64_C(1000000000000000));
    assert_int_equal(rows[0].order_minor, 1);
    assert_string_equal(rows[0].currency, "EUR");
    assert_string_equal(rows[0].order_id, full.order_id);
    assert_memory_equal(rows[0].customer, customer, sizeof(customer));
    assert_memory_equal(rows[0].email, email, sizeof(email));
    assert_memory_equal(rows[0].hash, full.hash, sizeof(full.hash));
    assert_int_equal(rows[0].reason, 110);
    assert_string_equal(rows[0].detail, "[[110,-1]]");
}

static void what_is_not_given_is_null(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption bare = row(1, "bare", 0);
    struct store_identity id = {1, "bare"};
    struct store_redemption *rows = NULL;

    bare.code = NULL;
    CHECK(store_redemption_put(fx->db, &bare, 1, &why));
    assert_int_equal(fixture_int(fx,
                                 "select num_nulls(code, batch_id, coupon_id, path_id, uses_left, "
                                 "discount_id, currency, order_id, customer, email, reason, "
                                 "detail, released_at) from redemption"),
                     13);
    assert_int_equal(find(fx, &id, 1, &rows), 1);
    assert_null(rows[0].code);
    assert_null(rows[0].customer);
    assert_null(rows[0].email);
    assert_null(rows[0].detail);
    assert_int_equal(rows[0].uses_left, STORE_UNLIMITED);
    assert_int_equal(rows[0].path_len, 0);
}

static void commands_are_found_in_order_and_once(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption written[] = {row(2, "a", 1), row(1, "b", 0), row(2, "a", 0),
                                         row(1, "a", 0), row(1, "B", 0)};
    struct store_identity ids[] = {{2, "a"}, {1, "b"}, {2, "a"}, {1, "nobody"}, {3, "a"}, {1, "B"}};
    struct store_redemption *rows = NULL;

    CHECK(store_redemption_put(fx->db, written, 5, &why));
    assert_int_equal(find(fx, ids, 6, &rows), 4);
    assert_string_equal(rows[0].ce_id, "B");
    assert_string_equal(rows[1].ce_id, "b");
    assert_int_equal(rows[2].source_id, 2);
    assert_int_equal(rows[2].line, 0);
    assert_int_equal(rows[3].line, 1);
    assert_int_equal(find(fx, ids, 0, &rows), 0);
}

static void a_command_that_was_here_before_is_a_duplicate(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption rows[] = {row(1, "a", 0), row(1, "b", 0)};
    struct err err = {0};

    CHECK(store_redemption_put(fx->db, rows, 1, &why));
    CHECK(store_redemption_put(fx->db, rows, 0, &why));
    assert_int_equal(store_redemption_put(fx->db, rows, 2, &err), -1);
    assert_int_equal(err.kind, ERR_DUPLICATE);
    assert_int_equal(fixture_int(fx, "select count(*) from redemption"), 1);
}

static void redeemed_lines_are_released_and_the_others_stay(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption rows[] = {row(1, "a", 0), row(1, "a", 1), row(1, "b", 0),
                                      row(2, "a", 0)};
    struct store_released released[] = {{{1, "a"}, 1, AT_US + 1}, {{2, "a"}, 0, AT_US + 2}};

    CHECK(store_redemption_put(fx->db, rows, 4, &why));
    CHECK(store_redemption_release(fx->db, released, 0, &why));
    CHECK(store_redemption_release(fx->db, released, 2, &why));
    assert_string_equal(
        fixture_text(fx, "select string_agg(concat_ws(' ', source_id, ce_id, line, state, "
                         "extract(microseconds from released_at)::int), ',' order by source_id, "
                         "ce_id, line) from redemption"),
        "1 a 0 1,1 a 1 3 123001,1 b 0 1,2 a 0 3 123002");
}

static void a_line_is_not_released_twice(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption rows[] = {row(1, "a", 0), row(1, "a", 1)};
    struct store_released released[] = {{{1, "a"}, 0, AT_US}, {{1, "a"}, 1, AT_US}};
    struct err err = {0};

    rows[1].state = STORE_REFUSED;
    CHECK(store_redemption_put(fx->db, rows, 2, &why));
    assert_int_equal(store_redemption_release(fx->db, released, 2, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
}

static void a_locked_command_waits_for_whoever_has_it(void **state)
{
    struct fixture *fx = *state;
    struct store_redemption rows[] = {row(1, "a", 0), row(1, "b", 0)};
    struct store_identity ids[] = {{1, "a"}, {1, "a"}, {1, "nobody"}};
    struct store_identity other = {1, "b"};
    struct err err = {0};

    CHECK(store_redemption_put(fx->db, rows, 2, &why));
    CHECK(db_tx_begin(fx->db, &why));
    CHECK(store_redemption_lock(fx->db, ids, 3, &why));
    CHECK(store_redemption_lock(fx->other, &other, 1, &why));
    assert_int_equal(store_redemption_lock(fx->other, ids, 1, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    CHECK(db_tx_commit(fx->db, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_row_comes_back_as_it_was_written, seed),
        cmocka_unit_test_setup(what_is_not_given_is_null, seed),
        cmocka_unit_test_setup(commands_are_found_in_order_and_once, seed),
        cmocka_unit_test_setup(a_command_that_was_here_before_is_a_duplicate, seed),
        cmocka_unit_test_setup(redeemed_lines_are_released_and_the_others_stay, seed),
        cmocka_unit_test_setup(a_line_is_not_released_twice, seed),
        cmocka_unit_test_setup(a_locked_command_waits_for_whoever_has_it, seed),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
