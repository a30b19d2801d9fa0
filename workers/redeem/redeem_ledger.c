/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger: what it knows of the commands of a run, and the rows that a run adds. Rows and lines
 * are turned into each other here and nowhere else, so that a replay and a repeat say what was said
 * the first time.
 */
#include "redeem_worker.h"

#include "jsonio.h"
#include "jsonio_writer.h"

#include <string.h>

/* --- looking ------------------------------------------------------------------------------------
 */

/* Rows of one command. */
struct known {
    const struct store_redemption *rows;
    size_t count;
};

static int note_rows(struct redeem_run *run, const struct store_redemption *rows, size_t count,
                     struct err *err)
{
    store_map_clear(&run->redeem->ledger);
    for (size_t i = 0, n; i < count; i += n) {
        struct known *known = arena_alloc(run->arena, sizeof(*known));
        const char *name = arena_printf(run->arena, "%d:%s", (int)rows[i].source_id, rows[i].ce_id);

        for (n = 1; i + n < count && rows[i + n].line > rows[i + n - 1].line; n++)
            ;
        if (known == NULL || name == NULL ||
            !store_map_put(&run->redeem->ledger, name, strlen(name), known))
            return err_nomem(err);
        *known = (struct known){&rows[i], n};
    }
    return 0;
}

static int get(struct redeem_run *run, const struct redeem_source *source, const char *id,
               const struct store_redemption **ret_rows, size_t *ret_count, struct err *err)
{
    const char *name;
    const struct known *known;

    if (run->redeem->ledger.count == 0 || source->id == 0)
        return 0;
    name = arena_printf(run->arena, "%d:%s", (int)source->id, id);
    if (name == NULL)
        return err_nomem(err);
    known = store_map_get(&run->redeem->ledger, name, strlen(name));
    if (known == NULL)
        return 0;
    *ret_rows = known->rows;
    *ret_count = known->count;
    return 1;
}

static void ask(struct store_identity *ids, size_t *count, const struct redeem_source *source,
                const char *id)
{
    if (source->id != 0) /* otherwise it has no row */
        ids[(*count)++] = (struct store_identity){source->id, id};
}

static int assign(struct redeem_run *run, struct err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];
        const char *id = entry->item->command->envelope.id;

        if (entry->what == MSG_CODE_VALIDATE)
            continue;
        entry->target_count = 0;
        int known = get(run, entry->source, id, &entry->known, &entry->known_count, err);

        if (known < 0)
            return -1;
        if (known > 0)
            entry->state = REDEEM_KNOWN;
        else if (entry->what == MSG_CODE_RELEASE &&
                 get(run, entry->target_source, entry->release->redemption.id, &entry->target,
                     &entry->target_count, err) < 0)
            return -1;
    }
    return 0;
}

int redeem_ledger_look(struct redeem_run *run, struct err *err)
{
    struct db_conn *db = runtime_db(run->runtime);
    struct store_identity *ids = arena_zalloc(run->arena, 2 * run->count, sizeof(*ids));
    struct store_redemption *rows = NULL;
    size_t count = 0;
    size_t found = 0;

    if (ids == NULL)
        return err_nomem(err);
    store_map_clear(&run->redeem->ledger);
    for (size_t i = 0; i < run->count; i++) {
        const struct redeem_entry *entry = &run->entries[i];

        if (entry->what == MSG_CODE_RELEASE)
            ask(ids, &count, entry->target_source, entry->release->redemption.id);
    }
    /* First locked, then read: a release that waited here for another of the same redemption, or
     * for its own repeat, reads what that has left. */
    if (count > 0 && store_redemption_lock(db, ids, count, err) < 0)
        return -1;
    for (size_t i = 0; i < run->count; i++) {
        const struct redeem_entry *entry = &run->entries[i];

        if (entry->what == MSG_CODE_RELEASE || (run->careful && entry->what == MSG_CODE_REDEEM))
            ask(ids, &count, entry->source, entry->item->command->envelope.id);
    }
    if (count > 0 && (store_redemption_find(db, run->arena, ids, count, &rows, &found, err) < 0 ||
                      note_rows(run, rows, found, err) < 0))
        return -1;
    return assign(run, err);
}

int redeem_ledger_missed(struct redeem_run *run, struct err *err)
{
    struct store_identity *ids = arena_zalloc(run->arena, run->count, sizeof(*ids));
    struct store_redemption *rows = NULL;
    size_t count = 0;
    size_t found = 0;

    if (ids == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->count; i++) {
        const struct redeem_entry *entry = &run->entries[i];

        if (entry->what == MSG_CODE_REDEEM && entry->state == REDEEM_UNSTORED)
            ask(ids, &count, entry->source, entry->item->command->envelope.id);
    }
    if (count > 0 && store_redemption_find(runtime_db(run->runtime), run->arena, ids, count, &rows,
                                           &found, err) < 0)
        return -1;
    return found > 0;
}

/* --- lines and rows -----------------------------------------------------------------------------
 */

/* Pairs of numbers as a JSON array of arrays: shares as [discount, minor], reasons as
 * [number, next_us]. */
struct pair {
    int64_t a;
    int64_t b;
};

static int pairs_encode(struct arena *arena, const struct pair *pairs, size_t count,
                        const char **ret, struct err *err)
{
    CLEANUP(buf_done) struct buf json;
    struct jsonio_writer writer;

    buf_init(&json);
    jsonio_writer_init(&writer, &json);
    jsonio_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        jsonio_begin_array(&writer);
        jsonio_put_int(&writer, pairs[i].a);
        jsonio_put_int(&writer, pairs[i].b);
        jsonio_end_array(&writer);
    }
    jsonio_end_array(&writer);
    *ret = arena_memdup(arena, json.data, json.len);
    return *ret == NULL || buf_failed(&json) ? err_nomem(err) : 0;
}

static int pairs_decode(struct arena *arena, const char *text, struct pair **ret, size_t *ret_count,
                        struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *root = NULL;

    if (jsonio_parse(text, strlen(text), strlen(text), &root, err) < 0)
        return err_wrap(err, "detail of a redemption");
    size_t count = jsonio_length(root);
    struct pair *pairs = arena_zalloc(arena, count + 1, sizeof(*pairs));

    if (pairs == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct json_object *item = jsonio_item(root, i);

        pairs[i].a = jsonio_int(jsonio_item(item, 0));
        pairs[i].b = jsonio_int(jsonio_item(item, 1));
    }
    *ret = pairs;
    *ret_count = count;
    return 0;
}

static int detail_of(struct arena *arena, const struct redeem_line *line, bool accepted,
                     struct store_redemption *row, struct err *err)
{
    struct pair pairs[MAX_OF(RULES_REASONS_MAX, RULES_DISCOUNTS_MAX)];
    size_t count = 0;

    if (accepted && line->share_count <= 1) {
        row->discount_id = line->share_count == 1 ? line->shares[0].discount_id : 0;
        return 0;
    }
    if (accepted) {
        for (; count < line->share_count; count++)
            pairs[count] =
                (struct pair){line->shares[count].discount_id, line->shares[count].minor};
    } else {
        row->reason = (int16_t)line->reasons[0].id;
        for (; count < line->reason_count; count++)
            pairs[count] =
                (struct pair){(int64_t)line->reasons[count].id, line->reasons[count].next_us};
    }
    return pairs_encode(arena, pairs, count, &row->detail, err);
}

int redeem_line_of(struct arena *arena, const struct store_redemption *row,
                   struct redeem_line *line, struct err *err)
{
    struct pair *pairs = NULL;
    size_t count = 0;

    line->coupon_id = row->coupon_id;
    line->batch_id = row->batch_id;
    line->path = row->path;
    line->path_len = row->path_len;
    line->units = row->units;
    line->uses_left = row->uses_left;
    line->discount_minor = row->discount_minor;
    if (row->detail != NULL && pairs_decode(arena, row->detail, &pairs, &count, err) < 0)
        return -1;
    struct redeem_reason *reasons = arena_zalloc(arena, count + 1, sizeof(*reasons));
    struct redeem_share *shares = arena_zalloc(arena, count + 1, sizeof(*shares));

    if (reasons == NULL || shares == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        reasons[i] = (struct redeem_reason){(enum msg_reason_id)pairs[i].a, pairs[i].b};
        shares[i] = (struct redeem_share){(int32_t)pairs[i].a, pairs[i].b};
    }
    if (row->detail == NULL && row->discount_id != 0)
        shares[count++] = (struct redeem_share){row->discount_id, row->discount_minor};
    bool refused = row->state == STORE_REFUSED;

    line->reasons = reasons;
    line->reason_count = refused ? count : 0;
    line->shares = shares;
    line->share_count = refused ? 0 : count;
    return 0;
}

/* --- writing ------------------------------------------------------------------------------------
 */

struct writing {
    struct store_redemption *rows;
    size_t count;
    struct store_released *released;
    size_t released_count;
};

static struct store_redemption *row_of(struct writing *to, const struct redeem_entry *entry,
                                       enum store_redemption_state state)
{
    struct store_redemption *row = &to->rows[to->count++];

    *row = (struct store_redemption){.source_id = entry->source->id,
                                     .ce_id = entry->item->command->envelope.id,
                                     .state = state,
                                     .units = 1,
                                     .partition = entry->item->record->partition,
                                     .offset = entry->item->record->offset,
                                     .at_us = entry->item->now_us,
                                     .uses_left = STORE_UNLIMITED};
    memcpy(row->hash, entry->item->command->hash, sizeof(row->hash));
    return row;
}

static void row_set_code(struct store_redemption *row, size_t line,
                         const struct redeem_stock *stock)
{
    row->line = (int16_t)line;
    row->code = stock->key;
    row->batch_id = stock->row.batch_id;
    row->coupon_id = stock->coupon->id;
    row->path_id = stock->coupon->campaign->path_id;
}

static int redeem_rows(struct redeem_run *run, const struct redeem_entry *entry, struct writing *to,
                       struct err *err)
{
    const struct msg_order *order = entry->data->order;
    bool accepted = entry->state == REDEEM_ACCEPTED;

    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];
        struct store_redemption *row = row_of(to, entry, accepted ? STORE_REDEEMED : STORE_REFUSED);

        row_set_code(row, i, line->stock);
        row->units = line->units;
        row->uses_left = accepted ? line->uses_left : STORE_UNLIMITED;
        row->discount_minor = accepted ? line->discount_minor : 0;
        row->order_minor = order->total_minor;
        row->currency = order->currency;
        row->order_id = order->id;
        row->customer = entry->has_keyed[0] ? entry->keyed[0] : NULL;
        row->email = entry->has_keyed[1] ? entry->keyed[1] : NULL;
        if (detail_of(run->arena, line, accepted, row, err) < 0)
            return -1;
    }
    return 0;
}

/* The row of the release itself keeps its outcome. One that came before its redeem also takes that
 * command's place: rows of the redeem's identity, by which the late redeem finds itself released.
 */
static int release_rows(struct redeem_run *run, struct redeem_entry *entry, struct writing *to,
                        struct err *err)
{
    if (redeem_release_outcome(run, entry, err) < 0)
        return -1;
    struct store_redemption *own = row_of(to, entry, STORE_RELEASE);

    own->code = entry->lines[0].key;
    own->detail = entry->outcome;
    if (entry->before && redeem_source_need(run, entry->target_source, err) < 0)
        return -1;
    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];

        if (entry->before) {
            struct store_redemption *row = row_of(to, entry, STORE_FORESTALLED);

            row->source_id = entry->target_source->id;
            row->ce_id = entry->release->redemption.id;
            row_set_code(row, i, line->stock);
        } else {
            to->released[to->released_count++] = (struct store_released){
                {line->row->source_id, line->row->ce_id}, line->row->line, entry->item->now_us};
        }
    }
    return 0;
}

static bool is_stored(const struct redeem_entry *entry)
{
    return entry->what != MSG_CODE_VALIDATE &&
           (entry->state == REDEEM_ACCEPTED || entry->state == REDEEM_REFUSED);
}

int redeem_ledger_write(struct redeem_run *run, struct err *err)
{
    struct db_conn *db = runtime_db(run->runtime);
    struct writing to = {0};
    size_t lines = 0;

    for (size_t i = 0; i < run->count; i++)
        lines += is_stored(&run->entries[i]) ? run->entries[i].line_count + 1 : 0;
    if (lines == 0)
        return 0;
    to.rows = arena_zalloc(run->arena, lines, sizeof(*to.rows));
    to.released = arena_zalloc(run->arena, lines, sizeof(*to.released));
    if (to.rows == NULL || to.released == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < run->count; i++) {
        struct redeem_entry *entry = &run->entries[i];

        if (!is_stored(entry))
            continue;
        if (redeem_source_need(run, entry->source, err) < 0 ||
            (entry->what == MSG_CODE_RELEASE ? release_rows(run, entry, &to, err)
                                             : redeem_rows(run, entry, &to, err)) < 0)
            return -1;
    }
    if (store_redemption_put(db, to.rows, to.count, err) < 0)
        return -1;
    return store_redemption_release(db, to.released, to.released_count, err);
}
