/* SPDX-License-Identifier: Apache-2.0
 *
 * A chunk: read slots block by block until the chunk's time is over, write their rows into one
 * part, and leave the part's name, size and digest to the chunk row. The part has its final name
 * before the chunk row is committed; a transaction that rolls back afterwards leaves a file that no
 * chunk row names.
 */
#include "export_worker.h"

#include "base_signal.h"
#include "jsonio_writer.h"

#include <string.h>

/* Before the next try after the folder could not be written. Short enough not to be taken for
 * frozen. */
#define FOLDER_PAUSE_MS 1000

const struct export_kind *export_kind_of(enum jobs_kind kind)
{
    return kind == JOBS_EXPORT_CODES ? &export_codes : &export_redemptions;
}

void export_columns(struct export_csv *csv, const struct export_kind *kind)
{
    for (size_t i = 0; i < kind->column_count; i++)
        export_csv_plain(csv, kind->columns[i]);
    export_csv_end(csv);
}

void export_path(struct export_csv *csv, const struct store_campaign *const *chain, size_t len)
{
    CLEANUP(buf_done) struct buf path;

    buf_init(&path);
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            buf_add_char(&path, '/');
        buf_add_str(&path, chain[i]->ext_id);
    }
    if (buf_failed(&path))
        csv->out->failed = true;
    export_csv_text_n(csv, path.data, path.len);
}

static int begin_part(struct exporting *exporting, struct err *err)
{
    const struct jobs_taken *taken = exporting->taken;

    if (export_folder_open(runtime_conf(exporting->runtime)->export_dir, taken->job.id,
                           &exporting->folder, err) < 0 ||
        export_part_begin(&exporting->file, exporting->folder, taken->token.lane, taken->token.n,
                          taken->token.epoch, err) < 0)
        return -1;
    exporting->csv = (struct export_csv){.out = &exporting->file.out};
    export_columns(&exporting->csv, export_kind_of(taken->job.kind));
    return 0;
}

int export_row_begin(struct exporting *exporting, struct err *err)
{
    return exporting->file.fd < 0 ? begin_part(exporting, err) : 0;
}

int export_row_end(struct exporting *exporting, struct err *err)
{
    export_csv_end(&exporting->csv);
    exporting->rows++;
    return export_file_flush(&exporting->file, false, err);
}

/* What the chunk row says of its part. */
static int part_detail(struct exporting *exporting, int64_t read_us, const char **ret_json,
                       struct err *err)
{
    CLEANUP(buf_done) struct buf json;
    struct jsonio_writer writer;
    char text[TIME_TEXT_MAX];

    buf_init(&json);
    jsonio_writer_init(&writer, &json);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "file", exporting->file.name);
    jsonio_put_key(&writer, "rows");
    jsonio_put_int(&writer, exporting->rows);
    jsonio_put_key(&writer, "bytes");
    jsonio_put_int(&writer, exporting->file.bytes);
    jsonio_add_text(&writer, "sha256", exporting->file.sha256);
    jsonio_add_text(&writer, "read_at", time_format(read_us, text));
    jsonio_end_object(&writer);
    *ret_json = arena_memdup(runtime_arena(exporting->runtime), json.data, json.len);
    return buf_failed(&json) || *ret_json == NULL ? err_nomem(err) : 0;
}

static int write_part(struct exporting *exporting, struct jobs_chunk *ret, struct err *err)
{
    const struct jobs_taken *taken = exporting->taken;
    const struct export_kind *kind = export_kind_of(taken->job.kind);
    int64_t until =
        clock_mono(&clock_real) + runtime_conf(exporting->runtime)->chunk_ms * TIME_US_PER_MS;
    int64_t last = MIN_OF(taken->last, taken->position + EXPORT_ROWS_MOST);
    int64_t read_us = clock_wall(&clock_real);

    exporting->position = taken->position;
    do {
        int64_t most = MIN_OF(last - exporting->position, EXPORT_BLOCK);

        if (kind->step(exporting, most, err) < 0)
            return -1;
    } while (exporting->position < last && clock_mono(&clock_real) < until);
    *ret = (struct jobs_chunk){.end = exporting->position, .rows = exporting->rows};
    if (exporting->rows == 0)
        return 0;
    if (export_file_finish(&exporting->file, err) < 0)
        return -1;
    return part_detail(exporting, read_us, &ret->detail, err);
}

/*
 * The folder's troubles and their end are told once each. Nothing is wrong with the servers, so the
 * connections stay and the same token is tried again after a pause; the runtime starts over only
 * when that has not helped for a while.
 */
static void note_folder(struct export *export, int result, struct err *err)
{
    if (result == 0) {
        log_edge(&export->folder, false);
    } else if (err->kind == ERR_TRANSIENT && strcmp(err->domain, EXPORT_DOMAIN) == 0) {
        log_edge(&export->folder, true, LOG_ERR(err));
        (void)signal_sleep_ms(FOLDER_PAUSE_MS);
        err->kind = ERR_RETRY;
    }
}

static int do_chunk(struct runtime *runtime, void *state, const struct jobs_taken *taken,
                    struct jobs_chunk *ret, struct err *err)
{
    struct export *export = state;
    struct exporting exporting = {
        .runtime = runtime, .export = export, .taken = taken, .folder = -1, .file = {.fd = -1}};

    export->lane = taken->token.lane;
    if (taken->token.lane == JOBS_LANE_EXTRA) { /* the manifest is written under the job's lock */
        *ret = (struct jobs_chunk){.end = taken->last};
        return 0;
    }
    if (export_params_read(runtime_arena(runtime), taken->job.params, &exporting.params, err) < 0)
        return -1;
    int result = write_part(&exporting, ret, err);

    export_file_done(&exporting.file);
    export_folder_close(&exporting.folder);
    codes_pattern_free(exporting.pattern);
    if (result < 0 || exporting.rows > 0)
        note_folder(export, result, err);
    return result;
}

static int finish(struct runtime *runtime, void *state, const struct jobs_job *job,
                  struct jobs_ending *ret, struct err *err)
{
    struct export *export = state;
    struct export_sums sums;
    struct msg_job_event event;
    size_t len = 0;

    if (export->lane != JOBS_LANE_EXTRA) {
        ret->extra = 1;
        return 0;
    }
    int result = export_manifest(runtime, job, &sums, err);

    note_folder(export, result, err);
    if (result < 0 || store_export_set_total(runtime_db(runtime), job->id, err) < 0 ||
        runtime_job_event(runtime, job, &event, err) < 0)
        return -1;
    int64_t elapsed_us = MAX_OF(clock_wall(&clock_real) - job->accepted_us, 1);

    event.state = MSG_JOB_COMPLETED;
    event.total = job->done;
    event.rows = msg_int_of(sums.rows);
    event.parts = msg_int_of(sums.parts);
    event.bytes = msg_int_of(sums.bytes);
    event.manifest = arena_printf(runtime_arena(runtime), "%s/%s", event.job, EXPORT_MANIFEST);
    event.elapsed_ms = msg_int_of(elapsed_us / TIME_US_PER_MS);
    event.rate_per_s =
        msg_int_of((int64_t)((double)sums.rows * (double)TIME_US_PER_S / (double)elapsed_us));
    if (event.manifest == NULL)
        return err_nomem(err);
    ret->state = JOBS_COMPLETED;
    return runtime_job_data(runtime, MSG_EVENT_JOB_COMPLETED, &event, &ret->outcome, &len, err);
}

const struct runtime_job_work export_work = {.chunk = do_chunk, .finish = finish};
