/* SPDX-License-Identifier: Apache-2.0 */
#include "export_worker.h"

#include <stdlib.h>

static int start(struct runtime *runtime UNUSED, void **ret_state, struct err *err)
{
    struct export *export = calloc(1, sizeof(*export));

    if (export == NULL || (export->catalog = store_catalog_new()) == NULL) {
        free(export);
        return err_nomem(err);
    }
    export->folder.name = "export.dir";
    *ret_state = export;
    return 0;
}

static int connected(struct runtime *runtime UNUSED, void *state, struct err *err UNUSED)
{
    struct export *export = state;

    store_catalog_forget(export->catalog);
    return 0;
}

static int batch(struct runtime *runtime, void *state, const struct runtime_batch *items,
                 struct err *err)
{
    struct export *export = state;
    bool decided = false;

    if (store_catalog_refresh(export->catalog, runtime_db(runtime), err) < 0)
        return -1;
    for (size_t i = 0; i < items->count; i++) {
        const struct runtime_item *item = &items->items[i];

        switch (item->command->type->id) {
        case MSG_CODES_EXPORT:
        case MSG_REDEMPTIONS_EXPORT:
            decided = true;
            if (runtime_ledger_serve(runtime, item, export_accept, export_again, export, err) < 0)
                return -1;
            break;
        case MSG_TOKEN:
            if (runtime_job_token(runtime, item, &export_work, export, err) < 0)
                return -1;
            break;
        default:
            return err_set(err, ERR_BUG, "export", "wrong_type", "not a command of ours");
        }
    }
    if (!decided)
        return 0;
    return store_catalog_hold(export->catalog, runtime_db(runtime), err);
}

static void stop(void *state)
{
    struct export *export = state;

    store_catalog_free(export->catalog);
    free(export);
}

/* One token a batch: a chunk is a batch's worth of work. */
static const struct runtime_topic topics[] = {
    {MSG_TOPIC_EXPORT_COMMANDS, 100},
    {MSG_TOPIC_EXPORT_CHUNKS, 1},
};

const struct worker export_worker = {
    .kind = "export",
    .programs = RUNTIME_PROGRAM_EXPORT,
    .about = "Exports codes and redemptions to files.",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .start = start,
    .connected = connected,
    .batch = batch,
    .stop = stop,
};
