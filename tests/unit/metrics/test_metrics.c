/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ROW_PLAIN, ROW_REASON, ROW_TOPIC, ROW_LAG, ROW_SECONDS };

static const char *const reasons[] = {"unknown", "expired", "limit", NULL};
static const double bounds[] = {0.1, 1, 10};

static const struct metrics_row rows[] = {
    {.name = "plain_total", .help = "Plain.", .type = METRICS_COUNTER},
    {.name = "refused_total",
     .help = "Refused.",
     .type = METRICS_COUNTER,
     .label = "reason",
     .values = reasons},
    {.name = "read_total",
     .help = "Read.",
     .type = METRICS_COUNTER,
     .label = "topic",
     .dynamic_max = 2},
    {.name = "lag", .help = "Lag.", .type = METRICS_GAUGE},
    {.name = "batch_seconds",
     .help = "Batch.",
     .type = METRICS_HISTOGRAM,
     .bounds = bounds,
     .bound_count = ARRAY_LEN(bounds)},
};

static struct metrics *metrics;

static int setup(void **state)
{
    (void)state;
    return metrics_new(rows, ARRAY_LEN(rows), &metrics, NULL);
}

static int teardown(void **state)
{
    (void)state;
    metrics_free(metrics);
    return 0;
}

static void counters_add_up(void **state)
{
    (void)state;
    assert_true(metrics_value(metrics, ROW_PLAIN, 0) == 0);
    metrics_add(metrics, ROW_PLAIN, 0, 1);
    metrics_add(metrics, ROW_PLAIN, 0, 41);
    metrics_add(metrics, ROW_PLAIN, 0, 0);
    assert_true(metrics_value(metrics, ROW_PLAIN, 0) == 42);
}

static void series_of_a_label_are_apart(void **state)
{
    (void)state;
    metrics_add(metrics, ROW_REASON, metrics_label(metrics, ROW_REASON, "expired"), 3);
    assert_true(metrics_value(metrics, ROW_REASON, 0) == 0);
    assert_true(metrics_value(metrics, ROW_REASON, 1) == 3);
}

static void unknown_fixed_value_is_the_last_one(void **state)
{
    (void)state;
    assert_int_equal(metrics_label(metrics, ROW_REASON, "unknown"), 0);
    assert_int_equal(metrics_label(metrics, ROW_REASON, "nonsense"), 2);
    assert_int_equal(metrics_label(metrics, ROW_PLAIN, "anything"), 0);
}

static void dynamic_values_are_bounded(void **state)
{
    (void)state;
    unsigned a = metrics_label(metrics, ROW_TOPIC, "a");
    unsigned b = metrics_label(metrics, ROW_TOPIC, "b");
    assert_int_not_equal(a, b);
    assert_int_equal(metrics_label(metrics, ROW_TOPIC, "a"), a);
    unsigned other = metrics_label(metrics, ROW_TOPIC, "c");
    assert_int_not_equal(other, a);
    assert_int_not_equal(other, b);
    assert_int_equal(metrics_label(metrics, ROW_TOPIC, "d"), other);
    assert_int_equal(metrics_label(metrics, ROW_TOPIC, "other"), other);
    assert_int_equal(metrics_label(metrics, ROW_TOPIC, "b"), b);
}

static void gauges_are_set_and_shifted(void **state)
{
    (void)state;
    metrics_set(metrics, ROW_LAG, 0, 10.5);
    metrics_shift(metrics, ROW_LAG, 0, -0.5);
    metrics_shift(metrics, ROW_LAG, 0, -20);
    assert_true(metrics_value(metrics, ROW_LAG, 0) == -10);
}

static void observations_are_counted(void **state)
{
    (void)state;
    metrics_observe(metrics, ROW_SECONDS, 0, 0.1);
    metrics_observe(metrics, ROW_SECONDS, 0, 1e9);
    metrics_observe(metrics, ROW_SECONDS, 0, NAN);
    metrics_observe_us(metrics, ROW_SECONDS, 0, 1500000);
    assert_true(metrics_value(metrics, ROW_SECONDS, 0) == 4);
}

static void assert_faulty(struct metrics_row row, const char *text_part)
{
    struct metrics *made = NULL;
    struct err err = {.kind = ERR_NONE};
    assert_int_equal(metrics_new(&row, 1, &made, &err), -1);
    assert_null(made);
    assert_int_equal(err.kind, ERR_BUG);
    assert_string_equal(err.pointer, row.name != NULL ? row.name : "");
    if (strstr(err.text, text_part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text_part, err.text);
}

static void faulty_rows_are_refused(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    static const double falling[] = {1, 1};
    const struct metrics_row good = {.name = "x_total", .help = "X.", .type = METRICS_COUNTER};
    struct metrics_row row = good;
    row.name = NULL;
    assert_faulty(row, "not a metric's name");
    row.name = "";
    assert_faulty(row, "not a metric's name");
    row.name = "1x_total";
    assert_faulty(row, "not a metric's name");
    row.name = "x-y_total";
    assert_faulty(row, "not a metric's name");
    row.name = "x";
    assert_faulty(row, "_total");
    row.name = "x_total";
    row.type = METRICS_GAUGE;
    assert_faulty(row, "_total");
    row = good;
    row.help = "";
    assert_faulty(row, "help");
    row = good;
    row.values = reasons;
    assert_faulty(row, "without a label");
    row = good;
    row.label = "a:b";
    row.values = reasons;
    assert_faulty(row, "not a label's name");
    row.label = "le";
    assert_faulty(row, "not a label's name");
    row.label = "__x";
    assert_faulty(row, "not a label's name");
    row.label = "x";
    row.dynamic_max = 3;
    assert_faulty(row, "either fixed or dynamic");
    row.values = none;
    row.dynamic_max = 0;
    assert_faulty(row, "without values");
    row.values = NULL;
    assert_faulty(row, "either fixed or dynamic");
    row.dynamic_max = METRICS_DYNAMIC_LIMIT + 1;
    assert_faulty(row, "too many");
    row = good;
    row.bounds = bounds;
    row.bound_count = 1;
    assert_faulty(row, "has bounds");
    row = (struct metrics_row){.name = "x", .help = "X.", .type = METRICS_HISTOGRAM};
    assert_faulty(row, "has bounds");
    row.bound_count = 1;
    assert_faulty(row, "has bounds");
    row.type = METRICS_GAUGE;
    assert_faulty(row, "has bounds");
    row.type = METRICS_HISTOGRAM;
    row.bounds = falling;
    row.bound_count = 2;
    assert_faulty(row, "must rise");
}

static void names_stand_once(void **state)
{
    (void)state;
    const struct metrics_row twice[] = {rows[0], rows[1], rows[0]};
    struct metrics *made = NULL;
    struct err err;
    assert_int_equal(metrics_new(twice, 3, &made, &err), -1);
    assert_non_null(strstr(err.text, "twice"));
}

static void bounds_for_seconds_rise_to_a_minute(void **state)
{
    (void)state;
    assert_true(metrics_seconds[0] == 0.001);
    assert_true(metrics_seconds[METRICS_SECONDS_COUNT - 1] == 60);
    for (size_t i = 1; i < METRICS_SECONDS_COUNT; i++)
        assert_true(metrics_seconds[i] > metrics_seconds[i - 1]);
}

#define THREADS 4
#define TURNS 5000

static void *change_all(void *opaque)
{
    char name[2] = {*(char *)opaque, '\0'};
    for (int i = 0; i < TURNS; i++) {
        metrics_add(metrics, ROW_PLAIN, 0, 1);
        metrics_shift(metrics, ROW_LAG, 0, 1);
        metrics_observe(metrics, ROW_SECONDS, 0, 1);
        metrics_add(metrics, ROW_TOPIC, metrics_label(metrics, ROW_TOPIC, name), 1);
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    char names[THREADS] = {'a', 'b', 'c', 'd'};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_all, &names[i]), 0);
    for (int i = 0; i < 50; i++) {
        CLEANUP(buf_done) struct buf out;
        buf_init(&out);
        metrics_write(metrics, &out);
        assert_non_null(strstr(out.data, "batch_seconds_count "));
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(metrics_value(metrics, ROW_PLAIN, 0) == THREADS * TURNS);
    assert_true(metrics_value(metrics, ROW_LAG, 0) == THREADS * TURNS);
    assert_true(metrics_value(metrics, ROW_SECONDS, 0) == THREADS * TURNS);
    double topics = 0;
    for (unsigned i = 0; i < 3; i++)
        topics += metrics_value(metrics, ROW_TOPIC, i);
    assert_true(topics == THREADS * TURNS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counters_add_up),
        TEST(series_of_a_label_are_apart),
        TEST(unknown_fixed_value_is_the_last_one),
        TEST(dynamic_values_are_bounded),
        TEST(gauges_are_set_and_shifted),
        TEST(observations_are_counted),
        TEST(faulty_rows_are_refused),
        TEST(names_stand_once),
        TEST(bounds_for_seconds_rise_to_a_minute),
        TEST(nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
