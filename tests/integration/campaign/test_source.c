/* SPDX-License-Identifier: Apache-2.0
 *
 * Publishers: ids in memory are never ones that a rollback took back.
 */
#include "db_tx.h"
#include "definition_fixture.h"
#include "store_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAMES "select count(*) from source"

static int32_t id_of(struct fixture *fx, struct store_source *source, const char *name)
{
    struct err err = {0};
    int32_t id = -1;

    if (store_source_id(source, fx->db, name, &id, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
    return id;
}

static void a_name_keeps_its_id(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(0);
    CLEANUP(store_source_freep) struct store_source *another = store_source_new(0);
    int32_t shop = id_of(fx, source, "shop");
    int32_t till = id_of(fx, source, "till");

    assert_int_not_equal(shop, till);
    assert_int_equal(id_of(fx, source, "shop"), shop);
    assert_int_equal(id_of(fx, source, "shop"), shop);
    assert_int_equal(id_of(fx, another, "till"), till);
    assert_int_equal(fixture_int(fx, NAMES), 2);
    assert_int_equal(store_source_kept(source), 1);
    fixture_exec(fx, "update source set name = 'gone' where name = 'shop'");
    assert_int_equal(id_of(fx, source, "shop"), shop); /* from memory */
    store_source_forget(source);
    assert_int_not_equal(id_of(fx, source, "shop"), shop);
}

static void names_are_bytes(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(0);
    char longest[257];
    int32_t a = id_of(fx, source, "Shop");

    memset(longest, 'x', 256);
    longest[256] = '\0';
    assert_int_not_equal(id_of(fx, source, "shop"), a);
    assert_int_not_equal(id_of(fx, source, "sh\xc3\xb6p"), a);
    assert_int_equal(id_of(fx, source, longest), id_of(fx, source, longest));
    assert_int_equal(fixture_int(fx, NAMES), 4);
}

static void finding_does_not_insert(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(0);
    struct err err = {0};
    int32_t id = -7;

    assert_int_equal(store_source_find(source, fx->db, "shop", &id, &err), 0);
    assert_int_equal(id, -7);
    assert_int_equal(fixture_int(fx, NAMES), 0);
    int32_t made = id_of(fx, source, "shop");

    assert_int_equal(store_source_find(source, fx->db, "shop", &id, &err), 1);
    assert_int_equal(id, made);
}

static void a_rolled_back_name_leaves_nothing_in_memory(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(0);
    struct err err = {0};
    int32_t old = id_of(fx, source, "old");

    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    int32_t first = id_of(fx, source, "new");

    assert_int_equal(id_of(fx, source, "new"), first); /* looked up, not kept */
    assert_int_equal(id_of(fx, source, "old"), old);
    assert_int_equal(db_tx_rollback(fx->db, &err), 0);
    assert_int_equal(store_source_kept(source), 1);

    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    int32_t second = id_of(fx, source, "new");

    assert_int_not_equal(second, first);
    assert_int_equal(db_tx_commit(fx->db, &err), 0);
    assert_int_equal(id_of(fx, source, "new"), second);
    assert_int_equal(store_source_kept(source), 2);
}

static void a_name_of_a_savepoint_is_not_kept_either(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(0);
    struct err err = {0};

    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    (void)id_of(fx, source, "outer");
    assert_int_equal(db_tx_savepoint(fx->db, "s", &err), 0);
    int32_t inner = id_of(fx, source, "inner");

    assert_int_equal(id_of(fx, source, "inner"), inner);
    assert_int_equal(db_tx_rollback_to(fx->db, "s", &err), 0);
    assert_int_not_equal(id_of(fx, source, "inner"), inner);
    assert_int_equal(db_tx_rollback(fx->db, &err), 0);
    assert_int_equal(store_source_kept(source), 0);
}

static void a_full_memory_starts_over(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(3);
    int32_t ids[10];
    char name[16];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10; i++) {
            snprintf(name, sizeof(name), "shop-%d", i);
            int32_t id = id_of(fx, source, name);

            if (round == 0)
                ids[i] = id;
            assert_int_equal(id, ids[i]);
            assert_true(store_source_kept(source) <= 3);
        }
    }
    assert_int_equal(fixture_int(fx, NAMES), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_name_keeps_its_id, fixture_reset),
        cmocka_unit_test_setup(names_are_bytes, fixture_reset),
        cmocka_unit_test_setup(finding_does_not_insert, fixture_reset),
        cmocka_unit_test_setup(a_rolled_back_name_leaves_nothing_in_memory, fixture_reset),
        cmocka_unit_test_setup(a_name_of_a_savepoint_is_not_kept_either, fixture_reset),
        cmocka_unit_test_setup(a_full_memory_starts_over, fixture_reset),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
