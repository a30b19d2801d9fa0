/* SPDX-License-Identifier: Apache-2.0 */
#include "export_file.h"

#include "base_digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t job[16] = {0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#define JOB_FOLDER "ab010203-0405-0607-0809-0a0b0c0d0e0f"

struct place {
    char dir[64];
    int folder;
};

static int open_place(void **state)
{
    static struct place place;
    struct err err = {0};

    (void)snprintf(place.dir, sizeof(place.dir), "/tmp/export-file-XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    assert_int_equal(export_folder_open(place.dir, job, &place.folder, &err), 0);
    *state = &place;
    return 0;
}

/* Names in the folder; removes them when told so. */
static size_t list(struct place *place, char names[][EXPORT_NAME_MAX], size_t max, bool remove_them)
{
    DIR *entries = fdopendir(openat(place->folder, ".", O_RDONLY | O_DIRECTORY));
    size_t count = 0;

    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count < max)
            (void)snprintf(names[count], EXPORT_NAME_MAX, "%.63s", entry->d_name);
        count++;
        if (remove_them)
            (void)unlinkat(place->folder, entry->d_name, 0);
    }
    (void)closedir(entries);
    return count;
}

static int close_place(void **state)
{
    struct place *place = *state;
    char path[128];

    (void)list(place, NULL, 0, true);
    export_folder_close(&place->folder);
    (void)snprintf(path, sizeof(path), "%s/%s", place->dir, JOB_FOLDER);
    (void)rmdir(path);
    return rmdir(place->dir);
}

static void touch(struct place *place, const char *name)
{
    int fd = openat(place->folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
}

static bool is_there(struct place *place, const char *name)
{
    return faccessat(place->folder, name, F_OK, 0) == 0;
}

static void a_finished_part_has_its_name_size_and_digest(void **state)
{
    CLEANUP(export_file_done) struct export_file file = {.fd = -1};
    uint8_t sum[DIGEST_SHA256_LEN];
    char hex[2 * DIGEST_SHA256_LEN + 1];
    struct place *place = *state;
    char names[4][EXPORT_NAME_MAX];
    struct err err = {0};
    struct stat stat;

    assert_int_equal(export_part_begin(&file, place->folder, 3, 12, 1, &err), 0);
    buf_add_str(&file.out, "hello\r\n");
    assert_int_equal(list(place, names, 4, false), 1);
    assert_memory_equal(names[0], ".part-03-00012-1-", 17);
    assert_int_equal(export_file_finish(&file, &err), 0);
    assert_int_equal(list(place, names, 4, false), 1);
    assert_string_equal(names[0], file.name);
    assert_memory_equal(file.name, "part-03-00012-", 14);
    assert_int_equal(strlen(file.name), strlen("part-03-00012-01234567.csv"));
    assert_int_equal(file.bytes, 7);
    digest_sha256("hello\r\n", 7, sum);
    assert_string_equal(file.sha256, digest_hex(sum, sizeof(sum), hex));
    assert_int_equal(fstatat(place->folder, file.name, &stat, 0), 0);
    assert_int_equal(stat.st_size, 7);
    assert_int_equal(stat.st_mode & 0007, 0);
}

static void nothing_is_written_before_enough_has_gathered(void **state)
{
    CLEANUP(export_file_done) struct export_file file = {.fd = -1};
    struct place *place = *state;
    struct err err = {0};
    char block[1024];

    memset(block, 'x', sizeof(block));
    assert_int_equal(export_part_begin(&file, place->folder, 0, 0, 0, &err), 0);
    for (size_t i = 0; i < EXPORT_WRITE_SIZE / sizeof(block); i++) {
        assert_int_equal(export_file_flush(&file, false, &err), 0);
        assert_int_equal(file.bytes, 0);
        buf_add(&file.out, block, sizeof(block));
    }
    assert_int_equal(export_file_flush(&file, false, &err), 0);
    assert_int_equal(file.bytes, EXPORT_WRITE_SIZE);
    assert_int_equal(file.out.len, 0);
    buf_add(&file.out, "y", 1);
    assert_int_equal(export_file_finish(&file, &err), 0);
    assert_int_equal(file.bytes, EXPORT_WRITE_SIZE + 1);
}

static void a_part_that_is_given_up_leaves_nothing(void **state)
{
    struct export_file file = {.fd = -1};
    struct place *place = *state;
    struct err err = {0};

    assert_int_equal(export_part_begin(&file, place->folder, 0, 0, 0, &err), 0);
    buf_add_str(&file.out, "half");
    assert_int_equal(export_file_flush(&file, true, &err), 0);
    export_file_done(&file);
    assert_int_equal(list(place, NULL, 0, false), 0);
    export_file_done(&file);
}

/* A limit of the process stands in for a full disk: write() fails half-way just so. */
static void a_full_disk_is_transient_and_leaves_nothing(void **state)
{
    struct export_file file = {.fd = -1};
    struct place *place = *state;
    struct rlimit before;
    struct rlimit small;
    struct err err = {0};

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(export_part_begin(&file, place->folder, 0, 0, 0, &err), 0);
    for (int i = 0; i < 100; i++)
        buf_add_str(&file.out, "0123456789");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int finished = export_file_finish(&file, &err);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(finished, -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "EFBIG");
    export_file_done(&file);
    assert_int_equal(list(place, NULL, 0, false), 0);
}

static void two_attempts_at_a_chunk_do_not_replace_each_other(void **state)
{
    CLEANUP(export_file_done) struct export_file one = {.fd = -1};
    CLEANUP(export_file_done) struct export_file other = {.fd = -1};
    struct place *place = *state;
    struct err err = {0};

    assert_int_equal(export_part_begin(&one, place->folder, 0, 0, 0, &err), 0);
    assert_int_equal(export_part_begin(&other, place->folder, 0, 0, 0, &err), 0);
    assert_int_equal(export_file_finish(&other, &err), 0);
    assert_int_equal(export_file_finish(&one, &err), 0);
    assert_string_not_equal(one.name, other.name);
    assert_int_equal(list(place, NULL, 0, false), 2);
}

static void a_file_of_a_fixed_name_is_replaced_as_a_whole(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    for (int i = 1; i <= 2; i++) {
        CLEANUP(export_file_done) struct export_file file = {.fd = -1};
        struct stat stat;

        assert_int_equal(export_named_begin(&file, place->folder, EXPORT_MANIFEST, &err), 0);
        buf_printf(&file.out, "%0*d", i, 0);
        assert_int_equal(is_there(place, EXPORT_MANIFEST), i == 2);
        assert_int_equal(export_file_finish(&file, &err), 0);
        assert_int_equal(fstatat(place->folder, EXPORT_MANIFEST, &stat, 0), 0);
        assert_int_equal(stat.st_size, i);
    }
    assert_int_equal(list(place, NULL, 0, false), 1);
}

static void a_folder_that_is_not_there_is_not_made(void **state)
{
    struct place *place = *state;
    struct err err = {0};
    char path[128];
    int fd = -7;

    (void)snprintf(path, sizeof(path), "%s/none", place->dir);
    assert_int_equal(export_folder_open(path, job, &fd, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "ENOENT");
    assert_int_equal(fd, -7);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(export_folder_open(place->dir, job, &fd, &err), 0);
    export_folder_close(&fd);
    assert_int_equal(fd, -1);
}

static void the_sweep_takes_only_what_is_ours_and_not_named(void **state)
{
    const char *keep[] = {"part-01-00000-bbbbbbbb.csv", "part-00-00000-aaaaaaaa.csv"};
    struct place *place = *state;

    touch(place, "part-00-00000-aaaaaaaa.csv");
    touch(place, "part-01-00000-bbbbbbbb.csv");
    touch(place, "part-00-00000-cccccccc.csv");
    touch(place, ".part-00-00000-0-0123456789abcdef.tmp");
    touch(place, EXPORT_MANIFEST);
    touch(place, "notes.csv");
    touch(place, "part-x.txt");
    touch(place, ".part-x.csv");
    assert_int_equal(export_sweep(place->folder, keep, 2), 2);
    assert_int_equal(list(place, NULL, 0, false), 6);
    assert_false(is_there(place, "part-00-00000-cccccccc.csv"));
    assert_false(is_there(place, ".part-00-00000-0-0123456789abcdef.tmp"));
    assert_int_equal(export_sweep(place->folder, keep, 2), 0);
    assert_int_equal(export_sweep(place->folder, keep, 0), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_finished_part_has_its_name_size_and_digest),
        TEST(nothing_is_written_before_enough_has_gathered),
        TEST(a_part_that_is_given_up_leaves_nothing),
        TEST(a_full_disk_is_transient_and_leaves_nothing),
        TEST(two_attempts_at_a_chunk_do_not_replace_each_other),
        TEST(a_file_of_a_fixed_name_is_replaced_as_a_whole),
        TEST(a_folder_that_is_not_there_is_not_made),
        TEST(the_sweep_takes_only_what_is_ours_and_not_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
