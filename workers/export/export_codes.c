/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of codes.
 */
#include "export_worker.h"
#include "store_code.h"

#include <stdio.h>

static const char *const columns[] = {"code",     "id",   "coupon",    "campaign", "active",
                                      "max_uses", "uses", "starts_at", "ends_at",  "state"};

static int take_batch(struct exporting *exporting, int32_t id, struct err *err)
{
    struct store_export_batch *batch = &exporting->batch;
    struct arena *arena = runtime_arena(exporting->runtime);

    codes_pattern_free(exporting->pattern);
    exporting->pattern = NULL;
    exporting->batch_id = 0;
    if (store_export_batch(runtime_db(exporting->runtime), arena, id, batch, err) < 0)
        return -1;
    exporting->coupon = store_catalog_coupon_of(exporting->export->catalog, batch->coupon_id);
    if (exporting->coupon == NULL)
        return err_set(err, ERR_BUG, "export", "no_coupon", "batch %d is of no coupon", (int)id);
    if (batch->pattern != NULL && codes_pattern_parse(batch->pattern, strlen(batch->pattern), false,
                                                      &exporting->pattern, err) < 0)
        return err_wrap(err, "pattern of batch %d", (int)id);
    if (exporting->pattern != NULL && codes_pattern_display_is_key(exporting->pattern)) {
        codes_pattern_free(exporting->pattern);
        exporting->pattern = NULL;
    }
    exporting->batch_id = id;
    return 0;
}

static const char *state_of(const struct store_export_code *row, int32_t most)
{
    if (row->deleted)
        return "deleted";
    if (most > 0 && row->uses >= most)
        return "exhausted";
    return row->uses > 0 ? "used" : "unused";
}

static void put_bound(struct export_csv *csv, int64_t us, int64_t open)
{
    if (us == open)
        export_csv_empty(csv);
    else
        export_csv_time(csv, us);
}

static int put_row(void *opaque, const struct store_export_code *row, struct err *err)
{
    struct exporting *exporting = opaque;
    const struct store_export_batch *batch = &exporting->batch;
    const struct store_campaign *campaign = exporting->coupon->campaign;
    int32_t most = row->max_uses == STORE_INHERIT ? batch->max_uses : row->max_uses;
    struct export_csv *csv = &exporting->csv;
    struct codes_code shown;
    char id[32];

    if (export_row_begin(exporting, err) < 0)
        return -1;
    if (exporting->pattern != NULL &&
        codes_pattern_display(exporting->pattern, row->key, row->key_len, &shown) > 0)
        export_csv_text_n(csv, shown.display, shown.display_len);
    else
        export_csv_text_n(csv, row->key, row->key_len);
    (void)snprintf(id, sizeof(id), "%d.%d", (int)exporting->batch_id, (int)row->serial);
    export_csv_plain(csv, id);
    export_csv_text(csv, exporting->coupon->ext_id);
    export_path(csv, campaign->chain, campaign->chain_len);
    export_csv_bool(csv, row->active && batch->active);
    if (most > 0)
        export_csv_int(csv, most);
    else
        export_csv_empty(csv);
    export_csv_int(csv, row->uses);
    put_bound(csv, batch->starts_us, INT64_MIN);
    put_bound(csv, batch->ends_us, INT64_MAX);
    export_csv_plain(csv, state_of(row, most));
    return export_row_end(exporting, err);
}

/* The serials at a slot, at most `most` of them. */
static struct store_export_range range_at(const struct export_params *params, int64_t slot,
                                          int64_t most)
{
    for (size_t i = 0; i < params->range_count; i++) {
        struct store_export_range range = params->ranges[i];
        int64_t slots = range.last - range.first;

        if (slot < slots) {
            range.first += slot;
            range.last = MIN_OF(range.last, range.first + most);
            return range;
        }
        slot -= slots;
    }
    return (struct store_export_range){0};
}

static int step(struct exporting *exporting, int64_t most, struct err *err)
{
    struct store_export_range range = range_at(&exporting->params, exporting->position, most);

    if (range.last == range.first)
        return err_set(err, ERR_BUG, "export", "no_range", "the job's params lack a slot");
    if (range.batch_id != exporting->batch_id && take_batch(exporting, range.batch_id, err) < 0)
        return -1;
    if (store_export_codes(runtime_db(exporting->runtime), &range, exporting->taken->job.snapshot,
                           put_row, exporting, err) < 0)
        return -1;
    exporting->position += range.last - range.first;
    return 0;
}

const struct export_kind export_codes = {
    .name = "codes_export",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .step = step,
};
