/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's data as a table: one row per field. The same rows decode JSON into a struct, encode a
 * struct as JSON, and print the JSON Schema of the contract, so that the three cannot differ.
 *
 * What a row cannot say (fields that exclude or need each other) is said twice: by the table's
 * check function, and by `rules`, a fragment of JSON Schema. The contract test holds the two
 * together.
 *
 * A table is open when its readers ignore fields that they do not know: events and internal
 * messages. All others refuse them.
 */
#ifndef MSG_TABLE_H
#define MSG_TABLE_H

#include "base_arena.h"
#include "base_buf.h"
#include "base_err.h"
#include "jsonio.h"
#include "msg_reason.h"
#include "msg_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a text may look like, besides its length. */
enum msg_form {
    MSG_FORM_ANY,
    MSG_FORM_LINE, /* no control characters */
    MSG_FORM_ID,
    MSG_FORM_CURRENCY,
    MSG_FORM_UUID,
    MSG_FORM_TIME,
    MSG_FORM_DECIMAL,
    MSG_FORM_NAME, /* snake_case */
};
#define MSG_FORM_COUNT 8

enum msg_field_kind {
    MSG_FIELD_TEXT,    /* const char *; NULL when absent or null                            */
    MSG_FIELD_INT,     /* int64_t; the fallback when absent                                 */
    MSG_FIELD_OPT_INT, /* struct msg_int                                                    */
    MSG_FIELD_TIME,    /* struct msg_int, microseconds                                      */
    MSG_FIELD_INSTANT, /* int64_t, microseconds; 0 or less: absent                          */
    MSG_FIELD_BOOL,    /* bool; the fallback when absent                                    */
    MSG_FIELD_ENUM,    /* an enum, whose values are the indexes of names                    */
    MSG_FIELD_TEXTS,   /* struct msg_texts                                                  */
    MSG_FIELD_TALLIES, /* struct msg_tallies; a JSON object of counts                       */
    MSG_FIELD_OBJECT,  /* a struct in place                                                 */
    MSG_FIELD_POINTER, /* pointer to a struct; NULL when absent                             */
    MSG_FIELD_LIST,    /* struct of const T *items, size_t count                            */
};

#define MSG_REQUIRED 1u
#define MSG_NULLABLE 2u
#define MSG_DISTINCT 4u /* items of MSG_FIELD_TEXTS */

struct msg_table;

struct msg_field {
    const char *name;
    enum msg_field_kind kind;
    unsigned flags;
    /* Of the number, of the characters (code points) of the text, of the items of the list. */
    int64_t min;
    int64_t max;
    int64_t item_min; /* characters of an item of MSG_FIELD_TEXTS */
    int64_t item_max;
    enum msg_form form;       /* of the text, of an item, of the names of tallies */
    const char *const *names; /* ends with NULL */
    int64_t fallback;
    const struct msg_table *table;
    size_t offset;       /* of the value; of `items` for a list */
    size_t count_offset; /* of `count` for a list               */
    size_t item_size;
    const char *help;
};

struct msg_check;

struct msg_table {
    const char *help;
    size_t size;
    const struct msg_field *fields;
    size_t count; /* at most 64 */
    bool open;
    void (*check)(const void *data, struct msg_check *check); /* may be NULL */
    const char *rules; /* members of a JSON Schema object, without braces; may be NULL */
};

/* Handed to a check function, which runs when every single field is right. */
struct msg_check {
    struct msg_reasons *reasons;
    struct jsonio_path *path; /* of the object */
    const struct msg_table *table;
    uint64_t seen; /* bit i: field i was given */
};
/* Was the field given? For those whose struct cannot tell. */
bool msg_check_seen(const struct msg_check *check, const char *name);
void msg_check_fail(struct msg_check *check, enum msg_reason_id id, const char *name,
                    const char *detail);

/*
 * Fill *ret (table->size bytes, cleared by the caller) from the tree; everything in the arena of
 * reasons. Whatever is wrong is added to reasons; then *ret is not to be used.
 */
void msg_table_decode(const struct msg_table *table, const struct json_object *node, void *ret,
                      struct msg_reasons *reasons);
/* Append data as JSON. ERR_BUG when it breaks the contract. Shortage of memory shows in the buf. */
int msg_table_encode(const struct msg_table *table, const void *data, struct buf *out,
                     struct err *err) MUST_CHECK;
/* Append the JSON Schema (2020-12) of the table. */
void msg_table_schema(const struct msg_table *table, const char *id, const char *title,
                      struct buf *out);

/* NULL when the text has the form, else what it should look like. */
const char *msg_form_fault(enum msg_form form, const char *text, size_t len);
/* Name and definition (JSON Schema) of forms that stand in $defs; NULL for the others. */
const char *msg_form_name(enum msg_form form);
const char *msg_form_schema(enum msg_form form);

/* --- rows ------------------------------------------------------------------------------------- */

/* The member's offset, if it has the type; a compile error otherwise. */
#define MSG_AT(S, member, type)                                                                    \
    (offsetof(S, member) +                                                                         \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((S *)0)->member), type) ? 1 : -1]))

#define MSG_TEXT(S, member, field, opts, look, lo, hi, text)                                       \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_TEXT, .flags = (opts), .form = (look), .min = (lo),     \
        .max = (hi), .offset = MSG_AT(S, member, const char *), .help = (text)                     \
    }
#define MSG_ID(S, member, field, opts, text)                                                       \
    MSG_TEXT(S, member, field, opts, MSG_FORM_ID, 1, 64, text)
#define MSG_INTEGER(S, member, field, opts, lo, hi, otherwise, text)                               \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_INT, .flags = (opts), .min = (lo), .max = (hi),         \
        .fallback = (otherwise), .offset = MSG_AT(S, member, int64_t), .help = (text)              \
    }
#define MSG_OPT_INTEGER(S, member, field, opts, lo, hi, text)                                      \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_OPT_INT, .flags = (opts), .min = (lo), .max = (hi),     \
        .offset = MSG_AT(S, member, struct msg_int), .help = (text)                                \
    }
#define MSG_OPT_TIME(S, member, field, opts, text)                                                 \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_TIME, .flags = (opts), .form = MSG_FORM_TIME,           \
        .offset = MSG_AT(S, member, struct msg_int), .help = (text)                                \
    }
#define MSG_INSTANT(S, member, field, opts, text)                                                  \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_INSTANT, .flags = (opts), .form = MSG_FORM_TIME,        \
        .offset = MSG_AT(S, member, int64_t), .help = (text)                                       \
    }
#define MSG_BOOLEAN(S, member, field, opts, otherwise, text)                                       \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_BOOL, .flags = (opts), .fallback = (otherwise),         \
        .offset = MSG_AT(S, member, bool), .help = (text)                                          \
    }
#define MSG_CHOICE(S, member, type, field, opts, choices, otherwise, text)                         \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_ENUM, .flags = (opts), .names = (choices),              \
        .fallback = (otherwise), .offset = MSG_AT(S, member, type), .help = (text)                 \
    }
#define MSG_TEXTS(S, member, field, opts, look, lo, hi, each_lo, each_hi, text)                    \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_TEXTS, .flags = (opts), .form = (look), .min = (lo),    \
        .max = (hi), .item_min = (each_lo), .item_max = (each_hi),                                 \
        .offset = MSG_AT(S, member, struct msg_texts), .help = (text)                              \
    }
#define MSG_TALLIES(S, member, field, opts, look, text)                                            \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_TALLIES, .flags = (opts), .form = (look), .min = 0,     \
        .max = JSONIO_INT_MAX, .offset = MSG_AT(S, member, struct msg_tallies), .help = (text)     \
    }
#define MSG_OBJECT(S, member, field, opts, rows, text)                                             \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_OBJECT, .flags = (opts), .table = (rows),               \
        .offset = offsetof(S, member), .item_size = sizeof(((S *)0)->member), .help = (text)       \
    }
#define MSG_POINTER(S, member, field, opts, rows, text)                                            \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_POINTER, .flags = (opts), .table = (rows),              \
        .offset = offsetof(S, member), .item_size = sizeof(*((S *)0)->member), .help = (text)      \
    }
#define MSG_LIST(S, member, field, opts, lo, hi, rows, text)                                       \
    {                                                                                              \
        .name = (field), .kind = MSG_FIELD_LIST, .flags = (opts), .table = (rows), .min = (lo),    \
        .max = (hi), .offset = offsetof(S, member.items),                                          \
        .count_offset = offsetof(S, member.count), .item_size = sizeof(*((S *)0)->member.items),   \
        .help = (text)                                                                             \
    }
#define MSG_ROWS(array) .fields = (array), .count = ARRAY_LEN(array)

#endif
