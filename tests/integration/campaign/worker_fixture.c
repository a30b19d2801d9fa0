/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_fixture.h"

#include "base_arena.h"
#include "base_time.h"
#include "db_migrate.h"
#include "db_query.h"
#include "kafka_admin.h"
#include "test_env.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SOURCE "shop"
#define LOG "campaign-worker.log" /* in the folder that the test runs in */
#define PATIENCE_US (60 * TIME_US_PER_S)

static void must(int said, const struct err *err)
{
    if (said < 0)
        fail_msg("%s %s: %s", err_kind_name(err->kind), err->code, err->text);
}

static struct kafka_settings settings(void)
{
    return (struct kafka_settings){.brokers = test_env_need("KAFKA_BROKERS")};
}

/* --- the worker
 * ---------------------------------------------------------------------------------------------- */

void worker_start(struct worker_fixture *fx)
{
    fx->worker = fork();
    assert_true(fx->worker >= 0);
    if (fx->worker > 0)
        return;
    int fd = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    (void)setenv("KAFKA_BROKERS", test_env_need("KAFKA_BROKERS"), 1);
    (void)setenv("PGURL", fx->url, 1);
    (void)setenv("PROMO_TOPIC_PREFIX", fx->prefix, 1);
    (void)execl(CAMPAIGN_WORKER, "campaign-worker", (char *)NULL);
    _exit(127);
}

static int await_exit(struct worker_fixture *fx)
{
    int64_t until = clock_mono(&clock_real) + PATIENCE_US;
    int status = 0;

    while (waitpid(fx->worker, &status, WNOHANG) == 0) {
        if (clock_mono(&clock_real) > until)
            fail_msg("the worker does not leave");
        (void)usleep(10000);
    }
    fx->worker = 0;
    return status;
}

void worker_stop(struct worker_fixture *fx)
{
    assert_int_equal(kill(fx->worker, SIGTERM), 0);
    int status = await_exit(fx);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void worker_kill(struct worker_fixture *fx)
{
    assert_int_equal(kill(fx->worker, SIGKILL), 0);
    assert_true(WIFSIGNALED(await_exit(fx)));
}

/* --- set-up
 * --------------------------------------------------------------------------------------------------
 */

static const enum msg_topic used[] = {MSG_TOPIC_CAMPAIGN_COMMANDS, MSG_TOPIC_CAMPAIGN_EVENTS,
                                      MSG_TOPIC_JOB_EVENTS, MSG_TOPIC_DEAD_LETTER};

static void make_topics(struct worker_fixture *fx)
{
    struct kafka_settings kafka = settings();
    struct kafka_topic topics[ARRAY_LEN(used)];
    struct kafka_pair pairs[ARRAY_LEN(used)][16];
    CLEANUP(kafka_admin_closep) struct kafka_admin *admin = NULL;
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(used); i++) {
        const struct msg_topic_spec *spec = msg_topic_spec(used[i]);

        assert_true(spec->setting_count <= ARRAY_LEN(pairs[0]));
        for (size_t j = 0; j < spec->setting_count; j++)
            pairs[i][j] = (struct kafka_pair){spec->settings[j].name, spec->settings[j].value};
        /* One partition each, so that we see events in the order in which they came. */
        topics[i] = (struct kafka_topic){.name = fx->topics.names[used[i]],
                                         .partitions = 1,
                                         .replication = -1,
                                         .configs = pairs[i],
                                         .config_count = spec->setting_count};
    }
    must(kafka_admin_open(&kafka, &admin, &err), &err);
    must(kafka_admin_apply_topics(admin, topics, ARRAY_LEN(topics), false, NULL, NULL, &err), &err);
}

static void open_reader(struct worker_fixture *fx)
{
    struct kafka_settings kafka = settings();
    struct kafka_range ranges[ARRAY_LEN(used) - 1];
    struct err err = {0};

    for (size_t i = 1; i < ARRAY_LEN(used); i++)
        ranges[i - 1] = (struct kafka_range){fx->topics.names[used[i]], 0, 0, KAFKA_READ_ON};
    must(kafka_reader_open(&kafka, &fx->reader, &err), &err);
    must(kafka_reader_assign(fx->reader, ranges, ARRAY_LEN(ranges), &err), &err);
}

int worker_open(void **state)
{
    static struct worker_fixture fx;
    struct kafka_settings kafka = settings();
    struct db_settings db = {.url = test_env_database()};
    struct err err = {0};

    *state = &fx;
    fx.url = db.url;
    fx.arena = arena_new(1 << 20, 0);
    assert_non_null(fx.arena);
    snprintf(fx.prefix, sizeof(fx.prefix), "it-campaign-%d-%" PRId64, (int)getpid(),
             clock_wall(&clock_real) / TIME_US_PER_MS);
    must(msg_topics_init(&fx.topics, fx.prefix, &err), &err);
    must(db_conn_open(&db, &fx.db, &err), &err);
    must(db_migrate(fx.db, NULL, NULL, &err), &err);
    make_topics(&fx);
    must(kafka_producer_open_plain(&kafka, NULL, NULL, &fx.producer, &err), &err);
    open_reader(&fx);
    (void)unlink(LOG);
    worker_start(&fx);
    return 0;
}

int worker_close(void **state)
{
    struct worker_fixture *fx = *state;

    if (fx->worker > 0)
        worker_kill(fx);
    kafka_reader_close(fx->reader);
    kafka_producer_drop(fx->producer);
    db_conn_close(fx->db);
    arena_free(fx->arena);
    return 0;
}

/* --- commands in
 * --------------------------------------------------------------------------------------------- */

static void send_record(struct worker_fixture *fx, const struct record_header *headers,
                        size_t count, const char *value, size_t len)
{
    const struct record record = {
        .topic = fx->topics.names[MSG_TOPIC_CAMPAIGN_COMMANDS],
        .partition = 0,
        .value = value,
        .value_len = len,
        .headers = headers,
        .header_count = count,
    };
    struct err err = {0};

    must(kafka_producer_send(fx->producer, &record, &err), &err);
    must(kafka_producer_flush(fx->producer, 30000, &err), &err);
}

#define HEADER(name, text)                                                                         \
    {                                                                                              \
        (name), (text), strlen(text)                                                               \
    }

void worker_send(struct worker_fixture *fx, const char *type, const char *id, const char *data,
                 ptrdiff_t len)
{
    const struct record_header headers[] = {
        HEADER("content-type", "application/json"),
        HEADER("ce_specversion", "1.0"),
        HEADER("ce_source", SOURCE),
        HEADER("ce_type", type),
        HEADER("ce_id", id == NULL ? "" : id),
        HEADER("ce_actor", "ann"),
    };

    send_record(fx, headers, id == NULL ? 1 : ARRAY_LEN(headers), data,
                len < 0 ? strlen(data) : (size_t)len);
}

void worker_send_structured(struct worker_fixture *fx, const char *event)
{
    const struct record_header header = HEADER("content-type", "application/cloudevents+json");

    send_record(fx, &header, 1, event, strlen(event));
}

/* --- events out
 * ---------------------------------------------------------------------------------------------- */

static const char *keep(struct worker_fixture *fx, const void *bytes, size_t len)
{
    const char *text = bytes == NULL ? "" : arena_memdup(fx->arena, bytes, len);

    assert_non_null(text);
    return text;
}

static const char *header(struct worker_fixture *fx, const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return keep(fx, record->headers[i].value, record->headers[i].len);
    return "";
}

/* Read one event, if one comes within `ms`. */
static bool look(struct worker_fixture *fx, int ms)
{
    CLEANUP(kafka_message_freep) struct kafka_message *message = NULL;
    struct err err = {0};
    int got = kafka_reader_poll(fx->reader, ms, &message, &err);
    struct seen *seen = &fx->seen[fx->seen_count];

    must(got, &err);
    if (got == 0)
        return false;
    const struct record *record = kafka_message_record(message);

    assert_true(fx->seen_count < SEEN_MAX);
    *seen = (struct seen){
        .key = keep(fx, record->key, record->key_len),
        .type = header(fx, record, "ce_type"),
        .id = header(fx, record, "ce_id"),
        .cause_id = header(fx, record, "ce_causationid"),
        .cause_source = header(fx, record, "ce_causationsource"),
        .repeated = header(fx, record, "ce_repeated"),
        .data = keep(fx, record->value, record->value_len),
    };
    assert_true(msg_topics_find(&fx->topics, record->topic, &seen->topic));
    fx->seen_count++;
    return true;
}

void worker_await(struct worker_fixture *fx, size_t count)
{
    int64_t until = clock_mono(&clock_real) + PATIENCE_US;

    while (fx->seen_count < count && clock_mono(&clock_real) < until)
        (void)look(fx, 200);
    while (look(fx, 500))
        ;
    assert_int_equal(fx->seen_count, count);
}

static const struct seen *find(const struct worker_fixture *fx, const char *cause_id, size_t nth)
{
    for (size_t i = 0; i < fx->seen_count; i++)
        if (strcmp(fx->seen[i].cause_id, cause_id) == 0 && nth-- == 0)
            return &fx->seen[i];
    return NULL;
}

const struct seen *worker_answer(struct worker_fixture *fx, const char *cause_id, size_t nth)
{
    int64_t until = clock_mono(&clock_real) + PATIENCE_US;
    const struct seen *seen = find(fx, cause_id, nth);

    while (seen == NULL && clock_mono(&clock_real) < until) {
        (void)look(fx, 200);
        seen = find(fx, cause_id, nth);
    }
    if (seen == NULL)
        fail_msg("no answer to %s; the worker's log is " LOG, cause_id);
    return seen;
}

/* --- as if it had died
 * --------------------------------------------------------------------------------------- */

/* Set the group's offset to 0: 0, or -1 while the group still has a member. */
static int alter_offset(const char *group, const char *topic)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", test_env_need("KAFKA_BROKERS"),
                                       text, sizeof(text)),
                     RD_KAFKA_CONF_OK);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));

    assert_non_null(client);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(parts, topic, 0)->offset = 0;
    rd_kafka_AlterConsumerGroupOffsets_t *alter =
        rd_kafka_AlterConsumerGroupOffsets_new(group, parts);

    rd_kafka_AlterConsumerGroupOffsets(client, &alter, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 10000);
    int said = -1;

    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = 0;
        const rd_kafka_group_result_t **results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);

        if (count == 1 && rd_kafka_group_result_error(results[0]) == NULL &&
            rd_kafka_group_result_partitions(results[0])->elems[0].err ==
                RD_KAFKA_RESP_ERR_NO_ERROR)
            said = 0;
    }
    rd_kafka_event_destroy(event);
    rd_kafka_AlterConsumerGroupOffsets_destroy(alter);
    rd_kafka_topic_partition_list_destroy(parts);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return said;
}

void worker_forget_progress(struct worker_fixture *fx)
{
    int64_t until = clock_mono(&clock_real) + PATIENCE_US;
    char group[MSG_TOPIC_PREFIX_MAX + 16];

    assert_int_equal(fx->worker, 0);
    snprintf(group, sizeof(group), "%s.campaign", fx->prefix);
    worker_exec(fx, "update progress set from_offset = 0");
    /* A static member stays in its group until its session is over. */
    while (alter_offset(group, fx->topics.names[MSG_TOPIC_CAMPAIGN_COMMANDS]) < 0) {
        if (clock_mono(&clock_real) > until)
            fail_msg("the group's offset cannot be set");
        (void)usleep(500000);
    }
}

int64_t worker_int(struct worker_fixture *fx, const char *sql)
{
    CLEANUP(db_result_done) struct db_result res = {0};
    struct err err = {0};

    must(db_query_once(fx->db, sql, NULL, &res, &err), &err);
    assert_int_equal(db_result_rows(&res), 1);
    return db_get_int64(&res, 0, 0);
}

void worker_exec(struct worker_fixture *fx, const char *sql)
{
    struct err err = {0};

    must(db_exec(fx->db, sql, &err), &err);
}
