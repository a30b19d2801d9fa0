/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_fixture.h"

#include <stdlib.h>

static struct settings settings;
static char *text;
static size_t text_len;

/* Load, and keep in `text` what was printed; returns conf_load's result. */
static int load_printed(const struct conf_table *table, const char *const *argv,
                        const char *const *environment)
{
    free(text);
    text = NULL;
    FILE *out = open_memstream(&text, &text_len);
    assert_non_null(out);
    struct conf conf;
    struct err err;
    int rc = load_table(table, argv, environment, &settings, out, &conf, &err);
    assert_int_equal(fclose(out), 0);
    if (rc == 0)
        conf_done(&conf);
    return rc;
}

static int teardown(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void assert_printed(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void help_needs_nothing_and_shows_defaults_and_ranges(void **state)
{
    (void)state;
    assert_int_equal(load_printed(&fixture_table, WORDS("--help"), ENV("PROMO_NOTHING=1")), 1);
    assert_printed("Usage: one-worker [OPTION...]\nDoes one thing.\n\nKafka:\n");
    assert_printed("  --kafka-brokers TEXT\n"
                   "        Bootstrap list: host:port, with commas between.\n"
                   "        Required. Allowed: 1 to 100 bytes. Environment: KAFKA_BROKERS, "
                   "PROMO_KAFKA_BROKERS.\n");
    assert_printed(
        "        Default: 10s. Allowed: 100ms to 1h. Environment: PROMO_CALL_TIMEOUT.\n");
    assert_printed("  --fleet-secret SECRET\n  --fleet-secret-file FILE\n");
    assert_printed("Default: middle. Allowed: low, middle or high.");
    assert_printed("  --kafka.NAME VALUE\n");
    assert_printed("  --version");
    assert_null(strstr(text, "two-only"));
    assert_int_equal(load_printed(&fixture_table, WORDS("-h"), ENV()), 1);
}

static void help_is_at_most_100_columns_wide(void **state)
{
    (void)state;
    assert_int_equal(load_printed(&fixture_table, WORDS("--help"), ENV()), 1);
    size_t widest = 0;
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        widest = MAX_OF(widest, len);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    assert_in_range(widest, 80, 100);
}

static void version_is_the_callers(void **state)
{
    (void)state;
    assert_int_equal(load_printed(&fixture_table, WORDS("--version"), ENV("PROMO_NOTHING=1")), 1);
    assert_string_equal(text, "one-worker 1.2.3\n");
    struct conf_table table = fixture_table;
    table.version = NULL;
    assert_int_equal(load_printed(&table, WORDS("--version"), ENV()), -1);
}

static void config_shows_values_with_sources_and_masks_secrets(void **state)
{
    (void)state;
    assert_int_equal(load_printed(&fixture_table,
                                  WORDS("--print-config", "--fleet-secret=hunter2",
                                        "--kafka.sasl.password=hunter2", "--kafka.linger.ms=5"),
                                  ENV("KAFKA_BROKERS=b:1", "PROMO_BATCH_MAX=20")),
                     1);
    assert_null(strstr(text, "hunter2"));
    assert_printed("kafka.brokers = b:1                                         "
                   "# environment KAFKA_BROKERS\n");
    assert_printed("batch.max = 20                                              "
                   "# environment PROMO_BATCH_MAX\n");
    assert_printed("call.timeout = 10s                                          # default\n");
    assert_printed("slot =                                                      # not set\n");
    assert_printed("fleet.secret = ***                                          "
                   "# flag --fleet-secret\n");
    assert_printed("kafka.linger.ms = 5                                         "
                   "# flag --kafka.linger.ms\n");
    assert_printed("kafka.sasl.password = ***");
    assert_null(strstr(text, "two.only"));
}

static void config_is_not_shown_when_it_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(load_printed(&fixture_table, WORDS("--print-config"), ENV()), -1);
    assert_string_equal(text, "");
}

static void markdown_lists_all_rows_of_all_programs(void **state)
{
    (void)state;
    free(text);
    FILE *out = open_memstream(&text, &text_len);
    assert_non_null(out);
    conf_print_markdown(&fixture_table, out);
    assert_int_equal(fclose(out), 0);
    assert_memory_equal(text, "## Kafka\n\n| Option, flag |", 26);
    assert_printed("\n\n## Worker\n\n");
    assert_printed("| `kafka.brokers`<br>`--kafka-brokers` | `KAFKA_BROKERS`, "
                   "`PROMO_KAFKA_BROKERS` | text | required | 1 to 100 bytes | all |");
    assert_printed("| `two.only`<br>`--two-only` | `PROMO_TWO_ONLY` | integer | `5` |  | "
                   "two-worker | Of the second program. |\n");
    assert_printed("| `wait`<br>`--wait` | none |");
    assert_printed("Name \\| of this worker.");
    assert_printed("Also from a file: `fleet.secret.file`.");
    /* Every line of a table has its seven cells. */
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        unsigned bars = 0;
        for (const char *at = line; *at != '\n' && *at != '\0'; at++)
            bars += *at == '|' && (at == line || at[-1] != '\\');
        if (*line == '|')
            assert_int_equal(bars, 8);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(help_needs_nothing_and_shows_defaults_and_ranges),
        TEST(help_is_at_most_100_columns_wide),
        TEST(version_is_the_callers),
        TEST(config_shows_values_with_sources_and_masks_secrets),
        TEST(config_is_not_shown_when_it_is_wrong),
        TEST(markdown_lists_all_rows_of_all_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
