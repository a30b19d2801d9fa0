/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands come to, as rows of the ledger and as events. Events of the first time, of a replay
 * and of a repeat are made by the same code from the same lines, so they cannot differ.
 */
#include "redeem_worker.h"

#include "jsonio.h"
#include "jsonio_writer.h"

#include <string.h>

/* --- lines and rows
 * ------------------------------------------------------------------------------------------ */

/* Pairs of numbers as a JSON array of arrays: shares as [discount, minor], reasons as [number,
 * next_us]. */
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

static int pairs_decode(const char *text, struct pair *pairs, size_t max, size_t *ret_count,
                        struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *root = NULL;

    if (jsonio_parse(text, strlen(text), strlen(text), &root, err) < 0)
        return err_wrap(err, "detail of a redemption");
    size_t count = MIN_OF(jsonio_length(root), max);

    for (size_t i = 0; i < count; i++) {
        const struct json_object *item = jsonio_item(root, i);

        pairs[i].a = jsonio_int(jsonio_item(item, 0));
        pairs[i].b = jsonio_int(jsonio_item(item, 1));
    }
    *ret_count = count;
    return 0;
}

static int detail_of(struct arena *arena, const struct redeem_line *line, bool accepted,
                     struct store_redemption *row, struct err *err)
{
    struct pair pairs[RULES_REASONS_MAX];
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

int redeem_rows(struct runtime *runtime, const struct redeem_entry *entry,
                struct store_redemption *rows, size_t *count, struct err *err)
{
    const struct runtime_item *item = entry->item;
    const struct msg_order *order = entry->data->order;
    bool accepted = entry->state == REDEEM_ACCEPTED;

    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];
        struct store_redemption row = {
            .source_id = entry->source_id,
            .ce_id = item->command->envelope.id,
            .line = (int16_t)i,
            .state = accepted ? STORE_REDEEMED : STORE_REFUSED,
            .units = line->units,
            .partition = item->record->partition,
            .offset = item->record->offset,
            .at_us = item->now_us,
            .code = line->key,
            .batch_id = line->stock->row.batch_id,
            .coupon_id = line->stock->coupon->id,
            .path_id = line->stock->coupon->campaign->path_id,
            .uses_left = accepted ? line->uses_left : STORE_UNLIMITED,
            .discount_minor = accepted ? line->discount_minor : 0,
            .order_minor = order->total_minor,
            .currency = order->currency,
            .order_id = order->id,
            .customer = entry->has_keyed[0] ? entry->keyed[0] : NULL,
            .email = entry->has_keyed[1] ? entry->keyed[1] : NULL,
        };

        memcpy(row.hash, item->command->hash, sizeof(row.hash));
        if (detail_of(runtime_arena(runtime), line, accepted, &row, err) < 0)
            return -1;
        rows[(*count)++] = row;
    }
    return 0;
}

/* The other way round: what a row says of a line. */
static int line_of(const struct store_redemption *row, struct redeem_line *line, struct err *err)
{
    struct pair pairs[RULES_REASONS_MAX];
    size_t count = 0;

    line->coupon_id = row->coupon_id;
    line->batch_id = row->batch_id;
    line->path = row->path;
    line->path_len = row->path_len;
    line->units = row->units;
    line->uses_left = row->uses_left;
    line->discount_minor = row->discount_minor;
    line->share_count = 0;
    line->reason_count = 0;
    if (row->discount_id != 0)
        line->shares[line->share_count++] =
            (struct redeem_share){row->discount_id, row->discount_minor};
    if (row->detail == NULL)
        return 0;
    if (pairs_decode(row->detail, pairs, RULES_REASONS_MAX, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (row->state == STORE_REFUSED)
            line->reasons[line->reason_count++] =
                (struct redeem_reason){(enum msg_reason_id)pairs[i].a, pairs[i].b};
        else if (i < RULES_DISCOUNTS_MAX)
            line->shares[line->share_count++] =
                (struct redeem_share){(int32_t)pairs[i].a, pairs[i].b};
    }
    return 0;
}

/* --- events
 * --------------------------------------------------------------------------------------------------
 */

static int emit(struct runtime *runtime, const struct runtime_item *item, const char *key,
                enum msg_event_id id, const void *data, bool stored, int64_t at_us, bool repeated,
                struct err *err)
{
    const struct msg_envelope *envelope = &item->command->envelope;
    struct msg_event event = {.type = msg_event_type(id)->name,
                              .topic = MSG_TOPIC_REDEMPTION_EVENTS,
                              .key = key != NULL ? key : envelope->id,
                              .time_us = at_us,
                              .repeated = repeated};

    if (msg_event_data(runtime_arena(runtime), id, data, &event.data, &event.data_len, err) < 0)
        return -1;
    /* An answer that is not stored may differ the next time: its id says which one it is. */
    msg_event_id(MSG_KIND_REDEEM, envelope->source, envelope->id, event.type,
                 stored ? NULL : event.data, stored ? 0 : event.data_len, event.id);
    return runtime_emit(runtime, &event, envelope, err);
}

static int given_of(struct arena *arena, const struct store_catalog *catalog,
                    const struct redeem_line *line, const struct msg_order *order,
                    struct msg_discount_given **ret, struct err *err)
{
    struct msg_discount_given *given = arena_zalloc(arena, 1, sizeof(*given));
    struct msg_discount_share *items = arena_zalloc(arena, line->share_count + 1, sizeof(*items));

    if (given == NULL || items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < line->share_count; i++) {
        const struct store_discount *discount =
            store_catalog_discount_of(catalog, line->shares[i].discount_id);

        items[i].discount = discount != NULL ? discount->ext_id : "";
        items[i].minor = line->shares[i].minor;
    }
    given->currency = order->currency;
    given->total_minor = line->discount_minor;
    given->items.items = items;
    given->items.count = line->share_count;
    *ret = given;
    return 0;
}

static int outcome_of(struct arena *arena, const struct store_catalog *catalog,
                      const struct redeem_line *line, const struct msg_order *order,
                      struct msg_code_outcome *ret, struct err *err)
{
    const struct store_coupon *coupon = store_catalog_coupon_of(catalog, line->coupon_id);
    const char **path = arena_zalloc(arena, line->path_len + 1, sizeof(*path));
    struct msg_discount_given *given = NULL;

    if (coupon == NULL) /* younger than the catalogue */
        return err_set(err, ERR_RETRY, "redeem", "definitions_moved", "definitions have changed");
    if (path == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < line->path_len; i++) {
        const struct store_campaign *campaign = store_catalog_campaign_of(catalog, line->path[i]);

        path[i] = campaign != NULL ? campaign->ext_id : "";
    }
    if (order != NULL && given_of(arena, catalog, line, order, &given, err) < 0)
        return -1;
    *ret = (struct msg_code_outcome){.code = line->key,
                                     .coupon = coupon->ext_id,
                                     .campaign_path = {path, line->path_len},
                                     .batch = msg_int_of(line->batch_id),
                                     .units = line->units,
                                     .discount = given};
    ret->uses_left = line->uses_left == STORE_UNLIMITED ? (struct msg_int){.is = MSG_NULL}
                                                        : msg_int_of(line->uses_left);
    return 0;
}

static int emit_accepted(struct runtime *runtime, const struct store_catalog *catalog,
                         const struct redeem_entry *entry, int64_t at_us, bool repeated,
                         struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    const struct msg_order *order = entry->data->order;
    struct msg_code_outcome *codes = arena_zalloc(arena, entry->line_count, sizeof(*codes));
    struct msg_redeemed data = {.order = order};
    int64_t sum = 0;

    if (codes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->line_count; i++) {
        if (outcome_of(arena, catalog, &entry->lines[i], order, &codes[i], err) < 0)
            return -1;
        sum += entry->lines[i].discount_minor;
    }
    data.codes.items = codes;
    data.codes.count = entry->line_count;
    if (order != NULL) {
        data.discount_total_minor = msg_int_of(sum);
        data.currency = order->currency;
    }
    return emit(runtime, entry->item, entry->lines[0].key,
                entry->validate ? MSG_EVENT_CODE_VALIDATED : MSG_EVENT_CODE_REDEEMED, &data,
                !entry->validate, at_us, repeated, err);
}

static int emit_refused(struct runtime *runtime, const struct redeem_entry *entry, int64_t at_us,
                        bool repeated, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    struct msg_code_refusal *codes = arena_zalloc(arena, entry->line_count, sizeof(*codes));
    struct msg_code_rejected data = {0};

    if (codes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];
        struct msg_reason *reasons = arena_zalloc(arena, line->reason_count + 1, sizeof(*reasons));
        const char *pointer = arena_printf(arena, "/codes/%zu", i);

        if (reasons == NULL || pointer == NULL)
            return err_nomem(err);
        for (size_t j = 0; j < line->reason_count; j++)
            reasons[j] = (struct msg_reason){.code = msg_reason_code(line->reasons[j].id),
                                             .pointer = pointer,
                                             .message = msg_reason_text(line->reasons[j].id),
                                             .next_at_us = line->reasons[j].next_us};
        codes[i].code = line->given;
        codes[i].reasons.items = reasons;
        codes[i].reasons.count = line->reason_count;
    }
    data.codes.items = codes;
    data.codes.count = entry->line_count;
    data.order_id = entry->data->order != NULL ? entry->data->order->id : NULL;
    return emit(runtime, entry->item, entry->lines[0].key, MSG_EVENT_CODE_REJECTED, &data,
                entry->state == REDEEM_REFUSED && !entry->validate, at_us, repeated, err);
}

int redeem_emit(struct runtime *runtime, const struct store_catalog *catalog,
                const struct redeem_entry *entry, int64_t at_us, bool repeated, struct err *err)
{
    if (entry->state == REDEEM_ACCEPTED)
        return emit_accepted(runtime, catalog, entry, at_us, repeated, err);
    return emit_refused(runtime, entry, at_us, repeated, err);
}

int redeem_emit_refusal(struct runtime *runtime, const struct runtime_item *item,
                        enum msg_reason_id reason, const char *pointer, struct err *err)
{
    struct msg_reason why = {
        .code = msg_reason_code(reason), .pointer = pointer, .message = msg_reason_text(reason)};
    struct msg_code_rejected data = {.reasons = {&why, 1}};

    return emit(runtime, item, NULL, MSG_EVENT_CODE_REJECTED, &data, false, item->now_us, false,
                err);
}

int redeem_emit_known(struct runtime *runtime, const struct store_catalog *catalog,
                      struct redeem_entry *entry, const struct store_redemption *rows, size_t count,
                      struct err *err)
{
    const struct runtime_item *item = entry->item;
    struct redeem_entry known = *entry;
    bool replay =
        rows[0].partition == item->record->partition && rows[0].offset == item->record->offset;

    if (rows[0].state == STORE_FORESTALLED)
        return redeem_emit_refusal(runtime, item, MSG_REASON_ALREADY_RELEASED, NULL, err);
    if (memcmp(rows[0].hash, item->command->hash, sizeof(rows[0].hash)) != 0)
        return redeem_emit_refusal(runtime, item, MSG_REASON_COMMAND_ID_REUSED, NULL, err);
    if (count != entry->line_count) /* same data has the same codes */
        return err_set(err, ERR_BUG, "redeem", "lines_differ", "ledger and command differ");
    for (size_t i = 0; i < count; i++) {
        if (line_of(&rows[i], &known.lines[i], err) < 0)
            return -1;
    }
    known.state = rows[0].state == STORE_REFUSED ? REDEEM_REFUSED : REDEEM_ACCEPTED;
    return redeem_emit(runtime, catalog, &known, rows[0].at_us, !replay, err);
}
