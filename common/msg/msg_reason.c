/* SPDX-License-Identifier: Apache-2.0 */
#include "msg_reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
    enum msg_reason_id id;
    const char *code;
    const char *text;
};

static const struct row rows[] = {
#define MSG_REASON_ROW(number, name, code, text) {MSG_REASON_##name, code, text},
    MSG_REASONS(MSG_REASON_ROW)
#undef MSG_REASON_ROW
};

static const struct row *find(enum msg_reason_id id)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].id == id)
            return &rows[i];
    }
    return NULL;
}

const char *msg_reason_code(enum msg_reason_id id)
{
    const struct row *row = find(id);
    return row == NULL ? NULL : row->code;
}

const char *msg_reason_text(enum msg_reason_id id)
{
    const struct row *row = find(id);
    return row == NULL ? NULL : row->text;
}

enum msg_reason_id msg_reason_find(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].code, code) == 0)
            return rows[i].id;
    }
    return MSG_REASON_NONE;
}

static void add(struct msg_reasons *reasons, const char *code, const char *pointer,
                const char *message)
{
    if (reasons->count == MSG_REASONS_MAX)
        return;
    if (reasons->arena == NULL) {
        reasons->items[reasons->count++] = (struct msg_reason){0};
        return;
    }
    struct msg_reason reason = {
        .code = arena_strdup(reasons->arena, code),
        .pointer = pointer == NULL ? NULL : arena_strdup(reasons->arena, pointer),
        .message = arena_strdup(reasons->arena, message),
    };
    if (reason.code == NULL || reason.message == NULL ||
        (pointer != NULL && reason.pointer == NULL)) {
        reasons->nomem = true;
        return;
    }
    reasons->items[reasons->count++] = reason;
}

void msg_reasons_add(struct msg_reasons *reasons, enum msg_reason_id id, const char *pointer,
                     const char *detail, ...)
{
    char text[384];
    const struct row *row = find(id);
    if (detail != NULL) {
        va_list args;
        va_start(args, detail);
        (void)vsnprintf(text, sizeof(text), detail, args);
        va_end(args);
    }
    add(reasons, row->code, pointer, detail != NULL ? text : row->text);
}

void msg_reasons_add_err(struct msg_reasons *reasons, const struct err *from)
{
    add(reasons, from->code, from->pointer, from->text);
}

int msg_reasons_err(const struct msg_reasons *reasons, struct err *err)
{
    const struct msg_reason *first = &reasons->items[0];
    if (reasons->nomem || reasons->count == 0)
        return err_nomem(err);
    return err_field(err, first->pointer == NULL ? "" : first->pointer, first->code, "%s",
                     first->message);
}
