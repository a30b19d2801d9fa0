/* SPDX-License-Identifier: Apache-2.0
 *
 * store_redemption.h: taking and giving back uses of codes and counters.
 */
#include "db_query.h"
#include "db_tx.h"
#include "definition_fixture.h"
#include "store_code.h"
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

/* Batch 1: the coupon decides (2 uses); batch 2: 5 uses, once per customer, a window; batch 3:
 * unlimited, not active. */
static int seed(void **state)
{
    struct fixture *fx = *state;

    if (fixture_reset(state) < 0)
        return -1;
    fixture_discount(fx, PERCENT(.id = "d"));
    fixture_campaign(fx, CAMPAIGN(.id = "c"));
    fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"),
                              .code_defaults = {{MSG_GIVEN, 2}, {MSG_ABSENT, 0}}));
    fixture_exec(fx,
                 "insert into source (name) values ('shop');"
                 "insert into job (id, kind, state, source_id, ce_id, params, total, lanes_left, "
                 "width, accepted_at, progress_at, outcome) values (gen_random_uuid(), 1, 3, 1, "
                 "'j', '{}', 0, 0, 1, now(), now(), '{}');"
                 "insert into batch (job_id, coupon_id, origin, size, active, max_uses, "
                 "customer_limit, starts_at, ends_at, created_at) "
                 "select id, 1, 1, 0, a, m, l, s, e, now() from job, (values "
                 "(true, null::int, null::int, null::timestamptz, null::timestamptz), "
                 "(true, 5, 1, '2026-01-01 00:00:00.000001+00', '2026-02-01+00'), "
                 "(false, 0, 0, null, null)) as v (a, m, l, s, e);"
                 "insert into code (key, batch_id, serial, uses, flags, max_uses) values "
                 "('a', 1, 0, 0, 0, null), ('b', 1, 1, 1, 0, null), ('c', 1, 2, 2, 0, null),"
                 "('d', 2, 0, 0, 0, null), ('e', 3, 0, 7, 0, null), ('own', 1, 3, 2, 0, 3),"
                 "('off', 1, 4, 0, 1, null), ('gone', 1, 5, 0, 2, null)");
    return 0;
}

static const struct store_code *of(const struct store_code *codes, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(codes[i].key, key) == 0)
            return &codes[i];
    }
    return NULL;
}

static size_t take(struct fixture *fx, const char *const *keys, const int32_t *uses, size_t count,
                   struct store_code **codes)
{
    size_t found = 0;

    CHECK(store_code_take(fx->db, fx->arena, keys, uses, count, codes, &found, &why));
    return found;
}

#define USES(key) "select uses from code where key = '" key "'"

static void uses_are_taken_up_to_the_limit_and_not_beyond(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"a", "b", "c", "own", "d"};
    int32_t uses[] = {2, 1, 1, 1, 6};
    struct store_code *codes = NULL;

    assert_int_equal(take(fx, keys, uses, 5, &codes), 3);
    assert_int_equal(of(codes, 3, "a")->uses, 2);
    assert_int_equal(of(codes, 3, "a")->most, 2);
    assert_int_equal(of(codes, 3, "b")->uses, 2);
    assert_int_equal(of(codes, 3, "own")->uses, 3);
    assert_int_equal(of(codes, 3, "own")->most, 3);
    assert_int_equal(take(fx, keys, uses, 4, &codes), 0);
    assert_int_equal(fixture_int(fx, USES("a")), 2);
    assert_int_equal(fixture_int(fx, USES("c")), 2);
    assert_int_equal(fixture_int(fx, USES("d")), 0);
}

static void unknown_switched_off_and_deleted_codes_are_not_taken(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"off", "gone", "nobody", ""};
    int32_t uses[] = {1, 1, 1, 1};
    struct store_code *codes = NULL;

    assert_int_equal(take(fx, keys, uses, 4, &codes), 0);
    assert_int_equal(fixture_int(fx, "select sum(uses) from code"), 12);
}

static void an_unlimited_code_is_always_taken_and_says_that_its_batch_is_off(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"e"};
    int32_t uses[] = {1000000};
    struct store_code *codes = NULL;

    assert_int_equal(take(fx, keys, uses, 1, &codes), 1);
    assert_int_equal(codes[0].uses, 1000007);
    assert_int_equal(codes[0].most, 0);
    assert_false(codes[0].active);
}

static void reading_says_what_the_batch_says(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"off", "d", "gone", "nobody", "a"};
    struct store_code *codes = NULL;
    size_t found = 0;

    for (int lock = 0; lock < 2; lock++) {
        CHECK(store_code_read(fx->db, fx->arena, keys, 5, lock, &codes, &found, &why));
        assert_int_equal(found, 3);
        const struct store_code *d = of(codes, found, "d");

        assert_int_equal(d->batch_id, 2);
        assert_int_equal(d->coupon_id, 1);
        assert_int_equal(d->most, 5);
        assert_int_equal(d->customer_limit, 1);
        assert_int_equal(d->starts_us, INT64_C(1767225600000001));
        assert_int_equal(d->ends_us, INT64_C(1769904000000000));
        assert_true(d->active);
        assert_false(of(codes, found, "off")->active);
        assert_int_equal(of(codes, found, "a")->customer_limit, STORE_INHERIT);
        assert_int_equal(of(codes, found, "a")->starts_us, INT64_MIN);
        assert_int_equal(of(codes, found, "a")->ends_us, INT64_MAX);
    }
}

static void a_locked_code_waits_and_a_looked_at_one_does_not(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"a"};
    struct store_code *codes = NULL;
    size_t found = 0;
    struct err err = {0};

    CHECK(db_tx_begin(fx->db, &why));
    CHECK(store_code_read(fx->db, fx->arena, keys, 1, true, &codes, &found, &why));
    CHECK(store_code_read(fx->other, fx->arena, keys, 1, false, &codes, &found, &why));
    assert_int_equal(found, 1);
    assert_int_equal(store_code_read(fx->other, fx->arena, keys, 1, true, &codes, &found, &err),
                     -1);
    assert_int_equal(err.kind, ERR_RETRY);
    CHECK(db_tx_rollback(fx->db, &why));
}

static void settling_adds_and_gives_back(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"a", "c"};
    int32_t changes[] = {1, -2};

    CHECK(store_code_settle(fx->db, keys, changes, 2, &why));
    CHECK(store_code_settle(fx->db, keys, changes, 0, &why));
    assert_int_equal(fixture_int(fx, USES("a")), 1);
    assert_int_equal(fixture_int(fx, USES("c")), 0);
}

/* --- counters -----------------------------------------------------------------------------------
 */

static struct store_counter counter(enum store_scope scope, const char *subject, int customer,
                                    int64_t uses, int64_t most)
{
    struct store_counter made = {.scope = scope,
                                 .subject = subject,
                                 .uses = uses,
                                 .most = most,
                                 .per_customer = customer > 0};

    memset(made.customer, customer, sizeof(made.customer));
    return made;
}

static void a_counter_is_made_counted_and_given_back(void **state)
{
    struct fixture *fx = *state;
    struct store_counter some[] = {counter(STORE_SCOPE_COUPON, "1", 0, 2, 3),
                                   counter(STORE_SCOPE_COUPON, "1", 7, 1, 1),
                                   counter(STORE_SCOPE_CODE, "a", 7, 1, 2)};

    CHECK(store_counter_add(fx->db, some, 3, &why));
    CHECK(store_counter_add(fx->db, some, 0, &why));
    some[0].uses = 1;
    CHECK(store_counter_add(fx->db, some, 1, &why));
    some[1].uses = 77;
    CHECK(store_counter_read(fx->db, some, 3, false, &why));
    assert_int_equal(some[0].uses, 3);
    assert_int_equal(some[1].uses, 1);
    assert_int_equal(some[2].uses, 1);
    assert_true(some[0].found && some[1].found && some[2].found);
    some[0].uses = 2;
    CHECK(store_counter_give_back(fx->db, some, 2, &why));
    CHECK(store_counter_read(fx->db, some, 3, true, &why));
    assert_int_equal(some[0].uses, 1);
    assert_int_equal(some[1].uses, 0);
    assert_true(some[1].found);
}

static void a_counter_that_is_not_there_reads_as_zero_and_takes_nothing_back(void **state)
{
    struct fixture *fx = *state;
    struct store_counter none[] = {counter(STORE_SCOPE_CAMPAIGN, "9", 0, 5, 5),
                                   counter(STORE_SCOPE_CAMPAIGN, "9", 1, 5, 5)};

    none[0].found = true;
    CHECK(store_counter_give_back(fx->db, none, 2, &why));
    CHECK(store_counter_read(fx->db, none, 2, true, &why));
    CHECK(store_counter_read(fx->db, none, 0, true, &why));
    assert_int_equal(none[0].uses, 0);
    assert_false(none[0].found || none[1].found);
    assert_int_equal(fixture_int(fx, "select count(*) from counter"), 0);
}

static void a_counter_never_exceeds_its_limit(void **state)
{
    struct fixture *fx = *state;
    struct store_counter one = counter(STORE_SCOPE_COUPON, "1", 0, 2, 3);
    struct err err = {0};

    CHECK(store_counter_add(fx->db, &one, 1, &why));
    assert_int_equal(store_counter_add(fx->db, &one, 1, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_string_equal(err.code, "counter_moved");
    one.uses = 1;
    CHECK(store_counter_add(fx->db, &one, 1, &why));
    assert_int_equal(fixture_int(fx, "select uses from counter"), 3);
}

static void another_failure_is_not_taken_for_a_moved_counter(void **state)
{
    struct fixture *fx = *state;
    struct store_counter one = counter(STORE_SCOPE_COUPON, "1", 0, 1, 3);
    struct err err = {0};

    one.uses = 4;
    assert_int_equal(store_counter_add(fx->db, &one, 1, &err), -1);
    assert_string_equal(err.code, "counter_moved");
    err_clear(&err);
    one.subject = "\xff"; /* no text at all, while the name of the constraint is still about */
    assert_int_equal(store_counter_add(fx->db, &one, 1, &err), -1);
    assert_int_equal(err.kind, ERR_POISON);
}

static void counters_are_told_apart_by_all_of_their_key(void **state)
{
    struct fixture *fx = *state;
    struct store_counter all[] = {counter(STORE_SCOPE_CAMPAIGN, "1", 0, 1, 99),
                                  counter(STORE_SCOPE_COUPON, "1", 2, 2, 99),
                                  counter(STORE_SCOPE_COUPON, "1", 1, 3, 99),
                                  counter(STORE_SCOPE_COUPON, "10", 0, 4, 99),
                                  counter(STORE_SCOPE_COUPON, "1", 0, 5, 99),
                                  counter(STORE_SCOPE_CODE, "\xc3\xa9", 1, 6, 99),
                                  counter(STORE_SCOPE_CODE, "z", 255, 7, 99),
                                  counter(STORE_SCOPE_CODE, "Z", 255, 8, 99)};

    CHECK(store_counter_add(fx->db, all, 8, &why));
    for (size_t i = 0; i < 8; i++)
        all[i].uses = 0;
    CHECK(store_counter_read(fx->db, all, 8, true, &why));
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(all[i].uses, (int64_t)i + 1);
}

static void two_that_make_the_same_last_use_cannot_both(void **state)
{
    struct fixture *fx = *state;
    struct store_counter one = counter(STORE_SCOPE_COUPON, "1", 0, 1, 1);
    struct err err = {0};

    CHECK(db_tx_begin(fx->db, &why));
    CHECK(store_counter_add(fx->db, &one, 1, &why));
    /* The other waits for the first, in vain here. */
    assert_int_equal(store_counter_add(fx->other, &one, 1, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_string_equal(err.code, "55P03");
    CHECK(db_tx_commit(fx->db, &why));
    assert_int_equal(store_counter_add(fx->other, &one, 1, &err), -1);
    assert_string_equal(err.code, "counter_moved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(uses_are_taken_up_to_the_limit_and_not_beyond, seed),
        cmocka_unit_test_setup(unknown_switched_off_and_deleted_codes_are_not_taken, seed),
        cmocka_unit_test_setup(an_unlimited_code_is_always_taken_and_says_that_its_batch_is_off,
                               seed),
        cmocka_unit_test_setup(reading_says_what_the_batch_says, seed),
        cmocka_unit_test_setup(a_locked_code_waits_and_a_looked_at_one_does_not, seed),
        cmocka_unit_test_setup(settling_adds_and_gives_back, seed),
        cmocka_unit_test_setup(a_counter_is_made_counted_and_given_back, seed),
        cmocka_unit_test_setup(a_counter_that_is_not_there_reads_as_zero_and_takes_nothing_back,
                               seed),
        cmocka_unit_test_setup(a_counter_never_exceeds_its_limit, seed),
        cmocka_unit_test_setup(another_failure_is_not_taken_for_a_moved_counter, seed),
        cmocka_unit_test_setup(counters_are_told_apart_by_all_of_their_key, seed),
        cmocka_unit_test_setup(two_that_make_the_same_last_use_cannot_both, seed),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
