/* SPDX-License-Identifier: Apache-2.0
 *
 * The topics as built in, against the file they were made from, and what must hold of them.
 */
#include "base_buf.h"
#include "base_parse.h"
#include "jsonio.h"
#include "msg_topics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *setting(enum msg_topic topic, const char *name)
{
    const struct msg_topic_spec *spec = msg_topic_spec(topic);
    for (size_t i = 0; i < spec->setting_count; i++) {
        if (strcmp(spec->settings[i].name, name) == 0)
            return spec->settings[i].value;
    }
    return NULL;
}

static int64_t number(const char *text)
{
    int64_t value = -1;
    assert_int_equal(parse_int64(text, 0, INT64_MAX, &value, NULL), 0);
    return value;
}

static struct json_object *read_file(void)
{
    struct buf text CLEANUP(buf_done);
    struct json_object *root = NULL;
    char part[4096];
    size_t got;
    FILE *file = fopen(SOURCE_DIR "/schemas/topics.json", "r");
    assert_non_null(file);
    buf_init(&text);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(&text, part, got);
    fclose(file);
    assert_int_equal(jsonio_parse(text.data, text.len, SIZE_MAX, &root, NULL), 0);
    return root;
}

static void code_and_file_say_the_same(void **state)
{
    (void)state;
    struct json_object *root CLEANUP(jsonio_freep) = read_file();
    struct json_object *list = NULL;
    assert_true(jsonio_member(root, "topics", &list));
    assert_int_equal(jsonio_length(list), MSG_TOPIC_COUNT);
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        const struct msg_topic_spec *spec = msg_topic_spec((enum msg_topic)i);
        struct json_object *entry = jsonio_item(list, (size_t)i);
        struct json_object *config = NULL;
        const char *text = NULL;
        int64_t partitions = 0;
        assert_int_equal(jsonio_require_text(entry, "", "name", 100, &text, NULL), 0);
        assert_string_equal(text, spec->name);
        assert_int_equal(jsonio_require_text(entry, "", "key", 100, &text, NULL), 0);
        assert_string_equal(text, spec->key);
        assert_int_equal(jsonio_require_int(entry, "", "partitions", 1, 100, &partitions, NULL), 0);
        assert_int_equal(partitions, spec->partitions);
        assert_true(jsonio_member(entry, "config", &config));
        assert_int_equal(jsonio_length(config), spec->setting_count);
        JSONIO_EACH (it, config)
            assert_string_equal(setting((enum msg_topic)i, it.key), jsonio_text(it.value, NULL));
    }
}

static void definitions_are_in_one_order(void **state)
{
    (void)state;
    assert_int_equal(msg_topic_spec(MSG_TOPIC_CAMPAIGN_COMMANDS)->partitions, 1);
}

static void the_broker_gives_the_time_of_what_we_decide_by(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        enum msg_topic topic = (enum msg_topic)i;
        bool read_by_us = msg_topic_kind(topic) != MSG_KIND_NONE || msg_topic_internal(topic);
        assert_string_equal(setting(topic, "message.timestamp.type"),
                            read_by_us ? "LogAppendTime" : "CreateTime");
    }
}

static void dead_letter_has_room_for_the_largest_message(void **state)
{
    (void)state;
    int64_t most = number(setting(MSG_TOPIC_DEAD_LETTER, "max.message.bytes"));
    for (int i = 0; i < MSG_TOPIC_DEAD_LETTER; i++)
        assert_true(number(setting((enum msg_topic)i, "max.message.bytes")) + 1024 * 1024 <= most);
}

static void snapshots_are_compacted(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_TOPIC_COUNT; i++)
        assert_string_equal(setting((enum msg_topic)i, "cleanup.policy"),
                            i == MSG_TOPIC_METRICS ? "compact" : "delete");
}

static void names_carry_the_prefix(void **state)
{
    (void)state;
    struct msg_topics topics;
    struct err err = {0};
    enum msg_topic topic = MSG_TOPIC_METRICS;
    assert_int_equal(msg_topics_init(&topics, "a.b-c_D9", &err), 0);
    assert_string_equal(topics.names[MSG_TOPIC_CAMPAIGN_COMMANDS], "a.b-c_D9.campaign.commands");
    assert_string_equal(topics.names[MSG_TOPIC_DEAD_LETTER], "a.b-c_D9.dead-letter");
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        assert_true(msg_topics_find(&topics, topics.names[i], &topic));
        assert_int_equal(topic, i);
    }
    topic = MSG_TOPIC_METRICS;
    assert_false(msg_topics_find(&topics, "campaign.commands", &topic));
    assert_false(msg_topics_find(&topics, "a.b-c_D9.", &topic));
    assert_int_equal(topic, MSG_TOPIC_METRICS);
}

static void bad_prefix_is_refused(void **state)
{
    (void)state;
    struct msg_topics topics;
    char text[66];
    static const char *const wrong[] = {"", "a b", "a/b", "\xc3\xa9", "a\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err err = {0};
        assert_int_equal(msg_topics_init(&topics, wrong[i], &err), -1);
        assert_string_equal(err.code, "bad_prefix");
    }
    memset(text, 'x', 64);
    text[64] = '\0';
    assert_int_equal(msg_topics_init(&topics, text, NULL), 0);
    assert_int_equal(strlen(topics.names[MSG_TOPIC_CAMPAIGN_COMMANDS]), 64 + 18);
    text[64] = 'x';
    text[65] = '\0';
    assert_int_equal(msg_topics_init(&topics, text, NULL), -1);
}

static void kinds_keep_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(msg_topic_kind(MSG_TOPIC_CAMPAIGN_COMMANDS), 1);
    assert_int_equal(msg_topic_kind(MSG_TOPIC_GENERATE_COMMANDS), 2);
    assert_int_equal(msg_topic_kind(MSG_TOPIC_REDEEM_COMMANDS), 3);
    assert_int_equal(msg_topic_kind(MSG_TOPIC_EXPORT_COMMANDS), 4);
    assert_int_equal(msg_topic_kind(MSG_TOPIC_MAINTAIN_COMMANDS), 5);
    assert_int_equal(msg_topic_kind(MSG_TOPIC_JOB_EVENTS), 0);
    assert_string_equal(msg_kind_name(MSG_KIND_REDEEM), "redeem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_and_file_say_the_same),
        cmocka_unit_test(definitions_are_in_one_order),
        cmocka_unit_test(the_broker_gives_the_time_of_what_we_decide_by),
        cmocka_unit_test(dead_letter_has_room_for_the_largest_message),
        cmocka_unit_test(snapshots_are_compacted),
        cmocka_unit_test(names_carry_the_prefix),
        cmocka_unit_test(bad_prefix_is_refused),
        cmocka_unit_test(kinds_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
