/* SPDX-License-Identifier: Apache-2.0 */
#include "export_file.h"

#include "base_digest.h"
#include "base_fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0750
#define FILE_MODE 0640

static int failed(struct err *err, const char *what, const char *name)
{
    return err_errno(err, ERR_TRANSIENT, EXPORT_DOMAIN, errno, "%s %s", what, name);
}

int export_folder_open(const char *dir, const uint8_t job[16], int *ret_fd, struct err *err)
{
    CLEANUP(export_folder_close) int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char name[DIGEST_UUID_TEXT];

    if (top < 0)
        return failed(err, "open the folder of exports,", dir);
    (void)digest_uuid_text(job, name);
    if (mkdirat(top, name, FOLDER_MODE) < 0 && errno != EEXIST)
        return failed(err, "make the folder", name);
    /* Also when it was there: who made it may not have come so far yet. */
    if (fsync(top) < 0)
        return failed(err, "sync the folder of exports,", dir);
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return failed(err, "open the folder", name);
    *ret_fd = fd;
    return 0;
}

void export_folder_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static int begin(struct export_file *file, int folder, struct err *err)
{
    file->folder = folder;
    file->bytes = 0;
    buf_init(&file->out);
    file->digest = digest_new();
    if (file->digest == NULL || !buf_grow(&file->out, EXPORT_WRITE_SIZE))
        return err_nomem(err);
    file->fd = openat(folder, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (file->fd < 0)
        return failed(err, "make", file->temporary);
    return 0;
}

int export_part_begin(struct export_file *file, int folder, int lane, int n, int epoch,
                      struct err *err)
{
    uint8_t random[8];
    char hex[2 * sizeof(random) + 1];

    digest_random(random, sizeof(random));
    (void)digest_hex(random, sizeof(random), hex);
    (void)snprintf(file->temporary, sizeof(file->temporary), ".part-%02d-%05d-%d-%s.tmp", lane, n,
                   epoch, hex);
    (void)snprintf(file->name, sizeof(file->name), "part-%02d-%05d-%.8s.csv", lane, n, hex);
    return begin(file, folder, err);
}

int export_named_begin(struct export_file *file, int folder, const char *name, struct err *err)
{
    uint8_t random[8];
    char hex[2 * sizeof(random) + 1];

    digest_random(random, sizeof(random));
    (void)snprintf(file->temporary, sizeof(file->temporary), ".part-%s.tmp",
                   digest_hex(random, sizeof(random), hex));
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    return begin(file, folder, err);
}

int export_file_flush(struct export_file *file, bool all, struct err *err)
{
    const char *at = file->out.data;
    size_t left = file->out.len;

    if (buf_failed(&file->out))
        return err_nomem(err);
    if (left == 0 || (!all && left < EXPORT_WRITE_SIZE))
        return 0;
    digest_add(file->digest, at, left);
    file->bytes += (int64_t)left;
    while (left > 0) {
        ssize_t wrote = write(file->fd, at, left);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return failed(err, "write", file->temporary);
        at += wrote;
        left -= (size_t)wrote;
    }
    buf_clear(&file->out);
    return 0;
}

int export_file_finish(struct export_file *file, struct err *err)
{
    uint8_t sum[DIGEST_SHA256_LEN];

    if (export_file_flush(file, true, err) < 0)
        return -1;
    digest_final(file->digest, sum);
    (void)digest_hex(sum, sizeof(sum), file->sha256);
    if (fsync(file->fd) < 0)
        return failed(err, "sync", file->temporary);
    int closed = close(file->fd); /* some file systems tell of a full disk only now */

    file->fd = -1;
    fault_point("before_rename");
    if (closed < 0 || renameat(file->folder, file->temporary, file->folder, file->name) < 0) {
        (void)failed(err, "finish", file->name);
        (void)unlinkat(file->folder, file->temporary, 0);
        return -1;
    }
    if (fsync(file->folder) < 0)
        return failed(err, "sync the folder of", file->name);
    fault_point("after_rename");
    return 0;
}

void export_file_done(struct export_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
        (void)unlinkat(file->folder, file->temporary, 0);
    }
    digest_free(file->digest);
    if (file->out.data != NULL)
        buf_done(&file->out);
    *file = (struct export_file){.fd = -1};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_ours(const char *name)
{
    return (strncmp(name, "part-", 5) == 0 && ends_with(name, ".csv")) ||
           (strncmp(name, ".part-", 6) == 0 && ends_with(name, ".tmp"));
}

size_t export_sweep(int folder, const char **keep, size_t count)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    size_t gone = 0;

    if (entries == NULL) {
        export_folder_close(&fd);
        return 0;
    }
    qsort((void *)keep, count, sizeof(keep[0]), by_name);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const char *name = entry->d_name;

        if (is_ours(name) && bsearch(&name, keep, count, sizeof(keep[0]), by_name) == NULL &&
            unlinkat(folder, name, 0) == 0)
            gone++;
    }
    (void)closedir(entries);
    return gone;
}
