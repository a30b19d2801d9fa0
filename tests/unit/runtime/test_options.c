/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet's one table of options, loaded as each worker does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "runtime_conf.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static char brokers[] = "KAFKA_BROKERS=127.0.0.1:9092";
static char pg_url[] = "PGURL=postgresql://fleet:hush@127.0.0.1/fleet";
static char secret[] = "PROMO_FLEET_SECRET=" SECRET;
static char exports[] = "PROMO_EXPORT_DIR=/srv/exports";

/* Loads with all that any program requires, one more variable and one argument (NULL: none). */
static int load(unsigned program, const char *variable, const char *argument,
                struct runtime_conf *ret, struct conf *ret_conf, struct err *err)
{
    char extra[256] = "";
    char flag[256] = "";
    char name[] = "worker";
    char *environment[] = {brokers, pg_url, secret, exports, NULL, NULL};
    char *argv[] = {name, NULL, NULL};
    static struct conf_table table; /* outlives the conf that is loaded by it */

    if (variable != NULL) {
        (void)snprintf(extra, sizeof(extra), "%s", variable);
        environment[4] = extra;
    }
    if (argument != NULL) {
        (void)snprintf(flag, sizeof(flag), "%s", argument);
        argv[1] = flag;
    }
    memset(ret, 0, sizeof(*ret));
    runtime_conf_table(program, "A sentence.", &table);
    return conf_load(&table, argument == NULL ? 1 : 2, argv, environment, ret, stdout, ret_conf,
                     err);
}

static void every_worker_loads_its_defaults(void **state UNUSED)
{
    static const char *const names[] = {"campaign-worker", "generate-worker", "redeem-worker",
                                        "export-worker", "maintain-worker"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        struct runtime_conf settings;
        struct conf conf;
        struct conf_table table;
        struct err err = {0};

        runtime_conf_table(1u << i, "A sentence.", &table);
        assert_string_equal(table.program, names[i]);
        if (load(1u << i, NULL, NULL, &settings, &conf, &err) != 0)
            fail_msg("%s: %s", names[i], err.text);
        assert_string_equal(settings.brokers, "127.0.0.1:9092");
        assert_string_equal(settings.topic_prefix, "promo");
        assert_int_equal(settings.batch_max, 2000);
        assert_int_equal(settings.lock_timeout_ms, 3000);
        assert_int_equal(settings.session_timeout_ms, 6000);
        assert_int_equal(settings.kafka_watchdog_ms, 15000);
        assert_int_equal(settings.chunk_ms, 250);
        assert_null(settings.slot);
        assert_int_equal(conf.pair_count, 0);
        conf_done(&conf);
    }
}

static void flags_win_over_the_environment(void **state UNUSED)
{
    struct runtime_conf settings;
    struct conf conf;
    struct err err = {0};

    assert_int_equal(
        load(RUNTIME_PROGRAM_REDEEM, "PROMO_BATCH_MAX=7", NULL, &settings, &conf, &err), 0);
    assert_int_equal(settings.batch_max, 7);
    conf_done(&conf);
    assert_int_equal(
        load(RUNTIME_PROGRAM_REDEEM, "PROMO_BATCH_MAX=7", "--batch-max=8", &settings, &conf, &err),
        0);
    assert_int_equal(settings.batch_max, 8);
    conf_done(&conf);
}

static void an_unknown_option_is_refused_by_name(void **state UNUSED)
{
    struct runtime_conf settings;
    struct conf conf;
    struct err err = {0};

    assert_int_equal(load(RUNTIME_PROGRAM_REDEEM, NULL, "--batch-size=8", &settings, &conf, &err),
                     -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, "batch-size"));
    err = (struct err){0};
    assert_int_equal(
        load(RUNTIME_PROGRAM_REDEEM, "PROMO_BATCH_SIZE=8", NULL, &settings, &conf, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, "PROMO_BATCH_SIZE"));
}

/* One environment serves the whole fleet. */
static void an_option_of_another_worker_is_known(void **state UNUSED)
{
    struct runtime_conf settings;
    struct conf conf;
    struct err err = {0};

    assert_int_equal(
        load(RUNTIME_PROGRAM_CAMPAIGN, "PROMO_SNAPSHOT_EVERY=5s", NULL, &settings, &conf, &err), 0);
    assert_int_equal(settings.snapshot_every_ms, 1000); /* its default: not ours to set */
    conf_done(&conf);
    assert_int_equal(
        load(RUNTIME_PROGRAM_MAINTAIN, "PROMO_SNAPSHOT_EVERY=5s", NULL, &settings, &conf, &err), 0);
    assert_int_equal(settings.snapshot_every_ms, 5000);
    conf_done(&conf);
    assert_int_equal(
        load(RUNTIME_PROGRAM_CAMPAIGN, "PROMO_STACK_STATE=/x", NULL, &settings, &conf, &err), 0);
    conf_done(&conf);
}

static void values_out_of_range_are_refused(void **state UNUSED)
{
    static const struct {
        const char *argument;
        bool fits;
    } rows[] = {
        {"--batch-max=1", true},
        {"--batch-max=10000", true},
        {"--batch-max=0", false},
        {"--batch-max=10001", false},
        {"--batch-max=-1", false},
        {"--batch-max=", false},
        {"--batch-max=7x", false},
        {"--batch-max=99999999999999999999", false},
        {"--lock-timeout=100ms", true},
        {"--lock-timeout=99ms", false},
        {"--lock-timeout=60s", true},
        {"--lock-timeout=60001ms", false},
        {"--session-timeout=1s", true},
        {"--session-timeout=999ms", false},
        {"--transaction-watchdog=5m", true},
        {"--transaction-watchdog=301s", false},
        {"--log-level=debug", true},
        {"--log-level=loud", false},
        {"--topic-prefix=p", true},
        {"--topic-prefix=", false},
        {"--kafka.linger.ms=5", true},
        {"--kafka.transactional.id=x", false},
        {"--kafka.group.id=x", false},
        {"--kafka.enable.auto.commit=true", false},
        {"--kafka.isolation.level=read_uncommitted", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct runtime_conf settings;
        struct conf conf;
        struct err err = {0};
        int loaded = load(RUNTIME_PROGRAM_REDEEM, NULL, rows[i].argument, &settings, &conf, &err);

        if (loaded != (rows[i].fits ? 0 : -1))
            fail_msg("%s: %d, %s", rows[i].argument, loaded, err.text);
        if (loaded == 0)
            conf_done(&conf);
        else
            assert_int_equal(err.kind, ERR_FATAL);
    }
}

static void what_is_required_is_missed(void **state UNUSED)
{
    static const struct {
        char *left_out;
        unsigned program;
        const char *named;
    } rows[] = {
        {brokers, RUNTIME_PROGRAM_CAMPAIGN, "KAFKA_BROKERS"},
        {pg_url, RUNTIME_PROGRAM_CAMPAIGN, "PGURL"},
        {secret, RUNTIME_PROGRAM_REDEEM, "PROMO_FLEET_SECRET"},
        {secret, RUNTIME_PROGRAM_GENERATE, "PROMO_FLEET_SECRET"},
        {secret, RUNTIME_PROGRAM_CAMPAIGN, NULL},
        {exports, RUNTIME_PROGRAM_EXPORT, "PROMO_EXPORT_DIR"},
        {exports, RUNTIME_PROGRAM_REDEEM, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *all[] = {brokers, pg_url, secret, exports};
        char *environment[5] = {NULL};
        char name[] = "worker";
        char *argv[] = {name, NULL};
        struct runtime_conf settings;
        struct conf conf;
        struct conf_table table;
        struct err err = {0};
        size_t count = 0;

        for (size_t j = 0; j < ARRAY_LEN(all); j++) {
            if (all[j] != rows[i].left_out)
                environment[count++] = all[j];
        }
        runtime_conf_table(rows[i].program, "A sentence.", &table);
        int loaded = conf_load(&table, 1, argv, environment, &settings, stdout, &conf, &err);

        assert_int_equal(loaded, rows[i].named == NULL ? 0 : -1);
        if (loaded == 0)
            conf_done(&conf);
        else
            assert_non_null(strstr(err.text, rows[i].named));
    }
}

static void a_short_secret_is_refused_and_never_told(void **state UNUSED)
{
    char weak[] = "PROMO_FLEET_SECRET=0123456789abcdef0123456789abcde";
    char *environment[] = {brokers, pg_url, weak, NULL};
    char name[] = "worker";
    char *argv[] = {name, NULL};
    struct runtime_conf settings;
    struct conf conf;
    struct conf_table table;
    struct err err = {0};

    runtime_conf_table(RUNTIME_PROGRAM_REDEEM, "A sentence.", &table);
    assert_int_equal(conf_load(&table, 1, argv, environment, &settings, stdout, &conf, &err), -1);
    assert_null(strstr(err.text, "0123456789abcdef"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_worker_loads_its_defaults),
        cmocka_unit_test(flags_win_over_the_environment),
        cmocka_unit_test(an_unknown_option_is_refused_by_name),
        cmocka_unit_test(an_option_of_another_worker_is_known),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(what_is_required_is_missed),
        cmocka_unit_test(a_short_secret_is_refused_and_never_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
