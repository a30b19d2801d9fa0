/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits that come, change and go while there are redemptions: counters are the ledger's, and what
 * would lie below the uses there are is refused and leaves no trace.
 *
 * The ledger of these tests (seed()): campaigns root > child, and alone; coupons k and l in child;
 * codes of k in a batch without limits of its own (A1, A2) and in one with (B1).
 *
 * B1's batch says: 5 uses, no limit per customer.
 *
 *   command   code  state  customer  e-mail  path at that time
 *   r1        A1    1      c1        m1      root > child
 *   r2        A1    1      c1                root > child
 *   r3        A2    1      c2        c2      root > child      (id and address are one identifier)
 *   r4        A2    3      c1                root > child      (given back)
 *   r5        A2    2      c1                root > child      (refused)
 *   r6        B1    1      c1        m1      alone > child     (before a move)
 *   r7 (l)    L1    1                        root > child      (no customer)
 */
#include "db_query.h"
#include "db_tx.h"
#include "definition_fixture.h"
#include "store_sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS "select count(*) from counter"
#define COUNTERS                                                                                   \
    "select coalesce(string_agg(concat_ws('/', scope, subject, encode(customer, 'hex'), uses, "    \
    "most), ' ' "                                                                                  \
    "order by scope, subject, customer), '') from counter"

static struct msg_coupon_put coupon_k(void)
{
    static const char *const discounts[] = {"d"};

    return (struct msg_coupon_put){.id = "k",
                                   .campaign = "child",
                                   .discounts = {discounts, 1},
                                   .active = true,
                                   .code_defaults.max_uses = {MSG_NULL, 0}};
}

static void seed(struct fixture *fx)
{
    struct msg_coupon_put k = coupon_k();

    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root")), 1);                     /* 1 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "alone")), 1);                    /* 2 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "child", .parent = "alone")), 1); /* 3 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "child", .parent = "root")), 2);
    assert_done(fx, fixture_coupon(fx, &k), 1);
    k.id = "l";
    assert_done(fx, fixture_coupon(fx, &k), 1);
    fixture_exec(fx, "insert into source (name) values ('shop');"
                     "insert into job (id, kind, state, source_id, ce_id, coupon_id, params, "
                     "total, lanes_left, width, accepted_at, "
                     "progress_at, outcome) "
                     "values ('00000000-0000-0000-0000-000000000001', 1, 3, 1, 'j', 1, '{}', 9, 0, "
                     "4, now(), now(), '{}');"
                     "insert into batch (job_id, coupon_id, origin, size, max_uses, "
                     "customer_limit, created_at) values "
                     "('00000000-0000-0000-0000-000000000001', 1, 3, 2, null, null, now()),"
                     "('00000000-0000-0000-0000-000000000001', 1, 3, 1, 5, 0, now()),"
                     "('00000000-0000-0000-0000-000000000001', 2, 3, 1, null, null, now());"
                     "insert into code (key, batch_id, serial, uses) values ('A1', 1, 0, 2), "
                     "('A2', 1, 1, 1), ('B1', 2, 0, 1), "
                     "('L1', 3, 0, 1);"
                     "insert into redemption (source_id, ce_id, line, state, partition, "
                     "\"offset\", at, code, batch_id, coupon_id, "
                     "path_id, customer, email, hash) "
                     "select 1, ce_id, 0, state, 0, 0, now(), code, (select batch_id from code "
                     "where key = code), coupon, "
                     "       (select id from campaign_path where campaign_path.path = "
                     "v.path::int[]), decode(customer, 'hex'), "
                     "       decode(email, 'hex'), '' "
                     "  from (values ('r1', 'A1', 1, 1, 'c1', 'ee', '{1,3}'), ('r2', 'A1', 1, 1, "
                     "'c1', null, '{1,3}'), "
                     "               ('r3', 'A2', 1, 1, 'c2', 'c2', '{1,3}'), ('r4', 'A2', 3, 1, "
                     "'c1', null, '{1,3}'), "
                     "               ('r5', 'A2', 2, 1, 'c1', null, '{1,3}'), ('r6', 'B1', 1, 1, "
                     "'c1', 'ee', '{2,3}'), "
                     "               ('r7', 'L1', 1, 2, null, null, '{1,3}')) "
                     "       as v (ce_id, code, state, coupon, customer, email, path)");
}

static void a_new_total_limit_of_a_coupon_starts_at_the_ledger(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    assert_int_equal(fixture_int(fx, ROWS), 0);
    k.limits.total = msg_int_of(4);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    assert_string_equal(fixture_text(fx, COUNTERS), "2/1//4/4");
    fixture_audit(fx);
}

static void a_new_customer_limit_counts_every_identifier_once(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    k.limits.per_customer = msg_int_of(3);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    assert_string_equal(fixture_text(fx, COUNTERS), "2/1/c1/3/3 2/1/c2/1/3 2/1/ee/2/3");
    fixture_audit(fx);
}

static void a_campaign_counts_what_was_redeemed_under_it_then(void **state)
{
    struct fixture *fx = *state;

    seed(fx);
    assert_done(fx,
                fixture_campaign(fx, CAMPAIGN(.id = "root", .limits.total = msg_int_of(9),
                                              .limits.per_customer = msg_int_of(9))),
                2);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "alone", .limits.total = msg_int_of(9))),
                2);
    assert_done(fx,
                fixture_campaign(
                    fx, CAMPAIGN(.id = "child", .parent = "root", .limits.total = msg_int_of(9))),
                3);
    assert_string_equal(fixture_text(fx, COUNTERS),
                        "3/1//4/9 3/1/c1/2/9 3/1/c2/1/9 3/1/ee/1/9 3/2//1/9 3/3//5/9");
    fixture_audit(fx);
}

static void a_new_limit_below_the_ledger_is_refused_without_a_trace(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();
    int64_t version;

    seed(fx);
    version = fixture_int(fx, "select version from definition_version");
    k.limits.total = msg_int_of(3);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/limits/total");
    k.limits.total = (struct msg_int){0};
    k.limits.per_customer = msg_int_of(2);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/limits/per_customer");
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .limits.total = msg_int_of(3))),
                   "limit_below_uses", "/limits/total");
    assert_refused(
        fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .limits.per_customer = msg_int_of(1))),
        "limit_below_uses", "/limits/per_customer");
    /* The total fits, its neighbour does not: both stay away. */
    k.limits.total = msg_int_of(4);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/limits/per_customer");
    k.limits.per_customer = msg_int_of(3);
    k.code_defaults.per_customer = msg_int_of(1);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/code_defaults/per_customer");
    assert_int_equal(fixture_int(fx, ROWS), 0);
    assert_int_equal(fixture_int(fx, "select version from definition_version"), version);
    fixture_audit(fx);
}

static void a_limit_is_lowered_down_to_its_uses(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    k.limits.total = msg_int_of(100);
    k.limits.per_customer = msg_int_of(100);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    k.limits.total = msg_int_of(3);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/limits/total");
    k.limits.total = msg_int_of(4);
    assert_done(fx, fixture_coupon(fx, &k), 3);
    k.limits.per_customer = msg_int_of(2);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/limits/per_customer");
    k.limits.per_customer = msg_int_of(3);
    assert_done(fx, fixture_coupon(fx, &k), 4);
    /* Raising asks nobody, and nothing but the limit changes. */
    k.limits.per_customer = msg_int_of(1000);
    assert_done(fx, fixture_coupon(fx, &k), 5);
    assert_string_equal(fixture_text(fx, COUNTERS),
                        "2/1//4/100 2/1/c1/3/100 2/1/c2/1/100 2/1/ee/2/100");
    fixture_audit(fx);
}

static void a_limit_that_goes_takes_only_its_own_counters(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    k.limits.total = msg_int_of(9);
    k.limits.per_customer = msg_int_of(9);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .limits.total = msg_int_of(9))), 2);
    k.limits.per_customer = (struct msg_int){0};
    assert_done(fx, fixture_coupon(fx, &k), 3);
    assert_string_equal(fixture_text(fx, COUNTERS), "2/1//4/9 3/1//4/9");
    k.limits.total = (struct msg_int){0};
    k.limits.per_customer = msg_int_of(9);
    assert_done(fx, fixture_coupon(fx, &k), 4);
    assert_string_equal(fixture_text(fx, COUNTERS), "2/1/c1/3/9 2/1/c2/1/9 2/1/ee/2/9 3/1//4/9");
    fixture_audit(fx);
}

static void a_limit_that_comes_back_is_counted_anew(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    k.limits.total = msg_int_of(9);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    k.limits.total = (struct msg_int){0};
    assert_done(fx, fixture_coupon(fx, &k), 3);
    fixture_exec(fx, "update redemption set state = 3 where ce_id = 'r1';"
                     "update code set uses = 1 where key = 'A1'");
    k.limits.total = msg_int_of(3);
    assert_done(fx, fixture_coupon(fx, &k), 4);
    assert_string_equal(fixture_text(fx, COUNTERS), "2/1//3/3");
    fixture_audit(fx);
}

static void uses_of_a_code_by_a_customer_count_where_the_coupon_decides(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    /* B1 has a batch with a limit of its own, whose counters are not the coupon's business. */
    fixture_exec(fx,
                 "update batch set customer_limit = 5 where id = 2;"
                 "insert into counter values (1, 'B1', '\\xc1', 1, 5), (1, 'B1', '\\xee', 1, 5)");
    k.code_defaults.per_customer = msg_int_of(2);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    assert_string_equal(fixture_text(fx, COUNTERS),
                        "1/A1/c1/2/2 1/A1/ee/1/2 1/A2/c2/1/2 1/B1/c1/1/5 1/B1/ee/1/5");
    fixture_audit(fx);
    k.code_defaults.per_customer = msg_int_of(1);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/code_defaults/per_customer");
    k.code_defaults.per_customer = (struct msg_int){0};
    assert_done(fx, fixture_coupon(fx, &k), 3);
    assert_string_equal(fixture_text(fx, COUNTERS), "1/B1/c1/1/5 1/B1/ee/1/5");
    fixture_audit(fx);
}

static void uses_of_a_code_are_held_where_the_coupon_decides(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put k = coupon_k();

    seed(fx);
    /* Neither a code with a limit of its own nor one whose batch has one is held against the
     * coupon. */
    fixture_exec(
        fx, "update code set uses = 5 where key = 'B1';"
            "insert into code (key, batch_id, serial, uses, max_uses) values ('A3', 1, 2, 7, 7)");
    k.code_defaults.max_uses = msg_int_of(1);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/code_defaults/max_uses");
    k.code_defaults.max_uses = msg_int_of(2);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    k.code_defaults.max_uses = msg_int_of(1);
    assert_refused(fx, fixture_coupon(fx, &k), "limit_below_uses", "/code_defaults/max_uses");
    assert_int_equal(fixture_int(fx, ROWS), 0);
}

static void a_limit_of_a_new_definition_counts_nothing(void **state)
{
    struct fixture *fx = *state;
    struct msg_coupon_put n = coupon_k();

    seed(fx);
    n.id = "new";
    n.limits.total = msg_int_of(1);
    n.limits.per_customer = msg_int_of(1);
    n.code_defaults.per_customer = msg_int_of(1);
    assert_done(fx, fixture_coupon(fx, &n), 1);
    assert_int_equal(fixture_int(fx, ROWS), 0);
    fixture_audit(fx);
}

/* A redemption that is decided but not committed holds the definitions, so a new limit waits and
 * then counts it. */
static void a_new_limit_waits_for_redemptions_on_their_way(void **state)
{
    struct fixture *fx = *state;
    struct store_change change = fixture_change(fx, fx->other, 1);
    struct msg_coupon_put k = coupon_k();
    CLEANUP(db_result_done) struct db_result res = {0};
    struct err err = {0};

    seed(fx);
    k.limits.total = msg_int_of(5);
    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    assert_int_equal(
        db_exec(fx->db,
                "insert into redemption (source_id, ce_id, line, state, partition, \"offset\", at, "
                "code, batch_id, coupon_id, path_id, hash) "
                "select 1, 'r8', 0, 1, 0, 0, now(), 'A2', 1, 1, id, '' from campaign_path where "
                "path = '{1,3}';"
                "update code set uses = uses + 1 where key = 'A2'",
                &err),
        0);
    assert_int_equal(db_query(fx->db, &store_sql_catalog_check, NULL, &res, &err), 0);
    /* Even what the ledger of now would refuse: it is not looked at before. */
    for (int64_t total = 3; total <= 5; total++) {
        k.limits.total = msg_int_of(total);
        assert_int_equal(db_tx_begin(fx->other, &err), 0);
        assert_int_equal(store_definition_put_coupon(&change, &k, &fx->done, &fx->refused, &err),
                         -1);
        assert_int_equal(err.kind, ERR_RETRY);
        assert_int_equal(db_tx_rollback(fx->other, &err), 0);
    }
    assert_int_equal(db_tx_commit(fx->db, &err), 0);
    assert_done(fx, fixture_coupon(fx, &k), 2);
    assert_string_equal(fixture_text(fx, COUNTERS), "2/1//5/5");
    fixture_audit(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_total_limit_of_a_coupon_starts_at_the_ledger, fixture_reset),
        cmocka_unit_test_setup(a_new_customer_limit_counts_every_identifier_once, fixture_reset),
        cmocka_unit_test_setup(a_campaign_counts_what_was_redeemed_under_it_then, fixture_reset),
        cmocka_unit_test_setup(a_new_limit_below_the_ledger_is_refused_without_a_trace,
                               fixture_reset),
        cmocka_unit_test_setup(a_limit_is_lowered_down_to_its_uses, fixture_reset),
        cmocka_unit_test_setup(a_limit_that_goes_takes_only_its_own_counters, fixture_reset),
        cmocka_unit_test_setup(a_limit_that_comes_back_is_counted_anew, fixture_reset),
        cmocka_unit_test_setup(uses_of_a_code_by_a_customer_count_where_the_coupon_decides,
                               fixture_reset),
        cmocka_unit_test_setup(uses_of_a_code_are_held_where_the_coupon_decides, fixture_reset),
        cmocka_unit_test_setup(a_limit_of_a_new_definition_counts_nothing, fixture_reset),
        cmocka_unit_test_setup(a_new_limit_waits_for_redemptions_on_their_way, fixture_reset),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
