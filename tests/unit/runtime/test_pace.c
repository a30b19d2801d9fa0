/* SPDX-License-Identifier: Apache-2.0
 *
 * The size of a job's chunks follows the rate seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_attr.h"
#include "runtime_jobs.h"

static void before_the_first_chunk_the_guess_holds(void **state UNUSED)
{
    struct runtime_pace pace = {0};

    assert_int_equal(runtime_pace_rows(&pace, 250, 10000, 500000), 10000);
    assert_int_equal(runtime_pace_rows(&pace, 250, 10000, 10000), 10000);
    assert_int_equal(runtime_pace_rows(&pace, 250, 10000, 9999), 9999);
    assert_int_equal(runtime_pace_rows(&pace, 250, 10000, 1), 1);
}

static void the_first_chunk_sets_the_pace(void **state UNUSED)
{
    struct runtime_pace pace = {0};

    runtime_pace_seen(&pace, 10000, 50000); /* 200 rows a millisecond */
    assert_int_equal(runtime_pace_rows(&pace, 250, 1, 1000000), 50000);
    assert_int_equal(runtime_pace_rows(&pace, 10, 1, 1000000), 2000);
    assert_int_equal(runtime_pace_rows(&pace, 250, 1, 49999), 49999);
}

static void it_falls_at_once_and_rises_a_quarter_of_the_way(void **state UNUSED)
{
    struct runtime_pace pace = {0};

    runtime_pace_seen(&pace, 1000, 1000); /* 1 row a microsecond */
    runtime_pace_seen(&pace, 5000, 1000); /* 5: 1 + 4/4 = 2 */
    assert_int_equal(runtime_pace_rows(&pace, 1, 1, 1000000), 2000);
    runtime_pace_seen(&pace, 500, 1000); /* a half */
    assert_int_equal(runtime_pace_rows(&pace, 1, 1, 1000000), 500);
}

static void a_chunk_has_one_row_at_least_and_never_more_than_allowed(void **state UNUSED)
{
    struct runtime_pace slow = {0};
    struct runtime_pace fast = {0};
    struct runtime_pace instant = {0};

    runtime_pace_seen(&slow, 1, 3600 * INT64_C(1000000));
    assert_int_equal(runtime_pace_rows(&slow, 250, 10000, 500000), 1);
    runtime_pace_seen(&fast, INT64_C(1) << 50, 1);
    assert_int_equal(runtime_pace_rows(&fast, 250, 10000, 500000), 500000);
    assert_int_equal(runtime_pace_rows(&fast, 5000, 10000, INT64_C(1) << 40), INT64_C(1) << 40);
    /* a clock that stood still, or went back */
    runtime_pace_seen(&instant, 700, 0);
    assert_int_equal(runtime_pace_rows(&instant, 1, 1, 1000000), 700000);
    runtime_pace_seen(&instant, 7, -5);
    assert_int_equal(runtime_pace_rows(&instant, 1, 1, 1000000), 7000);
}

static void a_chunk_without_rows_does_not_stop_the_pace(void **state UNUSED)
{
    struct runtime_pace pace = {0};

    runtime_pace_seen(&pace, 1000, 1000);
    runtime_pace_seen(&pace, 0, 1000);
    assert_int_equal(runtime_pace_rows(&pace, 250, 10000, 500000), 10000); /* the guess again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_chunk_the_guess_holds),
        cmocka_unit_test(the_first_chunk_sets_the_pace),
        cmocka_unit_test(it_falls_at_once_and_rises_a_quarter_of_the_way),
        cmocka_unit_test(a_chunk_has_one_row_at_least_and_never_more_than_allowed),
        cmocka_unit_test(a_chunk_without_rows_does_not_stop_the_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
