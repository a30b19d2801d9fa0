/* SPDX-License-Identifier: Apache-2.0
 *
 * Every command in Kafka has one outcome in Kafka.
 *
 * Order matters: first how far the workers are known to have answered (table progress), then the
 * events and dead letters, then the commands. So a command below that point has its outcome among
 * what was read, and one above it may still be on its way.
 */
#include "ctl_audit_kafka.h"

#include "base_parse.h"
#include "base_signal.h"
#include "db_query.h"
#include "db_tx.h"
#include "jsonio_writer.h"
#include "kafka_reader.h"
#include "msg_envelope.h"
#include "msg_event.h"

#include <inttypes.h>

#define RANGES_MAX 1024
#define EVENT_MAX ((size_t)16 * 1024 * 1024)
#define POLL_MS 1000
/* Nothing new for so long although the end is not reached: the broker is gone. */
#define SILENCE_US (30 * TIME_US_PER_S)

int ctl_audit_kafka_new(const struct ctl *ctl, struct ctl_audit_kafka **ret, struct err *err)
{
    CLEANUP(ctl_audit_kafka_freep) struct ctl_audit_kafka *audit = calloc(1, sizeof *audit);
    if (!audit)
        return err_nomem(err);
    if (ctl_kafka_settings(ctl, &audit->settings, err) < 0 ||
        ctl_topic_names(ctl, &audit->names, err) < 0 || ctl_facts_init(&audit->facts, err) < 0)
        return -1;
    *ret = audit;
    audit = NULL;
    return 0;
}

void ctl_audit_kafka_free(struct ctl_audit_kafka *audit)
{
    if (!audit)
        return;
    ctl_facts_done(&audit->facts);
    free(audit->answered);
    free(audit);
}

int ctl_audit_kafka_before(struct ctl_audit_kafka *audit, struct db_conn *db, struct err *err)
{
    CLEANUP(db_result_done) struct db_result res = {0};

    if (db_query_once(db, "select topic, partition, min(from_offset) from progress group by 1, 2",
                      NULL, &res, err) < 0)
        return -1;
    int rows = db_result_rows(&res);
    audit->answered = calloc((size_t)rows + 1, sizeof *audit->answered);
    if (!audit->answered)
        return err_nomem(err);
    for (int row = 0; row < rows; row++) {
        struct ctl_answered *answered = &audit->answered[audit->answered_count];
        if (!msg_topics_find(&audit->names, db_get_text(&res, row, 0, NULL), &answered->topic))
            continue;
        answered->partition = db_get_int32(&res, row, 1);
        answered->from = db_get_int64(&res, row, 2);
        audit->answered_count++;
    }
    return ctl_ledger_jobs(audit, db, true, err);
}

static bool is_answered(const struct ctl_audit_kafka *audit, enum msg_topic topic,
                        const struct record *record)
{
    for (size_t i = 0; i < audit->answered_count; i++) {
        const struct ctl_answered *at = &audit->answered[i];
        if (at->topic == topic && at->partition == record->partition)
            return record->offset < at->from;
    }
    return false;
}

struct text {
    const char *at;
    size_t len;
};

static bool header(const struct record *record, const char *name, struct text *ret_text)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (record->headers[i].value && strcmp(record->headers[i].name, name) == 0) {
            *ret_text = (struct text){record->headers[i].value, record->headers[i].len};
            return true;
        }
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_len = strlen(text);
    size_t end_len = strlen(end);
    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

/* The figures of a code.redeemed that the ledger has, too. */
static void note_redeemed(struct ctl_fact *fact, const struct json_object *data)
{
    struct json_object *codes = NULL;
    struct json_object *total = NULL;

    fact->redeemed++;
    fact->codes = 0;
    fact->discount_minor = 0;
    if (jsonio_type(data) != JSONIO_OBJECT)
        return;
    if (jsonio_member(data, "codes", &codes) && jsonio_type(codes) == JSONIO_ARRAY)
        fact->codes = (uint32_t)jsonio_length(codes);
    if (jsonio_member(data, "discount_total_minor", &total) && jsonio_type(total) == JSONIO_INT)
        fact->discount_minor = jsonio_int(total);
}

static int note_said(struct ctl_audit_kafka *audit, struct ctl_fact *fact, const char *type,
                     const struct record *record, struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *data = NULL;
    uint8_t hash[JSONIO_HASH_LEN];
    struct err ignored = {0};

    if (!record->value ||
        jsonio_parse(record->value, record->value_len, EVENT_MAX, &data, &ignored) < 0)
        return 0; /* says nothing that the ledger could have: comes out as missing */
    if (fact->events == MSG_TOPIC_REDEMPTION_EVENTS) {
        if (strcmp(type, msg_event_type(MSG_EVENT_CODE_REDEEMED)->name) == 0)
            note_redeemed(fact, data);
        return 0;
    }
    if (jsonio_canonical_hash(type, data, hash, err) < 0)
        return -1;
    return ctl_fact_add_said(&audit->facts, fact, hash, err);
}

static bool is_end_of_job(enum msg_event_id id)
{
    return id == MSG_EVENT_JOB_COMPLETED || id == MSG_EVENT_JOB_FAILED ||
           id == MSG_EVENT_JOB_CANCELLED;
}

static int take_event(struct ctl_audit_kafka *audit, enum msg_topic topic,
                      const struct record *record, struct err *err)
{
    struct text type, source, id, repeated;
    char name[MSG_TYPE_MAX + 1];

    if (!header(record, "ce_type", &type) || !header(record, "ce_causationsource", &source) ||
        !header(record, "ce_causationid", &id) || type.len > MSG_TYPE_MAX)
        return 0; /* nobody's answer */
    memcpy(name, type.at, type.len);
    name[type.len] = '\0';
    const struct msg_event_type *known = msg_event_type_find(name);
    if (!known || known->id == MSG_EVENT_JOB_PROGRESSED)
        return 0;
    struct ctl_fact *fact =
        ctl_facts_get(&audit->facts, topic, source.at, source.len, id.at, id.len);
    if (!fact)
        return err_nomem(err);
    bool is_repeated = header(record, "ce_repeated", &repeated);
    if (is_end_of_job(known->id)) {
        fact->ends += !is_repeated;
    } else {
        fact->answers++;
        fact->fresh += !is_repeated;
        fact->positive += !is_repeated && !ends_with(name, ".rejected.v1");
    }
    return is_repeated ? 0 : note_said(audit, fact, name, record, err);
}

/* Dead letters are known by where their original stood: topic, and "partition/offset". */
static struct ctl_fact *dead_letter(struct ctl_audit_kafka *audit, const char *topic,
                                    size_t topic_len, const char *place, bool make)
{
    return make ? ctl_facts_get(&audit->facts, MSG_TOPIC_DEAD_LETTER, topic, topic_len, place,
                                strlen(place))
                : ctl_facts_find(&audit->facts, MSG_TOPIC_DEAD_LETTER, topic, topic_len, place,
                                 strlen(place));
}

static int take_dead_letter(struct ctl_audit_kafka *audit, const struct record *record,
                            struct err *err)
{
    struct text topic, partition, offset;
    char place[64];

    if (!header(record, "__connect.errors.topic", &topic) ||
        !header(record, "__connect.errors.partition", &partition) ||
        !header(record, "__connect.errors.offset", &offset) || partition.len + offset.len > 60)
        return 0; /* not one of ours */
    snprintf(place, sizeof place, "%.*s/%.*s", (int)partition.len, partition.at, (int)offset.len,
             offset.at);
    struct ctl_fact *fact = dead_letter(audit, topic.at, topic.len, place, true);
    if (!fact)
        return err_nomem(err);
    fact->answers++;
    return 0;
}

static void report_record(struct ctl_report *report, const char *what, const struct record *record)
{
    char id[64];
    snprintf(id, sizeof id, "partition %" PRId32 ", offset %" PRId64, record->partition,
             record->offset);
    ctl_report_command(report, what, record->topic, NULL, id, NULL);
}

static int take_command(struct ctl_audit_kafka *audit, struct arena *arena,
                        struct ctl_report *report, enum msg_topic topic,
                        const struct record *record, struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *data = NULL;
    struct msg_envelope envelope;
    struct err why = {0};
    char place[64];

    snprintf(place, sizeof place, "%" PRId32 "/%" PRId64, record->partition, record->offset);
    struct ctl_fact *dead = dead_letter(audit, record->topic, strlen(record->topic), place, false);
    bool pending = !is_answered(audit, topic, record);
    audit->records++;
    audit->pending += pending;
    if (dead && dead->answers > 1)
        report_record(report, "in the dead letter more than once", record);
    int got = msg_envelope_read(arena, record, &envelope, &data, &why);
    if (got < 0 && why.kind != ERR_POISON) {
        *err = why;
        return -1;
    }
    if (got < 0) {
        if (!dead && !pending && !audit->cut[MSG_TOPIC_DEAD_LETTER])
            report_record(report, "not readable, and not in the dead letter", record);
        return 0;
    }
    struct ctl_fact *fact =
        ctl_facts_get(&audit->facts, msg_topic_events(topic), envelope.source,
                      strlen(envelope.source), envelope.id, strlen(envelope.id));
    if (!fact)
        return err_nomem(err);
    fact->records++;
    fact->pending += pending && !dead;
    fact->dead += dead != NULL;
    return 0;
}

typedef int (*take_fn)(struct ctl_audit_kafka *audit, struct arena *arena,
                       struct ctl_report *report, enum msg_topic topic, const struct record *record,
                       struct err *err);

static int take_outcome(struct ctl_audit_kafka *audit, struct arena *arena,
                        struct ctl_report *report, enum msg_topic topic,
                        const struct record *record, struct err *err)
{
    (void)arena;
    (void)report;
    return topic == MSG_TOPIC_DEAD_LETTER ? take_dead_letter(audit, record, err)
                                          : take_event(audit, topic, record, err);
}

/* All partitions of the topics in `topics` (bits), from their first to their last stable offset. */
static int assign_all(struct ctl_audit_kafka *audit, struct kafka_reader *reader, unsigned topics,
                      struct err *err)
{
    struct kafka_range ranges[RANGES_MAX];
    size_t count = 0;

    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        const char *topic = audit->names.names[i];
        int32_t partitions = 0;
        if (!(topics >> i & 1))
            continue;
        int got = kafka_reader_partitions(reader, topic, &partitions, err);
        if (got <= 0)
            return got < 0
                       ? -1
                       : err_set(err, ERR_FATAL, "ctl", "no_topic", "there is no topic %s", topic);
        for (int32_t p = 0; p < partitions; p++) {
            int64_t low = 0, high = 0;
            if (count == RANGES_MAX)
                return err_set(err, ERR_FATAL, "ctl", "partitions", "more than %d partitions",
                               RANGES_MAX);
            if (kafka_reader_bounds(reader, topic, p, &low, &high, err) < 0)
                return -1;
            audit->cut[i] |= low > 0;
            ranges[count++] = (struct kafka_range){topic, p, low, high};
        }
    }
    return kafka_reader_assign(reader, ranges, count, err);
}

static int read_all(struct ctl_audit_kafka *audit, struct kafka_reader *reader, unsigned topics,
                    take_fn take, struct ctl_report *report, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024 * 1024, 0);
    int64_t last_us = clock_mono(&clock_real);

    if (!arena)
        return err_nomem(err);
    if (assign_all(audit, reader, topics, err) < 0)
        return -1;
    while (!kafka_reader_done(reader)) {
        struct kafka_message *message = NULL;
        enum msg_topic topic;
        if (signal_stop_requested())
            return err_set(err, ERR_TRANSIENT, "ctl", "stopped", "interrupted");
        int got = kafka_reader_poll(reader, POLL_MS, &message, err);
        if (got < 0)
            return -1;
        int64_t now_us = clock_mono(&clock_real);
        if (got == 0 && now_us - last_us > SILENCE_US)
            return err_set(err, ERR_TRANSIENT, "kafka", "silent",
                           "Kafka has sent nothing for %d s, though there is more to read",
                           (int)(SILENCE_US / TIME_US_PER_S));
        if (got == 0)
            continue;
        last_us = now_us;
        const struct record *record = kafka_message_record(message);
        if (msg_topics_find(&audit->names, record->topic, &topic))
            got = take(audit, arena, report, topic, record, err);
        kafka_message_free(message);
        arena_reset(arena);
        if (got < 0)
            return -1;
    }
    /* Let go, or each question about the next topics waits behind a fetch that finds nothing. */
    return kafka_reader_assign(reader, NULL, 0, err);
}

enum msg_topic ctl_events_of_kind(int kind)
{
    return kind == MSG_KIND_CAMPAIGN ? MSG_TOPIC_CAMPAIGN_EVENTS
           : kind == MSG_KIND_REDEEM ? MSG_TOPIC_REDEMPTION_EVENTS
                                     : MSG_TOPIC_JOB_EVENTS;
}

void ctl_report_command(struct ctl_report *report, const char *what, const char *topic,
                        const char *source, const char *id, const char *detail)
{
    CLEANUP(buf_done) struct buf buf = {0};
    struct jsonio_writer writer;

    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    jsonio_begin_object(&writer);
    jsonio_add_text(&writer, "what", what);
    jsonio_add_text(&writer, "topic", topic);
    if (source)
        jsonio_add_text(&writer, "source", source);
    jsonio_add_text(&writer, "id", id);
    if (detail)
        jsonio_add_text(&writer, "detail", detail);
    jsonio_end_object(&writer);
    ctl_report_row(report, buf.data, buf.len);
}

bool ctl_fact_must_be_answered(const struct ctl_audit_kafka *audit, const struct ctl_fact *fact)
{
    return fact->records > fact->pending && !audit->cut[fact->events];
}

static bool commands_are_cut(const struct ctl_audit_kafka *audit, enum msg_topic events)
{
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        enum msg_kind kind = msg_topic_kind((enum msg_topic)i);
        if (kind != MSG_KIND_NONE && kind != MSG_KIND_INTERNAL && audit->cut[i] &&
            msg_topic_events((enum msg_topic)i) == events)
            return true;
    }
    return false;
}

static void judge(struct ctl_audit_kafka *audit, const struct ctl_fact *fact,
                  struct ctl_report *report)
{
    const char *topic = audit->names.names[fact->events];
    uint32_t outcomes = fact->answers + fact->dead;
    char figures[160];

    snprintf(figures, sizeof figures,
             "sent %u times, %u answers, %u of them repeated, %u dead letters, %u ends of a job",
             fact->records, fact->answers, fact->answers - fact->fresh, fact->dead, fact->ends);
    if (outcomes < fact->records - fact->pending) {
        if (audit->cut[fact->events])
            audit->unjudged++;
        else
            ctl_report_command(report, "no outcome", topic, fact->source, fact->id, figures);
        return;
    }
    if (outcomes > fact->records && !commands_are_cut(audit, fact->events))
        ctl_report_command(report, "more outcomes than commands", topic, fact->source, fact->id,
                           figures);
    else if (ctl_fact_must_be_answered(audit, fact) && fact->fresh + fact->dead == 0)
        ctl_report_command(report, "only repeated outcomes", topic, fact->source, fact->id,
                           figures);
    if (fact->ends > fact->ended_after ||
        (fact->ends < fact->ended_before && !audit->cut[fact->events]))
        ctl_report_command(report, "ends published are not the ends of jobs", topic, fact->source,
                           fact->id, figures);
}

#define ONE_OUTCOME "kafka_one_outcome"

int ctl_audit_kafka_run(struct ctl_audit_kafka *audit, struct db_conn *db,
                        struct ctl_report *report, struct err *err)
{
    CLEANUP(kafka_reader_closep) struct kafka_reader *reader = NULL;
    unsigned outcomes = 1u << MSG_TOPIC_CAMPAIGN_EVENTS | 1u << MSG_TOPIC_JOB_EVENTS |
                        1u << MSG_TOPIC_REDEMPTION_EVENTS | 1u << MSG_TOPIC_DEAD_LETTER;
    unsigned commands = 0;

    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        enum msg_kind kind = msg_topic_kind((enum msg_topic)i);
        if (kind != MSG_KIND_NONE && kind != MSG_KIND_INTERNAL)
            commands |= 1u << i;
    }
    ctl_report_begin(report, ONE_OUTCOME,
                     "Every command has one outcome (not counting repeated ones) or went to the "
                     "dead letter, and every job that ended said so once.");
    if (kafka_reader_open(&audit->settings, &reader, err) < 0 ||
        read_all(audit, reader, outcomes, take_outcome, report, err) < 0 ||
        read_all(audit, reader, commands, take_command, report, err) < 0 ||
        db_tx_begin_mode(db, DB_TX_SNAPSHOT, err) < 0 ||
        ctl_ledger_jobs(audit, db, false, err) < 0) {
        buf_done(&report->shown);
        return -1;
    }
    for (struct ctl_fact *fact = NULL; (fact = ctl_facts_next(&audit->facts, fact));)
        if (fact->events != MSG_TOPIC_DEAD_LETTER && fact->records > 0)
            judge(audit, fact, report);
    ctl_report_end(report);
    if (audit->pending > 0)
        ctl_report_note(report, ONE_OUTCOME,
                        "%" PRId64 " of %" PRId64 " commands are not known to be answered yet and "
                        "may have no outcome",
                        audit->pending, audit->records);
    if (audit->unjudged > 0)
        ctl_report_note(report, ONE_OUTCOME,
                        "%" PRId64 " commands have no outcome, but old events are gone",
                        audit->unjudged);
    if (ctl_ledger_compare(audit, db, report, err) < 0)
        return -1;
    return db_tx_commit(db, err);
}
