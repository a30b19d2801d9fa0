/* SPDX-License-Identifier: Apache-2.0
 *
 * From a struct to JSON, by the rows of a table. What breaks the contract is our own mistake and
 * is never published: ERR_BUG.
 */
#include "base_time.h"
#include "jsonio_writer.h"
#include "msg_table.h"

#include <string.h>

struct walk {
    struct jsonio_writer writer;
    struct jsonio_path path;
    struct err *err;
};

struct items {
    const char *items;
    size_t count;
};

static int encode_object(struct walk *walk, const struct msg_table *table, const char *data);

static int broken(struct walk *walk, const char *what)
{
    (void)err_set(walk->err, ERR_BUG, "msg", "contract", "%s %s", walk->path.text, what);
    if (walk->err != NULL)
        memcpy(walk->err->pointer, walk->path.text, sizeof(walk->path.text));
    return -1;
}

static int put_text(struct walk *walk, enum msg_form form, int64_t min, int64_t max,
                    const char *text)
{
    size_t len = strlen(text);
    int64_t count = (int64_t)jsonio_utf8_count(text, len);
    if (count < min || (max > 0 && count > max))
        return broken(walk, "has a text of the wrong length");
    if (msg_form_fault(form, text, len) != NULL)
        return broken(walk, "has a text of the wrong form");
    jsonio_put_text_len(&walk->writer, text, len);
    return 0;
}

static int put_int(struct walk *walk, const struct msg_field *field, int64_t value)
{
    if (value < field->min || value > field->max)
        return broken(walk, "is out of range");
    jsonio_put_int(&walk->writer, value);
    return 0;
}

static int put_time(struct walk *walk, int64_t us)
{
    char text[TIME_TEXT_MAX];
    if (us < TIME_MIN_US || us > TIME_MAX_US)
        return broken(walk, "is no time that we can write");
    jsonio_put_text(&walk->writer, time_format(us, text));
    return 0;
}

static struct items get_items(const struct msg_field *field, const char *data)
{
    struct items items;
    memcpy(&items.items, data + field->offset, sizeof(items.items));
    memcpy(&items.count, data + field->count_offset, sizeof(items.count));
    return items;
}

static bool is_empty(const struct msg_table *table, const char *data);

/* Is there nothing to write? An optional field is left out then. */
static bool is_absent(const struct msg_field *field, const char *data)
{
    const void *at = data + field->offset;
    switch (field->kind) {
    case MSG_FIELD_TEXT:
    case MSG_FIELD_POINTER:
        return *(const void *const *)at == NULL;
    case MSG_FIELD_OPT_INT:
    case MSG_FIELD_TIME:
        return ((const struct msg_int *)at)->is == MSG_ABSENT;
    case MSG_FIELD_INSTANT:
        return *(const int64_t *)at <= 0;
    case MSG_FIELD_TEXTS:
        return ((const struct msg_texts *)at)->count == 0;
    case MSG_FIELD_TALLIES:
        return ((const struct msg_tallies *)at)->count == 0;
    case MSG_FIELD_LIST:
        return get_items(field, data).count == 0;
    case MSG_FIELD_OBJECT:
        return is_empty(field->table, at);
    case MSG_FIELD_INT:
        return *(const int64_t *)at == field->fallback;
    case MSG_FIELD_BOOL:
        return *(const bool *)at == (field->fallback != 0);
    case MSG_FIELD_ENUM:
        return *(const int *)at == (int)field->fallback;
    }
    return false;
}

static bool is_empty(const struct msg_table *table, const char *data)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!is_absent(&table->fields[i], data))
            return false;
    }
    return true;
}

static int put_texts(struct walk *walk, const struct msg_field *field,
                     const struct msg_texts *texts)
{
    jsonio_begin_array(&walk->writer);
    for (size_t i = 0; i < texts->count; i++) {
        struct jsonio_mark mark = jsonio_path_index(&walk->path, i);
        if (put_text(walk, field->form, field->item_min, field->item_max, texts->items[i]) < 0)
            return -1;
        jsonio_path_back(&walk->path, mark);
    }
    jsonio_end_array(&walk->writer);
    return 0;
}

static int put_tallies(struct walk *walk, const struct msg_field *field,
                       const struct msg_tallies *tallies)
{
    jsonio_begin_object(&walk->writer);
    for (size_t i = 0; i < tallies->count; i++) {
        const struct msg_tally *tally = &tallies->items[i];
        struct jsonio_mark mark = jsonio_path_key(&walk->path, tally->name);
        if (msg_form_fault(field->form, tally->name, strlen(tally->name)) != NULL)
            return broken(walk, "has a name of the wrong form");
        jsonio_put_key(&walk->writer, tally->name);
        if (put_int(walk, field, tally->value) < 0)
            return -1;
        jsonio_path_back(&walk->path, mark);
    }
    jsonio_end_object(&walk->writer);
    return 0;
}

static int put_list(struct walk *walk, const struct msg_field *field, struct items items)
{
    jsonio_begin_array(&walk->writer);
    for (size_t i = 0; i < items.count; i++) {
        struct jsonio_mark mark = jsonio_path_index(&walk->path, i);
        if (encode_object(walk, field->table, items.items + i * field->item_size) < 0)
            return -1;
        jsonio_path_back(&walk->path, mark);
    }
    jsonio_end_array(&walk->writer);
    return 0;
}

/* A number that may be null; has_time tells how it is written. */
static int put_opt(struct walk *walk, const struct msg_field *field, const struct msg_int *given)
{
    if (given->is == MSG_NULL) {
        if (!(field->flags & MSG_NULLABLE))
            return broken(walk, "may not be null");
        jsonio_put_null(&walk->writer);
        return 0;
    }
    return field->kind == MSG_FIELD_TIME ? put_time(walk, given->value)
                                         : put_int(walk, field, given->value);
}

static int put_value(struct walk *walk, const struct msg_field *field, const char *data)
{
    const void *at = data + field->offset;
    switch (field->kind) {
    case MSG_FIELD_TEXT:
        return put_text(walk, field->form, field->min, field->max, *(const char *const *)at);
    case MSG_FIELD_INT:
        return put_int(walk, field, *(const int64_t *)at);
    case MSG_FIELD_OPT_INT:
    case MSG_FIELD_TIME:
        return put_opt(walk, field, at);
    case MSG_FIELD_INSTANT:
        return put_time(walk, *(const int64_t *)at);
    case MSG_FIELD_BOOL:
        jsonio_put_bool(&walk->writer, *(const bool *)at);
        return 0;
    case MSG_FIELD_ENUM: {
        int value = *(const int *)at;
        int count = 0;
        while (field->names[count] != NULL)
            count++;
        if (value < 0 || value >= count)
            return broken(walk, "has a value that has no name");
        jsonio_put_text(&walk->writer, field->names[value]);
        return 0;
    }
    case MSG_FIELD_TEXTS: {
        const struct msg_texts *texts = at;
        if ((int64_t)texts->count < field->min || (int64_t)texts->count > field->max)
            return broken(walk, "has the wrong number of items");
        return put_texts(walk, field, texts);
    }
    case MSG_FIELD_TALLIES:
        return put_tallies(walk, field, at);
    case MSG_FIELD_OBJECT:
        return encode_object(walk, field->table, at);
    case MSG_FIELD_POINTER:
        return encode_object(walk, field->table, *(const char *const *)at);
    case MSG_FIELD_LIST: {
        struct items items = get_items(field, data);
        if ((int64_t)items.count < field->min || (int64_t)items.count > field->max)
            return broken(walk, "has the wrong number of items");
        return put_list(walk, field, items);
    }
    }
    return -1;
}

/* Required and yet without a value: only kinds whose zero cannot be written. */
static bool is_missing(const struct msg_field *field, const char *data)
{
    switch (field->kind) {
    case MSG_FIELD_TEXT:
    case MSG_FIELD_POINTER:
    case MSG_FIELD_OPT_INT:
    case MSG_FIELD_TIME:
        return is_absent(field, data);
    case MSG_FIELD_INSTANT:
    case MSG_FIELD_INT:
    case MSG_FIELD_BOOL:
    case MSG_FIELD_ENUM:
    case MSG_FIELD_TEXTS:
    case MSG_FIELD_TALLIES:
    case MSG_FIELD_OBJECT:
    case MSG_FIELD_LIST:
        return false;
    }
    return false;
}

/* What the rows cannot say, by the same function that checks what is decoded. */
static int check_object(struct walk *walk, const struct msg_table *table, const char *data)
{
    struct msg_reasons reasons;
    reasons.arena = NULL;
    reasons.count = 0;
    struct msg_check check = {.reasons = &reasons, .path = &walk->path, .table = table};
    for (size_t i = 0; i < table->count; i++) {
        if (!is_absent(&table->fields[i], data))
            check.seen |= UINT64_C(1) << i;
    }
    table->check(data, &check);
    return reasons.count == 0 ? 0 : broken(walk, "has members that do not go together");
}

static int encode_object(struct walk *walk, const struct msg_table *table, const char *data)
{
    if (table->check != NULL && check_object(walk, table, data) < 0)
        return -1;
    jsonio_begin_object(&walk->writer);
    for (size_t i = 0; i < table->count; i++) {
        const struct msg_field *field = &table->fields[i];
        struct jsonio_mark mark = jsonio_path_key(&walk->path, field->name);
        if (field->flags & MSG_REQUIRED) {
            if (is_missing(field, data))
                return broken(walk, "is required");
        } else if (is_absent(field, data)) {
            jsonio_path_back(&walk->path, mark);
            continue;
        }
        jsonio_put_key(&walk->writer, field->name);
        if (put_value(walk, field, data) < 0)
            return -1;
        jsonio_path_back(&walk->path, mark);
    }
    jsonio_end_object(&walk->writer);
    return 0;
}

int msg_table_encode(const struct msg_table *table, const void *data, struct buf *out,
                     struct err *err)
{
    struct walk walk = {.err = err};
    jsonio_writer_init(&walk.writer, out);
    jsonio_path_init(&walk.path, "");
    return encode_object(&walk, table, data);
}
