/* SPDX-License-Identifier: Apache-2.0
 *
 * The definitions in memory: what was loaded step by step is what a whole load gives, and nothing
 * is decided with definitions that have moved.
 */
#include "db_error.h"
#include "db_query.h"
#include "db_tx.h"
#include "definition_fixture.h"
#include "store_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int refresh(struct fixture *fx, struct store_catalog *catalog)
{
    struct err err = {0};
    int said = store_catalog_refresh(catalog, fx->db, &err);

    if (said < 0)
        fail_msg("%s: %s", err.code, err.text);
    return said;
}

static void define_a_little(struct fixture *fx)
{
    assert_done(
        fx,
        fixture_campaign(fx, CAMPAIGN(.id = "root", .name = "Root", .limits.total = msg_int_of(7))),
        1);
    assert_done(fx,
                fixture_campaign(fx, &(struct msg_campaign_put){.id = "child",
                                                                .parent = "root",
                                                                .status = MSG_CAMPAIGN_PAUSED,
                                                                .starts_at = msg_int_of(0),
                                                                .ends_at = msg_int_of(5)}),
                1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "pc", .max_minor = msg_int_of(99))), 1);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "eur", .currency = "EUR", .name = "Five")),
                1);
    assert_done(
        fx,
        fixture_coupon(fx, COUPON(.id = "k", .campaign = "child", .pattern = "AAA-999",
                                  .discounts = DISCOUNTS("eur", "pc"), .apply = MSG_APPLY_BEST,
                                  .limits.per_customer = msg_int_of(2),
                                  .code_defaults.max_uses = msg_int_of(3),
                                  .code_defaults.per_customer = msg_int_of(4))),
        1);
    assert_done(fx,
                fixture_affiliate(fx, &(struct msg_affiliate_put){.id = "ann",
                                                                  .external_id = "X-1",
                                                                  .email = "ann@example.com"}),
                1);
}

static void a_first_refresh_loads_everything(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();

    define_a_little(fx);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(store_catalog_version(catalog), 6);
    assert_int_equal(store_catalog_campaign_count(catalog), 2);
    assert_int_equal(store_catalog_coupon_count(catalog), 1);

    const struct store_campaign *root = store_catalog_campaign(catalog, "root");
    const struct store_campaign *child = store_catalog_campaign(catalog, "child");

    assert_non_null(root);
    assert_non_null(child);
    assert_ptr_equal(store_catalog_campaign_of(catalog, child->id), child);
    assert_ptr_equal(store_catalog_campaign_at(catalog, 0), root);
    assert_string_equal(root->name, "Root");
    assert_int_equal(root->total_limit, 7);
    assert_int_equal(root->status, STORE_CAMPAIGN_ACTIVE);
    assert_true(root->starts_us == STORE_NO_START);
    assert_true(root->ends_us == STORE_NO_END);
    assert_int_equal(root->parent_id, 0);
    assert_int_equal(root->chain_len, 1);
    assert_ptr_equal(root->chain[0], root);
    assert_null(child->name);
    assert_int_equal(child->status, STORE_CAMPAIGN_PAUSED);
    assert_true(child->starts_us == 0);
    assert_true(child->ends_us == 5);
    assert_int_equal(child->chain_len, 2);
    assert_ptr_equal(child->chain[0], root);
    assert_ptr_equal(child->chain[1], child);
    assert_int_equal(child->path_id,
                     fixture_int(fx, "select path_id from campaign where ext_id = 'child'"));

    const struct store_coupon *k = store_catalog_coupon(catalog, "k");

    assert_non_null(k);
    assert_ptr_equal(store_catalog_coupon_of(catalog, k->id), k);
    assert_ptr_equal(k->campaign, child);
    assert_true(k->active);
    assert_false(k->archived);
    assert_true(k->apply_best);
    assert_int_equal(k->total_limit, 0);
    assert_int_equal(k->customer_limit, 2);
    assert_int_equal(k->code_max_uses, 3);
    assert_int_equal(k->code_customer_limit, 4);
    assert_string_equal(k->pattern, "AAA-999");
    assert_int_equal(k->discount_count, 2);
    assert_ptr_equal(k->discounts[0], store_catalog_discount(catalog, "eur"));
    assert_ptr_equal(k->discounts[1], store_catalog_discount(catalog, "pc"));
    assert_int_equal(k->discounts[0]->kind, STORE_DISCOUNT_AMOUNT);
    assert_int_equal(k->discounts[0]->amount_minor, 500);
    assert_string_equal(k->discounts[0]->currency, "EUR");
    assert_int_equal(k->discounts[0]->max_minor, 0);
    assert_int_equal(k->discounts[1]->kind, STORE_DISCOUNT_PERCENT);
    assert_int_equal(k->discounts[1]->percent_bp, 1500);
    assert_null(k->discounts[1]->currency);
    assert_int_equal(k->discounts[1]->max_minor, 99);

    const struct store_affiliate *ann = store_catalog_affiliate(catalog, "ann");

    assert_non_null(ann);
    assert_ptr_equal(store_catalog_affiliate_of(catalog, ann->id), ann);
    assert_string_equal(ann->external_id, "X-1");
    assert_string_equal(ann->email, "ann@example.com");
    assert_null(ann->name);
    assert_null(store_catalog_affiliate(catalog, "k"));
}

static void no_definitions_are_a_catalog_too(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();

    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(store_catalog_version(catalog), 0);
    assert_int_equal(refresh(fx, catalog), 0);
    assert_null(store_catalog_coupon(catalog, "k"));
}

static void a_refresh_takes_what_moved_and_leaves_the_rest_in_place(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();

    define_a_little(fx);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(refresh(fx, catalog), 0);
    const struct store_coupon *k = store_catalog_coupon(catalog, "k");
    const struct store_campaign *child = store_catalog_campaign(catalog, "child");

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "child", .name = "Child")), 2);
    assert_done(
        fx,
        fixture_coupon(fx, COUPON(.id = "k", .campaign = "child", .discounts = DISCOUNTS("pc"))),
        2);
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_DISCOUNT, "eur"), 2);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_ptr_equal(store_catalog_coupon(catalog, "k"), k);
    assert_ptr_equal(store_catalog_campaign(catalog, "child"), child);
    assert_string_equal(child->name, "Child");
    assert_int_equal(child->chain_len, 1);
    assert_ptr_equal(child->chain[0], child);
    assert_int_equal(k->version, 2);
    assert_null(k->pattern);
    assert_int_equal(k->discount_count, 1);
    assert_string_equal(k->discounts[0]->ext_id, "pc");
    assert_ptr_equal(k->campaign, child);
    assert_true(store_catalog_discount(catalog, "eur")->archived);
    assert_int_equal(store_catalog_campaign_count(catalog), 2);
}

static void a_move_is_seen_by_everything_below(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();

    define_a_little(fx);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "leaf", .parent = "child")), 1);
    assert_int_equal(refresh(fx, catalog), 1);
    const struct store_campaign *leaf = store_catalog_campaign(catalog, "leaf");
    int32_t path_id = leaf->path_id;

    assert_int_equal(leaf->chain_len, 3);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "above")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .parent = "above")), 2);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(leaf->chain_len, 4);
    assert_string_equal(leaf->chain[0]->ext_id, "above");
    assert_string_equal(leaf->chain[1]->ext_id, "root");
    assert_string_equal(leaf->chain[2]->ext_id, "child");
    assert_ptr_equal(leaf->chain[3], leaf);
    assert_int_not_equal(leaf->path_id, path_id);
    assert_true(store_campaign_within(leaf, store_catalog_campaign(catalog, "above")));
}

static void the_last_statement_tells_that_definitions_moved(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();
    struct store_change change = fixture_change(fx, fx->other, 1);
    struct err err = {0};

    define_a_little(fx);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    assert_int_equal(store_catalog_check(catalog, fx->db, &err), 1);
    /* From here to the commit nobody changes a definition. */
    assert_int_equal(db_tx_begin(fx->other, &err), 0);
    assert_int_equal(store_definition_put_campaign(&change, CAMPAIGN(.id = "new"), &fx->done,
                                                   &fx->refused, &err),
                     -1);
    assert_true(db_error_is(&err, DB_LOCK_TIMEOUT));
    assert_int_equal(db_tx_rollback(fx->other, &err), 0);
    assert_int_equal(db_tx_commit(fx->db, &err), 0);

    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    assert_int_equal(db_tx_begin(fx->other, &err), 0);
    assert_int_equal(store_definition_put_campaign(&change, CAMPAIGN(.id = "new"), &fx->done,
                                                   &fx->refused, &err),
                     1);
    assert_int_equal(db_tx_commit(fx->other, &err), 0);
    assert_int_equal(store_catalog_check(catalog, fx->db, &err), 0);
    assert_int_equal(db_tx_rollback(fx->db, &err), 0);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_non_null(store_catalog_campaign(catalog, "new"));
    assert_int_equal(store_catalog_check(catalog, fx->db, &err), 1);
}

static void an_older_data_base_is_loaded_whole(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();

    define_a_little(fx);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(fixture_reset(state), 0);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "other")), 1);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_int_equal(store_catalog_version(catalog), 1);
    assert_null(store_catalog_campaign(catalog, "root"));
    assert_null(store_catalog_coupon(catalog, "k"));
    assert_non_null(store_catalog_campaign(catalog, "other"));
}

static void a_failed_refresh_leaves_an_empty_catalog(void **state)
{
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *catalog = store_catalog_new();
    struct err err = {0};

    define_a_little(fx);
    assert_int_equal(refresh(fx, catalog), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "new")), 1);
    fixture_exec(fx, "alter table affiliate rename to hidden");
    assert_int_equal(store_catalog_refresh(catalog, fx->db, &err), -1);
    assert_int_equal(store_catalog_version(catalog), -1);
    assert_null(store_catalog_campaign(catalog, "root"));
    fixture_exec(fx, "alter table hidden rename to affiliate");
    assert_int_equal(refresh(fx, catalog), 1);
    assert_non_null(store_catalog_campaign(catalog, "new"));
    assert_non_null(store_catalog_affiliate(catalog, "ann"));
}

/* --- step by step against whole
 * ------------------------------------------------------------------------------ */

static void assert_same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL)
        assert_string_equal(a, b);
}

static void assert_same_campaign(const struct store_campaign *a, const struct store_campaign *b)
{
    assert_non_null(a);
    assert_int_equal(a->id, b->id);
    assert_same_text(a->ext_id, b->ext_id);
    assert_same_text(a->name, b->name);
    assert_int_equal(a->status, b->status);
    assert_true(a->starts_us == b->starts_us);
    assert_int_equal(a->total_limit, b->total_limit);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->parent_id, b->parent_id);
    assert_int_equal(a->path_id, b->path_id);
    assert_int_equal(a->chain_len, b->chain_len);
    for (size_t i = 0; i < a->chain_len; i++)
        assert_int_equal(a->chain[i]->id, b->chain[i]->id);
    assert_ptr_equal(a->chain[a->chain_len - 1], a);
}

static void assert_same_coupon(const struct store_coupon *a, const struct store_coupon *b)
{
    assert_non_null(a);
    assert_int_equal(a->id, b->id);
    assert_same_text(a->name, b->name);
    assert_int_equal(a->active, b->active);
    assert_int_equal(a->archived, b->archived);
    assert_int_equal(a->version, b->version);
    assert_same_campaign(a->campaign, b->campaign);
    assert_int_equal(a->discount_count, b->discount_count);
    for (size_t i = 0; i < a->discount_count; i++) {
        assert_int_equal(a->discounts[i]->id, b->discounts[i]->id);
        assert_same_text(a->discounts[i]->name, b->discounts[i]->name);
        assert_int_equal(a->discounts[i]->archived, b->discounts[i]->archived);
        assert_int_equal(a->discounts[i]->version, b->discounts[i]->version);
    }
}

static void assert_same_catalog(const struct store_catalog *a, const struct store_catalog *b)
{
    assert_int_equal(store_catalog_version(a), store_catalog_version(b));
    assert_int_equal(store_catalog_campaign_count(a), store_catalog_campaign_count(b));
    assert_int_equal(store_catalog_coupon_count(a), store_catalog_coupon_count(b));
    for (size_t i = 0; i < store_catalog_campaign_count(b); i++) {
        const struct store_campaign *campaign = store_catalog_campaign_at(b, i);

        assert_same_campaign(store_catalog_campaign(a, campaign->ext_id), campaign);
    }
    for (size_t i = 0; i < store_catalog_coupon_count(b); i++) {
        const struct store_coupon *coupon = store_catalog_coupon_at(b, i);

        assert_same_coupon(store_catalog_coupon(a, coupon->ext_id), coupon);
    }
}

/* One random command about 12 campaigns, 6 discounts and 12 coupons; many are refused. */
static int random_change(struct fixture *fx)
{
    char ids[4][8], name[16];
    long dice = random();

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        snprintf(ids[i], sizeof(ids[i]), "%ld", random() % (i < 2 ? 12 : 6));
    snprintf(name, sizeof(name), "%ld", random() % 1000);
    switch (dice % 16) {
    case 0:
        return dice % 160 == 0 && fixture_archive(fx, MSG_DEFINITION_CAMPAIGN, ids[0]);
    case 1:
        return fixture_archive(fx, MSG_DEFINITION_COUPON, ids[0]) &&
               fixture_archive(fx, MSG_DEFINITION_DISCOUNT, ids[2]);
    case 2:
    case 3:
    case 4:
        return fixture_discount(fx, PERCENT(.id = ids[2], .name = name));
    case 5:
    case 6:
    case 7:
    case 8:
        return fixture_coupon(fx, COUPON(.id = ids[0], .campaign = ids[1], .name = name,
                                         .discounts = {(const char *const[]){ids[2], ids[3]},
                                                       strcmp(ids[2], ids[3]) == 0 ? 1 : 2}));
    default:
        return fixture_campaign(fx, CAMPAIGN(.id = ids[0], .name = name,
                                             .parent = dice % 3 == 0 ? NULL : ids[1],
                                             .limits.total = msg_int_of(dice % 5)));
    }
}

static void step_by_step_is_the_same_as_whole(void **state)
{
    enum { STEPS = 600 };
    struct fixture *fx = *state;
    CLEANUP(store_catalog_freep) struct store_catalog *steps = store_catalog_new();
    int changes = 0;

    srandom(20260101);
    for (int i = 0; i < STEPS; i++) {
        changes += random_change(fx);
        if (i % 3 != 0)
            continue;
        CLEANUP(store_catalog_freep) struct store_catalog *whole = store_catalog_new();

        (void)refresh(fx, steps);
        assert_int_equal(refresh(fx, whole), 1);
        assert_same_catalog(steps, whole);
    }
    /* It is no test when nothing was accepted. */
    assert_true(changes > STEPS / 4);
    assert_true(store_catalog_coupon_count(steps) > 3);
    fixture_audit(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_first_refresh_loads_everything, fixture_reset),
        cmocka_unit_test_setup(no_definitions_are_a_catalog_too, fixture_reset),
        cmocka_unit_test_setup(a_refresh_takes_what_moved_and_leaves_the_rest_in_place,
                               fixture_reset),
        cmocka_unit_test_setup(a_move_is_seen_by_everything_below, fixture_reset),
        cmocka_unit_test_setup(the_last_statement_tells_that_definitions_moved, fixture_reset),
        cmocka_unit_test_setup(an_older_data_base_is_loaded_whole, fixture_reset),
        cmocka_unit_test_setup(a_failed_refresh_leaves_an_empty_catalog, fixture_reset),
        cmocka_unit_test_setup(step_by_step_is_the_same_as_whole, fixture_reset),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
