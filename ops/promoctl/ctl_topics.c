/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl topics apply: the topics that schemas/topics.json describes, as it was built in.
 */
#include "ctl.h"
#include "ctl_print.h"
#include "kafka_admin.h"

static const struct ctl_column columns[] = {
    {"topic", false}, {"change", false}, {"what", false}, {"wanted", false}, {"found", false}};

struct run {
    const struct ctl *ctl;
    struct kafka_settings settings;
    struct kafka_topic topics[MSG_TOPIC_COUNT];
    struct ctl_table table;
    int told;
    int differ;
};

static const char *change_name(enum kafka_change change)
{
    switch (change) {
    case KAFKA_TOPIC_CREATED:
        return "created";
    case KAFKA_TOPIC_CHANGED:
        return "changed";
    case KAFKA_TOPIC_DIFFERS:
        return "differs";
    }
    return NULL;
}

static void told(void *opaque, enum kafka_change change, const char *topic, const char *what,
                 const char *wanted, const char *found)
{
    struct run *run = opaque;
    ctl_table_text(&run->table, topic);
    ctl_table_text(&run->table, change_name(change));
    ctl_table_text(&run->table, what);
    ctl_table_text(&run->table, wanted);
    ctl_table_text(&run->table, found);
    run->told++;
    run->differ += change == KAFKA_TOPIC_DIFFERS;
}

static int attempt(void *opaque, struct err *err)
{
    struct run *run = opaque;
    CLEANUP(kafka_admin_closep) struct kafka_admin *admin = NULL;
    if (kafka_admin_open(&run->settings, &admin, err) < 0)
        return -1;
    return kafka_admin_apply_topics(admin, run->topics, MSG_TOPIC_COUNT, run->ctl->options.alter,
                                    told, run, err) < 0
               ? -1
               : 0;
}

/* The configurations of all topics; the caller frees them. NULL: out of memory. */
static struct kafka_pair *fill_topics(struct run *run, const struct msg_topics *names)
{
    size_t total = 0;
    for (int i = 0; i < MSG_TOPIC_COUNT; i++)
        total += msg_topic_spec((enum msg_topic)i)->setting_count;
    struct kafka_pair *pairs = calloc(total + 1, sizeof *pairs);
    struct kafka_pair *next = pairs;
    for (int i = 0; pairs && i < MSG_TOPIC_COUNT; i++) {
        const struct msg_topic_spec *spec = msg_topic_spec((enum msg_topic)i);
        run->topics[i] = (struct kafka_topic){
            .name = names->names[i],
            .partitions = spec->partitions,
            .replication = (int16_t)run->ctl->options.replication,
            .configs = next,
            .config_count = spec->setting_count,
        };
        for (size_t k = 0; k < spec->setting_count; k++)
            *next++ = (struct kafka_pair){spec->settings[k].name, spec->settings[k].value};
    }
    return pairs;
}

int ctl_topics_apply(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    struct run run = {.ctl = ctl};
    struct msg_topics names;
    int64_t timeout_ms = 0;

    if (ctl->options.replication == 0)
        return ctl_usage(err, "--replication 0: -1 or at least 1");
    if (ctl_timeout_ms(ctl, 60000, &timeout_ms, err) < 0 || ctl_topic_names(ctl, &names, err) < 0 ||
        ctl_kafka_settings(ctl, &run.settings, err) < 0)
        return -1;
    /* One attempt stays well below the time that is given for all of them. */
    run.settings.call_timeout_ms = MAX_OF(1000, MIN_OF(timeout_ms, KAFKA_CALL_TIMEOUT_MS));
    struct kafka_pair *pairs = fill_topics(&run, &names);
    if (!pairs)
        return err_nomem(err);
    ctl_table_begin(&run.table, columns, ARRAY_LEN(columns), ctl->options.json, stdout);
    int got = ctl_retry(timeout_ms, "Kafka", attempt, &run, err);
    ctl_table_end(&run.table);
    free(pairs);
    if (got < 0)
        return err_wrap(err, "topics apply");
    if (!ctl->options.json && run.told == 0)
        printf("nothing to do, all %d topics are as they should be\n", MSG_TOPIC_COUNT);
    *ret_exit = run.differ ? CTL_NEGATIVE : CTL_OK;
    return 0;
}
