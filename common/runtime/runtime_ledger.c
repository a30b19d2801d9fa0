/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_ledger.h"

#include "base_fault.h"
#include "runtime_internal.h"
#include "store_command.h"
#include "store_source.h"

#include <stdarg.h>
#include <string.h>

int runtime_refuse(struct runtime_outcome *ret, const char *code, const char *pointer,
                   const char *fmt, ...)
{
    char text[sizeof(ret->refused.text)];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    *ret = (struct runtime_outcome){0};
    (void)err_field(&ret->refused, pointer, code, "%s", text);
    return 0;
}

/* The data of a rejected event from a refusal. */
static int refused_data(struct runtime *runtime, const struct err *refused, const char **ret_data,
                        size_t *ret_len, struct err *err)
{
    struct msg_reason reason = {
        .code = refused->code,
        .pointer = refused->pointer[0] != '\0' ? refused->pointer : NULL,
        .message = refused->text,
    };

    return msg_rejected_data(runtime->arena, &reason, 1, ret_data, ret_len, err);
}

/* An outcome that is not stored: its id includes the verdict. */
static int emit_unstored(struct runtime *runtime, const struct runtime_item *item, const char *code,
                         const char *text, struct err *err)
{
    const struct msg_command *command = item->command;
    struct msg_event event = {.type = command->rejected,
                              .topic = command->events,
                              .key = command->envelope.id,
                              .time_us = item->now_us};
    struct err refused = {0};

    (void)err_field(&refused, "", code, "%s", text);
    if (refused_data(runtime, &refused, &event.data, &event.data_len, err) < 0)
        return -1;
    msg_event_id(command->kind, command->envelope.source, command->envelope.id, event.type,
                 event.data, event.data_len, event.id);
    return runtime_emit(runtime, &event, &command->envelope, err);
}

static int emit_stored(struct runtime *runtime, const struct runtime_item *item,
                       const struct store_command *row, bool repeated, struct err *err)
{
    const struct msg_command *command = item->command;
    struct msg_event event = {
        .type = row->outcome_type,
        .topic = command->events,
        .key = row->outcome_key != NULL ? row->outcome_key : command->envelope.id,
        .time_us = row->at_us,
        .repeated = repeated,
        .data = row->outcome,
        .data_len = row->outcome_len,
    };

    msg_event_id(command->kind, command->envelope.source, command->envelope.id, event.type, NULL, 0,
                 event.id);
    return runtime_emit(runtime, &event, &command->envelope, err);
}

static int serve_known(struct runtime *runtime, const struct runtime_item *item,
                       const struct store_command *row, runtime_again_fn again, void *opaque,
                       struct err *err)
{
    bool replay = row->partition == item->record->partition && row->offset == item->record->offset;

    if (memcmp(row->hash, item->command->hash, sizeof(row->hash)) != 0)
        return emit_unstored(runtime, item, "command_id_reused",
                             "Another command of this source had the same id.", err);
    if (emit_stored(runtime, item, row, !replay, err) < 0)
        return -1;
    if (row->has_job && again != NULL)
        return again(runtime, item, opaque, row->job, replay, err);
    return 0;
}

/*
 * Between look-up and insert another worker was faster with the same command, which its publisher
 * sent twice: the next try finds it in the ledger. Returns -1.
 */
static int overtaken(struct runtime *runtime, struct err *err)
{
    const char *constraint = db_conn_constraint(runtime->db);

    if (err->kind == ERR_DUPLICATE &&
        (strcmp(constraint, "command_pkey") == 0 || strcmp(constraint, "job_pkey") == 0))
        err->kind = ERR_RETRY;
    return -1;
}

int runtime_ledger_serve(struct runtime *runtime, const struct runtime_item *item,
                         runtime_decide_fn decide, runtime_again_fn again, void *opaque,
                         struct err *err)
{
    const struct msg_command *command = item->command;
    struct store_command row;
    struct runtime_outcome outcome = {0};
    int32_t source_id = 0;

    if (store_source_id(runtime->sources, runtime->db, command->envelope.source, &source_id, err) <
        0)
        return -1;
    int found = store_command_get(runtime->db, runtime->arena, (int16_t)command->kind, source_id,
                                  command->envelope.id, &row, err);

    if (found < 0)
        return -1;
    if (found > 0)
        return serve_known(runtime, item, &row, again, opaque, err);
    if (item->replayed) /* it had no effect when it was here first, and has none now */
        return emit_unstored(runtime, item, "not_applied",
                             "The command was passed over before, without effect.", err);
    if (decide(runtime, item, opaque, &outcome, err) < 0)
        return overtaken(runtime, err);

    row = (struct store_command){
        .kind = (int16_t)command->kind,
        .source_id = source_id,
        .ce_id = command->envelope.id,
        .partition = item->record->partition,
        .offset = item->record->offset,
        .at_us = item->now_us,
        .outcome_type = outcome.type != NULL ? outcome.type : command->rejected,
        .outcome_key = outcome.key,
        .outcome = outcome.data,
        .outcome_len = outcome.data_len,
        .has_job = outcome.has_job,
    };
    memcpy(row.hash, command->hash, sizeof(row.hash));
    memcpy(row.job, outcome.job, sizeof(row.job));
    if (outcome.type == NULL &&
        refused_data(runtime, &outcome.refused, &row.outcome, &row.outcome_len, err) < 0)
        return -1;
    fault_point("before_ledger_row");
    if (store_command_put(runtime->db, &row, err) < 0)
        return overtaken(runtime, err);
    return emit_stored(runtime, item, &row, false, err);
}
