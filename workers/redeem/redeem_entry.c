/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command is before anything of it is looked up: keys of its codes, keyed hashes of its
 * customer, numbers of the publishers it names.
 */
#include "redeem_worker.h"

#include "base_digest.h"
#include "codes_canonical.h"
#include "store_source.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* --- publishers ---------------------------------------------------------------------------------
 */

int redeem_source_of(struct redeem_run *run, const char *name, struct redeem_source **ret,
                     struct err *err)
{
    struct redeem_source *source = store_map_get(&run->redeem->sources, name, strlen(name));

    if (source == NULL) {
        source = arena_zalloc(run->arena, 1, sizeof(*source));
        if (source == NULL)
            return err_nomem(err);
        source->name = name;
        if (store_source_find(runtime_sources(run->runtime), runtime_db(run->runtime), name,
                              &source->id, err) < 0)
            return -1;
        if (!store_map_put(&run->redeem->sources, name, strlen(name), source))
            return err_nomem(err);
    }
    *ret = source;
    return 0;
}

int redeem_source_need(struct redeem_run *run, struct redeem_source *source, struct err *err)
{
    if (source->id != 0)
        return 0;
    source->fresh = true;
    return store_source_id(runtime_sources(run->runtime), runtime_db(run->runtime), source->name,
                           &source->id, err);
}

void redeem_sources_rolled_back(struct redeem_run *run)
{
    const struct store_map *map = &run->redeem->sources;

    for (size_t i = 0; i < map->room; i++) {
        struct redeem_source *source = map->slots[i].value;

        if (map->slots[i].key == NULL || !source->fresh)
            continue;
        source->id = 0;
        source->fresh = false;
    }
}

/* --- customers ----------------------------------------------------------------------------------
 */

static int keyed_hash(struct redeem_run *run, const char *kind, const char *text, size_t len,
                      uint8_t out[STORE_KEYED_LEN], struct err *err)
{
    uint8_t full[DIGEST_SHA256_LEN];
    size_t kind_len = strlen(kind);
    uint8_t *bytes = arena_alloc(run->arena, kind_len + len);

    if (bytes == NULL)
        return err_nomem(err);
    memcpy(bytes, kind, kind_len);
    memcpy(bytes + kind_len, text, len);
    digest_hmac_sha256(run->redeem->customer_key, sizeof(run->redeem->customer_key), bytes,
                       kind_len + len, full);
    memcpy(out, full, STORE_KEYED_LEN);
    return 0;
}

/* Case and surrounding white space do not make another address. Trimmed behind the folding, which
 * makes plain spaces of the others. */
static int keyed_email(struct redeem_run *run, const char *email, uint8_t out[STORE_KEYED_LEN],
                       struct err *err)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t got =
        utf8proc_map((const utf8proc_uint8_t *)email, (utf8proc_ssize_t)strlen(email), &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);

    if (got < 0)
        return err_nomem(err); /* the message was valid UTF-8 */
    const char *from = (const char *)folded;
    size_t len = (size_t)got;

    for (; len > 0 && *from == ' '; len--)
        from++;
    while (len > 0 && from[len - 1] == ' ')
        len--;
    int done = keyed_hash(run, "email:", from, len, out, err);

    free(folded);
    return done;
}

static int init_customer(struct redeem_run *run, const struct msg_customer *customer,
                         struct redeem_entry *entry, struct err *err)
{
    entry->has_keyed[0] = customer->id != NULL;
    entry->has_keyed[1] = customer->email != NULL;
    if (entry->has_keyed[0] &&
        keyed_hash(run, "id:", customer->id, strlen(customer->id), entry->keyed[0], err) < 0)
        return -1;
    return entry->has_keyed[1] ? keyed_email(run, customer->email, entry->keyed[1], err) : 0;
}

/* --- codes --------------------------------------------------------------------------------------
 */

/* The canonical form in the arena; *ret_key NULL: cannot be a code. */
static int key_of(struct arena *arena, const char *given, const char **ret_key, struct err *err)
{
    char key[CODES_KEY_BYTES + 1];
    size_t len = 0;
    struct err why = {0};

    *ret_key = NULL;
    if (codes_canonical(given, strlen(given), key, &len, &why) < 0) {
        if (why.kind == ERR_POISON)
            return 0;
        *err = why;
        return -1;
    }
    *ret_key = arena_memdup(arena, key, len);
    return *ret_key == NULL ? err_nomem(err) : 0;
}

static int init_lines(struct redeem_run *run, const struct msg_texts *codes,
                      struct redeem_entry *entry, struct err *err)
{
    entry->line_count = codes->count;
    entry->lines = arena_zalloc(run->arena, codes->count + 1, sizeof(*entry->lines));
    if (entry->lines == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < codes->count; i++) {
        entry->lines[i].given = codes->items[i];
        if (key_of(run->arena, codes->items[i], &entry->lines[i].key, err) < 0)
            return -1;
    }
    return 0;
}

static int init_keys(struct redeem_run *run, const struct msg_texts *codes,
                     struct redeem_entry *entry, struct err *err)
{
    entry->key_count = codes->count;
    entry->keys = arena_zalloc(run->arena, codes->count + 1, sizeof(*entry->keys));
    if (entry->keys == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < codes->count; i++) {
        if (key_of(run->arena, codes->items[i], &entry->keys[i], err) < 0)
            return -1;
    }
    return 0;
}

int redeem_entry_init(struct redeem_run *run, const struct runtime_item *item,
                      struct redeem_entry *ret, struct err *err)
{
    const struct msg_command *command = item->command;
    struct redeem_entry entry = {.item = item, .what = command->type->id, .now_us = item->now_us};

    if (redeem_source_of(run, command->envelope.source, &entry.source, err) < 0)
        return -1;
    if (entry.what == MSG_CODE_RELEASE) {
        entry.release = command->data.release;
        if (redeem_source_of(run, entry.release->redemption.source, &entry.target_source, err) <
                0 ||
            init_keys(run, &entry.release->codes, &entry, err) < 0)
            return -1;
    } else {
        entry.data = command->data.redeem;
        if (entry.what == MSG_CODE_VALIDATE)
            entry.now_us = msg_int_or(entry.data->as_of, item->now_us);
        if (init_customer(run, &entry.data->customer, &entry, err) < 0 ||
            init_lines(run, &entry.data->codes, &entry, err) < 0)
            return -1;
    }
    *ret = entry;
    return 0;
}
