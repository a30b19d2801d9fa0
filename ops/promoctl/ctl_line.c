/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl_line.h"

#include "codes_canonical.h"
#include "jsonio.h"
#include "jsonio_writer.h"

#include <inttypes.h>

#define ATTRIBUTE_NAME_MAX 64

static int refuse(struct err *err, const char *name, const char *what)
{
    char pointer[ATTRIBUTE_NAME_MAX + 2];
    snprintf(pointer, sizeof pointer, "/%.*s", ATTRIBUTE_NAME_MAX, name);
    return err_field(err, pointer, "bad_line", "%s", what);
}

/* A text attribute that must be there; the worker could not answer without it. */
static int need_text(struct arena *arena, const struct json_object *root, const char *name,
                     size_t max, const char **ret_text, struct err *err)
{
    const char *text = NULL;
    if (jsonio_require_text(root, "", name, max, &text, err) < 0)
        return -1;
    if (!*text)
        return refuse(err, name, "must not be empty");
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return refuse(err, name, "must not hold control characters");
    *ret_text = arena_strdup(arena, text);
    return *ret_text ? 0 : err_nomem(err);
}

static bool is_attribute_name(const char *name)
{
    size_t len = strlen(name);
    for (const char *c = name; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9'))
            return false;
    return len > 0 && len <= ATTRIBUTE_NAME_MAX;
}

static int find_type(const struct json_object *root, struct ctl_line *line, struct err *err)
{
    const char *name = NULL;
    if (jsonio_require_text(root, "", "type", MSG_TYPE_MAX, &name, err) < 0)
        return -1;
    line->type = msg_command_type_find(name);
    if (!line->type)
        return refuse(err, "type", "no command of this type is known, so it has no topic");
    line->commands = msg_command_topic(line->type);
    enum msg_kind kind = msg_topic_kind(line->commands);
    if (kind == MSG_KIND_NONE || kind == MSG_KIND_INTERNAL || !line->type->rejected)
        return refuse(err, "type", "this type is the fleet's own");
    line->events = line->type->events;
    return 0;
}

static int add_header(struct arena *arena, struct record_header *headers, size_t *count,
                      const char *prefix, const char *name, const char *value, struct err *err)
{
    if (*count == CTL_ATTRIBUTES_MAX)
        return refuse(err, name, "too many attributes");
    struct record_header *header = &headers[*count];
    header->name = arena_printf(arena, "%s%s", prefix, name);
    char *copy = arena_strdup(arena, value);
    header->value = copy;
    if (!header->name || !copy)
        return err_nomem(err);
    header->len = strlen(copy);
    (*count)++;
    return 0;
}

/* The value of an attribute as a header has it; a null is as good as absent. */
static int attribute_text(const struct jsonio_iter *it, char number[32], const char **ret_text,
                          struct err *err)
{
    switch (jsonio_type(it->value)) {
    case JSONIO_NULL:
        *ret_text = NULL;
        return 0;
    case JSONIO_TEXT:
        *ret_text = jsonio_text(it->value, NULL);
        return 0;
    case JSONIO_BOOL:
        *ret_text = jsonio_bool(it->value) ? "true" : "false";
        return 0;
    case JSONIO_INT:
        snprintf(number, 32, "%" PRId64, jsonio_int(it->value));
        *ret_text = number;
        return 0;
    case JSONIO_NUMBER:
    case JSONIO_ARRAY:
    case JSONIO_OBJECT:
        break;
    }
    return refuse(err, it->key, "an attribute is a text, an integer or a boolean");
}

static int fill_headers(struct arena *arena, const struct json_object *root,
                        struct record_header *headers, size_t *ret_count, struct err *err)
{
    size_t count = 0;
    bool typed = false;

    JSONIO_EACH (it, root) {
        char number[32];
        const char *value = NULL;
        if (strcmp(it.key, "data") == 0)
            continue;
        if (strcmp(it.key, "data_base64") == 0)
            return refuse(err, it.key, "data must be JSON");
        if (!is_attribute_name(it.key))
            return refuse(err, it.key, "names of attributes are lower case letters and digits");
        if (attribute_text(&it, number, &value, err) < 0)
            return -1;
        if (!value)
            continue;
        bool content_type = strcmp(it.key, "datacontenttype") == 0;
        typed |= content_type;
        if (content_type ? add_header(arena, headers, &count, "", "content-type", value, err) < 0
                         : add_header(arena, headers, &count, "ce_", it.key, value, err) < 0)
            return -1;
    }
    if (!typed &&
        add_header(arena, headers, &count, "", "content-type", "application/json", err) < 0)
        return -1;
    *ret_count = count;
    return 0;
}

static const char *text_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (jsonio_type(object) != JSONIO_OBJECT || !jsonio_member(object, name, &value) ||
        jsonio_type(value) != JSONIO_TEXT)
        return NULL;
    return jsonio_text(value, NULL);
}

/* Canonical form of the first code; NULL where there is none. */
static const char *first_code(struct arena *arena, struct json_object *data)
{
    struct json_object *codes = NULL;
    char key[CODES_KEY_BYTES + 1];
    size_t len = 0;
    struct err ignored = {0};

    if (jsonio_type(data) != JSONIO_OBJECT || !jsonio_member(data, "codes", &codes) ||
        jsonio_type(codes) != JSONIO_ARRAY || jsonio_length(codes) == 0)
        return NULL;
    struct json_object *first = jsonio_item(codes, 0);
    if (jsonio_type(first) != JSONIO_TEXT)
        return NULL;
    const char *text = jsonio_text(first, &len);
    if (codes_canonical(text, len, key, &len, &ignored) < 0)
        return NULL;
    return arena_memdup(arena, key, len);
}

/* Correctness never depends on the key; what it brings together is decided in order. */
static const char *choose_key(struct arena *arena, const struct ctl_line *line,
                              struct json_object *data)
{
    const char *key = NULL;
    switch (msg_topic_kind(line->commands)) {
    case MSG_KIND_CAMPAIGN:
        key = text_member(data, "id");
        break;
    case MSG_KIND_REDEEM:
        key = first_code(arena, data);
        break;
    case MSG_KIND_MAINTAIN:
        key = text_member(data, "job");
        break;
    case MSG_KIND_GENERATE:
    case MSG_KIND_EXPORT:
    case MSG_KIND_NONE:
    case MSG_KIND_INTERNAL:
        break;
    }
    return arena_strdup(arena, key && *key ? key : line->id);
}

static int fill_record(struct arena *arena, const struct msg_topics *names,
                       const struct json_object *root, struct ctl_line *line, struct err *err)
{
    struct record_header *headers = arena_zalloc(arena, CTL_ATTRIBUTES_MAX, sizeof *headers);
    struct json_object *data = NULL;
    size_t count = 0;

    if (!headers)
        return err_nomem(err);
    if (fill_headers(arena, root, headers, &count, err) < 0)
        return -1;
    const char *value = "";
    size_t value_len = 0;
    if (jsonio_member(root, "data", &data)) {
        CLEANUP(buf_done) struct buf buf = {0};
        struct jsonio_writer writer;
        buf_init(&buf);
        jsonio_writer_init(&writer, &buf);
        jsonio_put_node(&writer, data);
        value = buf_failed(&buf) ? NULL : arena_memdup(arena, buf.data, buf.len);
        value_len = buf.len;
    }
    const char *key = choose_key(arena, line, data);
    if (!value || !key)
        return err_nomem(err);
    line->record = (struct record){
        .topic = names->names[line->commands],
        .partition = -1,
        .key = key,
        .key_len = strlen(key),
        .value = value,
        .value_len = value_len,
        .headers = headers,
        .header_count = count,
    };
    return 0;
}

int ctl_line_parse(struct arena *arena, const struct msg_topics *names, const char *bytes,
                   size_t len, struct ctl_line *ret_line, struct err *err)
{
    CLEANUP(jsonio_freep) struct json_object *root = NULL;
    struct ctl_line line = {0};
    const char *version = NULL;

    if (jsonio_parse(bytes, len, CTL_LINE_MAX, &root, err) < 0)
        return -1;
    if (jsonio_type(root) != JSONIO_OBJECT)
        return err_field(err, "", "bad_line", "a CloudEvent is a JSON object");
    if (jsonio_require_text(root, "", "specversion", 16, &version, err) < 0)
        return -1;
    if (strcmp(version, "1.0") != 0)
        return refuse(err, "specversion", "must be \"1.0\"");
    if (need_text(arena, root, "id", MSG_ID_MAX, &line.id, err) < 0 ||
        need_text(arena, root, "source", MSG_SOURCE_MAX, &line.source, err) < 0 ||
        find_type(root, &line, err) < 0 || fill_record(arena, names, root, &line, err) < 0)
        return -1;
    *ret_line = line;
    return 0;
}
