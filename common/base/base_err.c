/* SPDX-License-Identifier: Apache-2.0 */
#include "base_err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LONG_TEXT (2 * sizeof(((struct err *)0)->text))

/* Copy what fits; never end in the middle of a UTF-8 sequence: texts go into JSON. */
static void text_copy(char *out, size_t room, const char *text)
{
    size_t len = strnlen(text, room);
    if (len == room) {
        len = room - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memmove(out, text, len);
    out[len] = '\0';
}

/* Append to LONG_TEXT bytes. It may be cut anywhere: text_copy cuts again, and earlier. */
static void text_append(char *out, const char *more)
{
    size_t len = strlen(out);
    (void)snprintf(out + len, LONG_TEXT - len, "%s", more);
}

static void trail_add(struct err *err, const char *file, int line)
{
    if (err->depth < ERR_TRAIL_MAX) {
        err->trail[err->depth].file = file;
        err->trail[err->depth].line = line;
    }
    err->depth++;
}

/*
 * The arguments of a caller's fmt may point into *err itself, so the text is formatted elsewhere
 * first, and with room to spare, so that text_copy sees where a sequence would be cut.
 */
static void fill(struct err *err, const char *file, int line, enum err_kind kind,
                 const char *domain, const char *code, const char *pointer, const char *text)
{
    struct err made = {.kind = kind, .domain = domain};
    text_copy(made.code, sizeof(made.code), code);
    text_copy(made.pointer, sizeof(made.pointer), pointer);
    text_copy(made.text, sizeof(made.text), text);
    trail_add(&made, file, line);
    *err = made;
}

int err_set_at(struct err *err, const char *file, int line, enum err_kind kind, const char *domain,
               const char *code, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    char text[LONG_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fill(err, file, line, kind, domain, code, "", text);
    return -1;
}

int err_wrap_at(struct err *err, const char *file, int line, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    char text[LONG_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (err->text[0] != '\0') {
        text_append(text, ": ");
        text_append(text, err->text);
    }
    text_copy(err->text, sizeof(err->text), text);
    trail_add(err, file, line);
    return -1;
}

int err_field(struct err *err, const char *pointer, const char *code, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    char text[LONG_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fill(err, __FILE__, __LINE__, ERR_POISON, "msg", code, pointer, text);
    return -1;
}

int err_nomem(struct err *err)
{
    return err_set(err, ERR_TRANSIENT, "base", "out_of_memory", "out of memory");
}

int err_errno(struct err *err, enum err_kind kind, const char *domain, int errnum, const char *fmt,
              ...)
{
    if (err == NULL)
        return -1;
    char text[LONG_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    const char *name = strerrorname_np(errnum);
    const char *description = strerrordesc_np(errnum);
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", errnum);
    text_append(text, ": ");
    text_append(text, description != NULL ? description : "unknown error");
    fill(err, __FILE__, __LINE__, kind, domain, name != NULL ? name : number, "", text);
    return -1;
}

void err_clear(struct err *err)
{
    if (err != NULL)
        *err = (struct err){.kind = ERR_NONE};
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "none";
    case ERR_RETRY:
        return "retry";
    case ERR_TRANSIENT:
        return "transient";
    case ERR_DUPLICATE:
        return "duplicate";
    case ERR_POISON:
        return "poison";
    case ERR_FATAL:
        return "fatal";
    case ERR_BUG:
        return "bug";
    }
    return "unknown";
}
