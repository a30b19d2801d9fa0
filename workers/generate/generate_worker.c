/* SPDX-License-Identifier: Apache-2.0 */
#include "generate_worker.h"

#include <stdlib.h>

static int start(struct runtime *runtime UNUSED, void **ret_state, struct err *err)
{
    struct generate *generate = calloc(1, sizeof(*generate));

    if (generate == NULL || (generate->catalog = store_catalog_new()) == NULL) {
        free(generate);
        return err_nomem(err);
    }
    *ret_state = generate;
    return 0;
}

static int connected(struct runtime *runtime UNUSED, void *state, struct err *err UNUSED)
{
    struct generate *generate = state;

    store_catalog_forget(generate->catalog);
    generate_plans_done(generate); /* the data base may be another one, and its jobs too */
    return 0;
}

static bool has_commands(const struct runtime_batch *items)
{
    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].command->type->id != MSG_TOKEN)
            return true;
    }
    return false;
}

static int batch(struct runtime *runtime, void *state, const struct runtime_batch *items,
                 struct err *err)
{
    struct generate *generate = state;
    bool decides = has_commands(items); /* chunks need no definitions */

    generate->shard = items->shard;
    if (decides && store_catalog_refresh(generate->catalog, runtime_db(runtime), err) < 0)
        return -1;
    for (size_t i = 0; i < items->count; i++) {
        const struct runtime_item *item = &items->items[i];

        switch (item->command->type->id) {
        case MSG_CODES_GENERATE:
            if (runtime_ledger_serve(runtime, item, generate_accept, runtime_job_again, generate,
                                     err) < 0)
                return -1;
            break;
        case MSG_TOKEN:
            if (runtime_job_token(runtime, item, &generate_work, generate, err) < 0)
                return -1;
            break;
        default:
            return err_set(err, ERR_BUG, "generate", "wrong_type", "not a command of ours");
        }
    }
    if (!decides)
        return 0;
    return store_catalog_hold(generate->catalog, runtime_db(runtime), err);
}

static void stop(void *state)
{
    struct generate *generate = state;

    generate_plans_done(generate);
    store_catalog_free(generate->catalog);
    free(generate);
}

/* One token a batch: a chunk is a batch's worth of work. Few commands: each may have to count the
 * strings of its space (generate_accept.c), and all of them are one transaction. */
static const struct runtime_topic topics[] = {
    {MSG_TOPIC_GENERATE_COMMANDS, 32},
    {MSG_TOPIC_GENERATE_CHUNKS, 1},
};

const struct worker generate_worker = {
    .kind = "generate",
    .programs = RUNTIME_PROGRAM_GENERATE,
    .about = "Generates promotion codes in bulk.",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .start = start,
    .connected = connected,
    .batch = batch,
    .stop = stop,
};
