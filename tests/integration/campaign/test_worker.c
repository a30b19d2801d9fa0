/* SPDX-License-Identifier: Apache-2.0
 *
 * Campaign-worker from the outside: commands on campaign.commands, events on campaign.events.
 */
#include "worker_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PUT "promofleet.campaign.put.v1"
#define DISCOUNT_PUT "promofleet.discount.put.v1"
#define COUPON_PUT "promofleet.coupon.put.v1"
#define AFFILIATE_PUT "promofleet.affiliate.put.v1"

static void assert_event(const struct seen *seen, const char *type, const char *key,
                         const char *data)
{
    assert_string_equal(seen->type, type);
    assert_string_equal(seen->key, key);
    assert_string_equal(seen->data, data);
    assert_string_equal(seen->cause_source, "shop");
    assert_int_equal(seen->topic, MSG_TOPIC_CAMPAIGN_EVENTS);
}

/* pointer NULL: the command as a whole. */
static void assert_reason(const struct seen *seen, const char *type, const char *code,
                          const char *pointer)
{
    char wanted[128];

    assert_string_equal(seen->type, type);
    snprintf(wanted, sizeof(wanted), "{\"reasons\":[{\"code\":\"%s\"", code);
    assert_memory_equal(seen->data, wanted, strlen(wanted));
    if (pointer == NULL) {
        assert_null(strstr(seen->data, "\"pointer\":\"/"));
        return;
    }
    snprintf(wanted, sizeof(wanted), "\"pointer\":\"%s\"", pointer);
    assert_non_null(strstr(seen->data, wanted));
}

static void a_put_is_answered_by_one_event_keyed_by_the_definition(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;

    worker_send(fx, PUT, "p1", "{\"id\":\"summer\",\"name\":\"Summer\"}", -1);
    worker_send(fx, DISCOUNT_PUT, "p2", "{\"id\":\"ten\",\"kind\":\"percent\",\"percent_bp\":1000}",
                -1);
    worker_send(fx, COUPON_PUT, "p3",
                "{\"id\":\"group\",\"campaign\":\"summer\",\"discounts\":[\"ten\"]}", -1);
    worker_send(fx, AFFILIATE_PUT, "p4", "{\"id\":\"ann\"}", -1);
    worker_await(fx, before + 4);
    assert_event(worker_answer(fx, "p1", 0), "promofleet.campaign.changed.v1", "summer",
                 "{\"kind\":\"campaign\",\"id\":\"summer\",\"version\":1,\"status\":\"active\"}");
    assert_event(worker_answer(fx, "p2", 0), "promofleet.discount.changed.v1", "ten",
                 "{\"kind\":\"discount\",\"id\":\"ten\",\"version\":1,\"status\":\"active\"}");
    assert_event(worker_answer(fx, "p3", 0), "promofleet.coupon.changed.v1", "group",
                 "{\"kind\":\"coupon\",\"id\":\"group\",\"version\":1,\"status\":\"active\"}");
    assert_event(worker_answer(fx, "p4", 0), "promofleet.affiliate.changed.v1", "ann",
                 "{\"kind\":\"affiliate\",\"id\":\"ann\",\"version\":1,\"status\":\"active\"}");
    assert_string_equal(worker_answer(fx, "p1", 0)->repeated, "");
    assert_int_equal(
        worker_int(
            fx,
            "select count(*) from campaign where ext_id = 'summer' and created_by = 'shop ann'"),
        1);
}

static void a_repeat_gets_the_same_event_again(void **state)
{
    struct worker_fixture *fx = *state;
    static const char data[] = "{\"id\":\"again\",\"name\":\"x\"}";
    static const char same[] = " { \"name\" : \"\\u0078\", \"id\":\"again\" } ";
    size_t before = fx->seen_count;

    worker_send(fx, PUT, "r1", data, -1);
    worker_await(fx, before + 1);
    worker_send(fx, PUT, "r2", "{\"id\":\"again\",\"name\":\"y\"}", -1);
    worker_send(fx, PUT, "r1", same, -1);
    worker_await(fx, before + 3);
    const struct seen *first = worker_answer(fx, "r1", 0);
    const struct seen *second = worker_answer(fx, "r1", 1);

    assert_string_equal(second->id, first->id);
    assert_string_equal(second->type, first->type);
    assert_string_equal(second->key, first->key);
    assert_string_equal(second->data, first->data);
    assert_string_equal(second->repeated, "true");
    assert_int_equal(worker_int(fx, "select version from campaign where ext_id = 'again'"), 2);
}

static void an_id_is_not_used_for_two_commands(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;

    worker_send(fx, PUT, "u1", "{\"id\":\"one\"}", -1);
    worker_send(fx, PUT, "u1", "{\"id\":\"two\"}", -1);
    worker_send(fx, "promofleet.campaign.archive.v1", "u1", "{\"id\":\"one\"}", -1);
    worker_await(fx, before + 3);
    assert_string_equal(worker_answer(fx, "u1", 0)->type, "promofleet.campaign.changed.v1");
    assert_reason(worker_answer(fx, "u1", 1), "promofleet.campaign.rejected.v1",
                  "command_id_reused", NULL);
    assert_reason(worker_answer(fx, "u1", 2), "promofleet.campaign.rejected.v1",
                  "command_id_reused", NULL);
    assert_string_not_equal(worker_answer(fx, "u1", 0)->id, worker_answer(fx, "u1", 1)->id);
    assert_int_equal(
        worker_int(fx,
                   "select count(*) from campaign where ext_id in ('one', 'two') and status = 1"),
        1);
}

static void a_bad_field_is_refused_with_its_pointer(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;

    worker_send(fx, PUT, "b1", "{\"id\":\"bad\",\"limits\":{\"total\":0}}", -1);
    worker_send(fx, PUT, "b2", "{\"id\":\"bad\",\"colour\":1}", -1);
    worker_send(fx, COUPON_PUT, "b3", "{\"id\":\"bad\",\"campaign\":\"c\",\"discounts\":[\"a\",7]}",
                -1);
    worker_send(fx, PUT, "b4", "{\"id\":", -1);
    worker_send(fx, PUT, "b5", "{\"id\":\"\xff\"}", -1);
    worker_await(fx, before + 5);
    assert_reason(worker_answer(fx, "b1", 0), "promofleet.campaign.rejected.v1", "out_of_range",
                  "/limits/total");
    assert_reason(worker_answer(fx, "b2", 0), "promofleet.campaign.rejected.v1", "unknown_field",
                  "/colour");
    assert_reason(worker_answer(fx, "b3", 0), "promofleet.coupon.rejected.v1", "wrong_type",
                  "/discounts/1");
    assert_reason(worker_answer(fx, "b4", 0), "promofleet.campaign.rejected.v1", "bad_json", "/id");
    assert_reason(worker_answer(fx, "b5", 0), "promofleet.campaign.rejected.v1", "bad_utf8", "/id");
    assert_int_equal(worker_int(fx, "select count(*) from campaign where ext_id = 'bad'"), 0);
}

static void a_refusal_is_an_outcome_like_any_other(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;

    worker_send(fx, PUT, "n1", "{\"id\":\"below\",\"parent\":\"nobody\"}", -1);
    worker_send(fx, PUT, "n2", "{\"id\":\"nobody\"}", -1);
    worker_send(fx, PUT, "n1", "{\"id\":\"below\",\"parent\":\"nobody\"}", -1);
    worker_await(fx, before + 3);
    const struct seen *first = worker_answer(fx, "n1", 0);
    const struct seen *second = worker_answer(fx, "n1", 1);

    assert_reason(first, "promofleet.campaign.rejected.v1", "unknown_parent", "/parent");
    assert_string_equal(first->key, "below");
    assert_string_equal(second->id, first->id);
    assert_string_equal(second->data, first->data);
    assert_string_equal(second->repeated, "true");
    assert_int_equal(worker_int(fx, "select count(*) from campaign where ext_id = 'below'"), 0);
}

static void a_structured_command_is_the_same_command(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;

    worker_send_structured(
        fx, "{\"specversion\":\"1.0\",\"id\":\"s1\",\"source\":\"shop\",\"type\":\"" PUT
            "\",\"data\":{\"id\":\"struct\"}}");
    worker_send(fx, PUT, "s1", "{\"id\":\"struct\"}", -1);
    worker_await(fx, before + 2);
    assert_event(worker_answer(fx, "s1", 0), "promofleet.campaign.changed.v1", "struct",
                 "{\"kind\":\"campaign\",\"id\":\"struct\",\"version\":1,\"status\":\"active\"}");
    assert_string_equal(worker_answer(fx, "s1", 1)->repeated, "true");
    assert_int_equal(
        worker_int(fx,
                   "select count(*) from definition_history h join campaign c using (id) "
                   "where h.kind = 1 and c.ext_id = 'struct' and h.data = '{\"id\":\"struct\"}'"),
        1);
}

static void the_unreadable_goes_to_the_dead_letter_and_harms_nobody(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;
    size_t dead = 0;

    worker_send(fx, PUT, "d1", "{\"id\":\"before\"}", -1);
    worker_send(fx, PUT, NULL, "{\"id\":\"nameless\"}", -1);
    worker_send(fx, "promofleet.campaign.explode.v1", "d2", "{}", -1);
    worker_send(fx, "promofleet.codes.generate.v1", "d3", "{}", -1);
    worker_send(fx, PUT, "d4", "{\"id\":\"behind\"}", -1);
    worker_await(fx, before + 5);
    assert_string_equal(worker_answer(fx, "d1", 0)->type, "promofleet.campaign.changed.v1");
    assert_reason(worker_answer(fx, "d2", 0), "promofleet.campaign.rejected.v1", "unknown_type",
                  NULL);
    assert_reason(worker_answer(fx, "d3", 0), "promofleet.campaign.rejected.v1", "wrong_topic",
                  NULL);
    assert_string_equal(worker_answer(fx, "d4", 0)->type, "promofleet.campaign.changed.v1");
    for (size_t i = before; i < fx->seen_count; i++) {
        if (fx->seen[i].topic != MSG_TOPIC_DEAD_LETTER)
            continue;
        dead++;
        assert_string_equal(fx->seen[i].data, "{\"id\":\"nameless\"}");
    }
    assert_int_equal(dead, 1);
}

static void many_commands_at_once_keep_their_order(void **state)
{
    enum { MANY = 150 };
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;
    char id[32], data[64];

    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        snprintf(data, sizeof(data), "{\"id\":\"many\",\"name\":\"%d\"}", i);
        worker_send(fx, PUT, id, data, -1);
    }
    worker_await(fx, before + MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        snprintf(data, sizeof(data), "\"version\":%d,", i + 1);
        assert_string_equal(fx->seen[before + (size_t)i].cause_id, id);
        assert_non_null(strstr(fx->seen[before + (size_t)i].data, data));
    }
}

static void an_archive_cancels_the_jobs_below(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;

    worker_send(fx, PUT, "a1", "{\"id\":\"up\"}", -1);
    worker_send(fx, PUT, "a2", "{\"id\":\"down\",\"parent\":\"up\"}", -1);
    worker_send(fx, DISCOUNT_PUT, "a3", "{\"id\":\"five\",\"kind\":\"percent\",\"percent_bp\":500}",
                -1);
    worker_send(fx, COUPON_PUT, "a4",
                "{\"id\":\"jobs\",\"campaign\":\"down\",\"discounts\":[\"five\"]}", -1);
    worker_await(fx, before + 4);
    worker_exec(fx, "insert into job (id, kind, state, source_id, ce_id, campaign_id, coupon_id, "
                    "params, total, done, lanes_left, "
                    "width, accepted_at, progress_at, outcome) "
                    "select ('00000000-0000-4000-8000-00000000000' || n)::uuid, kind, state, s.id, "
                    "'job' || n, c.id, k.id, '{}', "
                    "       100, 40, 16, 4, now(), now(), case when state = 3 then '{}' end "
                    "  from (values (1, 1, 1), (2, 3, 1), (3, 1, 3)) as v (n, kind, state), source "
                    "s, campaign c, coupon k "
                    " where s.name = 'shop' and c.ext_id = 'down' and k.ext_id = 'jobs'");
    worker_send(fx, "promofleet.campaign.archive.v1", "a5", "{\"id\":\"up\"}", -1);
    worker_await(fx, before + 7);
    assert_event(worker_answer(fx, "a5", 0), "promofleet.campaign.archived.v1", "up",
                 "{\"kind\":\"campaign\",\"id\":\"up\",\"version\":2,\"status\":\"archived\"}");
    const struct seen *job = worker_answer(fx, "job1", 0);

    assert_int_equal(job->topic, MSG_TOPIC_JOB_EVENTS);
    assert_string_equal(job->type, "promofleet.job.cancelled.v1");
    assert_string_equal(job->key, "00000000-0000-4000-8000-000000000001");
    assert_non_null(strstr(job->data, "\"kind\":\"codes_generate\",\"state\":\"cancelled\""));
    assert_non_null(strstr(job->data, "\"done\":40"));
    assert_non_null(strstr(job->data, "\"campaign\":\"down\",\"coupon\":\"jobs\""));
    assert_non_null(strstr(job->data, "Archived by command a5 of shop."));
    assert_non_null(strstr(worker_answer(fx, "job2", 0)->data, "\"kind\":\"redemptions_export\""));
    assert_int_equal(
        worker_int(fx, "select count(*) from job where state = 5 and outcome::jsonb ->> 'state' = "
                       "'cancelled' and finished_at is not null"),
        2);
    /* A repeat tells what became of the command, and leaves the jobs alone. */
    worker_send(fx, "promofleet.campaign.archive.v1", "a5", "{\"id\":\"up\"}", -1);
    worker_await(fx, before + 8);
    assert_string_equal(worker_answer(fx, "a5", 1)->repeated, "true");
}

/* Comes behind the others: it has all that they sent read once more. */
static void a_replay_publishes_what_the_first_time_did(void **state)
{
    struct worker_fixture *fx = *state;
    size_t before = fx->seen_count;
    int64_t version = worker_int(fx, "select version from definition_version");
    int64_t rows = worker_int(fx, "select count(*) from command");

    worker_kill(fx);
    worker_forget_progress(fx);
    worker_start(fx);
    worker_await(fx, 2 * before);
    /* Topics are read side by side, so what is compared is how often each event was published. */
    for (size_t i = 0; i < before; i++) {
        size_t first = 0, second = 0;

        for (size_t j = 0; j < 2 * before; j++) {
            bool same = strcmp(fx->seen[j].id, fx->seen[i].id) == 0 &&
                        strcmp(fx->seen[j].type, fx->seen[i].type) == 0 &&
                        strcmp(fx->seen[j].repeated, fx->seen[i].repeated) == 0 &&
                        strcmp(fx->seen[j].data, fx->seen[i].data) == 0;

            first += same && j < before;
            second += same && j >= before;
        }
        assert_int_equal(second, first);
    }
    assert_int_equal(worker_int(fx, "select version from definition_version"), version);
    assert_int_equal(worker_int(fx, "select count(*) from command"), rows);
    worker_stop(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_is_answered_by_one_event_keyed_by_the_definition),
        cmocka_unit_test(a_repeat_gets_the_same_event_again),
        cmocka_unit_test(an_id_is_not_used_for_two_commands),
        cmocka_unit_test(a_bad_field_is_refused_with_its_pointer),
        cmocka_unit_test(a_refusal_is_an_outcome_like_any_other),
        cmocka_unit_test(a_structured_command_is_the_same_command),
        cmocka_unit_test(the_unreadable_goes_to_the_dead_letter_and_harms_nobody),
        cmocka_unit_test(many_commands_at_once_keep_their_order),
        cmocka_unit_test(an_archive_cancels_the_jobs_below),
        cmocka_unit_test(a_replay_publishes_what_the_first_time_did),
    };

    return cmocka_run_group_tests(tests, worker_open, worker_close);
}
