/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of redemptions: one for each code of a redeem command, refused ones too.
 */
#include "export_worker.h"
#include "msg_reason.h"
#include "store_redemption.h"

#include <stdio.h>

static const char *const columns[] = {"seq",         "at",       "state",          "source",
                                      "command_id",  "line",     "code",           "code_id",
                                      "coupon",      "campaign", "order_id",       "currency",
                                      "order_minor", "units",    "discount_minor", "reason",
                                      "released_at", "customer", "email"};

static const char *state_of(int32_t state)
{
    switch ((enum store_redemption_state)state) {
    case STORE_REDEEMED:
        return "redeemed";
    case STORE_REFUSED:
        return "refused";
    case STORE_RELEASED:
        return "released";
    case STORE_FORESTALLED:
        return "released_before";
    case STORE_RELEASE:
        break;
    }
    return "";
}

static void put_code(struct export_csv *csv, const struct store_export_redemption *row)
{
    char id[32];

    export_csv_text(csv, row->code);
    if (row->serial < 0) {
        export_csv_empty(csv);
        return;
    }
    (void)snprintf(id, sizeof(id), "%d.%d", (int)row->batch_id, (int)row->serial);
    export_csv_plain(csv, id);
}

static void put_place(struct export_csv *csv, const struct store_catalog *catalog,
                      const struct store_export_redemption *row)
{
    const struct store_coupon *coupon = store_catalog_coupon_of(catalog, row->coupon_id);
    const struct store_campaign *chain[STORE_EXPORT_PATH_MAX];
    size_t len = 0;

    for (size_t i = 0; i < row->path_len; i++) {
        chain[len] = store_catalog_campaign_of(catalog, row->path[i]);
        len += chain[len] != NULL ? 1 : 0;
    }
    export_csv_text(csv, coupon == NULL ? NULL : coupon->ext_id);
    export_path(csv, chain, len);
}

static int put_row(void *opaque, const struct store_export_redemption *row, struct err *err)
{
    struct exporting *exporting = opaque;
    struct export_csv *csv = &exporting->csv;

    if (export_row_begin(exporting, err) < 0)
        return -1;
    export_csv_int(csv, row->seq);
    export_csv_time(csv, row->at_us);
    export_csv_plain(csv, state_of(row->state));
    export_csv_text(csv, row->source);
    export_csv_text(csv, row->ce_id);
    export_csv_int(csv, row->line);
    put_code(csv, row);
    put_place(csv, exporting->export->catalog, row);
    export_csv_text(csv, row->order_id);
    export_csv_text(csv, row->currency);
    export_csv_int(csv, row->order_minor);
    export_csv_int(csv, row->units);
    export_csv_int(csv, row->discount_minor);
    export_csv_text(csv, msg_reason_code((enum msg_reason_id)row->reason));
    if (row->released_us < 0)
        export_csv_empty(csv);
    else
        export_csv_time(csv, row->released_us);
    export_csv_hex(csv, row->customer, row->customer_len);
    export_csv_hex(csv, row->email, row->email_len);
    return export_row_end(exporting, err);
}

static int step(struct exporting *exporting, int64_t most, struct err *err)
{
    const struct jobs_job *job = &exporting->taken->job;
    struct store_export_filter filter = {.campaign_id = job->campaign_id,
                                         .descendants = exporting->params.descendants,
                                         .coupon_id = job->coupon_id};
    int64_t first = exporting->position + 1;

    if (store_export_redemptions(runtime_db(exporting->runtime), &filter, first, first + most,
                                 job->snapshot, put_row, exporting, err) < 0)
        return -1;
    exporting->position += most;
    return 0;
}

const struct export_kind export_redemptions = {
    .name = "redemptions_export",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .step = step,
};
