/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* 2026-11-20T19:06:00.123Z */
#define NOW_US INT64_C(1795201560123456)
#define HEAD "{\"ts\":\"2026-11-20T19:06:00.123Z\",\"level\":"

static int64_t wall_us;
static int64_t mono_us;

static int64_t read_wall(void *opaque)
{
    (void)opaque;
    return wall_us;
}

static int64_t read_mono(void *opaque)
{
    (void)opaque;
    return mono_us;
}

static const struct clock frozen = {.wall = read_wall, .mono = read_mono};

static int log_fd;
static char captured[64 * 1024];

/* What was written since the last call. */
static const char *take(void)
{
    ssize_t len = pread(log_fd, captured, sizeof(captured) - 1, 0);
    assert_true(len >= 0);
    captured[len] = '\0';
    assert_int_equal(ftruncate(log_fd, 0), 0);
    assert_int_equal(lseek(log_fd, 0, SEEK_SET), 0);
    return captured;
}

static const uint8_t key[16] = "0123456789abcdef";

static int setup(void **state)
{
    (void)state;
    wall_us = NOW_US;
    mono_us = 1000000;
    log_fd = memfd_create("log", MFD_CLOEXEC);
    struct log_settings settings = LOG_SETTINGS_DEFAULT;
    settings.fd = log_fd;
    settings.worker = "redeem-1";
    settings.clock = &frozen;
    settings.hash_key = key;
    settings.rate_max = 3;
    settings.rate_window_ms = 1000;
    log_init(&settings);
    return log_fd >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    log_done();
    (void)close(log_fd);
    return 0;
}

static void line_has_time_level_worker_event_and_fields(void **state)
{
    (void)state;
    log_info("batch_done", LOG_INT("rows", 7), LOG_STR("topic", "t"), LOG_BOOL("last", true),
             LOG_NUM("rate", 2.5), LOG_END);
    assert_string_equal(take(), HEAD "\"info\",\"worker\":\"redeem-1\",\"event\":\"batch_done\","
                                     "\"rows\":7,\"topic\":\"t\",\"last\":true,\"rate\":2.5}\n");
}

static void fields_and_end_may_be_left_out(void **state)
{
    (void)state;
    log_warn("plain");
    assert_string_equal(take(), HEAD "\"warn\",\"worker\":\"redeem-1\",\"event\":\"plain\"}\n");
    log_error("one", LOG_STR("none", NULL));
    assert_string_equal(take(), HEAD
                        "\"error\",\"worker\":\"redeem-1\",\"event\":\"one\",\"none\":null}\n");
}

static void time_always_has_milliseconds(void **state)
{
    (void)state;
    wall_us = NOW_US - 123456;
    log_info("x");
    assert_memory_equal(take(), "{\"ts\":\"2026-11-20T19:06:00.000Z\",", 33);
}

static int counted(int *calls)
{
    return ++*calls;
}

static void lines_below_the_level_are_dropped_and_not_evaluated(void **state)
{
    (void)state;
    int calls = 0;
    log_debug("quiet", LOG_INT("n", counted(&calls)));
    assert_string_equal(take(), "");
    assert_int_equal(calls, 0);
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    assert_true(log_enabled(LOG_LEVEL_INFO));
    log_write(LOG_LEVEL_DEBUG, "quiet", LOG_FIELDS(LOG_END));
    assert_string_equal(take(), "");
}

static void level_names_follow_the_enum(void **state)
{
    (void)state;
    assert_string_equal(log_level_names[LOG_LEVEL_DEBUG], "debug");
    assert_string_equal(log_level_names[LOG_LEVEL_ERROR], "error");
    assert_null(log_level_names[LOG_LEVEL_ERROR + 1]);
}

static void errors_give_kind_code_text_and_place(void **state)
{
    (void)state;
    struct err err;
    (void)err_set_at(&err, "/long/path/db_conn.c", 12, ERR_TRANSIENT, "db", "08006", "lost \"it\"");
    (void)err_wrap_at(&err, "store_job.c", 34, "claim");
    log_err(LOG_LEVEL_ERROR, "failed", &err, LOG_INT("job", 9));
    assert_string_equal(take(),
                        HEAD "\"error\",\"worker\":\"redeem-1\",\"event\":\"failed\","
                             "\"err_kind\":\"transient\",\"err_domain\":\"db\","
                             "\"err_code\":\"08006\",\"err_text\":\"claim: lost \\\"it\\\"\","
                             "\"err_at\":\"db_conn.c:12 < store_job.c:34\",\"job\":9}\n");
    (void)err_field(&err, "/codes/0", "too_long", "longer than 64");
    log_err(LOG_LEVEL_WARN, "refused", &err);
    assert_non_null(strstr(take(), ",\"err_pointer\":\"/codes/0\","));
}

static void context_is_carried_until_its_scope_ends(void **state)
{
    (void)state;
    char topic[] = "commands";
    {
        LOG_CONTEXT(LOG_STR("topic", topic), LOG_INT("offset", 5));
        topic[0] = 'X'; /* copied at once */
        log_info("in", LOG_INT("n", 1));
        assert_non_null(
            strstr(take(), "\"event\":\"in\",\"topic\":\"commands\",\"offset\":5,\"n\":1}\n"));
    }
    log_info("out");
    assert_non_null(strstr(take(), "\"event\":\"out\"}\n"));
}

static void inner_context_and_own_fields_win(void **state)
{
    (void)state;
    LOG_CONTEXT(LOG_INT("job", 1), LOG_INT("lane", 1));
    {
        LOG_CONTEXT(LOG_INT("job", 2));
        log_info("a");
        assert_non_null(strstr(take(), "\"event\":\"a\",\"lane\":1,\"job\":2}\n"));
        log_info("b", LOG_INT("job", 3));
        assert_non_null(strstr(take(), "\"event\":\"b\",\"lane\":1,\"job\":3}\n"));
    }
    log_info("c");
    assert_non_null(strstr(take(), "\"event\":\"c\",\"job\":1,\"lane\":1}\n"));
}

static void context_beyond_its_bounds_is_left_out(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof(text));
    LOG_CONTEXT(LOG_BYTES("long", text, sizeof(text)), LOG_INT("short", 1));
    log_info("x");
    const char *line = take();
    assert_null(strstr(line, "long"));
    assert_non_null(strstr(line, "\"short\":1}\n"));

    LOG_CONTEXT(LOG_INT("a", 1), LOG_INT("b", 1), LOG_INT("c", 1), LOG_INT("d", 1), LOG_INT("e", 1),
                LOG_INT("f", 1), LOG_INT("g", 1), LOG_INT("h", 1), LOG_INT("i", 1), LOG_INT("j", 1),
                LOG_INT("k", 1), LOG_INT("l", 1), LOG_INT("m", 1), LOG_INT("n", 1), LOG_INT("o", 1),
                LOG_INT("p", 1));
    log_info("y");
    line = take();
    assert_non_null(strstr(line, "\"o\":1}\n"));
    assert_null(strstr(line, "\"p\":1"));
}

static void texts_under_secret_keys_are_hidden(void **state)
{
    (void)state;
    log_info("x", LOG_STR("password", "hunter2"), LOG_STR("pg_password", "hunter2"),
             LOG_STR("fleet_secret", "hunter2"), LOG_STR("code", "hunter2"),
             LOG_STR("email", "hunter2"), LOG_STR("err_code", "shown"));
    const char *line = take();
    assert_null(strstr(line, "hunter2"));
    assert_non_null(strstr(line, "\"password\":\"[hidden]\""));
    assert_non_null(strstr(line, "\"err_code\":\"shown\""));
}

static void hash_tells_values_apart_without_showing_them(void **state)
{
    (void)state;
    char one[LOG_HASH_TEXT];
    char again[LOG_HASH_TEXT];
    char two[LOG_HASH_TEXT];
    assert_string_equal(log_hash("SPRING-1", 8, one), log_hash("SPRING-1", 8, again));
    assert_string_not_equal(one, log_hash("SPRING-2", 8, two));
    assert_int_equal(strlen(one), 12);
    log_info("x", LOG_HASH("code", "SPRING-1", 8));
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "\"code\":\"%s\"}\n", one);
    const char *line = take();
    assert_non_null(strstr(line, wanted));
    assert_null(strstr(line, "SPRING"));

    /* Another key, another hash; the same key, the same one. */
    struct log_settings settings = LOG_SETTINGS_DEFAULT;
    settings.fd = log_fd;
    log_init(&settings);
    assert_string_not_equal(one, log_hash("SPRING-1", 8, again));
    settings.hash_key = key;
    log_init(&settings);
    assert_string_equal(one, log_hash("SPRING-1", 8, again));
}

static unsigned count_lines(const char *text)
{
    unsigned count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void storm_of_one_event_is_cut_and_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        log_info("storm");
    log_info("other");
    log_warn("storm");
    assert_int_equal(count_lines(take()), 5);
    mono_us += 999999;
    log_info("storm");
    assert_string_equal(take(), "");
    mono_us += 1;
    log_info("storm");
    assert_non_null(strstr(take(), "\"event\":\"storm\",\"suppressed\":8}\n"));
    log_info("storm");
    assert_null(strstr(take(), "suppressed"));
}

static void done_says_what_is_still_suppressed(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        log_error("storm");
    (void)take();
    log_done();
    assert_string_equal(take(), HEAD "\"error\",\"worker\":\"redeem-1\",\"event\":"
                                     "\"log_suppressed\",\"of\":\"storm\",\"suppressed\":2}\n");
}

static void edges_are_logged_once_each_way(void **state)
{
    (void)state;
    struct log_edge edge = {.name = "postgresql"};
    struct err err;
    (void)err_set_at(&err, "a.c", 1, ERR_TRANSIENT, "db", "08006", "gone");
    log_edge(&edge, false);
    assert_string_equal(take(), "");
    log_edge(&edge, true, LOG_ERR(&err));
    assert_string_equal(take(),
                        HEAD "\"error\",\"worker\":\"redeem-1\",\"event\":\"dependency_failed\","
                             "\"dependency\":\"postgresql\",\"err_kind\":\"transient\","
                             "\"err_domain\":\"db\",\"err_code\":\"08006\","
                             "\"err_text\":\"gone\",\"err_at\":\"a.c:1\"}\n");
    mono_us += 2500 * TIME_US_PER_MS;
    log_edge(&edge, true, LOG_ERR(&err));
    log_edge(&edge, true);
    assert_string_equal(take(), "");
    mono_us += 1500 * TIME_US_PER_MS;
    log_edge(&edge, false, LOG_INT("attempt", 4));
    assert_string_equal(take(), HEAD "\"info\",\"worker\":\"redeem-1\",\"event\":"
                                     "\"dependency_recovered\",\"dependency\":\"postgresql\","
                                     "\"gone_ms\":4000,\"failures\":3,\"attempt\":4}\n");
    log_edge(&edge, false);
    assert_string_equal(take(), "");
    log_edge(&edge, true);
    assert_int_equal(count_lines(take()), 1);
    assert_int_equal(edge.failures, 1);
}

static void lines_are_capped_and_say_so(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX];
    memset(text, '\n', sizeof(text)); /* doubles when escaped */
    log_info("x", LOG_BYTES("a", text, sizeof(text)), LOG_BYTES("b", text, sizeof(text)),
             LOG_BYTES("c", text, sizeof(text)), LOG_BYTES("d", text, sizeof(text)),
             LOG_INT("after", 1));
    const char *line = take();
    size_t len = strlen(line);
    assert_in_range(len, LOG_LINE_MAX - 40, LOG_LINE_MAX);
    assert_string_equal(line + len - 14, "\",\"cut\":true}\n");
    assert_int_equal(count_lines(line), 1);
    assert_null(strstr(line, "after"));
}

static void values_are_capped_and_the_next_ones_stay(void **state)
{
    (void)state;
    char text[LOG_VALUE_MAX + 1];
    memset(text, 'x', sizeof(text));
    log_info("x", LOG_BYTES("a", text, LOG_VALUE_MAX), LOG_INT("n", 1));
    const char *line = take();
    assert_null(strstr(line, "cut"));
    assert_non_null(strstr(line, ",\"n\":1}\n"));
    log_info("x", LOG_BYTES("a", text, LOG_VALUE_MAX + 1), LOG_INT("n", 1));
    assert_non_null(strstr(take(), "x\",\"n\":1,\"cut\":true}\n"));
}

static void line_that_cannot_be_written_is_counted(void **state)
{
    (void)state;
    uint64_t before = log_dropped();
    struct log_settings settings = LOG_SETTINGS_DEFAULT;
    settings.fd = -1;
    log_init(&settings);
    errno = ENOENT;
    log_info("lost");
    assert_int_equal(errno, ENOENT);
    assert_int_equal(log_dropped() - before, 1);
}

#define THREADS 4
#define LINES 200

static void *write_lines(void *opaque)
{
    LOG_CONTEXT(LOG_INT("thread", *(int *)opaque));
    for (int i = 0; i < LINES; i++)
        log_info("line", LOG_INT("i", i), LOG_HASH("h", "x", 1));
    return NULL;
}

static void threads_write_whole_lines_with_their_own_context(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_settings settings = LOG_SETTINGS_DEFAULT;
    settings.fd = ends[1];
    settings.rate_max = 0;
    settings.clock = &frozen;
    log_init(&settings);
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    unsigned lines = 0;
    unsigned of_thread[THREADS] = {0};
    FILE *in = fdopen(ends[0], "r");
    assert_non_null(in);
    char line[400];
    while (lines < THREADS * LINES && fgets(line, sizeof(line), in) != NULL) {
        static const char lead[] = HEAD "\"info\",\"event\":\"line\",\"thread\":";
        assert_memory_equal(line, lead, sizeof(lead) - 1);
        char *end = NULL;
        long thread = strtol(line + sizeof(lead) - 1, &end, 10);
        assert_in_range(thread, 0, THREADS - 1);
        assert_memory_equal(end, ",\"i\":", 5);
        long i = strtol(end + 5, &end, 10);
        assert_int_equal(*end, ',');
        assert_int_equal(of_thread[thread], i);
        of_thread[thread]++;
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)fclose(in);
    (void)close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_has_time_level_worker_event_and_fields),
        TEST(fields_and_end_may_be_left_out),
        TEST(time_always_has_milliseconds),
        TEST(lines_below_the_level_are_dropped_and_not_evaluated),
        TEST(level_names_follow_the_enum),
        TEST(errors_give_kind_code_text_and_place),
        TEST(context_is_carried_until_its_scope_ends),
        TEST(inner_context_and_own_fields_win),
        TEST(context_beyond_its_bounds_is_left_out),
        TEST(texts_under_secret_keys_are_hidden),
        TEST(hash_tells_values_apart_without_showing_them),
        TEST(storm_of_one_event_is_cut_and_counted),
        TEST(done_says_what_is_still_suppressed),
        TEST(edges_are_logged_once_each_way),
        TEST(lines_are_capped_and_say_so),
        TEST(values_are_capped_and_the_next_ones_stay),
        TEST(line_that_cannot_be_written_is_counted),
        TEST(threads_write_whole_lines_with_their_own_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
