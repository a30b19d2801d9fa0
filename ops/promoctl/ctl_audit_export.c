/* SPDX-License-Identifier: Apache-2.0
 *
 * Exports against their manifests: every part is there with the size and the SHA-256 that the
 * manifest claims, has room for its rows, and the rows add up, to those of the job. Files that no
 * manifest names are none of an export's business: an attempt that was given up leaves them.
 *
 *   {"job": UUID, "rows": N, "parts": [{"file": NAME, "rows": N, "bytes": N, "sha256": HEX}], ...}
 */
#include "base_digest.h"
#include "ctl_audit.h"
#include "db_query.h"
#include "jsonio.h"
#include "jsonio_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "manifest.json"
#define MANIFEST_MAX ((size_t)64 * 1024 * 1024)
/* How far below the directory a manifest may lie. */
#define DEPTH_MAX 4

struct exports {
    struct ctl_report *report;
    struct db_conn *db;
    int64_t manifests;
};

static void report_file(struct ctl_report *report, const char *what, const char *path,
                        const char *detail)
{
    CLEANUP(buf_done) struct buf buf = {0};
    struct jsonio_writer writer;

    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "what", what);
    jsonio_add_text(&writer, "file", path);
    if (detail)
        jsonio_add_text(&writer, "detail", detail);
    jsonio_end_object(&writer);
    ctl_report_row(report, buf.data, buf.len);
}

/* The whole of a file of at most `most` bytes. 0, or -1: *ret_why is a sentence. */
static int read_file(const char *path, size_t most, struct buf *out, const char **ret_why)
{
    char bytes[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *ret_why = strerror(errno);
        return -1;
    }
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0 && out->len <= most)
        buf_add(out, bytes, (size_t)got);
    *ret_why = got < 0 ? strerror(errno) : buf_failed(out) || out->len > most ? "too large" : NULL;
    close(fd);
    return *ret_why ? -1 : 0;
}

/* Size, digest and number of line ends of a file. 0, or -1: *ret_why is a sentence. */
static int measure(const char *path, int64_t *ret_bytes, int64_t *ret_lines,
                   char hex[2 * DIGEST_SHA256_LEN + 1], const char **ret_why)
{
    static char bytes[1 << 18];
    uint8_t sum[DIGEST_SHA256_LEN];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *ret_why = strerror(errno);
        return -1;
    }
    struct digest *digest = digest_new();
    int64_t total = 0, lines = 0;
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        digest_add(digest, bytes, (size_t)got);
        total += got;
        for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(bytes + got - at))); at++)
            lines++;
    }
    digest_final(digest, sum);
    digest_free(digest);
    close(fd);
    if (got < 0) {
        *ret_why = strerror(errno);
        return -1;
    }
    digest_hex(sum, sizeof sum, hex);
    *ret_bytes = total;
    *ret_lines = lines;
    return 0;
}

/* Rows of the part, or -1 when the manifest is not what it should be. */
static int64_t check_part(struct exports *exports, const char *manifest, const char *dir,
                          const struct json_object *part, const char *at)
{
    const char *file = NULL, *sha256 = NULL, *why = NULL;
    int64_t bytes = 0, rows = 0, found_bytes = 0, lines = 0;
    char hex[2 * DIGEST_SHA256_LEN + 1];
    char path[4400];
    char detail[256];
    struct err err = {0};

    if (jsonio_type(part) != JSONIO_OBJECT ||
        jsonio_require_text(part, at, "file", 255, &file, &err) < 0 ||
        jsonio_require_text(part, at, "sha256", 64, &sha256, &err) < 0 ||
        jsonio_require_int(part, at, "bytes", 0, INT64_MAX, &bytes, &err) < 0 ||
        jsonio_require_int(part, at, "rows", 0, INT64_MAX, &rows, &err) < 0) {
        report_file(exports->report, "manifest cannot be understood", manifest,
                    err.text[0] ? err.text : "a part is no object");
        return -1;
    }
    if (strchr(file, '/') || file[0] == '.') {
        report_file(exports->report, "part lies outside of the export", manifest, file);
        return rows;
    }
    snprintf(path, sizeof path, "%s/%s", dir, file);
    if (measure(path, &found_bytes, &lines, hex, &why) < 0) {
        report_file(exports->report, "part cannot be read", path, why);
    } else if (found_bytes != bytes || strcmp(hex, sha256) != 0) {
        snprintf(detail, sizeof detail,
                 "%" PRId64 " bytes, sha256 %s; the manifest has %" PRId64 " bytes, %s",
                 found_bytes, hex, bytes, sha256);
        report_file(exports->report, "part differs from its manifest", path, detail);
    } else if (lines < rows) {
        /* A quoted field may hold further line ends, so there can be more lines than rows. */
        snprintf(detail, sizeof detail, "%" PRId64 " lines for %" PRId64 " rows", lines, rows);
        report_file(exports->report, "part has too few lines", path, detail);
    }
    return rows;
}

/* The job that the manifest names must have written as many rows. 0, or -1: the data base failed.
 */
static int check_job(struct exports *exports, const char *path, const struct json_object *root,
                     int64_t rows, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    uint8_t job[DIGEST_UUID_LEN];
    const char *text = NULL;
    struct err wrong = {0};
    char detail[128];

    int got = jsonio_get_text(root, "", "job", 64, &text, &wrong);
    if (got < 0 || (got > 0 && digest_uuid_parse(text, job) < 0)) {
        report_file(exports->report, "manifest names no job", path, NULL);
        return 0;
    }
    if (got == 0)
        return 0;
    db_params_init(&params);
    db_param_uuid(&params, job);
    if (db_query_once(exports->db, "select state, done from job where id = $1", &params, &res,
                      err) < 0)
        return -1;
    if (db_result_rows(&res) == 0)
        return 0; /* an export of another fleet, or of a data base before this one */
    int state = db_get_int32(&res, 0, 0);
    int64_t done = db_get_int64(&res, 0, 1);
    snprintf(detail, sizeof detail, "%" PRId64 " rows in the manifest, %" PRId64 " in job %s", rows,
             done, text);
    if (state == 3 && done != rows)
        report_file(exports->report, "the job has written another number of rows", path, detail);
    return 0;
}

static int check_manifest(struct exports *exports, const char *dir, const char *path,
                          struct err *ret_err)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(jsonio_freep) struct json_object *root = NULL;
    struct json_object *parts = NULL;
    struct err err = {0};
    const char *why = NULL;
    int64_t total = 0, sum = 0;

    exports->manifests++;
    buf_init(&text);
    if (read_file(path, MANIFEST_MAX, &text, &why) < 0) {
        report_file(exports->report, "manifest cannot be read", path, why);
        return 0;
    }
    if (jsonio_parse(text.data, text.len, MANIFEST_MAX, &root, &err) < 0 ||
        (jsonio_type(root) != JSONIO_OBJECT &&
         err_field(&err, "", "wrong_type", "a manifest is a JSON object") < 0) ||
        jsonio_require_int(root, "", "rows", 0, INT64_MAX, &total, &err) < 0 ||
        jsonio_get_node(root, "", "parts", JSONIO_ARRAY, &parts, &err) < 0) {
        report_file(exports->report, "manifest cannot be understood", path, err.text);
        return 0;
    }
    for (size_t i = 0; parts && i < jsonio_length(parts); i++) {
        char at[32];
        snprintf(at, sizeof at, "/parts/%zu", i);
        int64_t rows = check_part(exports, path, dir, jsonio_item(parts, i), at);
        if (rows < 0)
            return 0;
        sum += rows;
    }
    if (sum != total) {
        char detail[96];
        snprintf(detail, sizeof detail, "%" PRId64 " rows in all, %" PRId64 " in the parts", total,
                 sum);
        report_file(exports->report, "rows of the parts are not the manifest's", path, detail);
    }
    return check_job(exports, path, root, total, ret_err);
}

static int walk(struct exports *exports, const char *dir, int depth, struct err *err)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return depth > 0 ? 0 : err_errno(err, ERR_FATAL, "ctl", errno, "read %s", dir);
    int got = 0;
    for (struct dirent *entry; got == 0 && (entry = readdir(entries));) {
        char path[4400];
        struct stat stat;
        if (entry->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) >= (int)sizeof path)
            continue;
        if (strcmp(entry->d_name, MANIFEST) == 0)
            got = check_manifest(exports, dir, path, err);
        else if (depth < DEPTH_MAX && lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode))
            got = walk(exports, path, depth + 1, err);
    }
    closedir(entries);
    return got;
}

int ctl_audit_exports(struct ctl_report *report, struct db_conn *db, const char *dir,
                      struct err *err)
{
    struct exports exports = {.report = report, .db = db};

    ctl_report_begin(report, "exports", "The files of every export are what its manifest says.");
    if (walk(&exports, dir, 0, err) < 0) {
        buf_done(&report->shown);
        return -1;
    }
    ctl_report_end(report);
    ctl_report_note(report, "exports", "%" PRId64 " manifests below %s", exports.manifests, dir);
    return 0;
}
