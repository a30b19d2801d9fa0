/* SPDX-License-Identifier: Apache-2.0
 *
 * The redeem-worker settles a batch of commands in sets: one statement for all its codes, one for
 * all its counters, one for the ledger. What each command comes to is decided in memory, in the
 * order of the batch, as if one came after the other (README.md has the whole picture).
 *
 * A batch is cut into runs: two commands that concern the same identity (a repeat, a release and
 * its redeem) never share one, so that the later finds the earlier in the ledger. Nearly always a
 * batch is one run. Counters of limits and tallies are gathered over all runs of a batch and
 * written last, so that hot rows are locked only for a moment.
 *
 * Texts, rows and lines live in the runtime's arena until the batch is published; the maps of
 * struct redeem only point there, and are emptied when a batch begins.
 */
#ifndef REDEEM_WORKER_H
#define REDEEM_WORKER_H

#include "codes_secret.h"
#include "msg_reason.h"
#include "rules_discount.h"
#include "rules_verdict.h"
#include "runtime.h"
#include "store_catalog.h"
#include "store_code.h"
#include "store_definition.h"
#include "store_map.h"
#include "store_redemption.h"
#include "store_tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits that one code can fall under: its own per customer, and in total and per customer those of
 * its coupon and campaigns; "per customer" counts twice, by id and by e-mail. */
#define REDEEM_LIMITS_MAX (2 + 3 * (1 + STORE_CAMPAIGN_LEVELS_MAX))

/* A publisher that some command of the batch names. */
struct redeem_source {
    const char *name;
    int32_t id; /* 0: has never left anything in the data base */
    bool fresh; /* id was made by this transaction             */
};

/* A distinct code of a run. */
struct redeem_stock {
    const char *key;
    bool known;
    bool locked; /* some redeem or release names it; otherwise it is only looked at */
    struct store_code row;
    const struct store_coupon *coupon;
    const int32_t *path; /* the coupon's campaigns, root first            */
    int32_t asked;       /* uses that the run asks for                    */
    int32_t taken;       /* uses already added in the data base           */
    int32_t base;        /* uses before this run                          */
    int32_t used;        /* uses that the run's commands took or gave back */
};

/* A counter of a batch. */
struct redeem_counter {
    struct store_counter row; /* most: 0 while only releases concern it         */
    int64_t used;             /* what the batch's commands took or gave back    */
    bool read;
    struct redeem_counter *next;
};
struct redeem_limit {
    struct redeem_counter *counter;
    enum rules_level_kind kind;
};

struct redeem_reason {
    enum msg_reason_id id;
    int64_t next_us; /* RULES_NEVER: not known */
};
struct redeem_share {
    int32_t discount_id;
    int64_t minor;
};

/* One code of a command: what was asked, what it came to. From memory or from the ledger. */
struct redeem_line {
    const char *given; /* as the command has it           */
    const char *key;   /* NULL: cannot be a code          */
    struct redeem_stock *stock;
    const struct redeem_limit *limits;
    size_t limit_count;
    bool customer_needed;
    const struct store_redemption *row; /* of a release: what it gives back */

    int32_t coupon_id;
    int32_t batch_id;
    const int32_t *path; /* campaigns, root first */
    size_t path_len;
    int32_t units;
    int32_t uses_left;
    const struct redeem_share *shares;
    size_t share_count;
    int64_t discount_minor;
    const struct redeem_reason *reasons;
    size_t reason_count;
};

enum redeem_state {
    REDEEM_OPEN, /* to be decided                                  */
    REDEEM_ACCEPTED,
    REDEEM_REFUSED,  /* with rows in the ledger                        */
    REDEEM_UNSTORED, /* refused without                                */
    REDEEM_KNOWN,    /* seen before: the ledger has its answer         */
};

/* A command of a run. */
struct redeem_entry {
    const struct runtime_item *item;
    enum msg_command_id what; /* redeem, validate or release */
    struct redeem_source *source;
    enum redeem_state state;
    struct redeem_line *lines;
    size_t line_count;
    /* Unstored, when the command as a whole is refused. */
    enum msg_reason_id reason;
    const char *pointer;
    /* REDEEM_KNOWN: its rows. */
    const struct store_redemption *known;
    size_t known_count;

    /* redeem and validate */
    const struct msg_redeem *data;
    int64_t now_us;
    uint8_t keyed[2][STORE_KEYED_LEN]; /* of the customer's id and e-mail */
    bool has_keyed[2];

    /* release */
    const struct msg_release *release;
    struct redeem_source *target_source;
    const struct store_redemption *target; /* rows of the redeem that it names */
    size_t target_count;
    const char **keys; /* codes that it names; NULL: cannot be one */
    size_t key_count;
    bool before; /* it came before its redeem */
    const char *outcome;
    size_t outcome_len;
};

struct redeem {
    struct store_catalog *catalog;
    uint8_t customer_key[CODES_KEY_LEN];
    double refusals; /* share of refused commands, lately                               */
    bool failed;     /* the last try of a batch failed: the next one locks before it looks */
    /* of a batch */
    struct store_map sources;  /* by name                                */
    struct store_map counters; /* by scope, subject and customer         */
    struct store_map tallies;  /* by campaign and name                   */
    /* of a run */
    struct store_map identities; /* by name of the source and id           */
    struct store_map stocks;     /* by key                                 */
    struct store_map ledger;     /* by number of the source and id         */
};

/* A run, and what the runs of a batch share. */
struct redeem_run {
    struct runtime *runtime;
    struct arena *arena;
    struct redeem *redeem;
    int32_t shard;
    bool careful;       /* this run looks before it takes           */
    bool lock_counters; /* counters are locked when they are read   */
    struct redeem_entry *entries;
    size_t count;
    struct redeem_stock **stocks; /* in order of appearance */
    size_t stock_count;
    struct redeem_counter *counters; /* of the batch */
    size_t counter_count;
};

extern const struct worker redeem_worker;

/* --- redeem_entry.c: what a command is before anything is looked up --- */
int redeem_entry_init(struct redeem_run *run, const struct runtime_item *item,
                      struct redeem_entry *ret, struct err *err) MUST_CHECK;
int redeem_source_of(struct redeem_run *run, const char *name, struct redeem_source **ret,
                     struct err *err) MUST_CHECK;
/* Give it a number, which is a write: only for rows that are about to be written. */
int redeem_source_need(struct redeem_run *run, struct redeem_source *source,
                       struct err *err) MUST_CHECK;
/* The transaction has gone back to its savepoint. */
void redeem_sources_rolled_back(struct redeem_run *run);

/* --- redeem_run.c: everything but counters and tallies --- */
int redeem_run_settle(struct redeem_run *run, struct err *err) MUST_CHECK;

/* --- redeem_ledger.c --- */
/* Find releases, what they name, and (careful) redeems in the ledger; lock what releases name. */
int redeem_ledger_look(struct redeem_run *run, struct err *err) MUST_CHECK;
/* Is a redeem among the unstored that the ledger knows? 1, 0. */
int redeem_ledger_missed(struct redeem_run *run, struct err *err) MUST_CHECK;
/* ERR_DUPLICATE: a command was here before. */
int redeem_ledger_write(struct redeem_run *run, struct err *err) MUST_CHECK;
/* What a row says of a line. */
int redeem_line_of(struct arena *arena, const struct store_redemption *row,
                   struct redeem_line *line, struct err *err) MUST_CHECK;

/* --- redeem_stock.c --- */
/* Gather the codes of open entries, take (not careful), lock and read them. */
int redeem_stocks_read(struct redeem_run *run, struct err *err) MUST_CHECK;
/* What was decided and what was taken may differ: give back, or take what was only locked. */
int redeem_stocks_settle(struct redeem_run *run, struct err *err) MUST_CHECK;

/* --- redeem_counter.c --- */
int redeem_counters_read(struct redeem_run *run, struct err *err) MUST_CHECK;
void redeem_counters_forget(struct redeem_run *run);
/* ERR_RETRY: one has moved. */
int redeem_counters_settle(struct redeem_run *run, struct err *err) MUST_CHECK;

/* --- redeem_tally.c --- */
/* Add what an accepted or refused entry means for its campaigns. */
int redeem_tally(struct redeem_run *run, const struct redeem_entry *entry,
                 struct err *err) MUST_CHECK;
int redeem_tallies_settle(struct redeem_run *run, struct err *err) MUST_CHECK;

/* --- redeem_decide.c: sets state and reasons, and counts uses in memory --- */
int redeem_decide(struct redeem_run *run, struct redeem_entry *entry, struct err *err) MUST_CHECK;
/* Refuse the command as a whole, unstored. */
void redeem_refuse(struct redeem_entry *entry, enum msg_reason_id reason, const char *pointer);
const char *redeem_code_pointer(struct arena *arena, size_t i); /* "/codes/3" */
/* Has an earlier key of these the same text? */
bool redeem_named_before(const char *const *keys, size_t at);

/* --- redeem_release.c --- */
/* A release of its own identity, which is no redeem. */
bool redeem_release_names_itself(const struct redeem_entry *entry);
/* What of the redemption is released: fills the lines, or refuses. */
int redeem_release_choose(struct redeem_run *run, struct redeem_entry *entry,
                          struct err *err) MUST_CHECK;
int redeem_release_decide(struct redeem_run *run, struct redeem_entry *entry,
                          struct err *err) MUST_CHECK;

/* --- redeem_outcome.c --- */
/* The data of the event of an accepted release. */
int redeem_release_outcome(struct redeem_run *run, struct redeem_entry *entry,
                           struct err *err) MUST_CHECK;
/* Publish what an entry came to. */
int redeem_publish(struct redeem_run *run, const struct redeem_entry *entry,
                   struct err *err) MUST_CHECK;

#endif
