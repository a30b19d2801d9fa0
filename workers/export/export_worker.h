/* SPDX-License-Identifier: Apache-2.0
 *
 * The export-worker: accepts commands to export codes or redemptions (export_accept.c) and does
 * chunks of the jobs that they start (export_chunk.c), each of which is one part, a CSV file.
 *
 * Membership is decided when the command is accepted: the job keeps the snapshot of that moment.
 * Values are those of the moment at which a part is read.
 *
 * The work of a job is a line [0, total) that its 16 lanes share:
 *   codes        one slot for each serial that lanes of generating jobs were through with at the
 *                snapshot, batch by batch; the job's params say which slots are which serials. A
 *                serial that waited for the overflow at the snapshot is a slot without a row.
 *   redemptions  one slot for each number that the ledger had given out at the snapshot: slot p is
 *                seq p + 1. Most slots of a campaign among many have no row.
 * The rows of a chunk, and with them the job's done, count rows that were written; there are never
 * more of them than slots. Until the end the job's total is the number of slots, the most that done
 * can become; when the job completes it is set to done.
 *
 * When all lanes are through, the extra lane writes the manifest (its chunk has no slots): by then
 * every part that counts is committed. Whoever writes the manifest writes the same bytes, and what
 * no chunk row names is a left-over for good. That is why neither a rolled back transaction nor a
 * frozen worker that wakes up late can spoil an export. An export without any slot has the extra
 * lane only.
 */
#ifndef EXPORT_WORKER_H
#define EXPORT_WORKER_H

#include "codes_pattern.h"
#include "export_csv.h"
#include "export_file.h"
#include "jobs.h"
#include "log.h"
#include "runtime.h"
#include "runtime_jobs.h"
#include "runtime_ledger.h"
#include "store_catalog.h"
#include "store_export.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT_ROWS_MOST 200000 /* in a part */
#define EXPORT_BLOCK 10000      /* slots that are read at once */

struct export
{
    struct store_catalog *catalog;
    struct log_edge folder;
    int lane; /* of the chunk in hand */
};

extern const struct worker export_worker;

/* --- export_params.c: the job's own part of its row --------------------------------------------
 */

struct export_params {
    bool descendants;
    struct store_export_range *ranges; /* codes: the slots, in order */
    size_t range_count;
};
/* Slots of the ranges. */
int64_t export_params_slots(const struct export_params *params);
/* As JSON in the arena. */
int export_params_write(struct arena *arena, const struct export_params *params,
                        const char **ret_json, struct err *err) MUST_CHECK;
int export_params_read(struct arena *arena, const char *json, struct export_params *ret,
                       struct err *err) MUST_CHECK;

/* --- export_accept.c ---------------------------------------------------------------------------
 */

/* A runtime_decide_fn and a runtime_again_fn. */
int export_accept(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                  struct runtime_outcome *ret, struct err *err);
int export_again(struct runtime *runtime, const struct runtime_item *item, void *opaque,
                 const uint8_t job[16], bool replay, struct err *err);

/* --- export_chunk.c: a part in the making ------------------------------------------------------
 */

struct exporting {
    struct runtime *runtime;
    struct export *export;
    const struct jobs_taken *taken;
    struct export_params params;
    int64_t position; /* the first slot that is not done */
    int64_t rows;
    int folder; /* -1: not opened yet */
    struct export_file file;
    struct export_csv csv;
    /* codes: the batch in hand */
    int32_t batch_id; /* 0: none */
    struct store_export_batch batch;
    struct codes_pattern *pattern; /* NULL: codes are shown as their keys */
    const struct store_coupon *coupon;
};
extern const struct runtime_job_work export_work;

/* Around each row: the first one makes the file and writes the line of column names. */
int export_row_begin(struct exporting *exporting, struct err *err) MUST_CHECK;
int export_row_end(struct exporting *exporting, struct err *err) MUST_CHECK;
/* A field: the campaigns' ids from the root down, joined by "/". */
void export_path(struct export_csv *csv, const struct store_campaign *const *chain, size_t len);

/* --- export_codes.c, export_redemptions.c ------------------------------------------------------
 */

struct export_kind {
    const char *name; /* as events tell it */
    const char *const *columns;
    size_t column_count;
    /* Write the rows of at most `most` slots from exporting->position on, and move it. */
    int (*step)(struct exporting *exporting, int64_t most, struct err *err);
};
extern const struct export_kind export_codes;
extern const struct export_kind export_redemptions;
const struct export_kind *export_kind_of(enum jobs_kind kind);
/* The line of column names. */
void export_columns(struct export_csv *csv, const struct export_kind *kind);

/* --- export_manifest.c -------------------------------------------------------------------------
 */

struct export_sums {
    int64_t parts;
    int64_t rows;
    int64_t bytes;
};
/*
 * Write the manifest from the committed chunks of a job whose lanes are all through, and remove
 * what was left over. An export without rows gets one part with the column names alone.
 */
int export_manifest(struct runtime *runtime, const struct jobs_job *job, struct export_sums *ret,
                    struct err *err) MUST_CHECK;

#endif
