/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_admin.h"

#include "kafka_error.h"
#include "kafka_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

struct kafka_admin {
    struct kafka_client client; /* first: librdkafka's callbacks get it as their opaque */
    rd_kafka_queue_t *queue;
};

/* One apply call. */
struct apply {
    struct kafka_admin *admin;
    int64_t deadline;
    bool alter;
    kafka_change_fn told;
    void *opaque;
    bool changed;
};

int kafka_admin_open(const struct kafka_settings *settings, struct kafka_admin **ret,
                     struct err *err)
{
    struct kafka_admin *admin = calloc(1, sizeof(*admin));
    if (!admin)
        return err_nomem(err);
    if (kafka_client_open(&admin->client, settings, KAFKA_ROLE_ADMIN, NULL, NULL, err) < 0) {
        free(admin);
        return -1;
    }
    admin->queue = rd_kafka_queue_new(admin->client.rk);
    *ret = admin;
    return 0;
}

void kafka_admin_close(struct kafka_admin *admin)
{
    if (!admin)
        return;
    rd_kafka_queue_destroy(admin->queue);
    rd_kafka_destroy(admin->client.rk);
    free(admin);
}

static void free_options(rd_kafka_AdminOptions_t **options)
{
    rd_kafka_AdminOptions_destroy(*options);
}

static rd_kafka_AdminOptions_t *new_options(struct kafka_admin *admin, rd_kafka_admin_op_t op,
                                            int64_t deadline)
{
    char why[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client.rk, op);
    int left = kafka_deadline_left_ms(deadline);
    rd_kafka_resp_err_t code =
        rd_kafka_AdminOptions_set_request_timeout(options, MAX_OF(left, 1), why, sizeof(why));
    assert(!code);
    (void)code;
    return options;
}

/* Wait for the answer to the one question that is open. The caller destroys the event. */
static int await_event(struct kafka_admin *admin, int64_t deadline, rd_kafka_event_type_t type,
                       const char *what, rd_kafka_event_t **ret, struct err *err)
{
    for (;;) {
        /* librdkafka ends the request itself; the second on top lets its answer come through. */
        rd_kafka_event_t *event =
            rd_kafka_queue_poll(admin->queue, kafka_deadline_left_ms(deadline) + 1000);
        if (!event) {
            (void)kafka_error_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "%s", what);
            return kafka_client_explain(&admin->client, err);
        }
        if (rd_kafka_event_type(event) != type) { /* the late answer to an earlier question */
            rd_kafka_event_destroy(event);
            continue;
        }
        rd_kafka_resp_err_t code = rd_kafka_event_error(event);
        if (code) {
            (void)kafka_error_set(err, code, "%s: %.200s", what,
                                  rd_kafka_event_error_string(event));
            rd_kafka_event_destroy(event);
            return kafka_client_explain(&admin->client, err);
        }
        *ret = event;
        return 0;
    }
}

static void tell(struct apply *apply, enum kafka_change change, const char *topic, const char *what,
                 const char *wanted, const char *found)
{
    if (change != KAFKA_TOPIC_DIFFERS)
        apply->changed = true;
    if (apply->told)
        apply->told(apply->opaque, change, topic, what, wanted, found);
}

/* Topics. */

static int new_topic(const struct kafka_topic *topic, rd_kafka_NewTopic_t **ret, struct err *err)
{
    char why[200] = "";
    rd_kafka_NewTopic_t *item =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, topic->replication, why, sizeof(why));
    if (!item)
        return err_set(err, ERR_FATAL, "kafka", "bad_topic", "topic %.100s: %s", topic->name, why);
    for (size_t i = 0; i < topic->config_count; i++) {
        rd_kafka_resp_err_t code =
            rd_kafka_NewTopic_set_config(item, topic->configs[i].name, topic->configs[i].value);
        if (code) {
            rd_kafka_NewTopic_destroy(item);
            return kafka_error_set(err, code, "topic %.100s: %.100s", topic->name,
                                   topic->configs[i].name);
        }
    }
    *ret = item;
    return 0;
}

/* 1 created, 0 somebody else just did, -1. */
static int create_topic(struct apply *apply, const struct kafka_topic *topic, struct err *err)
{
    struct kafka_admin *admin = apply->admin;
    rd_kafka_NewTopic_t *item = NULL;
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    if (new_topic(topic, &item, err) < 0)
        return -1;
    rd_kafka_AdminOptions_t *options CLEANUP(free_options) =
        new_options(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, apply->deadline);
    rd_kafka_CreateTopics(admin->client.rk, &item, 1, options, admin->queue);
    rd_kafka_NewTopic_destroy(item);
    if (await_event(admin, apply->deadline, RD_KAFKA_EVENT_CREATETOPICS_RESULT, "create a topic",
                    &event, err) < 0)
        return -1;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    int result = code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? 0 : 1;
    if (code && result == 1) {
        const char *why = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
        result =
            kafka_error_set(err, code, "create topic %.100s: %.200s", topic->name, why ? why : "");
    }
    rd_kafka_event_destroy(event);
    if (result == 1)
        tell(apply, KAFKA_TOPIC_CREATED, topic->name, NULL, NULL, NULL);
    return result;
}

/* Until all partitions of a new topic have a leader, a producer's first record may wait long. */
static int await_topic(struct apply *apply, const struct kafka_topic *topic, struct err *err)
{
    for (;;) {
        int32_t count = 0;
        int found = kafka_client_partitions(&apply->admin->client, topic->name, apply->deadline,
                                            &count, err);
        if (found < 0)
            return -1;
        if (found == 1 && count >= topic->partitions)
            break;
        if (!kafka_deadline_again(apply->deadline))
            return kafka_error_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "wait for topic %.100s",
                                   topic->name);
    }
    for (int32_t i = 0; i < topic->partitions; i++) {
        int64_t low;
        int64_t high;
        if (kafka_client_bounds(&apply->admin->client, topic->name, i, apply->deadline, &low, &high,
                                err) < 0)
            return -1;
    }
    return 0;
}

static int add_partitions(struct apply *apply, const struct kafka_topic *topic, struct err *err)
{
    struct kafka_admin *admin = apply->admin;
    char why[200] = "";
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    rd_kafka_NewPartitions_t *item =
        rd_kafka_NewPartitions_new(topic->name, (size_t)topic->partitions, why, sizeof(why));
    if (!item)
        return err_set(err, ERR_FATAL, "kafka", "bad_topic", "topic %.100s: %s", topic->name, why);
    rd_kafka_AdminOptions_t *options CLEANUP(free_options) =
        new_options(admin, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, apply->deadline);
    rd_kafka_CreatePartitions(admin->client.rk, &item, 1, options, admin->queue);
    rd_kafka_NewPartitions_destroy(item);
    if (await_event(admin, apply->deadline, RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT,
                    "add partitions", &event, err) < 0)
        return -1;
    const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    int result = 0;
    /* Somebody else may have added them meanwhile: await_topic() tells. */
    if (code && code != RD_KAFKA_RESP_ERR_INVALID_PARTITIONS)
        result = kafka_error_set(err, code, "add partitions to %.100s", topic->name);
    rd_kafka_event_destroy(event);
    return result < 0 ? -1 : await_topic(apply, topic, err);
}

static int compare_partitions(struct apply *apply, const struct kafka_topic *topic, int32_t count,
                              struct err *err)
{
    char wanted[16];
    char found[16];
    bool add = apply->alter && count < topic->partitions;
    if (count == topic->partitions)
        return 0;
    if (add && add_partitions(apply, topic, err) < 0)
        return -1;
    (void)snprintf(wanted, sizeof(wanted), "%" PRId32, topic->partitions);
    (void)snprintf(found, sizeof(found), "%" PRId32, count);
    tell(apply, add ? KAFKA_TOPIC_CHANGED : KAFKA_TOPIC_DIFFERS, topic->name, "partitions", wanted,
         found);
    return 0;
}

/* Configurations. */

static const char *event_resource(rd_kafka_event_t *event, rd_kafka_resp_err_t *ret_code,
                                  const rd_kafka_ConfigResource_t **ret)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_event_type(event) == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT
            ? rd_kafka_DescribeConfigs_result_resources(
                  rd_kafka_event_DescribeConfigs_result(event), &count)
            : rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event),
                                                     &count);
    *ret = count == 1 ? resources[0] : NULL;
    *ret_code = *ret ? rd_kafka_ConfigResource_error(*ret) : RD_KAFKA_RESP_ERR__FAIL;
    const char *why = *ret ? rd_kafka_ConfigResource_error_string(*ret) : NULL;
    return why ? why : "";
}

/* 1 and an event (to be destroyed) with the topic's configuration; 0 when there is no such topic.
 */
static int describe(struct kafka_admin *admin, const char *topic, int64_t deadline,
                    rd_kafka_event_t **ret_event, const rd_kafka_ConfigResource_t **ret,
                    struct err *err)
{
    rd_kafka_event_t *event = NULL;
    rd_kafka_resp_err_t code;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    if (!resource)
        return err_set(err, ERR_FATAL, "kafka", "bad_topic", "\"%.100s\" is no topic", topic);
    rd_kafka_AdminOptions_t *options CLEANUP(free_options) =
        new_options(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, deadline);
    rd_kafka_DescribeConfigs(admin->client.rk, &resource, 1, options, admin->queue);
    rd_kafka_ConfigResource_destroy(resource);
    if (await_event(admin, deadline, RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT, "describe a topic",
                    &event, err) < 0)
        return -1;
    const char *why = event_resource(event, &code, ret);
    if (!code) {
        *ret_event = event;
        return 1;
    }
    int result = 0;
    if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        result = kafka_error_set(err, code, "describe topic %.100s: %.200s", topic, why);
    rd_kafka_event_destroy(event);
    return result;
}

static const rd_kafka_ConfigEntry_t *find_entry(const rd_kafka_ConfigResource_t *resource,
                                                const char *name)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return entries[i];
    }
    return NULL;
}

static const char *entry_value(const rd_kafka_ConfigEntry_t *entry)
{
    const char *value = entry ? rd_kafka_ConfigEntry_value(entry) : NULL;
    return value ? value : "";
}

static const char *wanted_value(const struct kafka_topic *topic, const char *name)
{
    for (size_t i = 0; i < topic->config_count; i++) {
        if (strcmp(topic->configs[i].name, name) == 0)
            return topic->configs[i].value;
    }
    return NULL;
}

/*
 * The request that every version of librdkafka has replaces a topic's whole configuration. So what
 * was set on the topic and is not in our list goes along.
 */
static rd_kafka_ConfigResource_t *altered(const struct kafka_topic *topic,
                                          const rd_kafka_ConfigResource_t *described)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(described, &count);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic->name);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        if (rd_kafka_ConfigEntry_source(entries[i]) ==
                RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            !wanted_value(topic, name))
            (void)rd_kafka_ConfigResource_set_config(resource, name, entry_value(entries[i]));
    }
    for (size_t i = 0; i < topic->config_count; i++)
        (void)rd_kafka_ConfigResource_set_config(resource, topic->configs[i].name,
                                                 topic->configs[i].value);
    return resource;
}

static int alter_configs(struct apply *apply, const struct kafka_topic *topic,
                         const rd_kafka_ConfigResource_t *described, struct err *err)
{
    struct kafka_admin *admin = apply->admin;
    rd_kafka_event_t *event = NULL;
    rd_kafka_resp_err_t code;
    const rd_kafka_ConfigResource_t *result_resource = NULL;
    rd_kafka_ConfigResource_t *resource = altered(topic, described);
    rd_kafka_AdminOptions_t *options CLEANUP(free_options) =
        new_options(admin, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, apply->deadline);
    rd_kafka_AlterConfigs(admin->client.rk, &resource, 1, options, admin->queue);
    rd_kafka_ConfigResource_destroy(resource);
    if (await_event(admin, apply->deadline, RD_KAFKA_EVENT_ALTERCONFIGS_RESULT, "alter a topic",
                    &event, err) < 0)
        return -1;
    const char *why = event_resource(event, &code, &result_resource);
    int result = 0;
    if (code)
        result = kafka_error_set(err, code, "alter topic %.100s: %.200s", topic->name, why);
    rd_kafka_event_destroy(event);
    return result;
}

static int compare_configs(struct apply *apply, const struct kafka_topic *topic, struct err *err)
{
    rd_kafka_event_t *event = NULL;
    const rd_kafka_ConfigResource_t *resource = NULL;
    bool differs = false;
    int found = describe(apply->admin, topic->name, apply->deadline, &event, &resource, err);
    if (found < 0)
        return -1;
    if (found == 0)
        return kafka_error_set(err, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                               "topic %.100s has gone meanwhile", topic->name);
    for (size_t i = 0; i < topic->config_count && !differs; i++)
        differs = strcmp(entry_value(find_entry(resource, topic->configs[i].name)),
                         topic->configs[i].value) != 0;
    int result = 0;
    if (differs && apply->alter)
        result = alter_configs(apply, topic, resource, err);
    for (size_t i = 0; i < topic->config_count && result == 0; i++) {
        const struct kafka_pair *config = &topic->configs[i];
        const char *value = entry_value(find_entry(resource, config->name));
        if (strcmp(value, config->value) != 0)
            tell(apply, apply->alter ? KAFKA_TOPIC_CHANGED : KAFKA_TOPIC_DIFFERS, topic->name,
                 config->name, config->value, value);
    }
    rd_kafka_event_destroy(event);
    return result;
}

static int apply_topic(struct apply *apply, const struct kafka_topic *topic, struct err *err)
{
    int32_t count = 0;
    int found =
        kafka_client_partitions(&apply->admin->client, topic->name, apply->deadline, &count, err);
    if (found < 0)
        return -1;
    if (found == 0) {
        int created = create_topic(apply, topic, err);
        if (created < 0)
            return -1;
        if (created == 1)
            return 0;
        /* Made by somebody else this moment, so its partitions may not be known yet. */
        do {
            found = kafka_client_partitions(&apply->admin->client, topic->name, apply->deadline,
                                            &count, err);
        } while (found == 0 && kafka_deadline_again(apply->deadline));
        if (found <= 0)
            return found < 0 ? -1
                             : kafka_error_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT,
                                               "wait for topic %.100s", topic->name);
    }
    return compare_partitions(apply, topic, count, err) < 0 ? -1
                                                            : compare_configs(apply, topic, err);
}

int kafka_admin_apply_topics(struct kafka_admin *admin, const struct kafka_topic *topics, size_t n,
                             bool alter, kafka_change_fn told, void *opaque, struct err *err)
{
    struct apply apply = {.admin = admin, .alter = alter, .told = told, .opaque = opaque};
    for (size_t i = 0; i < n; i++) {
        apply.deadline = kafka_deadline(admin->client.call_timeout_ms);
        if (apply_topic(&apply, &topics[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < n && apply.changed; i++) {
        apply.deadline = kafka_deadline(admin->client.call_timeout_ms);
        if (await_topic(&apply, &topics[i], err) < 0)
            return -1;
    }
    return apply.changed ? 1 : 0;
}

/* Questions. */

int kafka_admin_topic_partitions(struct kafka_admin *admin, const char *topic, int32_t *ret_count,
                                 struct err *err)
{
    return kafka_client_partitions(&admin->client, topic,
                                   kafka_deadline(admin->client.call_timeout_ms), ret_count, err);
}

int kafka_admin_topic_config(struct kafka_admin *admin, const char *topic, const char *name,
                             char **ret_value, struct err *err)
{
    rd_kafka_event_t *event = NULL;
    const rd_kafka_ConfigResource_t *resource = NULL;
    int found = describe(admin, topic, kafka_deadline(admin->client.call_timeout_ms), &event,
                         &resource, err);
    if (found != 1)
        return found;
    const rd_kafka_ConfigEntry_t *entry = find_entry(resource, name);
    char *value = entry ? strdup(entry_value(entry)) : NULL;
    rd_kafka_event_destroy(event);
    if (entry && !value)
        return err_nomem(err);
    if (!entry)
        return 0;
    *ret_value = value;
    return 1;
}

int kafka_admin_bounds(struct kafka_admin *admin, const char *topic, int32_t partition,
                       int64_t *ret_low, int64_t *ret_high, struct err *err)
{
    return kafka_client_bounds(&admin->client, topic, partition,
                               kafka_deadline(admin->client.call_timeout_ms), ret_low, ret_high,
                               err);
}

/* One try: the code of the answer, or -1 in *ret_failed with *err when there was none. */
static rd_kafka_resp_err_t ask_group_offset(struct kafka_admin *admin, const char *group,
                                            const char *topic, int32_t partition, int64_t deadline,
                                            int64_t *ret_offset, int *ret_failed, struct err *err)
{
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    rd_kafka_AdminOptions_t *options CLEANUP(free_options) =
        new_options(admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, deadline);
    rd_kafka_error_t *error = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    if (error) {
        *ret_failed = kafka_error_take(err, error, "ask for a group's offset");
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_ListConsumerGroupOffsets_t *question =
        rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_ListConsumerGroupOffsets(admin->client.rk, &question, 1, options, admin->queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    *ret_failed = await_event(admin, deadline, RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT,
                              "ask for a group's offset", &event, err);
    if (*ret_failed < 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__FAIL;
    if (count == 1) {
        const rd_kafka_error_t *group_error = rd_kafka_group_result_error(results[0]);
        const rd_kafka_topic_partition_list_t *answer =
            rd_kafka_group_result_partitions(results[0]);
        if (group_error) {
            code = rd_kafka_error_code(group_error);
        } else if (answer && answer->cnt == 1) {
            code = answer->elems[0].err;
            *ret_offset = answer->elems[0].offset;
        }
    }
    rd_kafka_event_destroy(event);
    return code;
}

int kafka_admin_group_offset(struct kafka_admin *admin, const char *group, const char *topic,
                             int32_t partition, int64_t *ret_offset, struct err *err)
{
    int64_t deadline = kafka_deadline(admin->client.call_timeout_ms);
    int64_t offset = -1;
    rd_kafka_resp_err_t code;
    do {
        int failed = 0;
        code = ask_group_offset(admin, group, topic, partition, deadline, &offset, &failed, err);
        if (failed < 0)
            return -1;
    } while (kafka_error_kind(code) == ERR_RETRY && kafka_deadline_again(deadline));
    if (code)
        return kafka_error_set(err, code, "offset of group %.100s", group);
    if (offset < 0)
        return 0;
    *ret_offset = offset;
    return 1;
}
