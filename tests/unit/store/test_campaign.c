/* SPDX-License-Identifier: Apache-2.0 */
#include "store_catalog.h"
#include "store_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_campaign_is_within_itself_and_all_above(void **state)
{
    struct store_campaign root = {.id = 1};
    struct store_campaign child = {.id = 2};
    struct store_campaign grandchild = {.id = 3};
    struct store_campaign sibling = {.id = 4};
    const struct store_campaign *root_chain[] = {&root};
    const struct store_campaign *child_chain[] = {&root, &child};
    const struct store_campaign *grandchild_chain[] = {&root, &child, &grandchild};
    const struct store_campaign *sibling_chain[] = {&root, &sibling};

    (void)state;
    root.chain = root_chain;
    root.chain_len = 1;
    child.chain = child_chain;
    child.chain_len = 2;
    grandchild.chain = grandchild_chain;
    grandchild.chain_len = 3;
    sibling.chain = sibling_chain;
    sibling.chain_len = 2;
    assert_true(store_campaign_within(&root, &root));
    assert_true(store_campaign_within(&grandchild, &root));
    assert_true(store_campaign_within(&grandchild, &child));
    assert_true(store_campaign_within(&grandchild, &grandchild));
    assert_false(store_campaign_within(&root, &child));
    assert_false(store_campaign_within(&child, &grandchild));
    assert_false(store_campaign_within(&grandchild, &sibling));
}

static void a_new_catalog_knows_nothing(void **state)
{
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();

    (void)state;
    assert_non_null(catalog);
    assert_int_equal(store_catalog_version(catalog), -1);
    assert_null(store_catalog_campaign(catalog, "summer"));
    assert_null(store_catalog_campaign(catalog, ""));
    assert_null(store_catalog_coupon_of(catalog, 0));
    assert_null(store_catalog_discount(catalog, "ten"));
    assert_null(store_catalog_affiliate_of(catalog, 1));
    assert_int_equal(store_catalog_campaign_count(catalog), 0);
    assert_int_equal(store_catalog_coupon_count(catalog), 0);
    store_catalog_forget(catalog);
    assert_int_equal(store_catalog_version(catalog), -1);
}

static void a_new_source_cache_is_empty(void **state)
{
    CLEANUP(store_source_freep) struct store_source *source = store_source_new(0);

    (void)state;
    assert_non_null(source);
    assert_int_equal(store_source_kept(source), 0);
    store_source_forget(source);
    assert_int_equal(store_source_kept(source), 0);
    store_source_free(NULL);
    store_catalog_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_is_within_itself_and_all_above),
        cmocka_unit_test(a_new_catalog_knows_nothing),
        cmocka_unit_test(a_new_source_cache_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
