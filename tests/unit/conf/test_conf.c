/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_fixture.h"

static struct settings settings;

static void assert_refused(const char *const *argv, const char *const *environment,
                           const char *code, const char *pointer, const char *text_part)
{
    struct conf conf;
    struct err err = {.kind = ERR_NONE};
    assert_int_equal(load(argv, environment, &settings, &conf, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.domain, "conf");
    assert_string_equal(err.code, code);
    assert_string_equal(err.pointer, pointer);
    if (strstr(err.text, text_part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text_part, err.text);
}

static void defaults_hold_where_nothing_is_given(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS(), ENV("KAFKA_BROKERS=b:1"), &settings, &conf, NULL), 0);
    assert_string_equal(settings.brokers, "b:1");
    assert_null(settings.slot);
    assert_int_equal(settings.batch, 1000);
    assert_false(settings.strict);
    assert_int_equal(settings.timeout_ms, 10000);
    assert_int_equal(settings.room, 65536);
    assert_int_equal(settings.level, LEVEL_MIDDLE);
    assert_null(settings.secret);
    assert_int_equal(settings.other, 5);
    assert_int_equal(conf.pair_count, 0);
    assert_int_equal(conf.arg_count, 0);
    assert_string_equal(conf_source(&conf, "kafka.brokers"), "environment KAFKA_BROKERS");
    assert_string_equal(conf_source(&conf, "batch.max"), "default");
    assert_string_equal(conf_source(&conf, "slot"), "not set");
    assert_null(conf_source(&conf, "two.only"));
    assert_null(conf_source(&conf, "nothing"));
}

static void flags_win_over_environment_and_this_over_defaults(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS("--batch-max=7", "--kafka-brokers", "f:1"),
                          ENV("PROMO_BATCH_MAX=6", "PROMO_ROOM=1M", "KAFKA_BROKERS=e:1"), &settings,
                          &conf, NULL),
                     0);
    assert_int_equal(settings.batch, 7);
    assert_int_equal(settings.room, 1048576);
    assert_string_equal(settings.brokers, "f:1");
    assert_string_equal(conf_source(&conf, "batch.max"), "flag --batch-max");
    assert_string_equal(conf_source(&conf, "room"), "environment PROMO_ROOM");
}

static void every_type_is_read_from_both_forms_of_flags(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS("--kafka.brokers=b:1", "--slot", "s-1", "--batch-max", "10000",
                                "--strict=on", "--call-timeout", "1h", "--room=8M", "--level",
                                "high", "--fleet-secret=abcd", "--wait"),
                          ENV(), &settings, &conf, NULL),
                     0);
    assert_string_equal(settings.slot, "s-1");
    assert_int_equal(settings.batch, 10000);
    assert_true(settings.strict);
    assert_int_equal(settings.timeout_ms, 3600000);
    assert_int_equal(settings.room, 8388608);
    assert_int_equal(settings.level, LEVEL_HIGH);
    assert_string_equal(settings.secret, "abcd");
    assert_true(settings.wait);
}

static void last_of_equal_flags_wins(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS("--batch-max=1", "--batch-max=2", "--kafka-brokers=b:1"), ENV(),
                          &settings, &conf, NULL),
                     0);
    assert_int_equal(settings.batch, 2);
}

static void bool_takes_a_following_word_only_if_it_is_one(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS("--strict", "false", "--wait", "--kafka-brokers=b:1"), ENV(),
                          &settings, &conf, NULL),
                     0);
    assert_false(settings.strict);
    assert_true(settings.wait);
}

static void value_may_begin_with_dashes_and_hold_equals(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(
        load(WORDS("--slot", "--a=b", "--kafka-brokers=x=y"), ENV(), &settings, &conf, NULL), 0);
    assert_string_equal(settings.slot, "--a=b");
    assert_string_equal(settings.brokers, "x=y");
}

static void empty_environment_variable_counts_as_not_given(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(
        load(WORDS(),
             ENV("KAFKA_BROKERS=b:1", "PROMO_BATCH_MAX=", "PROMO_KAFKA_LINGER_MS=", "PROMO_SLOT="),
             &settings, &conf, NULL),
        0);
    assert_int_equal(settings.batch, 1000);
    assert_null(settings.slot);
    assert_int_equal(conf.pair_count, 0);
}

static void second_variable_and_own_one_must_agree(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(
        load(WORDS(), ENV("PROMO_KAFKA_BROKERS=b:1", "KAFKA_BROKERS=b:1"), &settings, &conf, NULL),
        0);
    assert_string_equal(settings.brokers, "b:1");
    assert_refused(WORDS(), ENV("PROMO_KAFKA_BROKERS=b:1", "KAFKA_BROKERS=b:2"), "conflict",
                   "kafka.brokers", "different values");
}

static void flag_ends_a_conflict_of_the_environment(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS("--kafka-brokers=f:1"),
                          ENV("PROMO_KAFKA_BROKERS=b:1", "KAFKA_BROKERS=b:2"), &settings, &conf,
                          NULL),
                     0);
    assert_string_equal(settings.brokers, "f:1");
}

static void unknown_options_are_refused(void **state)
{
    (void)state;
    assert_refused(WORDS("--nothing=1"), ENV(), "unknown_option", "--nothing", "no such flag");
    assert_refused(WORDS("--batch"), ENV(), "unknown_option", "--batch", "no such flag");
    assert_refused(WORDS("--batch-maximum=1"), ENV(), "unknown_option", "--batch-maximum",
                   "no such");
    assert_refused(WORDS("--"
                         "=1"),
                   ENV(), "unknown_option", "--", "no such flag");
    assert_refused(WORDS("-x"), ENV(), "unknown_option", "", "-x");
    assert_refused(WORDS("word"), ENV(), "unknown_option", "", "without a flag");
    assert_refused(WORDS("--batch-max-file=/x"), ENV(), "unknown_option", "--batch-max-file",
                   "no such flag");
    assert_refused(WORDS(), ENV("PROMO_NOTHING=1"), "unknown_option", "PROMO_NOTHING",
                   "no option belongs");
    assert_refused(WORDS(), ENV("PROMO_NOTHING="), "unknown_option", "PROMO_NOTHING", "");
    assert_refused(WORDS(), ENV("PROMO_=1"), "unknown_option", "PROMO_", "");
    assert_refused(WORDS(), ENV("PROMO_WAIT=1"), "unknown_option", "PROMO_WAIT", "");
    assert_refused(WORDS(), ENV("PROMO_BATCH_MAX_FILE=/x"), "unknown_option",
                   "PROMO_BATCH_MAX_FILE", "");
}

static void variables_of_others_are_let_be(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS(),
                          ENV("KAFKA_BROKERS=b:1", "PROMO_TWO_ONLY=999", "PROMO_STACK_STATE=/x",
                              "PROMO_STATE=/x", "PATH=/bin", "promo_nothing=1", "=odd", "odd"),
                          &settings, &conf, NULL),
                     0);
    assert_int_equal(settings.other, 5);
    assert_refused(WORDS("--two-only=7"), ENV(), "unknown_option", "two.only", "other programs");
}

static void overlong_names_are_refused_not_cut(void **state)
{
    (void)state;
    char variable[400] = "PROMO_KAFKA_";
    memset(variable + 12, 'X', 300);
    memcpy(variable + 312, "=1", 3);
    assert_refused(WORDS(), ENV(variable), "unknown_option", "PROMO_", "too long");
    memcpy(variable + 110, "=1", 3);
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load(WORDS(), ENV("KAFKA_BROKERS=b:1", variable), &settings, &conf, NULL), 0);
    assert_int_equal(conf.pair_count, 1);

    char flag[400] = "--kafka.";
    memset(flag + 8, 'x', 300);
    memcpy(flag + 308, "=1", 3);
    assert_refused(WORDS(flag), ENV(), "unknown_option", "", "no such flag");
}

static void missing_values_are_refused(void **state)
{
    (void)state;
    assert_refused(WORDS("--batch-max"), ENV(), "missing_value", "batch.max", "must follow");
    assert_refused(WORDS("--kafka.linger.ms"), ENV(), "missing_value", "kafka.linger.ms",
                   "must follow");
    assert_refused(WORDS(), ENV(), "required", "kafka.brokers",
                   "give --kafka-brokers or KAFKA_BROKERS");
}

static void wrong_values_name_option_source_value_and_range(void **state)
{
    (void)state;
    static const char *const environment[] = {"KAFKA_BROKERS=b:1", NULL};
    assert_refused(WORDS("--batch-max=0"), environment, "out_of_range", "batch.max",
                   "batch.max (flag --batch-max): \"0\" is out of range; allowed: 1 to 10000");
    assert_refused(WORDS(), ENV("KAFKA_BROKERS=b:1", "PROMO_BATCH_MAX=many"), "malformed",
                   "batch.max",
                   "batch.max (environment PROMO_BATCH_MAX): \"many\" is not an integer; "
                   "allowed: 1 to 10000");
    assert_refused(WORDS("--call-timeout=99ms"), environment, "out_of_range", "call.timeout",
                   "allowed: 100ms to 1h");
    assert_refused(WORDS("--level=top"), environment, "out_of_range", "level",
                   "allowed: low, middle or high");
    assert_refused(WORDS("--strict=maybe"), environment, "malformed", "strict", "\"maybe\" is not");
    assert_refused(WORDS("--slot=123456789"), environment, "out_of_range", "slot", "too long");
    assert_refused(WORDS("--kafka-brokers="), ENV(), "out_of_range", "kafka.brokers", "too short");
}

static void passed_options_are_collected_and_sorted(void **state)
{
    (void)state;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(
        load(WORDS("--kafka.linger.ms=5", "--kafka.ssl_ca", "x", "--kafka.acks=1"),
             ENV("KAFKA_BROKERS=b:1", "PROMO_KAFKA_LINGER_MS=9", "PROMO_KAFKA_BATCH_SIZE=10"),
             &settings, &conf, NULL),
        0);
    static const char *const wanted[][2] = {
        {"acks", "1"}, {"batch.size", "10"}, {"linger.ms", "5"}, {"ssl_ca", "x"}};
    assert_int_equal(conf.pair_count, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_string_equal(conf.pairs[i].name, wanted[i][0]);
        assert_string_equal(conf.pairs[i].value, wanted[i][1]);
    }
    assert_string_equal(conf_source(&conf, "kafka.linger.ms"), "flag --kafka.linger.ms");
    assert_string_equal(conf_source(&conf, "kafka.batch.size"),
                        "environment PROMO_KAFKA_BATCH_SIZE");
}

static void denied_options_are_refused_with_the_reason(void **state)
{
    (void)state;
    assert_refused(WORDS("--kafka.enable.auto.commit=true"), ENV(), "denied",
                   "kafka.enable.auto.commit", "the loop commits offsets itself");
    assert_refused(WORDS(), ENV("PROMO_KAFKA_ENABLE_AUTO_COMMIT=true"), "denied",
                   "kafka.enable.auto.commit", "environment PROMO_KAFKA_ENABLE_AUTO_COMMIT");
    assert_refused(WORDS("--kafka.=1"), ENV(), "unknown_option", "--kafka.", "not the name");
}

static void without_prefix_nothing_is_passed(void **state)
{
    (void)state;
    struct conf_table table = fixture_table;
    table.pass_prefix = NULL;
    struct conf conf;
    struct err err;
    assert_int_equal(
        load_table(&table, WORDS("--kafka.linger.ms=5"), ENV(), &settings, stdout, &conf, &err),
        -1);
    assert_string_equal(err.code, "unknown_option");
}

static void positional_arguments_are_handed_back_where_allowed(void **state)
{
    (void)state;
    struct conf_table table = fixture_table;
    table.positional = true;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load_table(&table,
                                WORDS("submit", "--wait", "1", "-", "--kafka-brokers=b:1", "--",
                                      "--wait=no", "-x"),
                                ENV(), &settings, stdout, &conf, NULL),
                     0);
    static const char *const wanted[] = {"submit", "1", "-", "--wait=no", "-x"};
    assert_int_equal(conf.arg_count, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        assert_string_equal(conf.args[i], wanted[i]);
    assert_null(conf.args[conf.arg_count]);
    assert_true(settings.wait);
}

static void no_program_bit_uses_every_row(void **state)
{
    (void)state;
    struct conf_table table = fixture_table;
    table.bit = 0;
    CLEANUP(conf_done) struct conf conf = {.state = NULL};
    assert_int_equal(load_table(&table, WORDS("--two-only=8", "--kafka-brokers=b:1"), ENV(),
                                &settings, stdout, &conf, NULL),
                     0);
    assert_int_equal(settings.other, 8);
}

static void faulty_tables_are_our_own_mistake(void **state)
{
    (void)state;
    struct conf_option rows[2] = {options[2], options[2]};
    struct conf_table table = fixture_table;
    table.options = rows;
    table.option_count = 2;
    struct conf conf;
    struct err err;
    assert_int_equal(load_table(&table, WORDS(), ENV(), &settings, stdout, &conf, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    table.option_count = 1;
    rows[0].fallback = "99999";
    assert_int_equal(load_table(&table, WORDS(), ENV(), &settings, stdout, &conf, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    assert_non_null(strstr(err.text, "batch.max (default)"));
    rows[0].help = NULL;
    assert_int_equal(load_table(&table, WORDS(), ENV(), &settings, stdout, &conf, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
}

static void done_takes_null_and_twice(void **state)
{
    (void)state;
    conf_done(NULL);
    struct conf conf;
    assert_int_equal(load(WORDS("--kafka-brokers=b:1"), ENV(), &settings, &conf, NULL), 0);
    conf_done(&conf);
    assert_null(conf.state);
    conf_done(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_where_nothing_is_given),
        cmocka_unit_test(flags_win_over_environment_and_this_over_defaults),
        cmocka_unit_test(every_type_is_read_from_both_forms_of_flags),
        cmocka_unit_test(last_of_equal_flags_wins),
        cmocka_unit_test(bool_takes_a_following_word_only_if_it_is_one),
        cmocka_unit_test(value_may_begin_with_dashes_and_hold_equals),
        cmocka_unit_test(empty_environment_variable_counts_as_not_given),
        cmocka_unit_test(second_variable_and_own_one_must_agree),
        cmocka_unit_test(flag_ends_a_conflict_of_the_environment),
        cmocka_unit_test(unknown_options_are_refused),
        cmocka_unit_test(variables_of_others_are_let_be),
        cmocka_unit_test(overlong_names_are_refused_not_cut),
        cmocka_unit_test(missing_values_are_refused),
        cmocka_unit_test(wrong_values_name_option_source_value_and_range),
        cmocka_unit_test(passed_options_are_collected_and_sorted),
        cmocka_unit_test(denied_options_are_refused_with_the_reason),
        cmocka_unit_test(without_prefix_nothing_is_passed),
        cmocka_unit_test(positional_arguments_are_handed_back_where_allowed),
        cmocka_unit_test(no_program_bit_uses_every_row),
        cmocka_unit_test(faulty_tables_are_our_own_mistake),
        cmocka_unit_test(done_takes_null_and_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
