/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands come to, as events. Events of the first time, of a replay and of a repeat are made
 * by the same code from the same lines, so they cannot differ.
 */
#include "redeem_worker.h"

#include <string.h>

/* How an event is published. */
struct manner {
    const char *key; /* NULL: the command's id */
    int64_t at_us;
    bool stored;
    bool repeated;
};

static int emit_data(struct redeem_run *run, const struct redeem_entry *entry, enum msg_event_id id,
                     const char *data, size_t len, struct manner manner, struct err *err)
{
    const struct msg_envelope *envelope = &entry->item->command->envelope;
    struct msg_event event = {.type = msg_event_type(id)->name,
                              .topic = MSG_TOPIC_REDEMPTION_EVENTS,
                              .key = manner.key != NULL ? manner.key : envelope->id,
                              .time_us = manner.at_us,
                              .repeated = manner.repeated,
                              .data = data,
                              .data_len = len};

    /* An answer that is not stored may differ the next time: its id says which one it is. */
    msg_event_id(MSG_KIND_REDEEM, envelope->source, envelope->id, event.type,
                 manner.stored ? NULL : data, manner.stored ? 0 : len, event.id);
    return runtime_emit(run->runtime, &event, envelope, err);
}

static int emit(struct redeem_run *run, const struct redeem_entry *entry, enum msg_event_id id,
                const void *data, struct manner manner, struct err *err)
{
    const char *json = NULL;
    size_t len = 0;

    if (msg_event_data(run->arena, id, data, &json, &len, err) < 0)
        return -1;
    return emit_data(run, entry, id, json, len, manner, err);
}

/* --- accepted -----------------------------------------------------------------------------------
 */

static int given_of(struct redeem_run *run, const struct redeem_line *line, const char *currency,
                    const struct msg_discount_given **ret, struct err *err)
{
    struct msg_discount_given *given = arena_zalloc(run->arena, 1, sizeof(*given));
    struct msg_discount_share *items =
        arena_zalloc(run->arena, line->share_count + 1, sizeof(*items));

    if (given == NULL || items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < line->share_count; i++) {
        const struct store_discount *discount =
            store_catalog_discount_of(run->redeem->catalog, line->shares[i].discount_id);

        if (discount == NULL)
            return store_catalog_moved(err);
        items[i] = (struct msg_discount_share){discount->ext_id, line->shares[i].minor};
    }
    given->currency = currency;
    given->total_minor = line->discount_minor;
    given->items.items = items;
    given->items.count = line->share_count;
    *ret = given;
    return 0;
}

/* What redeemed, validated and released say of a code alike. */
static int outcome_of(struct redeem_run *run, const struct redeem_line *line,
                      struct msg_code_outcome *ret, struct err *err)
{
    const struct store_catalog *catalog = run->redeem->catalog;
    const struct store_coupon *coupon = store_catalog_coupon_of(catalog, line->coupon_id);
    const char **path = arena_zalloc(run->arena, line->path_len + 1, sizeof(*path));

    if (path == NULL)
        return err_nomem(err);
    if (coupon == NULL) /* younger than the catalogue, as a campaign may be */
        return store_catalog_moved(err);
    for (size_t i = 0; i < line->path_len; i++) {
        const struct store_campaign *campaign = store_catalog_campaign_of(catalog, line->path[i]);

        if (campaign == NULL)
            return store_catalog_moved(err);
        path[i] = campaign->ext_id;
    }
    *ret = (struct msg_code_outcome){.code = line->key,
                                     .coupon = coupon->ext_id,
                                     .campaign_path = {path, line->path_len},
                                     .units = line->units};
    return 0;
}

static int emit_accepted(struct redeem_run *run, const struct redeem_entry *entry,
                         struct manner manner, struct err *err)
{
    const struct msg_order *order = entry->data->order;
    struct msg_code_outcome *codes = arena_zalloc(run->arena, entry->line_count, sizeof(*codes));
    struct msg_redeemed data = {.order = order};
    int64_t sum = 0;

    if (codes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->line_count; i++) {
        const struct redeem_line *line = &entry->lines[i];

        if (outcome_of(run, line, &codes[i], err) < 0 ||
            (order != NULL && given_of(run, line, order->currency, &codes[i].discount, err) < 0))
            return -1;
        codes[i].batch = msg_int_of(line->batch_id);
        codes[i].uses_left = line->uses_left == STORE_UNLIMITED ? (struct msg_int){.is = MSG_NULL}
                                                                : msg_int_of(line->uses_left);
        sum += line->discount_minor;
    }
    data.codes.items = codes;
    data.codes.count = entry->line_count;
    if (order != NULL) {
        data.discount_total_minor = msg_int_of(sum);
        data.currency = order->currency;
    }
    return emit(run, entry,
                entry->what == MSG_CODE_VALIDATE ? MSG_EVENT_CODE_VALIDATED
                                                 : MSG_EVENT_CODE_REDEEMED,
                &data, manner, err);
}

int redeem_release_outcome(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    struct msg_code_outcome *codes = arena_zalloc(run->arena, entry->line_count, sizeof(*codes));
    struct msg_released data = {.redemption = entry->release->redemption,
                                .before_redeem = entry->before,
                                .order_id = entry->before ? NULL : entry->target[0].order_id};

    if (codes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->line_count; i++) {
        if (outcome_of(run, &entry->lines[i], &codes[i], err) < 0)
            return -1;
    }
    data.codes.items = codes;
    data.codes.count = entry->line_count;
    return msg_event_data(run->arena, MSG_EVENT_CODE_RELEASED, &data, &entry->outcome,
                          &entry->outcome_len, err);
}

/* --- refused ------------------------------------------------------------------------------------
 */

static int refusal_of(struct redeem_run *run, const struct redeem_line *line, size_t i,
                      struct msg_code_refusal *ret, struct err *err)
{
    struct msg_reason *reasons = arena_zalloc(run->arena, line->reason_count + 1, sizeof(*reasons));
    const char *pointer = redeem_code_pointer(run->arena, i);

    if (reasons == NULL || pointer == NULL)
        return err_nomem(err);
    for (size_t j = 0; j < line->reason_count; j++)
        reasons[j] = (struct msg_reason){.code = msg_reason_code(line->reasons[j].id),
                                         .pointer = pointer,
                                         .message = msg_reason_text(line->reasons[j].id),
                                         .next_at_us = line->reasons[j].next_us};
    ret->code = line->given;
    ret->reasons.items = reasons;
    ret->reasons.count = line->reason_count;
    return 0;
}

static int emit_refused(struct redeem_run *run, const struct redeem_entry *entry,
                        struct manner manner, struct err *err)
{
    struct msg_code_refusal *codes = arena_zalloc(run->arena, entry->line_count, sizeof(*codes));
    struct msg_code_rejected data = {.order_id = entry->data->order != NULL ? entry->data->order->id
                                                                            : NULL};

    if (codes == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->line_count; i++) {
        if (refusal_of(run, &entry->lines[i], i, &codes[i], err) < 0)
            return -1;
    }
    data.codes.items = codes;
    data.codes.count = entry->line_count;
    return emit(run, entry, MSG_EVENT_CODE_REJECTED, &data, manner, err);
}

/* A refusal of the command as a whole, not stored. */
static int emit_refusal(struct redeem_run *run, const struct redeem_entry *entry,
                        enum msg_reason_id reason, const char *pointer, struct err *err)
{
    struct msg_reason why = {
        .code = msg_reason_code(reason), .pointer = pointer, .message = msg_reason_text(reason)};
    struct msg_code_rejected data = {.reasons = {&why, 1}};

    return emit(run, entry, MSG_EVENT_CODE_REJECTED, &data,
                (struct manner){.at_us = entry->item->now_us}, err);
}

/* --- any command --------------------------------------------------------------------------------
 */

static int emit_known_redeem(struct redeem_run *run, const struct redeem_entry *entry,
                             struct manner manner, struct err *err)
{
    const struct store_redemption *rows = entry->known;
    struct redeem_entry known = *entry;

    if (entry->known_count != entry->line_count) /* the same data have the same codes */
        return err_set(err, ERR_POISON, "redeem", "lines_differ", "ledger and command differ");
    for (size_t i = 0; i < entry->line_count; i++) {
        if (redeem_line_of(run->arena, &rows[i], &known.lines[i], err) < 0)
            return -1;
    }
    manner.key = entry->lines[0].key;
    return rows[0].state == STORE_REFUSED ? emit_refused(run, &known, manner, err)
                                          : emit_accepted(run, &known, manner, err);
}

/* What the ledger says to a command that was here before, or that its id was used for another. */
static int emit_known(struct redeem_run *run, const struct redeem_entry *entry, struct err *err)
{
    const struct record *record = entry->item->record;
    const struct store_redemption *row = &entry->known[0];
    struct manner manner = {.key = row->code,
                            .at_us = row->at_us,
                            .stored = true,
                            .repeated = row->partition != record->partition ||
                                        row->offset != record->offset};

    if (row->state == STORE_FORESTALLED && entry->what == MSG_CODE_REDEEM)
        return emit_refusal(run, entry, MSG_REASON_ALREADY_RELEASED, NULL, err);
    if (memcmp(row->hash, entry->item->command->hash, sizeof(row->hash)) != 0)
        return emit_refusal(run, entry, MSG_REASON_COMMAND_ID_REUSED, NULL, err);
    if (entry->what == MSG_CODE_REDEEM)
        return emit_known_redeem(run, entry, manner, err);
    return emit_data(run, entry, MSG_EVENT_CODE_RELEASED, row->detail, strlen(row->detail), manner,
                     err);
}

int redeem_publish(struct redeem_run *run, const struct redeem_entry *entry, struct err *err)
{
    struct manner manner = {.key = entry->line_count > 0 ? entry->lines[0].key : NULL,
                            .at_us = entry->item->now_us,
                            .stored = entry->state != REDEEM_UNSTORED &&
                                      entry->what != MSG_CODE_VALIDATE};

    if (entry->state == REDEEM_KNOWN)
        return emit_known(run, entry, err);
    if (entry->reason != MSG_REASON_NONE)
        return emit_refusal(run, entry, entry->reason, entry->pointer, err);
    if (entry->state != REDEEM_ACCEPTED)
        return emit_refused(run, entry, manner, err);
    if (entry->what == MSG_CODE_RELEASE)
        return emit_data(run, entry, MSG_EVENT_CODE_RELEASED, entry->outcome, entry->outcome_len,
                         manner, err);
    return emit_accepted(run, entry, manner, err);
}
