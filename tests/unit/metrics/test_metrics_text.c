/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const odd_values[] = {"a\"b", "c\\d", "e\nf", NULL};
static const double bounds[] = {0.005, 0.1, 2.5};

static void assert_text(const struct metrics *metrics, const char *wanted)
{
    CLEANUP(buf_done) struct buf out;
    buf_init(&out);
    metrics_write(metrics, &out);
    assert_string_equal(out.data, wanted);
}

static struct metrics *make(const struct metrics_row *row)
{
    struct metrics *metrics = NULL;
    assert_int_equal(metrics_new(row, 1, &metrics, NULL), 0);
    return metrics;
}

static void help_and_label_values_are_escaped(void **state)
{
    (void)state;
    const struct metrics_row row = {.name = "x_total",
                                    .help = "One \\ two\nand \"three\".",
                                    .type = METRICS_COUNTER,
                                    .label = "kind",
                                    .values = odd_values};
    CLEANUP(metrics_freep) struct metrics *metrics = make(&row);
    metrics_add(metrics, 0, 2, UINT64_MAX);
    assert_text(metrics, "# HELP x_total One \\\\ two\\nand \"three\".\n"
                         "# TYPE x_total counter\n"
                         "x_total{kind=\"a\\\"b\"} 0\n"
                         "x_total{kind=\"c\\\\d\"} 0\n"
                         "x_total{kind=\"e\\nf\"} 18446744073709551615\n");
}

static void histogram_is_cumulative_with_bounds_included(void **state)
{
    (void)state;
    const struct metrics_row row = {.name = "batch_seconds",
                                    .help = "B.",
                                    .type = METRICS_HISTOGRAM,
                                    .bounds = bounds,
                                    .bound_count = ARRAY_LEN(bounds)};
    CLEANUP(metrics_freep) struct metrics *metrics = make(&row);
    static const double values[] = {0, 0.005, 0.0051, 0.1, 2.5, 2.75, 100};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        metrics_observe(metrics, 0, 0, values[i]);
    assert_text(metrics, "# HELP batch_seconds B.\n"
                         "# TYPE batch_seconds histogram\n"
                         "batch_seconds_bucket{le=\"0.005\"} 2\n"
                         "batch_seconds_bucket{le=\"0.1\"} 4\n"
                         "batch_seconds_bucket{le=\"2.5\"} 5\n"
                         "batch_seconds_bucket{le=\"+Inf\"} 7\n"
                         "batch_seconds_sum 105.3601\n"
                         "batch_seconds_count 7\n");
}

static void histogram_with_label_has_both(void **state)
{
    (void)state;
    static const char *const values[] = {"a", "b", NULL};
    const struct metrics_row row = {.name = "s",
                                    .help = "S.",
                                    .type = METRICS_HISTOGRAM,
                                    .label = "step",
                                    .values = values,
                                    .bounds = bounds,
                                    .bound_count = 1};
    CLEANUP(metrics_freep) struct metrics *metrics = make(&row);
    metrics_observe(metrics, 0, 1, 7);
    assert_text(metrics, "# HELP s S.\n"
                         "# TYPE s histogram\n"
                         "s_bucket{step=\"a\",le=\"0.005\"} 0\n"
                         "s_bucket{step=\"a\",le=\"+Inf\"} 0\n"
                         "s_sum{step=\"a\"} 0\n"
                         "s_count{step=\"a\"} 0\n"
                         "s_bucket{step=\"b\",le=\"0.005\"} 0\n"
                         "s_bucket{step=\"b\",le=\"+Inf\"} 1\n"
                         "s_sum{step=\"b\"} 7\n"
                         "s_count{step=\"b\"} 1\n");
}

static void gauges_write_the_shortest_exact_number(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } numbers[] = {{0, "0"},
                   {-1.5, "-1.5"},
                   {0.1, "0.1"},
                   {0.1 + 0.2, "0.30000000000000004"},
                   {9007199254740993.0, "9007199254740992"},
                   {1e300, "1e+300"},
                   {INFINITY, "+Inf"},
                   {-INFINITY, "-Inf"},
                   {NAN, "NaN"}};
    const struct metrics_row row = {.name = "g", .help = "G.", .type = METRICS_GAUGE};
    CLEANUP(metrics_freep) struct metrics *metrics = make(&row);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char wanted[100];
        (void)snprintf(wanted, sizeof(wanted), "# HELP g G.\n# TYPE g gauge\ng %s\n",
                       numbers[i].text);
        metrics_set(metrics, 0, 0, numbers[i].value);
        assert_text(metrics, wanted);
    }
}

static void dynamic_values_appear_as_they_come_and_are_cleaned(void **state)
{
    (void)state;
    const struct metrics_row row = {.name = "r_total",
                                    .help = "R.",
                                    .type = METRICS_COUNTER,
                                    .label = "topic",
                                    .dynamic_max = 2};
    CLEANUP(metrics_freep) struct metrics *metrics = make(&row);
    assert_text(metrics, "# HELP r_total R.\n# TYPE r_total counter\n");
    char name[METRICS_LABEL_MAX + 10];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    metrics_add(metrics, 0, metrics_label(metrics, 0, "\xff\n\"x"), 1);
    metrics_add(metrics, 0, metrics_label(metrics, 0, name), 2);
    metrics_add(metrics, 0, metrics_label(metrics, 0, "third"), 3);
    name[METRICS_LABEL_MAX - 1] = '\0';
    char wanted[300];
    (void)snprintf(wanted, sizeof(wanted),
                   "# HELP r_total R.\n# TYPE r_total counter\n"
                   "r_total{topic=\"__\\\"x\"} 1\nr_total{topic=\"%s\"} 2\n"
                   "r_total{topic=\"other\"} 3\n",
                   name);
    assert_text(metrics, wanted);
}

static void markdown_lists_type_label_and_buckets(void **state)
{
    (void)state;
    static const char *const values[] = {"a|b", "c", NULL};
    const struct metrics_row rows[] = {{.name = "x_total",
                                        .help = "Either | or.",
                                        .type = METRICS_COUNTER,
                                        .label = "kind",
                                        .values = values},
                                       {.name = "y_total",
                                        .help = "Y.",
                                        .type = METRICS_COUNTER,
                                        .label = "topic",
                                        .dynamic_max = 9},
                                       {.name = "z_seconds",
                                        .help = "Z.",
                                        .type = METRICS_HISTOGRAM,
                                        .bounds = bounds,
                                        .bound_count = 2},
                                       {.name = "g", .help = "G.", .type = METRICS_GAUGE}};
    CLEANUP(buf_done) struct buf out;
    buf_init(&out);
    metrics_markdown(rows, ARRAY_LEN(rows), &out);
    assert_string_equal(out.data,
                        "| Metric | Type | Label | Meaning |\n|---|---|---|---|\n"
                        "| `x_total` | counter | `kind`: a\\|b, c | Either \\| or. |\n"
                        "| `y_total` | counter | `topic` (at most 9 values, then `other`) | Y. |\n"
                        "| `z_seconds` | histogram |  | Z. Buckets: 0.005, 0.1. |\n"
                        "| `g` | gauge |  | G. |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_label_values_are_escaped),
        cmocka_unit_test(histogram_is_cumulative_with_bounds_included),
        cmocka_unit_test(histogram_with_label_has_both),
        cmocka_unit_test(gauges_write_the_shortest_exact_number),
        cmocka_unit_test(dynamic_values_appear_as_they_come_and_are_cleaned),
        cmocka_unit_test(markdown_lists_type_label_and_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
