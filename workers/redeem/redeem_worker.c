/* SPDX-License-Identifier: Apache-2.0 */
#include "redeem_worker.h"

#include "base_digest.h"
#include "codes_canonical.h"
#include "store_source.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define CUSTOMER_PURPOSE "promofleet.customer.v1"
/* With so many refused lately, taking first and giving back costs more than looking first. */
#define REFUSALS_COMMON 0.5

int redeem_key(struct arena *arena, const char *given, const char **ret_key, struct err *err)
{
    char key[CODES_KEY_BYTES + 1];
    size_t len = 0;
    struct err why = {0};

    *ret_key = NULL;
    if (codes_canonical(given, strlen(given), key, &len, &why) < 0)
        return 0;
    *ret_key = arena_memdup(arena, key, len);
    return *ret_key == NULL ? err_nomem(err) : 0;
}

static void keyed_hash(const struct redeem *redeem, const char *kind, const char *text, size_t len,
                       uint8_t out[STORE_KEYED_LEN])
{
    uint8_t full[DIGEST_SHA256_LEN];
    uint8_t bytes[1024];
    size_t kind_len = strlen(kind);

    if (len > sizeof(bytes) - kind_len)
        len = sizeof(bytes) - kind_len; /* longer ones are refused by the contract */
    memcpy(bytes, kind, kind_len);
    memcpy(bytes + kind_len, text, len);
    digest_hmac_sha256(redeem->customer_key, sizeof(redeem->customer_key), bytes, kind_len + len,
                       full);
    memcpy(out, full, STORE_KEYED_LEN);
}

/* Case and surrounding white space do not make another address. */
static int keyed_email(const struct redeem *redeem, const char *email, uint8_t out[STORE_KEYED_LEN],
                       struct err *err)
{
    const char *from = email;
    size_t len;
    utf8proc_uint8_t *folded = NULL;

    while (*from == ' ' || *from == '\t')
        from++;
    len = strlen(from);
    while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
        len--;
    utf8proc_ssize_t got =
        utf8proc_map((const utf8proc_uint8_t *)from, (utf8proc_ssize_t)len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);

    if (got < 0)
        return err_nomem(err); /* the message was valid UTF-8 */
    keyed_hash(redeem, "email:", (const char *)folded, (size_t)got, out);
    free(folded);
    return 0;
}

int redeem_entry_init(struct runtime *runtime, struct redeem *redeem,
                      const struct runtime_item *item, struct redeem_entry *ret, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    const struct msg_redeem *data = item->command->data.redeem;
    struct redeem_entry entry = {.item = item,
                                 .data = data,
                                 .validate = item->command->type->id == MSG_CODE_VALIDATE,
                                 .now_us = item->now_us,
                                 .line_count = data->codes.count};

    if (entry.validate)
        entry.now_us = msg_int_or(data->as_of, item->now_us);
    else if (store_source_id(runtime_sources(runtime), runtime_db(runtime),
                             item->command->envelope.source, &entry.source_id, err) < 0)
        return -1;
    if (data->customer.id != NULL) {
        entry.has_keyed[0] = true;
        keyed_hash(redeem, "id:", data->customer.id, strlen(data->customer.id), entry.keyed[0]);
    }
    if (data->customer.email != NULL) {
        entry.has_keyed[1] = true;
        if (keyed_email(redeem, data->customer.email, entry.keyed[1], err) < 0)
            return -1;
    }
    entry.lines = arena_zalloc(arena, entry.line_count + 1, sizeof(*entry.lines));
    if (entry.lines == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry.line_count; i++) {
        entry.lines[i].given = data->codes.items[i];
        entry.lines[i].units = 1;
        entry.lines[i].uses_left = STORE_UNLIMITED;
        if (redeem_key(arena, data->codes.items[i], &entry.lines[i].key, err) < 0)
            return -1;
    }
    *ret = entry;
    return 0;
}

static int start(struct runtime *runtime, void **ret_state, struct err *err)
{
    const char *secret = runtime_conf(runtime)->fleet_secret;
    struct redeem *redeem = calloc(1, sizeof(*redeem));

    if (redeem == NULL || (redeem->catalog = store_catalog_new()) == NULL) {
        free(redeem);
        return err_nomem(err);
    }
    store_map_init(&redeem->stocks);
    store_map_init(&redeem->counters);
    store_map_init(&redeem->tallies);
    store_map_init(&redeem->identities);
    codes_secret_fleet(secret, strlen(secret), CUSTOMER_PURPOSE, redeem->customer_key);
    *ret_state = redeem;
    return 0;
}

static int connected(struct runtime *runtime UNUSED, void *state, struct err *err UNUSED)
{
    struct redeem *redeem = state;

    store_catalog_forget(redeem->catalog);
    return 0;
}

/* May the command join the run? Two of the same identity may not: the second is a repeat of the
 * first. */
static int joins(struct runtime *runtime, struct redeem *redeem, const struct redeem_entry *entry,
                 struct err *err)
{
    const char *identity;

    if (entry->validate)
        return 1;
    identity = arena_printf(runtime_arena(runtime), "%d:%s", (int)entry->source_id,
                            entry->item->command->envelope.id);
    if (identity == NULL)
        return err_nomem(err);
    if (store_map_get(&redeem->identities, identity, strlen(identity)) != NULL)
        return 0;
    if (!store_map_put(&redeem->identities, identity, strlen(identity), redeem))
        return err_nomem(err);
    return 1;
}

static int settle(struct redeem_run *run, bool replayed, struct err *err)
{
    struct redeem *redeem = run->redeem;
    size_t refused = 0;
    int settled;

    if (run->count == 0)
        return 0;
    settled = redeem_run_settle(run, replayed || redeem->refusals > REFUSALS_COMMON, err);
    for (size_t i = 0; i < run->count; i++)
        refused += run->entries[i].state != REDEEM_ACCEPTED;
    redeem->refusals += ((double)refused / (double)run->count - redeem->refusals) / 8;
    run->count = 0;
    store_map_clear(&redeem->identities);
    return settled;
}

static int batch(struct runtime *runtime, void *state, const struct runtime_batch *items,
                 struct err *err)
{
    struct redeem *redeem = state;
    struct redeem_run run = {.runtime = runtime, .redeem = redeem, .shard = items->shard};
    bool replayed = false;

    if (store_catalog_refresh(redeem->catalog, runtime_db(runtime), err) < 0)
        return -1;
    run.entries = arena_zalloc(runtime_arena(runtime), items->count, sizeof(*run.entries));
    if (run.entries == NULL)
        return err_nomem(err);
    store_map_clear(&redeem->identities);
    for (size_t i = 0; i < items->count; i++) {
        const struct runtime_item *item = &items->items[i];
        struct redeem_entry entry;

        if (item->command->type->id == MSG_CODE_RELEASE) {
            if (settle(&run, replayed, err) < 0 ||
                redeem_release(runtime, redeem, items->shard, item, err) < 0)
                return -1;
            continue;
        }
        if (redeem_entry_init(runtime, redeem, item, &entry, err) < 0)
            return -1;
        int joined = joins(runtime, redeem, &entry, err);

        if (joined == 0) {
            if (settle(&run, replayed, err) < 0)
                return -1;
            joined = joins(runtime, redeem, &entry, err);
        }
        if (joined < 0)
            return -1;
        replayed = replayed || item->replayed;
        run.entries[run.count++] = entry;
    }
    if (settle(&run, replayed, err) < 0)
        return -1;
    int same = store_catalog_check(redeem->catalog, runtime_db(runtime), err);

    if (same == 0)
        return err_set(err, ERR_RETRY, "redeem", "definitions_moved", "definitions have changed");
    return same < 0 ? -1 : 0;
}

static void stop(void *state)
{
    struct redeem *redeem = state;

    digest_wipe(redeem->customer_key, sizeof(redeem->customer_key));
    store_map_done(&redeem->identities);
    store_map_done(&redeem->tallies);
    store_map_done(&redeem->counters);
    store_map_done(&redeem->stocks);
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
