/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of commands, set-wise: the order of what is looked up, taken, decided and written.
 */
#include "redeem_worker.h"

#include "db_tx.h"

#include <string.h>

#define SAVEPOINT "run"

/* All entries as they were before anything was looked up. */
static void reopen(struct redeem_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        entry->state = REDEEM_OPEN;
        entry->reason = MSG_REASON_NONE;
        entry->before = false;
        if (entry->what == MSG_CODE_RELEASE)
            entry->line_count = 0;
        for (size_t j = 0; j < entry->line_count; j++) {
            struct redeem_line *line = &entry->lines[j];

            *line = (struct redeem_line){
                .given = line->given, .key = line->key, .units = 1, .uses_left = STORE_UNLIMITED};
        }
    }
}

static int choose_releases(struct redeem_run *run, struct err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        if (entry->what == MSG_CODE_RELEASE && entry->state == REDEEM_OPEN &&
            redeem_release_choose(run, entry, err) < 0)
            return -1;
    }
    return 0;
}

static int decide_all(struct redeem_run *run, struct err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        if (entry->state != REDEEM_OPEN)
            continue;
        if (entry->what == MSG_CODE_RELEASE) {
            if (redeem_release_decide(run, entry, err) < 0)
                return -1;
        } else if (redeem_decide(run, entry, err) < 0) {
            return -1;
        }
        if (entry->what != MSG_CODE_VALIDATE && redeem_tally(run, entry, err) < 0)
            return -1;
    }
    return 0;
}

static int settle(struct redeem_run *run, struct err *err)
{
    reopen(run);
    if (redeem_ledger_look(run, err) < 0 || choose_releases(run, err) < 0 ||
        redeem_stocks_read(run, err) < 0 || redeem_counters_read(run, err) < 0 ||
        decide_all(run, err) < 0 || redeem_stocks_settle(run, err) < 0)
        return -1;
    return redeem_ledger_write(run, err);
}

/*
 * Take first, without a look into the ledger: 1 done, 0 some command was here before and nothing
 * has happened. What is stored meets its first row under the ledger's unique key; what is not
 * stored is looked up, because it may have been stored once (its code was known then, or it had
 * other data).
 */
static int settle_boldly(struct redeem_run *run, struct err *err)
{
    struct db_conn *db = runtime_db(run->runtime);

    if (db_tx_savepoint(db, SAVEPOINT, err) < 0)
        return -1;
    int missed = settle(run, err) < 0 ? -1 : redeem_ledger_missed(run, err);

    if (missed == 0)
        return db_tx_release(db, SAVEPOINT, err) < 0 ? -1 : 1;
    if (missed < 0 && err->kind != ERR_DUPLICATE)
        return -1;
    err_clear(err);
    if (db_tx_rollback_to(db, SAVEPOINT, err) < 0 || db_tx_release(db, SAVEPOINT, err) < 0)
        return -1;
    /* Only a batch's first run is bold, so these have nothing of another run. */
    redeem_sources_rolled_back(run);
    redeem_counters_forget(run);
    store_map_clear(&run->redeem->tallies);
    return 0;
}

int redeem_run_settle(struct redeem_run *run, struct err *err)
{
    int settled = run->careful ? 0 : settle_boldly(run, err);

    if (settled < 0)
        return -1;
    if (settled == 0) {
        run->careful = true;
        if (settle(run, err) < 0) {
            /* Between look-up and insert another worker was faster with the same command: decide
             * again. */
            if (err->kind == ERR_DUPLICATE)
                err->kind = ERR_RETRY;
            return -1;
        }
    }
    for (size_t i = 0; i < run->count; i++) {
        if (redeem_publish(run, &run->entries[i], err) < 0)
            return -1;
    }
    return 0;
}
