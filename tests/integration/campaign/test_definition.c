/* SPDX-License-Identifier: Apache-2.0
 *
 * Put and archive: references, the tree, versions, history, archiving.
 */
#include "base_time.h"
#include "db_error.h"
#include "db_tx.h"
#include "definition_fixture.h"
#include "msg_reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FLEET_VERSION "select version from definition_version"
#define HISTORY_ROWS "select count(*) from definition_history"

static void a_first_put_makes_version_one(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx,
                fixture_campaign(
                    fx, CAMPAIGN(.id = "summer", .name = "Summer", .description = "all of it",
                                 .starts_at = msg_int_of(1000000), .ends_at = msg_int_of(2000000))),
                1);
    assert_int_equal(fx->done.event.kind, MSG_DEFINITION_CAMPAIGN);
    assert_string_equal(fx->done.event.id, "summer");
    assert_int_equal(fx->done.event.status, MSG_STATUS_ACTIVE);
    assert_false(fx->done.unchanged);
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 1);
    assert_string_equal(
        fixture_text(
            fx, "select concat_ws('|', name, description, status, starts_at, ends_at, total_limit, "
                "customer_limit, version, def_version, created_by, updated_by, "
                "created_at = updated_at) from campaign where ext_id = 'summer'"),
        "Summer|all of it|1|1970-01-01 00:00:01+00|1970-01-01 00:00:02+00|0|0|1|1|shop ann|shop "
        "ann|t");
    assert_string_equal(
        fixture_text(fx, "select data::text from definition_history where kind = 1 and version = 1 "
                         "and action = 'put' and by = 'shop ann'"),
        "{\"id\": \"x\", \"note\": [1, 2]}");
    fixture_audit(fx);
}

static void a_put_of_what_is_there_changes_nothing(void **state)
{
    struct fixture *fx = *state;

    for (int i = 0; i < 2; i++) {
        assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .starts_at = msg_int_of(5))), 1);
        assert_int_equal(fx->done.unchanged, i == 1);
        assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
        assert_int_equal(fx->done.unchanged, i == 1);
        assert_done(fx, fixture_discount(fx, AMOUNT(.id = "e", .currency = "EUR")), 1);
        assert_int_equal(fx->done.unchanged, i == 1);
        assert_done(fx,
                    fixture_coupon(
                        fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("e", "d"))),
                    1);
        assert_int_equal(fx->done.unchanged, i == 1);
        assert_done(fx, fixture_affiliate(fx, &(struct msg_affiliate_put){.id = "a"}), 1);
        assert_int_equal(fx->done.unchanged, i == 1);
    }
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 5);
    assert_int_equal(fixture_int(fx, HISTORY_ROWS), 5);
    fixture_audit(fx);
}

static void each_single_difference_is_a_new_version(void **state)
{
    struct fixture *fx = *state;
    int64_t version = 0;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .name = "")), 2);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .description = "d")), 3);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .starts_at = msg_int_of(0))), 4);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .ends_at = msg_int_of(1))), 5);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .limits.total = msg_int_of(1))), 6);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .limits.per_customer = msg_int_of(1))),
                7);
    assert_done(
        fx,
        fixture_campaign(fx, &(struct msg_campaign_put){.id = "c", .status = MSG_CAMPAIGN_DRAFT}),
        8);
    assert_int_equal(fx->done.event.status, MSG_STATUS_DRAFT);
    assert_done(
        fx,
        fixture_campaign(fx, &(struct msg_campaign_put){.id = "c", .status = MSG_CAMPAIGN_PAUSED}),
        9);
    assert_int_equal(fx->done.event.status, MSG_STATUS_PAUSED);

    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d", .name = "n")), 2);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d", .max_minor = msg_int_of(7))), 3);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "d", .currency = "EUR")), 4);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "d", .currency = "USD")), 5);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "e")), 1);

    const struct msg_coupon_put puts[] = {
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("d")},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("d", "e")},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e", "d")},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e")},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .active = true},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .apply = MSG_APPLY_BEST},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .name = "n"},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .pattern = "AAA"},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .starts_at = msg_int_of(1)},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .ends_at = msg_int_of(1)},
        {.id = "k", .campaign = "c", .discounts = DISCOUNTS("e"), .limits.total = msg_int_of(1)},
        {.id = "k",
         .campaign = "c",
         .discounts = DISCOUNTS("e"),
         .limits.per_customer = msg_int_of(1)},
        {.id = "k",
         .campaign = "c",
         .discounts = DISCOUNTS("e"),
         .code_defaults.max_uses = {MSG_NULL, 0}},
        {.id = "k",
         .campaign = "c",
         .discounts = DISCOUNTS("e"),
         .code_defaults.per_customer = msg_int_of(1)},
    };

    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        assert_done(fx, fixture_coupon(fx, &puts[i]), ++version);
        assert_int_equal(fx->done.event.status,
                         puts[i].active ? MSG_STATUS_ACTIVE : MSG_STATUS_INACTIVE);
    }
    fixture_audit(fx);
}

static void a_code_has_one_use_unless_its_coupon_says_otherwise(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"))), 1);
    assert_int_equal(fixture_int(fx, "select code_max_uses from coupon"), 0);
    assert_done(fx,
                fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"),
                                          .code_defaults.max_uses = {MSG_NULL, 0})),
                1);
    assert_int_equal(fixture_int(fx, "select code_max_uses from coupon"), 0);
    assert_done(fx,
                fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"),
                                          .code_defaults.max_uses = msg_int_of(7))),
                2);
    assert_int_equal(fixture_int(fx, "select code_max_uses from coupon"), 7);
}

static void only_the_data_of_a_structured_command_is_kept(void **state)
{
    struct fixture *fx = *state;
    struct store_change change = fixture_change(fx, fx->db, 1);
    static const char value[] = "{\"specversion\":\"1.0\",\"id\":\"1\",\"data\":{\"id\":\"c\"}}";
    struct err err = {0};

    change.value = value;
    change.value_len = sizeof(value) - 1;
    change.structured = true;
    change.actor = NULL;
    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    assert_int_equal(
        store_definition_put_campaign(&change, CAMPAIGN(.id = "c"), &fx->done, &fx->refused, &err),
        1);
    assert_int_equal(db_tx_commit(fx->db, &err), 0);
    assert_string_equal(fixture_text(fx, "select data::text from definition_history"),
                        "{\"id\": \"c\"}");
    assert_string_equal(fixture_text(fx, "select updated_by from campaign"), "shop");
}

static void expected_version_makes_a_put_conditional(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .expected_version = msg_int_of(1))),
                   "version_conflict", "/expected_version");
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c", .expected_version = msg_int_of(0))),
                1);
    assert_refused(
        fx,
        fixture_campaign(fx, CAMPAIGN(.id = "c", .name = "n", .expected_version = msg_int_of(0))),
        "version_conflict", "/expected_version");
    assert_refused(
        fx,
        fixture_campaign(fx, CAMPAIGN(.id = "c", .name = "n", .expected_version = msg_int_of(2))),
        "version_conflict", "/expected_version");
    assert_done(
        fx,
        fixture_campaign(fx, CAMPAIGN(.id = "c", .name = "n", .expected_version = msg_int_of(1))),
        2);
    assert_refused(fx, fixture_discount(fx, PERCENT(.id = "d", .expected_version = msg_int_of(9))),
                   "version_conflict", "/expected_version");
    assert_refused(
        fx,
        fixture_affiliate(
            fx, &(struct msg_affiliate_put){.id = "a", .expected_version = msg_int_of(9)}),
        "version_conflict", "/expected_version");
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 2);
}

static void a_campaign_knows_its_path(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "root")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "leaf", .parent = "mid")), 1);
    assert_string_equal(
        fixture_text(fx, "select path::text from campaign join campaign_path p on p.id = path_id "
                         "where ext_id = 'leaf'"),
        "{1,2,3}");
    fixture_audit(fx);
}

static void a_campaign_cannot_stand_below_itself(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .parent = "root")),
                   "unknown_parent", "/parent");
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "root")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "leaf", .parent = "mid")), 1);
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .parent = "root")),
                   "parent_cycle", "/parent");
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .parent = "mid")),
                   "parent_cycle", "/parent");
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .parent = "leaf")),
                   "parent_cycle", "/parent");
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "new", .parent = "nobody")),
                   "unknown_parent", "/parent");
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 3);
    fixture_audit(fx);
}

static void a_move_takes_everything_below_along(void **state)
{
    struct fixture *fx = *state;
    int64_t paths;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "a")), 1);                     /* 1 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "b")), 1);                     /* 2 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "a")), 1);    /* 3 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "leaf", .parent = "mid")), 1); /* 4 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "side", .parent = "a")), 1);   /* 5 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "b")), 2);
    assert_string_equal(
        fixture_text(fx, "select string_agg(path::text, ' ' order by c.id) from campaign c "
                         "join campaign_path p on p.id = c.path_id"),
        "{1} {2} {2,3} {2,3,4} {1,5}");
    /* The leaf was not itself changed, but caches have to load it again. */
    assert_string_equal(
        fixture_text(
            fx, "select string_agg(version || ':' || def_version, ' ' order by id) from campaign"),
        "1:1 1:2 2:6 1:6 1:5");
    /* The ledger still names the paths of before. */
    assert_int_equal(
        fixture_int(fx, "select count(*) from campaign_path where path in ('{1,3}', '{1,3,4}')"),
        2);
    fixture_audit(fx);

    paths = fixture_int(fx, "select count(*) from campaign_path");
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "a")), 3);
    assert_int_equal(fixture_int(fx, "select count(*) from campaign_path"), paths);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid")), 4);
    assert_string_equal(
        fixture_text(fx, "select path::text from campaign join campaign_path p on p.id = path_id "
                         "where ext_id = 'leaf'"),
        "{3,4}");
    fixture_audit(fx);
}

static void chain(struct fixture *fx, const char *prefix, int levels)
{
    char id[32], parent[32];

    for (int i = 1; i <= levels; i++) {
        snprintf(id, sizeof(id), "%s%d", prefix, i);
        snprintf(parent, sizeof(parent), "%s%d", prefix, i - 1);
        assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = id, .parent = i == 1 ? NULL : parent)),
                    1);
    }
}

static void the_tree_has_thirty_two_levels_at_most(void **state)
{
    struct fixture *fx = *state;

    chain(fx, "c", STORE_CAMPAIGN_LEVELS_MAX);
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "deep", .parent = "c32")),
                   "tree_too_deep", "/parent");
    chain(fx, "x", 2);
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "x1", .parent = "c31")), "tree_too_deep",
                   "/parent");
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "x1", .parent = "c30")), 2);
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "x2", .parent = "c32")), "tree_too_deep",
                   "/parent");
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "x2", .parent = "c31")), 2);
    fixture_audit(fx);
}

static void nothing_is_put_below_an_archived_campaign(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "root")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_CAMPAIGN, "root"), 2);
    assert_int_equal(fx->done.event.status, MSG_STATUS_ARCHIVED);
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "new", .parent = "root")),
                   "campaign_archived", "/parent");
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "new", .parent = "mid")),
                   "campaign_archived", "/parent");
    assert_refused(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "mid", .discounts = DISCOUNTS("d"))),
        "campaign_archived", "/campaign");
    assert_refused(fx, fixture_campaign(fx, CAMPAIGN(.id = "root", .name = "n")), "archived",
                   "/id");
    /* Out of the archived tree it may go. */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid")), 2);
    fixture_audit(fx);
}

static void an_archive_is_final_and_answered_twice(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"))), 1);
    assert_done(fx, fixture_affiliate(fx, &(struct msg_affiliate_put){.id = "a"}), 1);
    for (int i = 0; i < 2; i++) {
        assert_done(fx, fixture_archive(fx, MSG_DEFINITION_AFFILIATE, "a"), 2);
        assert_int_equal(fx->done.unchanged, i == 1);
        assert_done(fx, fixture_archive(fx, MSG_DEFINITION_COUPON, "k"), 2);
        assert_done(fx, fixture_archive(fx, MSG_DEFINITION_DISCOUNT, "d"), 2);
        assert_done(fx, fixture_archive(fx, MSG_DEFINITION_CAMPAIGN, "c"), 2);
    }
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 8);
    assert_refused(fx, fixture_affiliate(fx, &(struct msg_affiliate_put){.id = "a"}), "archived",
                   "/id");
    assert_refused(fx, fixture_discount(fx, PERCENT(.id = "d")), "archived", "/id");
    assert_refused(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"))),
        "archived", "/id");
    fixture_audit(fx);
}

static void what_is_not_there_cannot_be_archived(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, fixture_archive(fx, MSG_DEFINITION_CAMPAIGN, "x"), "unknown_campaign",
                   "/id");
    assert_refused(fx, fixture_archive(fx, MSG_DEFINITION_DISCOUNT, "x"), "unknown_discount",
                   "/id");
    assert_refused(fx, fixture_archive(fx, MSG_DEFINITION_COUPON, "x"), "unknown_coupon", "/id");
    assert_refused(fx, fixture_archive(fx, MSG_DEFINITION_AFFILIATE, "x"), "unknown_affiliate",
                   "/id");
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 0);
}

static void a_coupon_refers_to_what_is_there(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c")), 1);
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "other")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "old")), 1);
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_DISCOUNT, "old"), 2);
    assert_refused(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "x", .discounts = DISCOUNTS("d"))),
        "unknown_campaign", "/campaign");
    assert_refused(
        fx,
        fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d", "x"))),
        "unknown_discount", "/discounts/1");
    assert_refused(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("old"))),
        "discount_archived", "/discounts/0");
    assert_done(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"))), 1);
    assert_refused(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "other", .discounts = DISCOUNTS("d"))),
        "campaign_changed", "/campaign");
    fixture_audit(fx);
}

static void amounts_of_a_coupon_are_of_one_currency(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "pc")), 1);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "eur", .currency = "EUR")), 1);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "eur2", .currency = "EUR")), 1);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "usd", .currency = "USD")), 1);
    assert_refused(fx,
                   fixture_coupon(fx, COUPON(.id = "k", .campaign = "c",
                                             .discounts = DISCOUNTS("eur", "pc", "usd"))),
                   "currency_mismatch", "/discounts/2");
    assert_done(fx,
                fixture_coupon(fx, COUPON(.id = "k", .campaign = "c",
                                          .discounts = DISCOUNTS("eur", "pc", "eur2"))),
                1);
    assert_refused(fx, fixture_discount(fx, AMOUNT(.id = "eur", .currency = "USD")),
                   "currency_mismatch", "/currency");
    assert_refused(fx, fixture_discount(fx, AMOUNT(.id = "pc", .currency = "USD")),
                   "currency_mismatch", "/currency");
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "eur")), 2);
    /* The archived coupon holds nobody. */
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_COUPON, "k"), 2);
    assert_done(fx, fixture_discount(fx, AMOUNT(.id = "pc", .currency = "USD")), 2);
}

static void a_discount_in_use_is_not_archived(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "c")), 1);
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "c", .discounts = DISCOUNTS("d"))), 1);
    assert_refused(fx, fixture_archive(fx, MSG_DEFINITION_DISCOUNT, "d"), "in_use", "/id");
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_COUPON, "k"), 2);
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_DISCOUNT, "d"), 2);
}

static void an_archive_names_the_jobs_that_go_with_it(void **state)
{
    struct fixture *fx = *state;

    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "root")), 1);                  /* 1 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "mid", .parent = "root")), 1); /* 2 */
    assert_done(fx, fixture_campaign(fx, CAMPAIGN(.id = "side")), 1);                  /* 3 */
    assert_done(fx, fixture_discount(fx, PERCENT(.id = "d")), 1);
    assert_done(
        fx, fixture_coupon(fx, COUPON(.id = "k", .campaign = "mid", .discounts = DISCOUNTS("d"))),
        1);
    assert_done(
        fx, fixture_coupon(fx, COUPON(.id = "l", .campaign = "side", .discounts = DISCOUNTS("d"))),
        1);
    fixture_exec(fx, "insert into source (name) values ('shop');"
                     "insert into job (id, kind, state, source_id, ce_id, campaign_id, coupon_id, "
                     "params, total, lanes_left, "
                     "width, accepted_at, progress_at, outcome) values "
                     "('00000000-0000-0000-0000-000000000001', 1, 1, 1, '1', 2, 1, '{}', 9, 16, 4, "
                     "now(), now(), null),"
                     "('00000000-0000-0000-0000-000000000002', 2, 2, 1, '2', 1, null, '{}', 9, 16, "
                     "4, now(), now(), null),"
                     "('00000000-0000-0000-0000-000000000003', 1, 3, 1, '3', 2, 1, '{}', 9, 0, 4, "
                     "now(), now(), '{}'),"
                     "('00000000-0000-0000-0000-000000000004', 1, 1, 1, '4', 3, 2, '{}', 9, 16, 4, "
                     "now(), now(), null),"
                     "('00000000-0000-0000-0000-000000000005', 1, 1, 1, '5', null, 1, '{}', 9, 16, "
                     "4, now(), now(), null)");
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_COUPON, "k"), 2);
    assert_int_equal(fx->done.job_count, 2);
    assert_int_equal(fx->done.jobs[0][15], 1);
    assert_int_equal(fx->done.jobs[1][15], 5);
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_CAMPAIGN, "root"), 2);
    assert_int_equal(fx->done.job_count, 3);
    assert_int_equal(fx->done.jobs[0][15], 1);
    assert_int_equal(fx->done.jobs[1][15], 2);
    assert_int_equal(fx->done.jobs[2][15], 5);
    assert_done(fx, fixture_archive(fx, MSG_DEFINITION_CAMPAIGN, "root"), 2);
    assert_int_equal(fx->done.job_count, 0);
}

static void cancelled_jobs_are_found_by_moment_and_message(void **state)
{
    struct fixture *fx = *state;
    const uint8_t(*jobs)[16] = NULL;
    size_t count = 9;
    struct err err = {0};

    fixture_exec(
        fx, "insert into source (name) values ('shop');"
            "insert into job (id, kind, state, source_id, ce_id, params, total, lanes_left, width, "
            "accepted_at, "
            "progress_at, finished_at, outcome) "
            "select ('00000000-0000-0000-0000-00000000000' || n)::uuid, 1, s, 1, n::text, '{}', 9, "
            "16, 4, now(), now(), "
            "       'epoch'::timestamptz + f * interval '1 second', "
            "       format('{\"reasons\":[{\"code\":\"job_cancelled\",\"message\":\"%s\"}]}', m) "
            "  from (values (1, 5, 7, 'by A'), (2, 5, 7, 'by B'), (3, 5, 8, 'by A'), (4, 4, 7, 'by "
            "A'), "
            "               (5, 5, 7, 'by A')) as v (n, s, f, m)");
    assert_int_equal(store_definition_cancelled(fx->db, fx->arena, 7 * TIME_US_PER_S, "by A", &jobs,
                                                &count, &err),
                     0);
    assert_int_equal(count, 2);
    assert_int_equal(jobs[0][15], 1);
    assert_int_equal(jobs[1][15], 5);
    assert_int_equal(store_definition_cancelled(fx->db, fx->arena, 9 * TIME_US_PER_S, "by A", &jobs,
                                                &count, &err),
                     0);
    assert_int_equal(count, 0);
}

static void definitions_change_one_transaction_at_a_time(void **state)
{
    struct fixture *fx = *state;
    struct store_change first = fixture_change(fx, fx->db, 1);
    struct store_change second = fixture_change(fx, fx->other, 2);
    struct err err = {0};

    assert_int_equal(db_tx_begin(fx->db, &err), 0);
    assert_int_equal(
        store_definition_put_campaign(&first, CAMPAIGN(.id = "c"), &fx->done, &fx->refused, &err),
        1);
    assert_int_equal(db_tx_begin(fx->other, &err), 0);
    assert_int_equal(
        store_definition_put_discount(&second, PERCENT(.id = "d"), &fx->done, &fx->refused, &err),
        -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_true(db_error_is(&err, DB_LOCK_TIMEOUT));
    assert_int_equal(db_tx_rollback(fx->other, &err), 0);
    assert_int_equal(db_tx_commit(fx->db, &err), 0);
    assert_int_equal(db_tx_begin(fx->other, &err), 0);
    assert_int_equal(
        store_definition_put_discount(&second, PERCENT(.id = "d"), &fx->done, &fx->refused, &err),
        1);
    assert_int_equal(db_tx_commit(fx->other, &err), 0);
    assert_int_equal(fixture_int(fx, FLEET_VERSION), 2);
    fixture_audit(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_first_put_makes_version_one, fixture_reset),
        cmocka_unit_test_setup(a_put_of_what_is_there_changes_nothing, fixture_reset),
        cmocka_unit_test_setup(each_single_difference_is_a_new_version, fixture_reset),
        cmocka_unit_test_setup(a_code_has_one_use_unless_its_coupon_says_otherwise, fixture_reset),
        cmocka_unit_test_setup(only_the_data_of_a_structured_command_is_kept, fixture_reset),
        cmocka_unit_test_setup(expected_version_makes_a_put_conditional, fixture_reset),
        cmocka_unit_test_setup(a_campaign_knows_its_path, fixture_reset),
        cmocka_unit_test_setup(a_campaign_cannot_stand_below_itself, fixture_reset),
        cmocka_unit_test_setup(a_move_takes_everything_below_along, fixture_reset),
        cmocka_unit_test_setup(the_tree_has_thirty_two_levels_at_most, fixture_reset),
        cmocka_unit_test_setup(nothing_is_put_below_an_archived_campaign, fixture_reset),
        cmocka_unit_test_setup(an_archive_is_final_and_answered_twice, fixture_reset),
        cmocka_unit_test_setup(what_is_not_there_cannot_be_archived, fixture_reset),
        cmocka_unit_test_setup(a_coupon_refers_to_what_is_there, fixture_reset),
        cmocka_unit_test_setup(amounts_of_a_coupon_are_of_one_currency, fixture_reset),
        cmocka_unit_test_setup(a_discount_in_use_is_not_archived, fixture_reset),
        cmocka_unit_test_setup(an_archive_names_the_jobs_that_go_with_it, fixture_reset),
        cmocka_unit_test_setup(cancelled_jobs_are_found_by_moment_and_message, fixture_reset),
        cmocka_unit_test_setup(definitions_change_one_transaction_at_a_time, fixture_reset),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
