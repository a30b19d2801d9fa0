/* SPDX-License-Identifier: Apache-2.0
 *
 * A data base of its own with two connections, and each change of a definition in one line and one
 * transaction. Whatever fails here fails the test.
 */
#ifndef DEFINITION_FIXTURE_H
#define DEFINITION_FIXTURE_H

#include "store_definition.h"

#include <stdbool.h>
#include <stdint.h>

struct fixture {
    struct db_conn *db;
    struct db_conn *other; /* waits for a lock no longer than 200 ms */
    struct arena *arena;
    /* What the last change came to. */
    struct store_definition done;
    struct err refused;
};

/* For cmocka: group set-up (a data base with our tables), and one for each test (which empties
 * them). */
int fixture_open(void **state);
int fixture_close(void **state);
int fixture_reset(void **state);

/* The command behind the changes of these tests, at second `at` of 2026. */
struct store_change fixture_change(struct fixture *fx, struct db_conn *db, int64_t at);

#define CAMPAIGN(...) (&(struct msg_campaign_put){.status = MSG_CAMPAIGN_ACTIVE, __VA_ARGS__})
#define PERCENT(...)                                                                               \
    (&(struct msg_discount_put){                                                                   \
        .kind = MSG_DISCOUNT_PERCENT, .percent_bp = {MSG_GIVEN, 1500}, __VA_ARGS__})
#define AMOUNT(...)                                                                                \
    (&(struct msg_discount_put){                                                                   \
        .kind = MSG_DISCOUNT_AMOUNT, .amount_minor = {MSG_GIVEN, 500}, __VA_ARGS__})
#define COUPON(...) (&(struct msg_coupon_put){.active = true, __VA_ARGS__})
#define DISCOUNTS(...)                                                                             \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

/* 1 done, 0 refused. */
int fixture_campaign(struct fixture *fx, const struct msg_campaign_put *put);
int fixture_discount(struct fixture *fx, const struct msg_discount_put *put);
int fixture_coupon(struct fixture *fx, const struct msg_coupon_put *put);
int fixture_affiliate(struct fixture *fx, const struct msg_affiliate_put *put);
int fixture_archive(struct fixture *fx, enum msg_definition_kind kind, const char *id);

#define assert_done(fx, said, expected_version)                                                    \
    fixture_assert_done((fx), (said), (expected_version), __FILE__, __LINE__)
#define assert_refused(fx, said, code, pointer)                                                    \
    fixture_assert_refused((fx), (said), (code), (pointer), __FILE__, __LINE__)
void fixture_assert_done(const struct fixture *fx, int said, int64_t version, const char *file,
                         int line);
void fixture_assert_refused(const struct fixture *fx, int said, const char *code,
                            const char *pointer, const char *file, int line);

void fixture_exec(struct fixture *fx, const char *sql);
/* The first column of the first row: a whole number, or a text (in the arena; "" for NULL or no
 * row). */
int64_t fixture_int(struct fixture *fx, const char *sql);
const char *fixture_text(struct fixture *fx, const char *sql);

/* The checks of `promoctl audit` about definitions and counters: none of them may have a row. */
void fixture_audit(struct fixture *fx);

#endif
