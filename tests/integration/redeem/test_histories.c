/* SPDX-License-Identifier: Apache-2.0
 *
 * Random histories of commands. However they are cut into batches, and whichever way a batch is
 * settled, each command comes to the same, and the same stands in the data base; a replay says what
 * was said, a repeat says it marked, and neither changes anything. FLEET_SEED and FLEET_HISTORIES
 * choose others than the usual ones.
 */
#include "worker_double.h"

#include "base_buf.h"
#include "base_parse.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH 120
#define HISTORIES 5
#define SEED 20261120

/* --- a history ----------------------------------------------------------------------------------
 */

struct history {
    uint64_t random;
    struct sent sent[LENGTH];
    bool is_redeem[LENGTH];
    char ids[LENGTH][16];
};

static int below(struct history *history, int bound)
{
    history->random =
        history->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((history->random >> 33) % (uint64_t)bound);
}

/* As customers type them, among them some that do not exist and one that cannot. */
static const char *any_code(struct history *history)
{
    static const char *const codes[] = {"a-1", "A1",  "a2", "A3",   "a 4", "A5",   "a6",
                                        "A7",  "b1",  "B1", "B-1",  "b2",  "c1",   "w1",
                                        "W1",  "one", "p1", "nope", "-",   "gone", "p2"};

    return codes[below(history, ARRAY_LEN(codes))];
}

static void add_codes(struct history *history, struct buf *json)
{
    int count = below(history, 10) < 7 ? 1 : 2 + below(history, 2);
    const char *codes[3];

    buf_add_str(json, "\"codes\":[");
    for (int i = 0; i < count; i++) {
        bool distinct;

        do { /* as texts, which the contract wants */
            distinct = true;
            codes[i] = any_code(history);
            for (int j = 0; j < i; j++)
                distinct = distinct && strcmp(codes[i], codes[j]) != 0;
        } while (!distinct);
        buf_printf(json, "%s\"%s\"", i > 0 ? "," : "", codes[i]);
    }
    buf_add_str(json, "]");
}

static void add_customer(struct history *history, struct buf *json)
{
    static const char *const customers[] = {
        "",
        ",\"customer\":{\"id\":\"c1\"}",
        ",\"customer\":{\"id\":\"c2\"}",
        ",\"customer\":{\"id\":\"c1\",\"email\":\"Ann@Example.org\"}",
        ",\"customer\":{\"id\":\"c3\",\"email\":\"ann@example.org\"}",
        ",\"customer\":{\"email\":\"ANN@example.ORG\"}",
        ",\"customer\":{\"email\":\"bob@example.org\"}",
    };

    buf_add_str(json, customers[below(history, ARRAY_LEN(customers))]);
}

static void add_order(struct history *history, struct buf *json, int i)
{
    buf_printf(json, ",\"order\":{\"id\":\"o%d\",\"currency\":\"%s\",\"total_minor\":%d}", i,
               below(history, 8) == 0 ? "USD" : "EUR", below(history, 3000));
}

static const char *any_source(struct history *history)
{
    return below(history, 5) == 0 ? "till" : "shop";
}

/* One of the identities before or, more rarely, behind this command. */
static int any_other(struct history *history, int i)
{
    return below(history, 6) == 0 || i == 0 ? below(history, LENGTH) : below(history, i);
}

static void write_command(struct history *history, int i, struct buf *json)
{
    int dice = below(history, 100);
    const char *type = dice < 60 ? "redeem" : dice < 72 ? "validate" : "release";
    /* Now and then an identity that was used before, with other data. */
    int id = below(history, 12) == 0 ? any_other(history, i) : i;

    history->is_redeem[i] = dice < 60;
    buf_printf(json,
               "{\"specversion\":\"1.0\",\"id\":\"x%d\",\"source\":\"%s\",\"type\":\"promofleet."
               "code.%s.v1\",\"data\":{",
               id, any_source(history), type);
    if (dice < 72) {
        add_codes(history, json);
        add_customer(history, json);
        if (dice < 60 || below(history, 2) == 0)
            add_order(history, json, i);
    } else {
        buf_printf(json, "\"redemption\":{\"source\":\"%s\",\"id\":\"x%d\"}", any_source(history),
                   any_other(history, i));
        if (below(history, 3) == 0) {
            buf_add_str(json, ",");
            add_codes(history, json);
        }
    }
    buf_add_str(json, "}}");
}

static void write_history(struct stage *stage, struct history *history, uint64_t seed)
{
    memset(history, 0, sizeof(*history));
    history->random = seed;
    for (int i = 0; i < LENGTH; i++) {
        CLEANUP(buf_done) struct buf json = {0};
        struct sent *sent = &history->sent[i];

        buf_init(&json);
        *sent = (struct sent){.partition = 3, .offset = i, .at_us = DAY_US + i * INT64_C(1000000)};
        if (i > 0 && below(history, 9) == 0) { /* the publisher's retry */
            int of = below(history, i);

            sent->event = history->sent[of].event;
            history->is_redeem[i] = history->is_redeem[of];
            continue;
        }
        write_command(history, i, &json);
        sent->event = arena_strdup(stage->texts, json.data);
        assert_non_null(sent->event);
    }
}

/* --- the world it happens in --------------------------------------------------------------------
 */

static void define(struct stage *stage)
{
    struct fixture *fx = stage->fx;

    fixture_discount(fx, PERCENT(.id = "d15"));
    fixture_discount(fx, AMOUNT(.id = "d5", .currency = "EUR"));
    fixture_campaign(fx, CAMPAIGN(.id = "root", .limits = {{MSG_GIVEN, 9}, {MSG_GIVEN, 3}}));
    fixture_campaign(
        fx, CAMPAIGN(.id = "child", .parent = "root", .limits = {{MSG_GIVEN, 6}, {MSG_ABSENT, 0}}));
    fixture_campaign(fx, CAMPAIGN(.id = "other"));
    fixture_coupon(fx, COUPON(.id = "a", .campaign = "child", .discounts = DISCOUNTS("d15", "d5"),
                              .limits = {{MSG_GIVEN, 5}, {MSG_GIVEN, 3}},
                              .code_defaults = {{MSG_GIVEN, 2}, {MSG_GIVEN, 1}}));
    fixture_coupon(fx, COUPON(.id = "b", .campaign = "other", .discounts = DISCOUNTS("d15", "d5"),
                              .apply = MSG_APPLY_BEST,
                              .code_defaults = {{MSG_NULL, 0}, {MSG_GIVEN, 2}}));
    fixture_coupon(
        fx, (&(struct msg_coupon_put){
                .id = "c", .campaign = "child", .discounts = DISCOUNTS("d15"), .active = false}));
    fixture_coupon(fx, COUPON(.id = "w", .campaign = "child", .discounts = DISCOUNTS("d5"),
                              .starts_at = {MSG_GIVEN, DAY_US + 20 * INT64_C(1000000)},
                              .ends_at = {MSG_GIVEN, DAY_US + 90 * INT64_C(1000000)},
                              .code_defaults = {{MSG_GIVEN, 3}, {MSG_ABSENT, 0}}));
    stage_codes(stage, "a", "a1 a2 a3 a4 a5 a6 a7", -1, -1);
    stage_codes(stage, "b", "b1 b2", -1, -1);
    stage_codes(stage, "c", "c1", -1, -1);
    stage_codes(stage, "w", "w1", -1, -1);
    stage_codes(stage, "b", "one p1 p2", 1, 0);
    stage_codes(stage, "b", "gone", 1, 0);
    fixture_exec(fx, "update code set flags = 2 where key = 'gone'; update code set flags = 1 "
                     "where key = 'p2'");
}

/* --- playing it ---------------------------------------------------------------------------------
 */

struct cut {
    enum way way;
    int most; /* commands in a batch */
};

static void play(struct stage *stage, struct history *history, struct cut cut,
                 struct answer answers[LENGTH])
{
    struct history dice = {.random = history->random ^ (uint64_t)cut.most};

    for (int from = 0, to; from < LENGTH; from = to) {
        to = from + (cut.most == 1 ? 1 : 1 + below(&dice, cut.most));
        to = MIN_OF(to, LENGTH);
        stage_batch(stage, cut.way, &history->sent[from], (size_t)(to - from), &answers[from]);
        assert_int_equal(stage->tries, 1);
    }
}

static bool same(const struct answer *a, const struct answer *b)
{
    return strcmp(a->type, b->type) == 0 && strcmp(a->id, b->id) == 0 &&
           strcmp(a->data, b->data) == 0 && strcmp(a->key, b->key) == 0 && a->at_us == b->at_us;
}

static void expect_same(const struct history *history, const struct answer *a,
                        const struct answer *b, const char *what)
{
    for (int i = 0; i < LENGTH; i++) {
        if (!same(&a[i], &b[i]) || a[i].repeated != b[i].repeated)
            fail_msg("%s, command %d: %s\n%s %s %s %d\n%s %s %s %d", what, i,
                     history->sent[i].event, a[i].type, a[i].id, a[i].data, a[i].repeated,
                     b[i].type, b[i].id, b[i].data, b[i].repeated);
    }
}

static bool stands_in_ledger(const struct answer *answer)
{
    return strstr(answer->data, "unknown_code") == NULL &&
           strstr(answer->data, "bad_code") == NULL &&
           strstr(answer->data, "code_repeated") == NULL &&
           strstr(answer->data, "\"reasons\":[{\"code\":\"unknown_redemption\"") == NULL &&
           strstr(answer->data, "already_released") == NULL &&
           strstr(answer->data, "not_in_redemption") == NULL &&
           strstr(answer->data, "nothing_to_release") == NULL &&
           strstr(answer->data, "command_id_reused") == NULL &&
           strstr(answer->type, "validated") == NULL;
}

/* The first line in which two dumps differ. */
static void expect_same_dump(const char *before, const char *after, const char *what)
{
    size_t same_len = 0;

    while (before[same_len] != '\0' && before[same_len] == after[same_len])
        same_len++;
    if (before[same_len] == after[same_len])
        return;
    while (same_len > 0 && before[same_len - 1] != '\n')
        same_len--;
    fail_msg("%s:\n%.*s\n%.*s", what, (int)strcspn(before + same_len, "\n"), before + same_len,
             (int)strcspn(after + same_len, "\n"), after + same_len);
}

/* All of it is read again from where it stood, as after a crash between the commits. */
static void replay(struct stage *stage, struct history *history, const struct answer *first)
{
    static struct answer again[LENGTH];
    const char *before = stage_dump(stage);

    for (int i = 0; i < LENGTH; i++)
        history->sent[i].replayed = true;
    play(stage, history, (struct cut){WAY_BOLD, 17}, again);
    for (int i = 0; i < LENGTH; i++) {
        history->sent[i].replayed = false;
        if (stands_in_ledger(&first[i]) && strstr(history->sent[i].event, "validate") == NULL &&
            (!same(&first[i], &again[i]) || first[i].repeated != again[i].repeated))
            fail_msg("replay, command %d: %s\n%s %s %d\n%s %s %d", i, history->sent[i].event,
                     first[i].type, first[i].data, first[i].repeated, again[i].type, again[i].data,
                     again[i].repeated);
    }
    expect_same_dump(before, stage_dump(stage), "after the replay");
}

/* What is in the ledger is sent again, and stands elsewhere in the topic. */
static void repeat(struct stage *stage, struct history *history, const struct answer *first)
{
    const char *before = stage_dump(stage);

    for (int i = 0; i < LENGTH; i++) {
        struct answer answer;
        struct sent sent = history->sent[i];

        if (!stands_in_ledger(&first[i]) || strstr(sent.event, "validate") != NULL)
            continue;
        sent.offset += 1000;
        sent.at_us += INT64_C(3600000000);
        stage_batch(stage, i % 2 == 0 ? WAY_BOLD : WAY_CAREFUL, &sent, 1, &answer);
        assert_true(answer.repeated);
        if (!same(&first[i], &answer))
            fail_msg("repeat, command %d: %s\n%s %s\n%s %s", i, history->sent[i].event,
                     first[i].type, first[i].data, answer.type, answer.data);
    }
    expect_same_dump(before, stage_dump(stage), "after the repeats");
}

static int64_t from_env(const char *name, int64_t fallback)
{
    const char *text = getenv(name);
    int64_t value = 0;

    return text != NULL && parse_int64(text, 0, INT64_MAX, &value, NULL) == 0 ? value : fallback;
}

static void no_cut_and_no_way_makes_a_difference(void **state)
{
    static const struct cut cuts[] = {{WAY_BOLD, 1},    {WAY_CAREFUL, 1},       {WAY_BOLD, 9},
                                      {WAY_CAREFUL, 9}, {WAY_BOLD, LENGTH * 2}, {WAY_LOCKING, 30}};
    static struct answer answers[2][LENGTH];
    static struct history history;
    struct stage *stage = *state;
    int64_t seed = from_env("FLEET_SEED", SEED);
    int64_t count = from_env("FLEET_HISTORIES", HISTORIES);

    for (int64_t n = 0; n < count; n++) {
        char *first = NULL;

        for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
            char what[64];

            snprintf(what, sizeof(what), "seed %" PRId64 ", cut %zu", seed + n, c);
            stage_clear(stage);
            define(stage);
            if (c == 0)
                write_history(stage, &history, (uint64_t)(seed + n));
            play(stage, &history, cuts[c], answers[c > 0]);
            stage_audit(stage);
            if (c == 0) {
                first = strdup(stage_dump(stage));
                assert_non_null(first);
                continue;
            }
            expect_same(&history, answers[0], answers[1], what);
            expect_same_dump(first, stage_dump(stage), what);
        }
        replay(stage, &history, answers[0]);
        repeat(stage, &history, answers[0]);
        stage_audit(stage);
        free(first);
        arena_reset(stage->texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_cut_and_no_way_makes_a_difference, stage_reset),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
