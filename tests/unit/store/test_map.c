/* SPDX-License-Identifier: Apache-2.0 */
#include "store_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void an_empty_map_finds_nothing(void **state)
{
    struct store_map map;

    (void)state;
    store_map_init(&map);
    assert_null(store_map_get(&map, "a", 1));
    assert_null(store_map_get(&map, "", 0));
    assert_int_equal(map.count, 0);
    store_map_done(&map);
}

static void keys_are_compared_by_length_and_bytes(void **state)
{
    struct store_map map;
    int a = 0, b = 0, c = 0, d = 0;

    (void)state;
    store_map_init(&map);
    assert_true(store_map_put(&map, "ab", 2, &a));
    assert_true(store_map_put(&map, "a", 1, &b));
    assert_true(store_map_put(&map, "a\0b", 3, &c));
    assert_true(store_map_put(&map, "", 0, &d));
    assert_ptr_equal(store_map_get(&map, "ab", 2), &a);
    assert_ptr_equal(store_map_get(&map, "a", 1), &b);
    assert_ptr_equal(store_map_get(&map, "a\0b", 3), &c);
    assert_ptr_equal(store_map_get(&map, "", 0), &d);
    assert_null(store_map_get(&map, "a\0c", 3));
    assert_null(store_map_get(&map, "A", 1));
    assert_int_equal(map.count, 4);
    store_map_done(&map);
}

static void a_second_put_replaces_the_first(void **state)
{
    struct store_map map;
    int a = 0, b = 0;
    const char first[] = "key";
    const char second[] = "key";

    (void)state;
    store_map_init(&map);
    assert_true(store_map_put(&map, first, 3, &a));
    assert_true(store_map_put(&map, second, 3, &b));
    assert_ptr_equal(store_map_get(&map, "key", 3), &b);
    assert_int_equal(map.count, 1);
    store_map_done(&map);
}

static void all_of_many_keys_are_found_while_it_grows(void **state)
{
    enum { MANY = 10000 };
    struct store_map map;
    int32_t *ids = calloc(MANY, sizeof(ids[0]));

    (void)state;
    assert_non_null(ids);
    store_map_init(&map);
    for (int32_t i = 0; i < MANY; i++) {
        ids[i] = i;
        assert_true(store_map_put(&map, &ids[i], sizeof(ids[i]), &ids[i]));
        assert_ptr_equal(store_map_get(&map, &ids[i / 2], sizeof(ids[0])), &ids[i / 2]);
    }
    assert_int_equal(map.count, MANY);
    for (int32_t i = 0; i < MANY; i++)
        assert_ptr_equal(store_map_get(&map, &i, sizeof(i)), &ids[i]);
    for (int32_t i = MANY; i < 2 * MANY; i++)
        assert_null(store_map_get(&map, &i, sizeof(i)));
    store_map_done(&map);
    free(ids);
}

static void a_cleared_map_is_empty_and_usable(void **state)
{
    struct store_map map;
    int a = 0;

    (void)state;
    store_map_init(&map);
    store_map_clear(&map);
    assert_true(store_map_put(&map, "a", 1, &a));
    store_map_clear(&map);
    assert_int_equal(map.count, 0);
    assert_null(store_map_get(&map, "a", 1));
    assert_true(store_map_put(&map, "a", 1, &a));
    assert_ptr_equal(store_map_get(&map, "a", 1), &a);
    store_map_done(&map);
    store_map_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(keys_are_compared_by_length_and_bytes),
        cmocka_unit_test(a_second_put_replaces_the_first),
        cmocka_unit_test(all_of_many_keys_are_found_while_it_grows),
        cmocka_unit_test(a_cleared_map_is_empty_and_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
