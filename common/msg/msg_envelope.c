/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to the same envelope: headers (binary mode) or members of the JSON value (structured
 * mode). Both are read through `struct attributes`, so that the rules for an attribute stand once.
 */
#include "msg_envelope.h"

#include "base_time.h"
#include "jsonio.h"

#include <string.h>
#include <strings.h>

enum found {
    FOUND_NONE,
    FOUND_TEXT,
    FOUND_WRONG, /* no text, or there more than once */
};

/* Where attributes come from: one of the two. */
struct attributes {
    struct arena *arena;
    const struct record *record;
    const struct json_object *event;
};

enum content {
    CONTENT_JSON,
    CONTENT_EVENT,       /* one event in structured mode */
    CONTENT_OTHER_EVENT, /* a batch, or an event in another format: nothing we can read */
    CONTENT_OTHER,
};

static enum found find_header(const struct record *record, const char *name, const char **ret_text,
                              size_t *ret_len)
{
    enum found found = FOUND_NONE;
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];
        if (strcasecmp(header->name, name) != 0)
            continue;
        if (found != FOUND_NONE || header->value == NULL)
            return FOUND_WRONG;
        *ret_text = header->value;
        *ret_len = header->len;
        found = FOUND_TEXT;
    }
    return found;
}

static enum found find_attribute(const struct attributes *attributes, const char *name,
                                 const char **ret_text, size_t *ret_len)
{
    if (attributes->event == NULL) {
        char header[32];
        (void)snprintf(header, sizeof(header), "ce_%s", name);
        return find_header(attributes->record, header, ret_text, ret_len);
    }
    struct json_object *node = NULL;
    if (!jsonio_member(attributes->event, name, &node))
        return FOUND_NONE;
    if (jsonio_type(node) != JSONIO_TEXT)
        return FOUND_WRONG;
    *ret_text = jsonio_text(node, ret_len);
    return FOUND_TEXT;
}

/* UTF-8 without control characters (C0, DEL, C1), as CloudEvents wants its strings. */
static bool is_clean(const char *text, size_t len)
{
    if (!jsonio_utf8_valid(text, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f)
            return false;
        if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
            return false;
    }
    return true;
}

static int bad(struct err *err, const char *name, const char *what)
{
    return err_field(err, "", "bad_envelope", "The CloudEvents attribute %s %s.", name, what);
}

/* 1 and the text in the arena, 0 not there, -1. */
static int get_attribute(const struct attributes *attributes, const char *name, size_t max,
                         const char **ret_text, struct err *err)
{
    const char *text = NULL;
    size_t len = 0;
    switch (find_attribute(attributes, name, &text, &len)) {
    case FOUND_NONE:
        return 0;
    case FOUND_WRONG:
        return bad(err, name, "is not one text");
    case FOUND_TEXT:
        break;
    }
    if (len == 0)
        return bad(err, name, "is empty");
    if (len > max)
        return bad(err, name, "is too long");
    if (!is_clean(text, len))
        return bad(err, name, "is not UTF-8 without control characters");
    char *copy = arena_memdup(attributes->arena, text, len);
    if (copy == NULL)
        return err_nomem(err);
    *ret_text = copy;
    return 1;
}

static int require_attribute(const struct attributes *attributes, const char *name, size_t max,
                             const char **ret_text, struct err *err)
{
    int found = get_attribute(attributes, name, max, ret_text, err);
    if (found == 0)
        return bad(err, name, "is missing");
    return found < 0 ? -1 : 0;
}

/* Without these nobody could be answered. */
static int read_identity(const struct attributes *attributes, struct msg_envelope *envelope,
                         struct err *err)
{
    const char *version = NULL;
    if (require_attribute(attributes, "specversion", 8, &version, err) < 0)
        return -1;
    if (strcmp(version, "1.0") != 0)
        return bad(err, "specversion", "is not 1.0");
    if (require_attribute(attributes, "id", MSG_ID_MAX, &envelope->id, err) < 0 ||
        require_attribute(attributes, "source", MSG_SOURCE_MAX, &envelope->source, err) < 0 ||
        require_attribute(attributes, "type", MSG_TYPE_MAX, &envelope->type, err) < 0)
        return -1;
    return 0;
}

static bool is_traceparent(const char *text)
{
    static const char shape[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    if (strlen(text) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (shape[i] == '-' ? text[i] != '-' : !hex)
            return false;
    }
    return true;
}

/* A malformed traceparent is dropped, as W3C Trace Context wants it: it is never a refusal. */
static int read_traceparent(const struct attributes *attributes, struct msg_envelope *envelope,
                            struct err *err)
{
    const char *text = NULL;
    size_t len = 0;
    enum found found = FOUND_NONE;
    if (attributes->event == NULL)
        found = find_header(attributes->record, "traceparent", &text, &len);
    if (found == FOUND_NONE)
        found = find_attribute(attributes, "traceparent", &text, &len);
    if (found != FOUND_TEXT || len > MSG_ATTRIBUTE_MAX)
        return 0;
    char *copy = arena_memdup(attributes->arena, text, len);
    if (copy == NULL)
        return err_nomem(err);
    if (strlen(copy) == len && is_traceparent(copy))
        envelope->traceparent = copy;
    return 0;
}

static int read_optional(const struct attributes *attributes, struct msg_envelope *envelope,
                         struct err *err)
{
    const char *time = NULL;
    if (get_attribute(attributes, "subject", MSG_ATTRIBUTE_MAX, &envelope->subject, err) < 0 ||
        get_attribute(attributes, "dataschema", MSG_ATTRIBUTE_MAX, &envelope->data_schema, err) <
            0 ||
        get_attribute(attributes, "actor", MSG_ATTRIBUTE_MAX, &envelope->actor, err) < 0)
        return -1;
    int found = get_attribute(attributes, "time", MSG_ATTRIBUTE_MAX, &time, err);
    if (found < 0)
        return -1;
    if (found > 0 && time_parse(time, &envelope->time_us, NULL) < 0)
        return bad(err, "time", "is not a time of RFC 3339");
    return 0;
}

static bool equals(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static bool begins(const char *text, size_t len, const char *word)
{
    return strlen(word) <= len && strncasecmp(text, word, strlen(word)) == 0;
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
        (*len)--;
}

/* Parameters of a media type: a charset other than UTF-8 (or its subset) is not for us. */
static bool charset_fits(const char *text, size_t len)
{
    while (len > 0) {
        const char *end = memchr(text, ';', len);
        size_t part_len = end == NULL ? len : (size_t)(end - text);
        const char *part = text;
        text += part_len + (end != NULL);
        len -= part_len + (end != NULL);
        trim(&part, &part_len);
        if (!begins(part, part_len, "charset="))
            continue;
        part += strlen("charset=");
        part_len -= strlen("charset=");
        if (part_len >= 2 && part[0] == '"' && part[part_len - 1] == '"') {
            part++;
            part_len -= 2;
        }
        if (!equals(part, part_len, "utf-8") && !equals(part, part_len, "us-ascii"))
            return false;
    }
    return true;
}

static enum content content_of(const char *text, size_t len)
{
    const char *end = memchr(text, ';', len);
    size_t type_len = end == NULL ? len : (size_t)(end - text);
    const char *type = text;
    trim(&type, &type_len);
    bool fits = end == NULL || charset_fits(end + 1, (size_t)(text + len - end) - 1);
    if (equals(type, type_len, "application/cloudevents+json"))
        return fits ? CONTENT_EVENT : CONTENT_OTHER_EVENT;
    if (begins(type, type_len, "application/cloudevents"))
        return CONTENT_OTHER_EVENT;
    bool json = equals(type, type_len, "application/json") || equals(type, type_len, "text/json") ||
                (type_len > 5 && equals(type + type_len - 5, 5, "+json"));
    return json && fits ? CONTENT_JSON : CONTENT_OTHER;
}

/* Errors of the JSON layer go to the publisher as they are, under our domain. */
static int from_json(struct err *err)
{
    if (err != NULL && err->kind == ERR_POISON)
        err->domain = "msg";
    return -1;
}

static int refuse(int result, const struct err *err)
{
    return result < 0 && err->kind == ERR_POISON ? 0 : result;
}

static int read_binary(const struct attributes *attributes, enum content content,
                       struct msg_envelope *envelope, struct json_object **ret_data,
                       struct err *err)
{
    const struct record *record = attributes->record;
    if (read_identity(attributes, envelope, err) < 0 ||
        read_traceparent(attributes, envelope, err) < 0)
        return -1;
    if (record->value_len > MSG_SIZE_MAX)
        return refuse(err_field(err, "", "too_large", "The message is larger than 4 MiB."), err);
    if (read_optional(attributes, envelope, err) < 0)
        return refuse(-1, err);
    if (content != CONTENT_JSON)
        return refuse(err_field(err, "", "bad_content_type",
                                "The header content-type does not say application/json in UTF-8."),
                      err);
    if (record->value == NULL || record->value_len == 0)
        return refuse(err_field(err, "", "required", "The message has no data."), err);
    if (jsonio_parse(record->value, record->value_len, MSG_SIZE_MAX, ret_data, err) < 0)
        return refuse(from_json(err), err);
    return 1;
}

static int read_structured(struct attributes *attributes, struct json_object *event,
                           struct msg_envelope *envelope, struct json_object **ret_data,
                           struct err *err)
{
    struct json_object *data = NULL;
    const char *content = NULL;
    attributes->event = event;
    envelope->structured = true;
    if (jsonio_type(event) != JSONIO_OBJECT)
        return err_field(err, "", "bad_envelope", "The message is not a CloudEvent.");
    if (read_identity(attributes, envelope, err) < 0 ||
        read_traceparent(attributes, envelope, err) < 0)
        return -1;
    if (read_optional(attributes, envelope, err) < 0)
        return refuse(-1, err);
    int found = get_attribute(attributes, "datacontenttype", MSG_ATTRIBUTE_MAX, &content, err);
    if (found < 0)
        return refuse(-1, err);
    if ((found > 0 && content_of(content, strlen(content)) != CONTENT_JSON) ||
        jsonio_member(event, "data_base64", NULL))
        return refuse(err_field(err, "", "bad_content_type", "The data is not JSON."), err);
    if (!jsonio_member(event, "data", &data))
        return refuse(err_field(err, "", "required", "The message has no data."), err);
    *ret_data = jsonio_share(data);
    return 1;
}

int msg_envelope_read(struct arena *arena, const struct record *record,
                      struct msg_envelope *ret_envelope, struct json_object **ret_data,
                      struct err *err)
{
    struct attributes attributes = {.arena = arena, .record = record};
    const char *content_type = "application/json";
    size_t len = strlen(content_type);
    *ret_envelope = (struct msg_envelope){.time_us = -1};
    if (find_header(record, "content-type", &content_type, &len) == FOUND_WRONG)
        return err_field(err, "", "bad_content_type", "The header content-type is not one text.");
    enum content content = content_of(content_type, len);
    if (content == CONTENT_OTHER_EVENT)
        return err_field(err, "", "bad_content_type",
                         "Of structured events only single ones in JSON and UTF-8 can be read.");
    if (content != CONTENT_EVENT)
        return read_binary(&attributes, content, ret_envelope, ret_data, err);

    struct json_object *event CLEANUP(jsonio_freep) = NULL;
    if (record->value == NULL)
        return err_field(err, "", "bad_envelope", "The message is empty.");
    if (jsonio_parse(record->value, record->value_len, MSG_SIZE_MAX, &event, err) < 0)
        return from_json(err);
    return read_structured(&attributes, event, ret_envelope, ret_data, err);
}
