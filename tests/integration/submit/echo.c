/* SPDX-License-Identifier: Apache-2.0
 *
 * echo BROKERS PREFIX: stands in for the fleet in the tests of promoctl submit. It reads the
 * command topics of a prefix from their first record and answers every command as its data ask for:
 *
 *   {"echo": {"answer": "ok" | "reject" | "dead" | "silent" | "stranger" | "twice" | "repeated",
 *             "delay_ms": N, "data": {...}}}
 *
 * ok (also when nothing is asked for): the outcome of the command's kind, for jobs accepted and
 * progressed at once and completed after the delay. stranger: first the outcomes of commands that
 * nobody sent. twice: the same outcome again. repeated: only marked as such. The outcome's data are
 * as asked for, else they tell how many commands were unanswered when this one was read.
 *
 * Every record that was read is written to stdout as a JSON line. Ends with its standard input.
 */
#include "base_time.h"
#include "jsonio.h"
#include "jsonio_writer.h"
#include "kafka_producer.h"
#include "kafka_reader.h"
#include "msg_event.h"

#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#define RANGES_MAX 128
#define DUE_MAX 65536
#define POLL_MS 10

struct due {
    int64_t at_us;
    enum msg_topic topic;
    const struct msg_command_type *type;
    struct msg_envelope envelope; /* texts in the arena */
    const char *answer;
    const char *data;
    int64_t unanswered;
    struct record record; /* in the arena */
};

static struct {
    struct msg_topics names;
    struct kafka_settings settings;
    struct kafka_reader *reader;
    struct kafka_producer *producer;
    struct arena *arena; /* never reset: the program is short-lived */
    struct due *due;
    size_t due_count;
} echo;

static void die(const struct err *err)
{
    fprintf(stderr, "echo: %s\n", err->text);
    exit(1);
}

static void delivered(void *opaque, void *tag, int32_t partition, int64_t offset,
                      const struct err *err)
{
    (void)opaque, (void)tag, (void)partition, (void)offset;
    if (err)
        die(err);
}

static void send_record(const struct record *record)
{
    struct err err = {0};
    if (kafka_producer_send_tagged(echo.producer, record, NULL, &err) < 0)
        die(&err);
}

static void send_event(const struct due *due, const char *type, const char *source, const char *id)
{
    struct err err = {0};
    struct record record;
    enum msg_topic topic = msg_topic_events(due->topic);
    const char *data = due->data;
    if (!data)
        data = arena_printf(echo.arena, "{\"unanswered\":%" PRId64 "}", due->unanswered);
    struct msg_event event = {.type = type,
                              .topic = topic,
                              .key = id,
                              .source = "promofleet/echo",
                              .time_us = clock_wall(&clock_real),
                              .cause_id = id,
                              .cause_source = source,
                              .traceparent = due->envelope.traceparent,
                              .repeated = strcmp(due->answer, "repeated") == 0,
                              .data = data,
                              .data_len = strlen(data)};

    msg_event_id(msg_topic_kind(due->topic), source, id, type, NULL, 0, event.id);
    if (msg_event_record(echo.arena, &echo.names, &event, &record, &err) < 0)
        die(&err);
    send_record(&record);
}

static bool is_job(const struct due *due)
{
    return due->topic == MSG_TOPIC_GENERATE_COMMANDS || due->topic == MSG_TOPIC_EXPORT_COMMANDS;
}

static const char *outcome_type(const struct due *due)
{
    switch (msg_topic_kind(due->topic)) {
    case MSG_KIND_CAMPAIGN:
        return msg_event_type(MSG_EVENT_CAMPAIGN_CHANGED)->name;
    case MSG_KIND_REDEEM:
        return msg_event_type(MSG_EVENT_CODE_REDEEMED)->name;
    case MSG_KIND_MAINTAIN:
        return msg_event_type(MSG_EVENT_JOB_STEERED)->name;
    case MSG_KIND_GENERATE:
    case MSG_KIND_EXPORT:
    case MSG_KIND_NONE:
    case MSG_KIND_INTERNAL:
        break;
    }
    return msg_event_type(MSG_EVENT_JOB_COMPLETED)->name;
}

static void answer(const struct due *due)
{
    const char *source = due->envelope.source;
    const char *id = due->envelope.id;
    struct err err = {0};

    if (strcmp(due->answer, "dead") == 0) {
        struct err why = {0};
        struct record record;
        (void)err_field(&why, "", "made_up", "because the test wants it");
        if (msg_dead_letter_record(echo.arena, &echo.names, &due->record, "APPLY", &why, &record,
                                   &err) < 0)
            die(&err);
        send_record(&record);
        return;
    }
    if (strcmp(due->answer, "stranger") == 0) {
        send_event(due, outcome_type(due), source, "of-nobody");
        send_event(due, outcome_type(due), "of-nobody", id);
    }
    if (strcmp(due->answer, "twice") == 0)
        send_event(due, outcome_type(due), source, id);
    send_event(due, strcmp(due->answer, "reject") == 0 ? due->type->rejected : outcome_type(due),
               source, id);
}

static const char *asked_data(const struct json_object *asked)
{
    CLEANUP(buf_done) struct buf buf = {0};
    struct json_object *data = NULL;
    struct jsonio_writer writer;

    if (!jsonio_member(asked, "data", &data))
        return NULL;
    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_put_node(&writer, data);
    return arena_strdup(echo.arena, buf.data);
}

static void print_record(const struct record *record)
{
    struct jsonio_writer writer;
    struct buf buf;

    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "topic", record->topic);
    jsonio_add_int(&writer, "partition", record->partition);
    jsonio_put_key(&writer, "key");
    jsonio_put_text_len(&writer, record->key ? record->key : "", record->key_len);
    jsonio_put_key(&writer, "headers");
    jsonio_begin_object(&writer);
    for (size_t i = 0; i < record->header_count; i++) {
        jsonio_put_key(&writer, record->headers[i].name);
        jsonio_put_text_len(&writer, record->headers[i].value, record->headers[i].len);
    }
    jsonio_end_object(&writer);
    jsonio_put_key(&writer, "value");
    jsonio_put_text_len(&writer, record->value, record->value_len);
    jsonio_end_object(&writer);
    printf("%s\n", buf.data);
    fflush(stdout);
    buf_done(&buf);
}

static struct record copy_record(const struct record *record)
{
    struct record copy = *record;
    struct record_header *headers =
        arena_zalloc(echo.arena, record->header_count + 1, sizeof *headers);

    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct record_header){
            arena_strdup(echo.arena, record->headers[i].name),
            arena_memdup(echo.arena, record->headers[i].value, record->headers[i].len),
            record->headers[i].len};
    copy.topic = arena_strdup(echo.arena, record->topic);
    copy.key = arena_memdup(echo.arena, record->key, record->key_len);
    copy.value = arena_memdup(echo.arena, record->value, record->value_len);
    copy.headers = headers;
    return copy;
}

static void take(const struct record *record)
{
    struct err err = {0};
    struct json_object *data = NULL;
    struct json_object *asked = NULL;
    struct due due = {.answer = "ok"};
    const char *text = NULL;
    int64_t delay_ms = 0;

    print_record(record);
    (void)msg_topics_find(&echo.names, record->topic, &due.topic);
    if (msg_envelope_read(echo.arena, record, &due.envelope, &data, &err) < 0)
        return; /* nobody to answer */
    due.type = msg_command_type_find(due.envelope.type);
    if (!due.type || echo.due_count == DUE_MAX)
        exit(1);
    if (jsonio_type(data) == JSONIO_OBJECT && jsonio_member(data, "echo", &asked)) {
        if (jsonio_get_text(asked, "", "answer", 16, &text, &err) > 0)
            due.answer = arena_strdup(echo.arena, text);
        (void)!jsonio_get_int(asked, "", "delay_ms", 0, 60000, &delay_ms, &err);
        due.data = asked_data(asked);
    }
    jsonio_free(data);
    due.unanswered = (int64_t)echo.due_count;
    due.at_us = clock_mono(&clock_real) + delay_ms * TIME_US_PER_MS;
    due.record = copy_record(record);
    if (strcmp(due.answer, "silent") == 0)
        return;
    if (is_job(&due) && strcmp(due.answer, "reject") != 0) {
        send_event(&due, msg_event_type(MSG_EVENT_JOB_ACCEPTED)->name, due.envelope.source,
                   due.envelope.id);
        send_event(&due, msg_event_type(MSG_EVENT_JOB_PROGRESSED)->name, due.envelope.source,
                   due.envelope.id);
    }
    if (delay_ms > 0)
        echo.due[echo.due_count++] = due;
    else
        answer(&due);
}

static void answer_due(void)
{
    int64_t now = clock_mono(&clock_real);
    size_t kept = 0;

    for (size_t i = 0; i < echo.due_count; i++) {
        if (echo.due[i].at_us <= now)
            answer(&echo.due[i]);
        else
            echo.due[kept++] = echo.due[i];
    }
    echo.due_count = kept;
}

static void open_all(void)
{
    struct kafka_range ranges[RANGES_MAX];
    size_t count = 0;
    struct err err = {0};

    if (kafka_reader_open(&echo.settings, &echo.reader, &err) < 0 ||
        kafka_producer_open_plain(&echo.settings, delivered, NULL, &echo.producer, &err) < 0)
        die(&err);
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        enum msg_kind kind = msg_topic_kind((enum msg_topic)i);
        int32_t partitions = 0;
        if (kind == MSG_KIND_NONE || kind == MSG_KIND_INTERNAL)
            continue;
        if (kafka_reader_partitions(echo.reader, echo.names.names[i], &partitions, &err) < 0)
            die(&err);
        for (int32_t p = 0; p < partitions && count < RANGES_MAX; p++)
            ranges[count++] = (struct kafka_range){echo.names.names[i], p, 0, KAFKA_READ_ON};
    }
    if (kafka_reader_assign(echo.reader, ranges, count, &err) < 0)
        die(&err);
}

int main(int argc, char **argv)
{
    struct err err = {0};

    if (argc != 3)
        return 2;
    echo.settings = (struct kafka_settings){.brokers = argv[1], .client_id = "echo"};
    echo.arena = arena_new(1024 * 1024, 0);
    echo.due = calloc(DUE_MAX, sizeof *echo.due);
    if (!echo.arena || !echo.due || msg_topics_init(&echo.names, argv[2], &err) < 0)
        return 2;
    open_all();
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        struct kafka_message *message = NULL;
        int wait_ms = POLL_MS;
        int got;
        while ((got = kafka_reader_poll(echo.reader, wait_ms, &message, &err)) > 0) {
            take(kafka_message_record(message));
            kafka_message_free(message);
            wait_ms = 0;
        }
        if (got < 0)
            die(&err);
        answer_due();
        (void)!kafka_producer_flush(echo.producer, 0, &err);
        if (poll(&input, 1, 0) > 0)
            break;
    }
    kafka_reader_close(echo.reader);
    kafka_producer_drop(echo.producer);
    arena_free(echo.arena);
    free(echo.due);
    return 0;
}
