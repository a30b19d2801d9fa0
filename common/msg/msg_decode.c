/* SPDX-License-Identifier: Apache-2.0
 *
 * From a JSON tree to a struct, by the rows of a table. Everything that is wrong is gathered, so
 * that a publisher sees all of it at once.
 */
#include "base_time.h"
#include "msg_table.h"

#include <assert.h>
#include <string.h>

struct walk {
    struct msg_reasons *reasons;
    struct jsonio_path path;
};

struct items {
    const void *items;
    size_t count;
};

static void decode_object(struct walk *walk, const struct msg_table *table,
                          const struct json_object *node, void *out);

static void wrong(struct walk *walk, enum msg_reason_id id)
{
    msg_reasons_add(walk->reasons, id, walk->path.text, NULL);
}

static void *take(struct walk *walk, size_t count, size_t size)
{
    void *memory = arena_zalloc(walk->reasons->arena, count, size);
    if (memory == NULL)
        walk->reasons->nomem = true;
    return memory;
}

static bool expect(struct walk *walk, const struct json_object *node, enum jsonio_type type)
{
    if (jsonio_type(node) == type)
        return true;
    msg_reasons_add(walk->reasons, MSG_REASON_WRONG_TYPE, walk->path.text, "Expected %s, found %s.",
                    jsonio_type_name(type), jsonio_type_name(jsonio_type(node)));
    return false;
}

/* The text in the arena, or NULL and a reason. */
static const char *decode_text(struct walk *walk, const struct json_object *node,
                               enum msg_form form, int64_t min, int64_t max)
{
    if (!expect(walk, node, JSONIO_TEXT))
        return NULL;
    size_t len;
    const char *text = jsonio_text(node, &len);
    int64_t count = (int64_t)jsonio_utf8_count(text, len);
    const char *fault = NULL;
    if (count < min) {
        msg_reasons_add(walk->reasons, MSG_REASON_TOO_SHORT, walk->path.text,
                        "The text needs at least %lld characters.", (long long)min);
    } else if (max > 0 && count > max) {
        msg_reasons_add(walk->reasons, MSG_REASON_TOO_LONG, walk->path.text,
                        "The text has more than %lld characters.", (long long)max);
    } else if ((fault = msg_form_fault(form, text, len)) != NULL) {
        msg_reasons_add(walk->reasons, MSG_REASON_BAD_FORMAT, walk->path.text, "Expected %s.",
                        fault);
    } else {
        char *copy = arena_memdup(walk->reasons->arena, text, len);
        if (copy == NULL)
            walk->reasons->nomem = true;
        return copy;
    }
    return NULL;
}

static bool decode_int(struct walk *walk, const struct json_object *node, int64_t min, int64_t max,
                       int64_t *ret_value)
{
    if (!expect(walk, node, JSONIO_INT))
        return false;
    int64_t value = jsonio_int(node);
    if (value < min || value > max) {
        msg_reasons_add(walk->reasons, MSG_REASON_OUT_OF_RANGE, walk->path.text,
                        "The number must lie between %lld and %lld.", (long long)min,
                        (long long)max);
        return false;
    }
    *ret_value = value;
    return true;
}

static bool decode_time(struct walk *walk, const struct json_object *node, int64_t *ret_us)
{
    /* the form has been checked: what is left cannot fail */
    const char *text = decode_text(walk, node, MSG_FORM_TIME, 0, 0);
    return text != NULL && time_parse(text, ret_us, NULL) == 0;
}

static void decode_enum(struct walk *walk, const struct msg_field *field,
                        const struct json_object *node, int *ret_value)
{
    if (!expect(walk, node, JSONIO_TEXT))
        return;
    const char *text = jsonio_text(node, NULL);
    for (int i = 0; field->names[i] != NULL; i++) {
        if (strcmp(field->names[i], text) == 0) {
            *ret_value = i;
            return;
        }
    }
    wrong(walk, MSG_REASON_BAD_VALUE);
}

/* Is it an array with a fitting number of items? */
static bool expect_items(struct walk *walk, const struct msg_field *field,
                         const struct json_object *node)
{
    if (!expect(walk, node, JSONIO_ARRAY))
        return false;
    int64_t count = (int64_t)jsonio_length(node);
    if (count < field->min) {
        msg_reasons_add(walk->reasons, MSG_REASON_TOO_FEW, walk->path.text,
                        "The list needs at least %lld items.", (long long)field->min);
        return false;
    }
    if (count > field->max) {
        msg_reasons_add(walk->reasons, MSG_REASON_TOO_MANY, walk->path.text,
                        "The list has more than %lld items.", (long long)field->max);
        return false;
    }
    return true;
}

static void decode_texts(struct walk *walk, const struct msg_field *field,
                         const struct json_object *node, struct msg_texts *ret_texts)
{
    if (!expect_items(walk, field, node))
        return;
    size_t count = jsonio_length(node);
    const char **texts = take(walk, count, sizeof(*texts));
    if (texts == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        struct jsonio_mark mark = jsonio_path_index(&walk->path, i);
        texts[i] =
            decode_text(walk, jsonio_item(node, i), field->form, field->item_min, field->item_max);
        for (size_t j = 0; texts[i] != NULL && (field->flags & MSG_DISTINCT) && j < i; j++) {
            if (texts[j] != NULL && strcmp(texts[j], texts[i]) == 0) {
                wrong(walk, MSG_REASON_NOT_DISTINCT);
                break;
            }
        }
        jsonio_path_back(&walk->path, mark);
    }
    *ret_texts = (struct msg_texts){texts, count};
}

static void decode_list(struct walk *walk, const struct msg_field *field,
                        const struct json_object *node, struct items *ret_items)
{
    if (!expect_items(walk, field, node))
        return;
    size_t count = jsonio_length(node);
    char *items = take(walk, count, field->item_size);
    if (items == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        struct jsonio_mark mark = jsonio_path_index(&walk->path, i);
        decode_object(walk, field->table, jsonio_item(node, i), items + i * field->item_size);
        jsonio_path_back(&walk->path, mark);
    }
    *ret_items = (struct items){items, count};
}

static void decode_tallies(struct walk *walk, const struct msg_field *field,
                           const struct json_object *node, struct msg_tallies *ret_tallies)
{
    if (!expect(walk, node, JSONIO_OBJECT))
        return;
    struct msg_tally *tallies = take(walk, jsonio_length(node), sizeof(*tallies));
    size_t n = 0;
    if (tallies == NULL)
        return;
    JSONIO_EACH (it, node) {
        struct jsonio_mark mark = jsonio_path_key(&walk->path, it.key);
        struct msg_tally *tally = &tallies[n++];
        if (msg_form_fault(field->form, it.key, strlen(it.key)) != NULL)
            wrong(walk, MSG_REASON_UNKNOWN_FIELD);
        tally->name = arena_strdup(walk->reasons->arena, it.key);
        if (tally->name == NULL)
            walk->reasons->nomem = true;
        (void)decode_int(walk, it.value, field->min, field->max, &tally->value);
        jsonio_path_back(&walk->path, mark);
    }
    *ret_tallies = (struct msg_tallies){tallies, n};
}

static void set_null(const struct msg_field *field, void *at)
{
    if (field->kind == MSG_FIELD_OPT_INT || field->kind == MSG_FIELD_TIME)
        ((struct msg_int *)at)->is = MSG_NULL;
}

static void decode_field(struct walk *walk, const struct msg_field *field,
                         const struct json_object *node, char *out)
{
    void *at = out + field->offset;
    int64_t value;
    if (node == NULL && (field->flags & MSG_NULLABLE)) {
        set_null(field, at);
        return;
    }
    switch (field->kind) {
    case MSG_FIELD_TEXT:
        *(const char **)at = decode_text(walk, node, field->form, field->min, field->max);
        break;
    case MSG_FIELD_INT:
        (void)decode_int(walk, node, field->min, field->max, at);
        break;
    case MSG_FIELD_OPT_INT:
        if (decode_int(walk, node, field->min, field->max, &value))
            *(struct msg_int *)at = msg_int_of(value);
        break;
    case MSG_FIELD_TIME:
        if (decode_time(walk, node, &value))
            *(struct msg_int *)at = msg_int_of(value);
        break;
    case MSG_FIELD_INSTANT:
        (void)decode_time(walk, node, at);
        break;
    case MSG_FIELD_BOOL:
        if (expect(walk, node, JSONIO_BOOL))
            *(bool *)at = jsonio_bool(node);
        break;
    case MSG_FIELD_ENUM:
        decode_enum(walk, field, node, at);
        break;
    case MSG_FIELD_TEXTS:
        decode_texts(walk, field, node, at);
        break;
    case MSG_FIELD_TALLIES:
        decode_tallies(walk, field, node, at);
        break;
    case MSG_FIELD_OBJECT:
        decode_object(walk, field->table, node, at);
        break;
    case MSG_FIELD_POINTER: {
        void *pointed = take(walk, 1, field->item_size);
        if (pointed == NULL)
            break;
        decode_object(walk, field->table, node, pointed);
        memcpy(at, &pointed, sizeof(pointed));
        break;
    }
    case MSG_FIELD_LIST: {
        struct items items = {NULL, 0};
        decode_list(walk, field, node, &items);
        memcpy(at, &items.items, sizeof(items.items));
        memcpy(out + field->count_offset, &items.count, sizeof(items.count));
        break;
    }
    }
}

/* Whatever has a value other than zero when it is absent. */
static void set_defaults(const struct msg_table *table, char *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct msg_field *field = &table->fields[i];
        void *at = out + field->offset;
        if (field->kind == MSG_FIELD_OBJECT)
            set_defaults(field->table, at);
        else if (field->kind == MSG_FIELD_INT)
            *(int64_t *)at = field->fallback;
        else if (field->kind == MSG_FIELD_BOOL)
            *(bool *)at = field->fallback != 0;
        else if (field->kind == MSG_FIELD_ENUM)
            *(int *)at = (int)field->fallback;
    }
}

static size_t find_field(const struct msg_table *table, const char *name)
{
    size_t i = 0;
    while (i < table->count && strcmp(table->fields[i].name, name) != 0)
        i++;
    return i;
}

static void decode_object(struct walk *walk, const struct msg_table *table,
                          const struct json_object *node, void *out)
{
    size_t faults = walk->reasons->count;
    uint64_t seen = 0;
    set_defaults(table, out);
    if (!expect(walk, node, JSONIO_OBJECT))
        return;
    JSONIO_EACH (it, node) {
        size_t i = find_field(table, it.key);
        if (i == table->count && table->open)
            continue;
        struct jsonio_mark mark = jsonio_path_key(&walk->path, it.key);
        if (i == table->count) {
            wrong(walk, MSG_REASON_UNKNOWN_FIELD);
        } else {
            seen |= UINT64_C(1) << i;
            decode_field(walk, &table->fields[i], it.value, out);
        }
        jsonio_path_back(&walk->path, mark);
    }
    for (size_t i = 0; i < table->count; i++) {
        if (!(table->fields[i].flags & MSG_REQUIRED) || (seen & UINT64_C(1) << i))
            continue;
        struct jsonio_mark mark = jsonio_path_key(&walk->path, table->fields[i].name);
        wrong(walk, MSG_REASON_REQUIRED);
        jsonio_path_back(&walk->path, mark);
    }
    if (table->check != NULL && walk->reasons->count == faults) {
        struct msg_check check = {walk->reasons, &walk->path, table, seen};
        table->check(out, &check);
    }
}

void msg_table_decode(const struct msg_table *table, const struct json_object *node, void *ret,
                      struct msg_reasons *reasons)
{
    struct walk walk = {.reasons = reasons};
    jsonio_path_init(&walk.path, "");
    decode_object(&walk, table, node, ret);
}

bool msg_check_seen(const struct msg_check *check, const char *name)
{
    size_t i = find_field(check->table, name);
    assert(i < check->table->count);
    return (check->seen & UINT64_C(1) << i) != 0;
}

void msg_check_fail(struct msg_check *check, enum msg_reason_id id, const char *name,
                    const char *detail)
{
    struct jsonio_mark mark = jsonio_path_key(check->path, name);
    if (detail == NULL)
        msg_reasons_add(check->reasons, id, check->path->text, NULL);
    else
        msg_reasons_add(check->reasons, id, check->path->text, "%s", detail);
    jsonio_path_back(check->path, mark);
}
