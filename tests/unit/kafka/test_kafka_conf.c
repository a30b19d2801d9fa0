/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_conf.h"
#include "kafka_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct kafka_settings plain_settings(void)
{
    return (struct kafka_settings){.brokers = "127.0.0.1:1", .group = "g", .slot = "redeem-0"};
}

/* What librdkafka was really told. */
static void assert_option(const struct kafka_settings *settings, enum kafka_role role,
                          const char *name, const char *value)
{
    struct err err = {0};
    char found[256] = "";
    size_t size = sizeof(found);
    rd_kafka_conf_t *conf = NULL;
    if (kafka_conf_build(settings, role, &conf, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(rd_kafka_conf_get(conf, name, found, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(found, value);
    rd_kafka_conf_destroy(conf);
}

static void consumer_is_told_what_safety_needs(void **state)
{
    struct kafka_settings settings = plain_settings();
    (void)state;
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "enable.auto.commit", "false");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "enable.auto.offset.store", "false");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "isolation.level", "read_committed");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "auto.offset.reset", "error");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "partition.assignment.strategy", "range");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "allow.auto.create.topics", "false");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "enable.partition.eof", "false");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "group.id", "g");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "group.instance.id", "redeem-0");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "session.timeout.ms", "6000");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "queued.max.messages.kbytes", "16384");
}

static void producer_is_told_what_safety_needs(void **state)
{
    struct kafka_settings settings = plain_settings();
    (void)state;
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "transactional.id", "g-redeem-0");
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "transaction.timeout.ms", "10000");
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "enable.idempotence", "true");
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "acks", "-1");
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "partitioner", "murmur2_random");
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "message.max.bytes", "9437184");
    assert_option(&settings, KAFKA_ROLE_PLAIN, "enable.idempotence", "true");
    assert_option(&settings, KAFKA_ROLE_PLAIN, "compression.codec", "lz4");
}

static void only_the_admin_sees_open_transactions(void **state)
{
    struct kafka_settings settings = plain_settings();
    (void)state;
    assert_option(&settings, KAFKA_ROLE_READER, "isolation.level", "read_committed");
    assert_option(&settings, KAFKA_ROLE_ADMIN, "isolation.level", "read_uncommitted");
}

static void times_of_the_settings_are_used(void **state)
{
    struct kafka_settings settings = plain_settings();
    (void)state;
    settings.session_timeout_ms = 7001;
    settings.transaction_timeout_ms = 20001;
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "session.timeout.ms", "7001");
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "transaction.timeout.ms", "20001");
}

static void a_member_without_a_slot_is_dynamic(void **state)
{
    struct kafka_settings settings = plain_settings();
    char found[64];
    size_t size = sizeof(found);
    rd_kafka_conf_t *conf = NULL;
    (void)state;
    settings.slot = NULL;
    assert_int_equal(kafka_conf_build(&settings, KAFKA_ROLE_CONSUMER, &conf, NULL), 0);
    assert_int_equal(rd_kafka_conf_get(conf, "group.instance.id", found, &size),
                     RD_KAFKA_CONF_UNKNOWN);
    rd_kafka_conf_destroy(conf);
}

static void tuning_may_be_passed_through(void **state)
{
    struct kafka_pair pairs[] = {{"linger.ms", "25"}, {"socket.timeout.ms", "9000"}};
    struct kafka_settings settings = plain_settings();
    (void)state;
    settings.properties = pairs;
    settings.property_count = ARRAY_LEN(pairs);
    assert_option(&settings, KAFKA_ROLE_TRANSACTIONAL, "linger.ms", "25");
    assert_option(&settings, KAFKA_ROLE_CONSUMER, "socket.timeout.ms", "9000");
    assert_int_equal(kafka_conf_check(&settings, NULL), 0);
}

static void assert_refused(const char *name, const char *value, const char *code)
{
    struct kafka_pair pair = {name, value};
    struct kafka_settings settings = plain_settings();
    struct err err = {0};
    settings.properties = &pair;
    settings.property_count = 1;
    assert_int_equal(kafka_conf_check(&settings, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, code);
    assert_string_equal(err.pointer, name);
    assert_non_null(strstr(err.text, name));
}

static void every_denied_option_is_refused_by_name(void **state)
{
    size_t count = 0;
    (void)state;
    for (const struct kafka_denied *denied = kafka_denied; denied->name; denied++, count++) {
        assert_true(strlen(denied->reason) > 10);
        assert_refused(denied->name, "1", "denied_option");
    }
    assert_true(count > 30);
    assert_null(kafka_conf_denied("linger.ms"));
    assert_null(kafka_conf_denied(""));
    assert_null(kafka_conf_denied("isolation.leve"));
    assert_null(kafka_conf_denied("isolation.levels"));
}

static void the_denied_options_exist(void **state)
{
    (void)state;
    for (const struct kafka_denied *denied = kafka_denied; denied->name; denied++) {
        /* Not in every version. */
        if (strncmp(denied->name, "group.", 6) == 0 || strncmp(denied->name, "test.", 5) == 0)
            continue;
        char why[128];
        rd_kafka_conf_t *conf = rd_kafka_conf_new();
        rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, denied->name, "1", why, sizeof(why));
        rd_kafka_conf_destroy(conf);
        if (result == RD_KAFKA_CONF_UNKNOWN)
            fail_msg("librdkafka does not know %s", denied->name);
    }
}

static void unknown_and_malformed_options_are_refused_by_name(void **state)
{
    (void)state;
    assert_refused("linger.mss", "1", "unknown_option");
    assert_refused("linger.ms", "soon", "bad_option");
    assert_refused("linger.ms", "-1", "bad_option");
    assert_refused("compression.codec", "rar", "bad_option");
    assert_refused("security.protocol", "", "bad_option");
    assert_refused("log_cb", "x", "bad_option");
}

static void options_that_contradict_each_other_are_refused_by_name(void **state)
{
    (void)state;
    /* Each is fine alone; librdkafka sees it when the handle is made. */
    assert_refused("reconnect.backoff.max.ms", "1", "bad_option");
    assert_refused("socket.timeout.ms", "60000", "bad_option");
}

static void a_secret_is_not_in_the_error(void **state)
{
    struct kafka_pair pairs[] = {{"security.protocol", "ssl"},
                                 {"ssl.key.pem", "hunter2-not-a-key"}};
    struct kafka_settings settings = plain_settings();
    struct err err = {0};
    (void)state;
    settings.properties = pairs;
    settings.property_count = ARRAY_LEN(pairs);
    assert_int_equal(kafka_conf_check(&settings, &err), -1);
    assert_string_equal(err.pointer, "ssl.key.pem");
    assert_null(strstr(err.text, "hunter2"));
    assert_true(kafka_conf_is_secret("sasl.password"));
    assert_true(kafka_conf_is_secret("ssl.key.pem"));
    assert_true(kafka_conf_is_secret("ssl.key.password"));
    assert_true(kafka_conf_is_secret("sasl.oauthbearer.client.secret"));
    assert_false(kafka_conf_is_secret("linger.ms"));
    assert_false(kafka_conf_is_secret(""));
}

static void assert_missing(const struct kafka_settings *settings, enum kafka_role role,
                           const char *name)
{
    struct err err = {0};
    rd_kafka_conf_t *conf = NULL;
    assert_int_equal(kafka_conf_build(settings, role, &conf, &err), -1);
    assert_null(conf);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "missing_option");
    assert_string_equal(err.pointer, name);
}

static void what_a_role_needs_must_be_there(void **state)
{
    struct kafka_settings settings = plain_settings();
    (void)state;
    settings.brokers = "";
    assert_missing(&settings, KAFKA_ROLE_ADMIN, "bootstrap.servers");
    settings.brokers = NULL;
    assert_missing(&settings, KAFKA_ROLE_PLAIN, "bootstrap.servers");
    settings = plain_settings();
    settings.group = NULL;
    assert_missing(&settings, KAFKA_ROLE_CONSUMER, "group.id");
    assert_missing(&settings, KAFKA_ROLE_TRANSACTIONAL, "group.id");
    settings = plain_settings();
    settings.slot = "";
    assert_missing(&settings, KAFKA_ROLE_TRANSACTIONAL, "transactional.id");
}

static void an_overlong_slot_is_refused(void **state)
{
    char slot[600];
    struct kafka_settings settings = plain_settings();
    struct err err = {0};
    rd_kafka_conf_t *conf = NULL;
    (void)state;
    memset(slot, 'x', sizeof(slot) - 1);
    slot[sizeof(slot) - 1] = 0;
    settings.slot = slot;
    assert_int_equal(kafka_conf_build(&settings, KAFKA_ROLE_TRANSACTIONAL, &conf, &err), -1);
    assert_string_equal(err.pointer, "transactional.id");
}

static void the_version_is_that_of_the_library_in_use(void **state)
{
    (void)state;
    assert_string_equal(kafka_version_text(), rd_kafka_version_str());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consumer_is_told_what_safety_needs),
        cmocka_unit_test(producer_is_told_what_safety_needs),
        cmocka_unit_test(only_the_admin_sees_open_transactions),
        cmocka_unit_test(times_of_the_settings_are_used),
        cmocka_unit_test(a_member_without_a_slot_is_dynamic),
        cmocka_unit_test(tuning_may_be_passed_through),
        cmocka_unit_test(every_denied_option_is_refused_by_name),
        cmocka_unit_test(the_denied_options_exist),
        cmocka_unit_test(unknown_and_malformed_options_are_refused_by_name),
        cmocka_unit_test(options_that_contradict_each_other_are_refused_by_name),
        cmocka_unit_test(a_secret_is_not_in_the_error),
        cmocka_unit_test(what_a_role_needs_must_be_there),
        cmocka_unit_test(an_overlong_slot_is_refused),
        cmocka_unit_test(the_version_is_that_of_the_library_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
