/* SPDX-License-Identifier: Apache-2.0
 *
 * Release: gives back exactly what a redeem took, once, at any age, to the counters it was taken
 * from. When it comes before its redeem, it takes that command's place in the ledger, and the late
 * redeem finds itself released.
 */
#include "redeem_worker.h"

#include "store_source.h"

#include <string.h>

#define LINES_MAX MSG_CODES_MAX

struct releasing {
    struct runtime *runtime;
    struct redeem *redeem;
    int32_t shard;
    const struct runtime_item *item;
    const struct msg_release *data;
    int32_t source_id;        /* of the release */
    int32_t redeem_source_id; /* of the redeem; 0: nobody of that name has ever sent anything */
    const char *keys[LINES_MAX];
    size_t key_count;
};

static int refuse(const struct releasing *releasing, enum msg_reason_id reason, const char *pointer,
                  struct err *err)
{
    return redeem_emit_refusal(releasing->runtime, releasing->item, reason, pointer, err);
}

static int emit_released(const struct releasing *releasing, const char *json, size_t len,
                         const char *key, int64_t at_us, bool repeated, struct err *err)
{
    const struct msg_envelope *envelope = &releasing->item->command->envelope;
    struct msg_event event = {.type = msg_event_type(MSG_EVENT_CODE_RELEASED)->name,
                              .topic = MSG_TOPIC_REDEMPTION_EVENTS,
                              .key = key != NULL ? key : envelope->id,
                              .time_us = at_us,
                              .repeated = repeated,
                              .data = json,
                              .data_len = len};

    msg_event_id(MSG_KIND_REDEEM, envelope->source, envelope->id, event.type, NULL, 0, event.id);
    return runtime_emit(releasing->runtime, &event, envelope, err);
}

/* 1: the release was here before and is answered; 0 it is new. */
static int answer_known(const struct releasing *releasing, struct err *err)
{
    struct runtime *runtime = releasing->runtime;
    const struct runtime_item *item = releasing->item;
    const char *id = item->command->envelope.id;
    struct store_redemption *rows = NULL;
    size_t count = 0;

    if (store_redemption_find(runtime_db(runtime), runtime_arena(runtime), &releasing->source_id,
                              &id, 1, &rows, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    if (rows[0].state != STORE_RELEASE ||
        memcmp(rows[0].hash, item->command->hash, sizeof(rows[0].hash)) != 0)
        return refuse(releasing, MSG_REASON_COMMAND_ID_REUSED, NULL, err) < 0 ? -1 : 1;
    bool replay =
        rows[0].partition == item->record->partition && rows[0].offset == item->record->offset;

    return emit_released(releasing, rows[0].detail, strlen(rows[0].detail), rows[0].code,
                         rows[0].at_us, !replay, err) < 0
               ? -1
               : 1;
}

/* The row of the release itself: its outcome. */
static void release_row(const struct releasing *releasing, const char *json, const char *key,
                        struct store_redemption *ret)
{
    const struct runtime_item *item = releasing->item;

    *ret = (struct store_redemption){.source_id = releasing->source_id,
                                     .ce_id = item->command->envelope.id,
                                     .state = STORE_RELEASE,
                                     .partition = item->record->partition,
                                     .offset = item->record->offset,
                                     .at_us = item->now_us,
                                     .code = key,
                                     .uses_left = STORE_UNLIMITED,
                                     .detail = json};
    memcpy(ret->hash, item->command->hash, sizeof(ret->hash));
}

static int outcome(const struct releasing *releasing, const struct msg_code_outcome *codes,
                   size_t count, bool before, const char *order_id, const char **ret_json,
                   size_t *ret_len, struct err *err)
{
    struct msg_released data = {.redemption = releasing->data->redemption,
                                .before_redeem = before,
                                .codes = {codes, count},
                                .order_id = order_id};

    return msg_event_data(runtime_arena(releasing->runtime), MSG_EVENT_CODE_RELEASED, &data,
                          ret_json, ret_len, err);
}

static int find_coupon(const struct releasing *releasing, int32_t id,
                       const struct store_coupon **ret, struct err *err)
{
    *ret = store_catalog_coupon_of(releasing->redeem->catalog, id);
    if (*ret == NULL)
        return err_set(err, ERR_RETRY, "redeem", "definitions_moved", "definitions have changed");
    return 0;
}

static int describe(const struct releasing *releasing, const char *key,
                    const struct store_coupon *coupon, int32_t units, struct msg_code_outcome *ret,
                    struct err *err)
{
    const struct store_campaign *campaign = coupon->campaign;
    const char **path =
        arena_zalloc(runtime_arena(releasing->runtime), campaign->chain_len, sizeof(*path));

    if (path == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < campaign->chain_len; i++)
        path[i] = campaign->chain[i]->ext_id;
    *ret = (struct msg_code_outcome){.code = key,
                                     .coupon = coupon->ext_id,
                                     .campaign_path = {path, campaign->chain_len},
                                     .units = units};
    return 0;
}

/* The release came first: rows in the name of the redeem, for known codes only. */
static int forestall(const struct releasing *releasing, struct err *err)
{
    struct runtime *runtime = releasing->runtime;
    struct arena *arena = runtime_arena(runtime);
    struct store_redemption rows[LINES_MAX + 1];
    struct msg_code_outcome codes[LINES_MAX];
    struct store_code *found = NULL;
    size_t found_count = 0;
    const char *json = NULL;
    size_t len = 0;
    int32_t redeem_source = 0;

    if (releasing->key_count == 0)
        return refuse(releasing, MSG_REASON_UNKNOWN_REDEMPTION, "/redemption", err);
    if (store_code_read(runtime_db(runtime), arena, releasing->keys, releasing->key_count, false,
                        &found, &found_count, err) < 0)
        return -1;
    if (found_count < releasing->key_count || releasing->item->replayed)
        return refuse(releasing, MSG_REASON_UNKNOWN_CODE, "/codes", err);
    if (store_source_id(runtime_sources(runtime), runtime_db(runtime),
                        releasing->data->redemption.source, &redeem_source, err) < 0)
        return -1;
    for (size_t i = 0; i < found_count; i++) {
        const struct store_coupon *coupon = NULL;

        if (find_coupon(releasing, found[i].coupon_id, &coupon, err) < 0 ||
            describe(releasing, found[i].key, coupon, 1, &codes[i], err) < 0)
            return -1;
        rows[i] = (struct store_redemption){.source_id = redeem_source,
                                            .ce_id = releasing->data->redemption.id,
                                            .line = (int16_t)i,
                                            .state = STORE_FORESTALLED,
                                            .units = 1,
                                            .partition = releasing->item->record->partition,
                                            .offset = releasing->item->record->offset,
                                            .at_us = releasing->item->now_us,
                                            .code = found[i].key,
                                            .batch_id = found[i].batch_id,
                                            .coupon_id = coupon->id,
                                            .path_id = coupon->campaign->path_id,
                                            .uses_left = STORE_UNLIMITED};
    }
    if (outcome(releasing, codes, found_count, true, NULL, &json, &len, err) < 0)
        return -1;
    release_row(releasing, json, releasing->keys[0], &rows[found_count]);
    if (store_redemption_put(runtime_db(runtime), rows, found_count + 1, err) < 0) {
        if (err->kind == ERR_DUPLICATE) /* the redeem has come meanwhile */
            err->kind = ERR_RETRY;
        return -1;
    }
    return emit_released(releasing, json, len, releasing->keys[0], releasing->item->now_us, false,
                         err);
}

static int tally(struct redeem_run *run, int32_t campaign, const struct store_redemption *row,
                 struct err *err)
{
    struct arena *arena = runtime_arena(run->runtime);
    const char *discount = arena_printf(arena, "discount:%s", row->currency);
    const char *order = arena_printf(arena, "order:%s", row->currency);

    if (discount == NULL || order == NULL)
        return err_nomem(err);
    if (redeem_tally(run, campaign, "released", 1, err) < 0 ||
        redeem_tally(run, campaign, discount, -row->discount_minor, err) < 0)
        return -1;
    /* The order's total stands with line 0. */
    return row->line == 0 ? redeem_tally(run, campaign, order, -row->order_minor, err) : 0;
}

/* Give one line back to its code and counters. */
static int give_back(const struct releasing *releasing, struct redeem_run *run,
                     const struct store_redemption *row, struct msg_code_outcome *ret,
                     struct err *err)
{
    struct runtime *runtime = releasing->runtime;
    struct store_counter counters[REDEEM_SCOPE_MAX];
    const struct store_coupon *coupon = NULL;
    struct store_code code = {
        .key = row->code, .coupon_id = row->coupon_id, .customer_limit = STORE_INHERIT};
    uint8_t keyed[2][STORE_KEYED_LEN] = {{0}};
    bool has_keyed[2] = {row->customer != NULL, row->email != NULL};
    int32_t change = -row->units;
    struct store_code *locked = NULL;
    size_t locked_count = 0;
    bool needed = false;

    if (find_coupon(releasing, row->coupon_id, &coupon, err) < 0)
        return -1;
    if (row->customer != NULL)
        memcpy(keyed[0], row->customer, STORE_KEYED_LEN);
    if (row->email != NULL)
        memcpy(keyed[1], row->email, STORE_KEYED_LEN);
    /* A deleted code is not read, and keeps its uses as they are. */
    if (store_code_read(runtime_db(runtime), runtime_arena(runtime), &row->code, 1, true, &locked,
                        &locked_count, err) < 0)
        return -1;
    if (locked_count > 0) {
        code.customer_limit = locked[0].customer_limit;
        if (store_code_settle(runtime_db(runtime), &row->code, &change, 1, err) < 0)
            return -1;
    }
    size_t count =
        redeem_limits(coupon, &code, keyed, has_keyed, runtime_arena(runtime), counters, &needed);

    for (size_t i = 0; i < count; i++)
        counters[i].uses = row->units;
    if (store_counter_give_back(runtime_db(runtime), counters, count, err) < 0 ||
        describe(releasing, row->code, coupon, row->units, ret, err) < 0)
        return -1;
    return tally(run, row->path[row->path_len - 1], row, err);
}

static bool is_wanted(const struct releasing *releasing, const struct store_redemption *row)
{
    for (size_t i = 0; i < releasing->key_count; i++) {
        if (row->code != NULL && strcmp(row->code, releasing->keys[i]) == 0)
            return true;
    }
    return releasing->key_count == 0;
}

/* Which lines are to be released; the refusal if there are none. */
static enum msg_reason_id choose(const struct releasing *releasing,
                                 const struct store_redemption *rows, size_t count,
                                 const struct store_redemption *chosen[LINES_MAX],
                                 size_t *ret_chosen)
{
    size_t wanted = 0;

    *ret_chosen = 0;
    if (rows[0].state == STORE_REFUSED)
        return MSG_REASON_NOTHING_TO_RELEASE;
    if (rows[0].state == STORE_RELEASE)
        return MSG_REASON_UNKNOWN_REDEMPTION;
    for (size_t i = 0; i < count && i < LINES_MAX; i++) {
        if (!is_wanted(releasing, &rows[i]))
            continue;
        wanted++;
        if (rows[i].state == STORE_REDEEMED)
            chosen[(*ret_chosen)++] = &rows[i];
    }
    if (wanted < releasing->key_count)
        return MSG_REASON_NOT_IN_REDEMPTION;
    if (*ret_chosen == 0)
        return MSG_REASON_ALREADY_RELEASED;
    return MSG_REASON_NONE;
}

static int release_rows(const struct releasing *releasing, const struct store_redemption *rows,
                        size_t count, struct err *err)
{
    struct runtime *runtime = releasing->runtime;
    struct redeem_run run = {
        .runtime = runtime, .redeem = releasing->redeem, .shard = releasing->shard};
    const struct store_redemption *chosen[LINES_MAX];
    struct msg_code_outcome codes[LINES_MAX];
    struct store_redemption own;
    int16_t lines[LINES_MAX];
    size_t chosen_count = 0;
    const char *json = NULL;
    size_t len = 0;
    enum msg_reason_id reason = choose(releasing, rows, count, chosen, &chosen_count);

    if (reason != MSG_REASON_NONE)
        return refuse(releasing, reason, "/redemption", err);
    store_map_clear(&releasing->redeem->tallies);
    for (size_t i = 0; i < chosen_count; i++) {
        lines[i] = chosen[i]->line;
        if (give_back(releasing, &run, chosen[i], &codes[i], err) < 0)
            return -1;
    }
    if (store_redemption_release(runtime_db(runtime), rows[0].source_id, rows[0].ce_id, lines,
                                 chosen_count, releasing->item->now_us, err) < 0 ||
        redeem_tallies_settle(&run, err) < 0 ||
        outcome(releasing, codes, chosen_count, false, rows[0].order_id, &json, &len, err) < 0)
        return -1;
    release_row(releasing, json, chosen[0]->code, &own);
    if (store_redemption_put(runtime_db(runtime), &own, 1, err) < 0) {
        if (err->kind == ERR_DUPLICATE)
            err->kind = ERR_RETRY;
        return -1;
    }
    return emit_released(releasing, json, len, chosen[0]->code, releasing->item->now_us, false,
                         err);
}

int redeem_release(struct runtime *runtime, struct redeem *redeem, int32_t shard,
                   const struct runtime_item *item, struct err *err)
{
    struct arena *arena = runtime_arena(runtime);
    struct releasing releasing = {.runtime = runtime,
                                  .redeem = redeem,
                                  .shard = shard,
                                  .item = item,
                                  .data = item->command->data.release};
    const struct msg_redemption_ref *ref = &releasing.data->redemption;
    struct store_redemption *rows = NULL;
    size_t count = 0;

    for (size_t i = 0; i < releasing.data->codes.count; i++) {
        const char **key = &releasing.keys[releasing.key_count];

        if (redeem_key(arena, releasing.data->codes.items[i], key, err) < 0)
            return -1;
        if (*key == NULL)
            return refuse(&releasing, MSG_REASON_BAD_CODE, "/codes", err);
        releasing.key_count++;
    }
    if (store_source_id(runtime_sources(runtime), runtime_db(runtime),
                        item->command->envelope.source, &releasing.source_id, err) < 0)
        return -1;
    int known = answer_known(&releasing, err);

    if (known != 0)
        return known < 0 ? -1 : 0;
    if (store_source_find(runtime_sources(runtime), runtime_db(runtime), ref->source,
                          &releasing.redeem_source_id, err) < 0)
        return -1;
    if (releasing.redeem_source_id != 0 &&
        (store_redemption_lock(runtime_db(runtime), releasing.redeem_source_id, ref->id, err) < 0 ||
         store_redemption_find(runtime_db(runtime), arena, &releasing.redeem_source_id, &ref->id, 1,
                               &rows, &count, err) < 0))
        return -1;
    if (count == 0)
        return forestall(&releasing, err);
    return release_rows(&releasing, rows, count, err);
}
