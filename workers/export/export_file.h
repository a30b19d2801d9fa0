/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of an export: <export.dir>/<job>/part-LL-NNNNN-RRRRRRRR.csv and manifest.json.
 *
 * A file is written under a temporary name of its own (with the lane's epoch and random digits),
 * synced, then renamed, then its folder is synced: under a final name there are only whole files. A
 * part's final name has random digits as well, so that no attempt ever replaces the part of
 * another, however late it wakes up. Which parts count is said by the chunk rows; the others are
 * left-overs.
 *
 * Errors are ERR_TRANSIENT of the domain EXPORT_DOMAIN (disk full, permission denied, folder not
 * there): the job waits and goes on when it can. Everything blocks on the disk.
 */
#ifndef EXPORT_FILE_H
#define EXPORT_FILE_H

#include "base_attr.h"
#include "base_buf.h"
#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT_DOMAIN "export"
#define EXPORT_MANIFEST "manifest.json"
#define EXPORT_WRITE_SIZE                                                                          \
    ((size_t)256 * 1024) /* bytes that are gathered before they are written                        \
                          */
#define EXPORT_NAME_MAX 64
#define EXPORT_SHA256_TEXT 65

/* The folder of a job, made if need be. export.dir itself is not made: where a mounted file system
 * is missing, the files would land below its mount point. */
int export_folder_open(const char *dir, const uint8_t job[16], int *ret_fd,
                       struct err *err) MUST_CHECK;
void export_folder_close(int *fd); /* for CLEANUP(export_folder_close); takes -1 */

/* A file in the making. Start as {.fd = -1}; what was put into `out` is written by flush. */
struct export_file {
    int folder; /* borrowed */
    int fd;     /* -1: not begun, or over */
    struct digest *digest;
    struct buf out;
    int64_t bytes;
    char temporary[EXPORT_NAME_MAX];
    char name[EXPORT_NAME_MAX];
    char sha256[EXPORT_SHA256_TEXT];
};

int export_part_begin(struct export_file *file, int folder, int lane, int n, int epoch,
                      struct err *err) MUST_CHECK;
/* A file of a fixed name, which replaces one that is there. */
int export_named_begin(struct export_file *file, int folder, const char *name,
                       struct err *err) MUST_CHECK;
/* Write what has gathered, when it is enough or `all` of it. */
int export_file_flush(struct export_file *file, bool all, struct err *err) MUST_CHECK;
/* Give it its final name; bytes and sha256 are final then. */
int export_file_finish(struct export_file *file, struct err *err) MUST_CHECK;
/* For CLEANUP: frees everything, and removes the temporary file unless it was finished. */
void export_file_done(struct export_file *file);

/*
 * Remove parts and temporary files of ours that `keep` does not name (sorted here). Only to be
 * called when every part that counts is known for good. What cannot be removed stays: it does no
 * harm. Returns how many have gone.
 */
size_t export_sweep(int folder, const char **keep, size_t count);

#endif
