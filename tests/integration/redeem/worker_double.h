/* SPDX-License-Identifier: Apache-2.0
 *
 * The redeem-worker's own code in this process, on a real data base and without Kafka: the test
 * hands it batches and takes what it publishes. runtime.h's functions are played by
 * worker_double.c. Whatever fails here fails the test.
 */
#ifndef WORKER_DOUBLE_H
#define WORKER_DOUBLE_H

#include "base_arena.h"
#include "definition_fixture.h"
#include "redeem_worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Second 0 of these tests, which is before the definitions of definition_fixture.h were made. */
#define DAY_US INT64_C(1767225600000000)

/* A command as it was read. */
struct sent {
    const char *event; /* structured CloudEvent */
    int32_t partition;
    int64_t offset;
    int64_t at_us;
    bool replayed;
};

/* What was published for it. Texts live until stage_reset. */
struct answer {
    const char *cause_id;
    const char *cause_source;
    const char *type;
    const char *key;
    char id[DIGEST_UUID_TEXT];
    const char *data;
    bool repeated;
    int64_t at_us;
};

enum way {
    WAY_BOLD,    /* as the worker would: take first                */
    WAY_CAREFUL, /* look first, as after many refusals             */
    WAY_LOCKING, /* look first and lock counters, as after a retry */
};

struct stage {
    struct fixture *fx;
    struct runtime *runtime;
    struct redeem *redeem;
    struct arena *texts;
    unsigned tries; /* of the last batch */
    /* Called once, with the first event of a batch: everything is decided then, counters and
     * definitions are still to be checked. */
    void (*meanwhile)(struct stage *stage);
};

/* For cmocka: group set-up and tear-down, and before each test. */
int stage_open(void **state);
int stage_close(void **state);
int stage_reset(void **state);
/* An empty data base, and nothing of an earlier one in memory; texts stay. */
void stage_clear(struct stage *stage);

/* One batch in one transaction; ERR_RETRY is tried again as the runtime does. answers[i] answers
 * sent[i]: there is exactly one for each, in this order. */
void stage_batch(struct stage *stage, enum way way, const struct sent *sent, size_t count,
                 struct answer *answers);
/* The same, inside a transaction that is left open: 0, or -1 and *err. */
int stage_try(struct stage *stage, enum way way, const struct sent *sent, size_t count,
              struct answer *answers, struct err *err);

/* Codes of a coupon, each of one symbol-by-symbol key, in a batch of their own. max_uses,
 * per_customer: -1 leaves it to the coupon. */
void stage_codes(struct stage *stage, const char *coupon, const char *keys, int max_uses,
                 int per_customer);

/* Everything that redeeming writes, as one text. Without what depends on how commands were cut into
 * batches: sequence numbers, counters at zero. */
const char *stage_dump(struct stage *stage);
/* The checks of `promoctl audit` that concern redeeming: none of them may have a row. */
void stage_audit(struct stage *stage);

#endif
