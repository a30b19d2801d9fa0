/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest. Nothing in it is of the moment at which it is written: whoever writes it, and
 * however often, writes the same bytes.
 */
#include "export_worker.h"

#include "base_digest.h"
#include "base_fault.h"
#include "jsonio_writer.h"

/* The part of an export without rows. */
#define EMPTY_PART "part-00-00000-00000000.csv"

static int write_empty_part(struct runtime *runtime, const struct jobs_job *job, int folder,
                            struct store_export_part *ret, struct err *err)
{
    CLEANUP(export_file_done) struct export_file file = {.fd = -1};
    struct arena *arena = runtime_arena(runtime);
    char text[TIME_TEXT_MAX];

    if (export_named_begin(&file, folder, EMPTY_PART, err) < 0)
        return -1;
    struct export_csv csv = {.out = &file.out};

    export_columns(&csv, export_kind_of(job->kind));
    if (export_file_finish(&file, err) < 0)
        return -1;
    *ret = (struct store_export_part){
        .file = EMPTY_PART,
        .bytes = file.bytes,
        .sha256 = arena_strdup(arena, file.sha256),
        .read_at = arena_strdup(arena, time_format(job->accepted_us, text)),
    };
    return ret->sha256 == NULL || ret->read_at == NULL ? err_nomem(err) : 0;
}

static void put_filter(struct jsonio_writer *writer, const struct jobs_job *job,
                       const struct export_params *params)
{
    jsonio_put_key(writer, "filter");
    jsonio_begin_object(writer);
    if (job->coupon_id != 0) {
        jsonio_add_text(writer, "coupon", job->coupon);
    } else {
        jsonio_add_text(writer, "campaign", job->campaign);
        jsonio_put_key(writer, "include_descendants");
        jsonio_put_bool(writer, params->descendants);
    }
    jsonio_end_object(writer);
}

static void put_part(struct jsonio_writer *writer, const struct store_export_part *part)
{
    jsonio_begin_object(writer);
    jsonio_add_text(writer, "file", part->file);
    jsonio_put_key(writer, "rows");
    jsonio_put_int(writer, part->rows);
    jsonio_put_key(writer, "bytes");
    jsonio_put_int(writer, part->bytes);
    jsonio_add_text(writer, "sha256", part->sha256);
    jsonio_add_text(writer, "read_at", part->read_at);
    jsonio_end_object(writer);
}

static void put_manifest(struct buf *out, const struct jobs_job *job,
                         const struct export_params *params, const struct store_export_part *parts,
                         const struct export_sums *sums)
{
    const struct export_kind *kind = export_kind_of(job->kind);
    struct jsonio_writer writer;
    char id[DIGEST_UUID_TEXT];
    char at[TIME_TEXT_MAX];

    jsonio_writer_init(&writer, out);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "job", digest_uuid_text(job->id, id));
    jsonio_add_text(&writer, "kind", kind->name);
    jsonio_add_text(&writer, "format", "csv");
    put_filter(&writer, job, params);
    jsonio_add_text(&writer, "accepted_at", time_format(job->accepted_us, at));
    jsonio_add_text(&writer, "snapshot", job->snapshot);
    jsonio_put_key(&writer, "columns");
    jsonio_begin_array(&writer);
    for (size_t i = 0; i < kind->column_count; i++)
        jsonio_put_text(&writer, kind->columns[i]);
    jsonio_end_array(&writer);
    jsonio_put_key(&writer, "rows");
    jsonio_put_int(&writer, sums->rows);
    jsonio_put_key(&writer, "bytes");
    jsonio_put_int(&writer, sums->bytes);
    jsonio_put_key(&writer, "parts");
    jsonio_begin_array(&writer);
    for (int64_t i = 0; i < sums->parts; i++)
        put_part(&writer, &parts[i]);
    jsonio_end_array(&writer);
    jsonio_end_object(&writer);
    buf_add_char(out, '\n');
}

/* The manifest first: it never names a part that is gone, not even one of an earlier life of the
 * data base. */
static int publish(int folder, const struct jobs_job *job, const struct export_params *params,
                   const struct store_export_part *parts, const struct export_sums *sums,
                   struct err *err)
{
    CLEANUP(export_file_done) struct export_file file = {.fd = -1};

    if (export_named_begin(&file, folder, EXPORT_MANIFEST, err) < 0)
        return -1;
    put_manifest(&file.out, job, params, parts, sums);
    fault_point("before_manifest");
    if (export_file_finish(&file, err) < 0)
        return -1;
    fault_point("after_manifest");
    return 0;
}

int export_manifest(struct runtime *runtime, const struct jobs_job *job, struct export_sums *ret,
                    struct err *err)
{
    CLEANUP(export_folder_close) int folder = -1;
    struct arena *arena = runtime_arena(runtime);
    struct store_export_part *parts = NULL;
    struct export_params params;
    struct export_sums sums = {0};
    size_t count = 0;

    if (export_params_read(arena, job->params, &params, err) < 0 ||
        store_export_parts(runtime_db(runtime), arena, job->id, &parts, &count, err) < 0 ||
        export_folder_open(runtime_conf(runtime)->export_dir, job->id, &folder, err) < 0)
        return -1;
    /* There is always room for one more. */
    if (count == 0) {
        if (write_empty_part(runtime, job, folder, &parts[0], err) < 0)
            return -1;
        count = 1;
    }
    const char **keep = arena_zalloc(arena, count, sizeof(*keep));

    if (keep == NULL)
        return err_nomem(err);
    sums.parts = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        keep[i] = parts[i].file;
        sums.rows += parts[i].rows;
        sums.bytes += parts[i].bytes;
    }
    if (publish(folder, job, &params, parts, &sums, err) < 0)
        return -1;
    size_t gone = export_sweep(folder, keep, count);

    if (gone > 0)
        log_info("left_overs_removed", LOG_INT("files", (int64_t)gone));
    *ret = sums;
    return 0;
}
