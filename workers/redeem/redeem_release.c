/* SPDX-License-Identifier: Apache-2.0
 *
 * Release: gives back exactly what a redeem took, once, at any age, to the counters it was taken
 * from. When it comes before its redeem, it takes that command's place in the ledger, and the late
 * redeem finds itself released.
 */
#include "redeem_worker.h"

#include <string.h>

bool redeem_release_names_itself(const struct redeem_entry *entry)
{
    return entry->source == entry->target_source &&
           strcmp(entry->item->command->envelope.id, entry->release->redemption.id) == 0;
}

static int refuse_code(struct redeem_run *run, struct redeem_entry *entry,
                       enum msg_reason_id reason, size_t i, struct err *err)
{
    const char *pointer = redeem_code_pointer(run->arena, i);

    if (pointer == NULL)
        return err_nomem(err);
    redeem_refuse(entry, reason, pointer);
    return 0;
}

static int refuse(struct redeem_entry *entry, enum msg_reason_id reason)
{
    redeem_refuse(entry, reason, "/redemption");
    return 0;
}

static bool is_wanted(const struct redeem_entry *entry, const struct store_redemption *row)
{
    for (size_t i = 0; i < entry->key_count; i++) {
        if (row->code != NULL && strcmp(row->code, entry->keys[i]) == 0)
            return true;
    }
    return entry->key_count == 0;
}

static bool is_in_target(const struct redeem_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->target_count; i++) {
        if (entry->target[i].code != NULL && strcmp(entry->target[i].code, key) == 0)
            return true;
    }
    return false;
}

/* The codes that it names are codes, each once. */
static int check_keys(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    for (size_t i = 0; i < entry->key_count; i++) {
        if (entry->keys[i] == NULL)
            return refuse_code(run, entry, MSG_REASON_BAD_CODE, i, err);
        if (redeem_named_before(entry->keys, i))
            return refuse_code(run, entry, MSG_REASON_CODE_REPEATED, i, err);
    }
    return 0;
}

/* Nobody has seen its redeem. That can be forestalled only where known codes are named, so that
 * nobody fills the ledger with redemptions that were never made. */
static int choose_before(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    if (entry->key_count == 0 || redeem_release_names_itself(entry))
        return refuse(entry, MSG_REASON_UNKNOWN_REDEMPTION);
    entry->before = true;
    entry->lines = arena_zalloc(run->arena, entry->key_count, sizeof(*entry->lines));
    if (entry->lines == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->key_count; i++)
        entry->lines[i] = (struct redeem_line){.key = entry->keys[i], .units = 1};
    entry->line_count = entry->key_count;
    return 0;
}

static int choose_rows(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    entry->lines = arena_zalloc(run->arena, entry->target_count, sizeof(*entry->lines));
    if (entry->lines == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < entry->target_count; i++) {
        const struct store_redemption *row = &entry->target[i];

        if (row->state != STORE_REDEEMED || row->code == NULL || !is_wanted(entry, row))
            continue;
        entry->lines[entry->line_count++] = (struct redeem_line){.key = row->code,
                                                                 .row = row,
                                                                 .coupon_id = row->coupon_id,
                                                                 .path = row->path,
                                                                 .path_len = row->path_len,
                                                                 .units = row->units};
    }
    if (entry->line_count == 0)
        return refuse(entry, MSG_REASON_ALREADY_RELEASED);
    if (entry->item->replayed) {
        /* It left no row when it was read first: the redemption came behind it. */
        entry->line_count = 0;
        return refuse(entry, MSG_REASON_UNKNOWN_REDEMPTION);
    }
    return 0;
}

int redeem_release_choose(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    if (check_keys(run, entry, err) < 0)
        return -1;
    if (entry->state != REDEEM_OPEN)
        return 0;
    if (entry->target_count == 0)
        return choose_before(run, entry, err);
    if (entry->target[0].state == STORE_RELEASE)
        return refuse(entry, MSG_REASON_UNKNOWN_REDEMPTION);
    for (size_t i = 0; i < entry->key_count; i++) {
        if (!is_in_target(entry, entry->keys[i]))
            return refuse_code(run, entry, MSG_REASON_NOT_IN_REDEMPTION, i, err);
    }
    if (entry->target[0].state == STORE_REFUSED)
        return refuse(entry, MSG_REASON_NOTHING_TO_RELEASE);
    return choose_rows(run, entry, err);
}

static int decide_before(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    for (size_t i = 0; i < entry->line_count; i++) {
        struct redeem_line *line = &entry->lines[i];

        if (!line->stock->known || entry->item->replayed)
            return refuse_code(run, entry, MSG_REASON_UNKNOWN_CODE, i, err);
        line->coupon_id = line->stock->coupon->id;
        line->path = line->stock->path;
        line->path_len = line->stock->coupon->campaign->chain_len;
    }
    entry->state = REDEEM_ACCEPTED;
    return 0;
}

static void give_back(struct redeem_line *line)
{
    /* A deleted code is not read, and keeps its uses as they are. */
    if (line->stock->known)
        line->stock->used -= line->units;
    for (size_t i = 0; i < line->limit_count; i++) {
        struct redeem_counter *counter = line->limits[i].counter;

        /* Made by a redeem of this batch, or there before. */
        if (counter->row.found || counter->used > 0)
            counter->used -= line->units;
    }
}

int redeem_release_decide(struct redeem_run *run, struct redeem_entry *entry, struct err *err)
{
    if (entry->before)
        return decide_before(run, entry, err);
    for (size_t i = 0; i < entry->line_count; i++)
        give_back(&entry->lines[i]);
    entry->state = REDEEM_ACCEPTED;
    return 0;
}
