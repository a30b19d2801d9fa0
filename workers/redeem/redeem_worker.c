/* SPDX-License-Identifier: Apache-2.0
 *
 * From the runtime's batch to runs, and what is written once for all of them.
 */
#include "redeem_worker.h"

#include "base_digest.h"
#include "db_query.h"

#include <stdlib.h>
#include <string.h>

#define CUSTOMER_PURPOSE "promofleet.customer.v1"
/* With so many refused lately, taking first and giving back costs more than looking first. */
#define REFUSALS_COMMON 0.5
/* Codes of a batch: bounds its memory (about a kilobyte each). */
#define LINES_MAX 40000

static void maps_init(struct redeem *redeem)
{
    store_map_init(&redeem->sources);
    store_map_init(&redeem->counters);
    store_map_init(&redeem->tallies);
    store_map_init(&redeem->identities);
    store_map_init(&redeem->stocks);
    store_map_init(&redeem->ledger);
}

static int start(struct runtime *runtime, void **ret_state, struct err *err)
{
    const char *secret = runtime_conf(runtime)->fleet_secret;
    struct redeem *redeem = calloc(1, sizeof(*redeem));

    if (redeem == NULL || (redeem->catalog = store_catalog_new()) == NULL) {
        free(redeem);
        return err_nomem(err);
    }
    maps_init(redeem);
    codes_secret_fleet(secret, strlen(secret), CUSTOMER_PURPOSE, redeem->customer_key);
    *ret_state = redeem;
    return 0;
}

/*
 * Every statement of this worker finds its rows by key. Told so, the server keeps to nested loops
 * over an index: a plan that was made while a table was small stays right when it grows by a
 * million rows in a minute, and rows are locked in the order in which we name them.
 */
static int connected(struct runtime *runtime, void *state, struct err *err)
{
    struct redeem *redeem = state;

    store_catalog_forget(redeem->catalog);
    if (db_exec(runtime_db(runtime),
                "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off",
                err) < 0)
        return err_wrap(err, "set up the session");
    return 0;
}

/* Note whom an entry concerns: 1, or 0 when another of the run concerns the same. */
static int note(struct redeem_run *run, const struct redeem_source *source, const char *id,
                struct err *err)
{
    struct store_map *identities = &run->redeem->identities;
    size_t source_len = strlen(source->name);
    size_t len = source_len + 1 + strlen(id);
    char *key = arena_alloc(run->arena, len + 1);

    if (key == NULL)
        return err_nomem(err);
    memcpy(key, source->name, source_len + 1);
    memcpy(key + source_len + 1, id, len - source_len);
    if (store_map_get(identities, key, len) != NULL)
        return 0;
    return store_map_put(identities, key, len, run) ? 1 : err_nomem(err);
}

/* May the entry join the run? 1, or 0. A run that an entry did not join is settled at once, so half
 * a note does no harm. */
static int joins(struct redeem_run *run, const struct redeem_entry *entry, struct err *err)
{
    if (entry->what == MSG_CODE_VALIDATE)
        return 1;
    int joined = note(run, entry->source, entry->item->command->envelope.id, err);

    if (joined == 1 && entry->what == MSG_CODE_RELEASE && !redeem_release_names_itself(entry))
        joined = note(run, entry->target_source, entry->release->redemption.id, err);
    return joined;
}

static int settle_run(struct redeem_run *run, struct err *err)
{
    struct redeem *redeem = run->redeem;
    size_t refused = 0;

    if (run->count == 0)
        return 0;
    if (redeem_run_settle(run, err) < 0)
        return -1;
    for (size_t i = 0; i < run->count; i++)
        refused += run->entries[i].state != REDEEM_ACCEPTED;
    redeem->refusals += ((double)refused / (double)run->count - redeem->refusals) / 8;
    run->count = 0;
    store_map_clear(&redeem->identities);
    /* What cut the run short is about to be found in the ledger. */
    run->careful = true;
    return 0;
}

static int add(struct redeem_run *run, const struct runtime_item *item, struct err *err)
{
    struct redeem_entry entry;

    if (redeem_entry_init(run, item, &entry, err) < 0)
        return -1;
    int joined = joins(run, &entry, err);

    if (joined == 0) {
        if (settle_run(run, err) < 0)
            return -1;
        joined = joins(run, &entry, err);
    }
    if (joined < 0)
        return -1;
    run->entries[run->count++] = entry;
    return 0;
}

static int settle_batch(struct redeem_run *run, const struct runtime_batch *batch, struct err *err)
{
    struct redeem *redeem = run->redeem;

    for (size_t i = 0; i < batch->count; i++)
        run->careful = run->careful || batch->items[i].replayed;
    for (size_t i = 0; i < batch->count; i++) {
        if (add(run, &batch->items[i], err) < 0)
            return -1;
    }
    if (settle_run(run, err) < 0 || redeem_tallies_settle(run, err) < 0 ||
        redeem_counters_settle(run, err) < 0)
        return -1;
    return store_catalog_hold(redeem->catalog, runtime_db(run->runtime), err);
}

/* The runtime splits a batch that fails on its data. */
static int check_size(const struct runtime_batch *batch, struct err *err)
{
    size_t lines = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct msg_command *command = batch->items[i].command;

        lines += command->type->id == MSG_CODE_RELEASE ? MSG_CODES_MAX
                                                       : command->data.redeem->codes.count;
    }
    if (lines > LINES_MAX && batch->count > 1)
        return err_set(err, ERR_POISON, "redeem", "batch_too_large", "%zu codes in a batch", lines);
    return 0;
}

static int batch(struct runtime *runtime, void *state, const struct runtime_batch *items,
                 struct err *err)
{
    struct redeem *redeem = state;
    struct redeem_run run = {.runtime = runtime,
                             .arena = runtime_arena(runtime),
                             .redeem = redeem,
                             .shard = items->shard,
                             .careful = redeem->failed || redeem->refusals > REFUSALS_COMMON,
                             .lock_counters = redeem->failed};

    if (check_size(items, err) < 0 ||
        store_catalog_refresh(redeem->catalog, runtime_db(runtime), err) < 0)
        return -1;
    run.entries = arena_zalloc(run.arena, items->count, sizeof(*run.entries));
    if (run.entries == NULL)
        return err_nomem(err);
    store_map_clear(&redeem->sources);
    store_map_clear(&redeem->counters);
    store_map_clear(&redeem->tallies);
    store_map_clear(&redeem->identities);
    redeem->failed = true;
    if (settle_batch(&run, items, err) < 0)
        return -1;
    redeem->failed = false;
    return 0;
}

static void stop(void *state)
{
    struct redeem *redeem = state;

    digest_wipe(redeem->customer_key, sizeof(redeem->customer_key));
    store_map_done(&redeem->sources);
    store_map_done(&redeem->counters);
    store_map_done(&redeem->tallies);
    store_map_done(&redeem->identities);
    store_map_done(&redeem->stocks);
    store_map_done(&redeem->ledger);
    store_catalog_free(redeem->catalog);
    free(redeem);
}

static const struct runtime_topic topics[] = {{MSG_TOPIC_REDEEM_COMMANDS, 0}};

const struct worker redeem_worker = {
    .kind = "redeem",
    .programs = RUNTIME_PROGRAM_REDEEM,
    .about = "Validates, redeems and releases promotion codes.",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .start = start,
    .connected = connected,
    .batch = batch,
    .stop = stop,
};
