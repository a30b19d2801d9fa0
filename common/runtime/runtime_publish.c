/* SPDX-License-Identifier: Apache-2.0
 *
 * What a batch publishes: gathered in an outbox while the PostgreSQL transaction is open, sent in
 * one Kafka transaction after it has committed.
 */
#include "base_fault.h"
#include "base_signal.h"
#include "runtime_internal.h"

#include <stdlib.h>
#include <string.h>

void outbox_clear(struct outbox *outbox)
{
    outbox->count = 0;
}

int runtime_emit_record(struct runtime *runtime, const struct record *record, struct err *err)
{
    struct outbox *outbox = &runtime->outbox;

    if (outbox->count == outbox->room) {
        size_t room = outbox->room == 0 ? 1024 : outbox->room * 2;
        struct record *grown = realloc(outbox->records, room * sizeof(*grown));

        if (grown == NULL)
            return err_nomem(err);
        outbox->records = grown;
        outbox->room = room;
    }
    outbox->records[outbox->count++] = *record;
    return 0;
}

int runtime_emit(struct runtime *runtime, const struct msg_event *event,
                 const struct msg_envelope *cause, struct err *err)
{
    struct msg_event full = *event;
    struct record record;

    if (full.source == NULL)
        full.source = runtime->event_source;
    if (cause != NULL && full.cause_id == NULL) {
        full.cause_id = cause->id;
        full.cause_source = cause->source;
    }
    if (cause != NULL && full.traceparent == NULL)
        full.traceparent = cause->traceparent;
    if (msg_event_record(runtime->arena, &runtime->names, &full, &record, err) < 0)
        return -1;
    return runtime_emit_record(runtime, &record, err);
}

int runtime_emit_refused(struct runtime *runtime, const struct gathered *item, struct err *err)
{
    const struct msg_command *command = item->command;
    struct msg_event event = {.type = command->rejected,
                              .topic = command->events,
                              .key = command->envelope.id,
                              .time_us = item->record->time_us};

    if (command->rejected == NULL) /* an internal message: nobody waits for an answer */
        return 0;
    if (msg_rejected_data(runtime->arena, command->reasons, command->reason_count, &event.data,
                          &event.data_len, err) < 0)
        return -1;
    msg_event_id(command->kind, command->envelope.source, command->envelope.id, event.type,
                 event.data, event.data_len, event.id);
    return runtime_emit(runtime, &event, &command->envelope, err);
}

int runtime_emit_dead_letter(struct runtime *runtime, const struct gathered *item, struct err *err)
{
    struct record record;

    if (msg_dead_letter_record(runtime->arena, &runtime->names, item->record,
                               item->buried ? "APPLY" : "DECODE", &item->why, &record, err) < 0)
        return -1;
    return runtime_emit_record(runtime, &record, err);
}

int runtime_publish(struct runtime *runtime, const struct kafka_offset *offsets, size_t count,
                    struct err *err)
{
    int64_t began = clock_mono(&clock_real);
    int done = -1;

    /* Some versions of librdkafka hang for ever in these calls after a broker died. */
    watchdog_arm(runtime->conf.kafka_watchdog_ms, RUNTIME_EXIT_WATCHDOG, "Kafka transaction");
    if (kafka_producer_begin(runtime->producer, err) < 0)
        goto out;
    for (size_t i = 0; i < runtime->outbox.count; i++) {
        if (kafka_producer_send(runtime->producer, &runtime->outbox.records[i], err) < 0)
            goto out;
    }
    fault_point("in_kafka_transaction");
    if (count > 0 && kafka_producer_send_offsets(runtime->producer, runtime->membership, offsets,
                                                 count, err) < 0)
        goto out;
    fault_point("before_kafka_commit");
    if (kafka_producer_commit(runtime->producer, err) < 0)
        goto out;
    fault_point("after_kafka_commit");
    metrics_add(runtime_metrics, METRIC_EVENTS, 0, runtime->outbox.count);
    metrics_observe_us(runtime_metrics, METRIC_KAFKA_SECONDS, 0, clock_mono(&clock_real) - began);
    done = 0;
out:
    watchdog_disarm();
    return done;
}
