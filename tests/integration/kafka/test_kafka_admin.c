/* SPDX-License-Identifier: Apache-2.0
 *
 * Creating, comparing and altering topics on a real broker.
 */
#include "broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#define TOLD_MAX 8

struct told {
    enum kafka_change change;
    char text[160]; /* "what wanted found" */
};

struct fixture {
    char topic[BROKER_NAME_MAX];
    struct kafka_admin *admin;
    struct told told[TOLD_MAX];
    size_t told_count;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct err err = {0};
    broker_name("admin", f->topic);
    assert_int_equal(kafka_admin_open(&settings, &f->admin, &err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kafka_admin_close(f->admin);
    free(f);
    return 0;
}

static void on_change(void *opaque, enum kafka_change change, const char *topic, const char *what,
                      const char *wanted, const char *found)
{
    struct fixture *f = opaque;
    assert_true(f->told_count < TOLD_MAX);
    assert_string_equal(topic, f->topic);
    struct told *told = &f->told[f->told_count++];
    told->change = change;
    (void)snprintf(told->text, sizeof(told->text), "%s %s %s", what ? what : "-",
                   wanted ? wanted : "-", found ? found : "-");
}

static int apply(struct fixture *f, int32_t partitions, const struct kafka_pair *configs, size_t n,
                 bool alter)
{
    struct kafka_topic topic = {.name = f->topic,
                                .partitions = partitions,
                                .replication = 1,
                                .configs = configs,
                                .config_count = n};
    struct err err = {0};
    f->told_count = 0;
    int result = kafka_admin_apply_topics(f->admin, &topic, 1, alter, on_change, f, &err);
    if (result < 0)
        fail_msg("%s: %s", err.code, err.text);
    return result;
}

static void assert_told(struct fixture *f, size_t i, enum kafka_change change, const char *text)
{
    assert_true(i < f->told_count);
    assert_int_equal(f->told[i].change, change);
    assert_string_equal(f->told[i].text, text);
}

static void assert_config(struct fixture *f, const char *name, const char *wanted)
{
    char *value = NULL;
    assert_int_equal(kafka_admin_topic_config(f->admin, f->topic, name, &value, NULL), 1);
    assert_string_equal(value, wanted);
    free(value);
}

static const struct kafka_pair first[] = {
    {"message.timestamp.type", "LogAppendTime"},
    {"retention.ms", "86400000"},
};
static const struct kafka_pair second[] = {
    {"message.timestamp.type", "LogAppendTime"},
    {"retention.ms", "172800000"},
};

static void a_topic_is_created_once(void **state)
{
    struct fixture *f = *state;
    int32_t count = 0;
    assert_int_equal(kafka_admin_topic_partitions(f->admin, f->topic, &count, NULL), 0);
    assert_int_equal(apply(f, 3, first, 2, false), 1);
    assert_int_equal(f->told_count, 1);
    assert_told(f, 0, KAFKA_TOPIC_CREATED, "- - -");
    assert_int_equal(kafka_admin_topic_partitions(f->admin, f->topic, &count, NULL), 1);
    assert_int_equal(count, 3);
    assert_config(f, "message.timestamp.type", "LogAppendTime");
    assert_config(f, "retention.ms", "86400000");
    assert_int_equal(apply(f, 3, first, 2, false), 0);
    assert_int_equal(f->told_count, 0);
    assert_int_equal(apply(f, 3, first, 2, true), 0);
    assert_int_equal(f->told_count, 0);
}

static void differences_are_told_and_left_alone_unless_asked(void **state)
{
    struct fixture *f = *state;
    int32_t count = 0;
    assert_int_equal(apply(f, 2, first, 2, false), 1);
    assert_int_equal(apply(f, 4, second, 2, false), 0);
    assert_int_equal(f->told_count, 2);
    assert_told(f, 0, KAFKA_TOPIC_DIFFERS, "partitions 4 2");
    assert_told(f, 1, KAFKA_TOPIC_DIFFERS, "retention.ms 172800000 86400000");
    assert_config(f, "retention.ms", "86400000");
    assert_int_equal(kafka_admin_topic_partitions(f->admin, f->topic, &count, NULL), 1);
    assert_int_equal(count, 2);
}

static void asked_to_alter_it_adds_partitions_and_sets_configurations(void **state)
{
    struct fixture *f = *state;
    int32_t count = 0;
    assert_int_equal(apply(f, 2, first, 2, false), 1);
    assert_int_equal(apply(f, 4, second, 2, true), 1);
    assert_int_equal(f->told_count, 2);
    assert_told(f, 0, KAFKA_TOPIC_CHANGED, "partitions 4 2");
    assert_told(f, 1, KAFKA_TOPIC_CHANGED, "retention.ms 172800000 86400000");
    assert_config(f, "retention.ms", "172800000");
    assert_int_equal(kafka_admin_topic_partitions(f->admin, f->topic, &count, NULL), 1);
    assert_int_equal(count, 4);
    assert_int_equal(apply(f, 4, second, 2, true), 0);
    assert_int_equal(f->told_count, 0);
}

static void partitions_are_never_taken_away(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(apply(f, 3, NULL, 0, false), 1);
    assert_int_equal(apply(f, 2, NULL, 0, true), 0);
    assert_int_equal(f->told_count, 1);
    assert_told(f, 0, KAFKA_TOPIC_DIFFERS, "partitions 2 3");
}

static void what_others_set_on_a_topic_stays(void **state)
{
    static const struct kafka_pair theirs[] = {{"cleanup.policy", "compact"},
                                               {"retention.ms", "86400000"}};
    struct fixture *f = *state;
    assert_int_equal(apply(f, 1, theirs, 2, false), 1);
    assert_int_equal(apply(f, 1, second, 2, true), 1);
    assert_config(f, "cleanup.policy", "compact");
    assert_config(f, "retention.ms", "172800000");
    assert_config(f, "message.timestamp.type", "LogAppendTime");
}

static void several_topics_are_one_call(void **state)
{
    struct fixture *f = *state;
    char name[BROKER_NAME_MAX];
    struct kafka_topic topics[2] = {{.name = f->topic, .partitions = 1, .replication = -1},
                                    {.partitions = 2, .replication = -1}};
    int32_t count = 0;
    broker_name("other", name);
    topics[1].name = name;
    assert_int_equal(kafka_admin_apply_topics(f->admin, topics, 1, false, NULL, NULL, NULL), 1);
    assert_int_equal(kafka_admin_apply_topics(f->admin, topics, 2, false, NULL, NULL, NULL), 1);
    assert_int_equal(kafka_admin_topic_partitions(f->admin, name, &count, NULL), 1);
    assert_int_equal(count, 2);
    assert_int_equal(kafka_admin_apply_topics(f->admin, topics, 2, false, NULL, NULL, NULL), 0);
}

static void assert_refused(struct fixture *f, const struct kafka_topic *topic)
{
    struct err err = {0};
    int32_t count = 0;
    assert_int_equal(kafka_admin_apply_topics(f->admin, topic, 1, false, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_true(strlen(err.text) > 10);
    assert_int_equal(kafka_admin_topic_partitions(f->admin, f->topic, &count, &err), 0);
}

static void impossible_topics_are_refused(void **state)
{
    struct fixture *f = *state;
    struct kafka_pair bad_value = {"retention.ms", "soon"};
    struct kafka_pair bad_name = {"retention.days", "1"};
    struct kafka_topic topic = {.name = f->topic, .partitions = 1, .replication = -1};
    topic.configs = &bad_value;
    topic.config_count = 1;
    assert_refused(f, &topic);
    topic.configs = &bad_name;
    assert_refused(f, &topic);
    topic.config_count = 0;
    topic.replication = 3; /* one broker only */
    assert_refused(f, &topic);
    topic.replication = -1;
    topic.partitions = 0;
    assert_refused(f, &topic);
    topic.partitions = 1;
    topic.name = "no spaces please";
    assert_int_equal(kafka_admin_apply_topics(f->admin, &topic, 1, false, NULL, NULL, NULL), -1);
}

static void a_bad_change_is_refused_and_changes_nothing(void **state)
{
    static const struct kafka_pair bad[] = {{"retention.ms", "soon"}};
    struct fixture *f = *state;
    struct kafka_topic topic = {
        .name = f->topic, .partitions = 1, .replication = -1, .configs = bad, .config_count = 1};
    struct err err = {0};
    assert_int_equal(apply(f, 1, first, 2, false), 1);
    assert_int_equal(kafka_admin_apply_topics(f->admin, &topic, 1, true, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "INVALID_CONFIG");
    assert_config(f, "retention.ms", "86400000");
}

static void questions_about_nothing_find_nothing(void **state)
{
    struct fixture *f = *state;
    char *value = NULL;
    int64_t offset = -5;
    struct err err = {0};
    assert_int_equal(
        kafka_admin_topic_config(f->admin, "it-kafka-nowhere", "retention.ms", &value, &err), 0);
    assert_int_equal(apply(f, 1, NULL, 0, false), 1);
    assert_int_equal(kafka_admin_topic_config(f->admin, f->topic, "no.such", &value, &err), 0);
    assert_null(value);
    assert_int_equal(
        kafka_admin_group_offset(f->admin, "it-kafka-nobody", f->topic, 0, &offset, &err), 0);
    assert_int_equal(offset, -5);
}

static void nobody_there_is_told_in_time(void **state)
{
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_topic topic = {.name = "t", .partitions = 1, .replication = -1};
    struct kafka_admin *admin CLEANUP(kafka_admin_closep) = NULL;
    char *value = NULL;
    struct err err = {0};
    (void)state;
    settings.brokers = "127.0.0.1:1";
    settings.call_timeout_ms = 500;
    assert_int_equal(kafka_admin_open(&settings, &admin, &err), 0);
    int64_t deadline = kafka_deadline(6000);
    assert_int_equal(kafka_admin_apply_topics(admin, &topic, 1, false, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_int_equal(kafka_admin_topic_config(admin, "t", "retention.ms", &value, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_topic_is_created_once),
        TEST(differences_are_told_and_left_alone_unless_asked),
        TEST(asked_to_alter_it_adds_partitions_and_sets_configurations),
        TEST(partitions_are_never_taken_away),
        TEST(what_others_set_on_a_topic_stays),
        TEST(several_topics_are_one_call),
        TEST(impossible_topics_are_refused),
        TEST(a_bad_change_is_refused_and_changes_nothing),
        TEST(questions_about_nothing_find_nothing),
        TEST(nobody_there_is_told_in_time),
    };
    broker_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
