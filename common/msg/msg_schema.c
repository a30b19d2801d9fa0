/* SPDX-License-Identifier: Apache-2.0
 *
 * From the rows of a table to the JSON Schema that is published.
 */
#include "jsonio_writer.h"
#include "msg_table.h"

#include <string.h>

struct schema {
    struct jsonio_writer writer;
    unsigned forms; /* bits: forms that were referred to */
};

static void put_object(struct schema *schema, const struct msg_table *table, const char *help);

/* Members that are JSON text already. */
static void put_members(struct schema *schema, const char *members)
{
    struct buf *buf = schema->writer.buf;
    if (buf->len > 0 && buf->data[buf->len - 1] != '{')
        buf_add_char(buf, ',');
    buf_add_str(buf, members);
    /* the writer has to know that the object is not empty any more */
    schema->writer.filled |= UINT64_C(1) << schema->writer.depth;
}

/* Members for a text: a reference to $defs, or spelt out. */
static void put_text_members(struct schema *schema, enum msg_form form, int64_t min, int64_t max,
                             bool nullable)
{
    struct jsonio_writer *writer = &schema->writer;
    const char *name = msg_form_name(form);
    if (name != NULL) {
        schema->forms |= 1u << form;
        if (nullable) {
            jsonio_put_key(writer, "anyOf");
            jsonio_begin_array(writer);
            jsonio_begin_object(writer);
        }
        jsonio_put_key(writer, "$ref");
        jsonio_put_printf(writer, "#/$defs/%s", name);
        if (nullable) {
            jsonio_end_object(writer);
            jsonio_begin_object(writer);
            jsonio_add_text(writer, "type", "null");
            jsonio_end_object(writer);
            jsonio_end_array(writer);
        }
        return;
    }
    jsonio_put_key(writer, "type");
    if (nullable) {
        jsonio_begin_array(writer);
        jsonio_put_text(writer, "string");
        jsonio_put_text(writer, "null");
        jsonio_end_array(writer);
    } else {
        jsonio_put_text(writer, "string");
    }
    if (min > 0)
        jsonio_add_int(writer, "minLength", min);
    if (max > 0)
        jsonio_add_int(writer, "maxLength", max);
    if (msg_form_schema(form) != NULL)
        put_members(schema, msg_form_schema(form));
}

static void put_int_members(struct schema *schema, const struct msg_field *field)
{
    struct jsonio_writer *writer = &schema->writer;
    jsonio_put_key(writer, "type");
    if (field->flags & MSG_NULLABLE) {
        jsonio_begin_array(writer);
        jsonio_put_text(writer, "integer");
        jsonio_put_text(writer, "null");
        jsonio_end_array(writer);
    } else {
        jsonio_put_text(writer, "integer");
    }
    jsonio_add_int(writer, "minimum", field->min);
    jsonio_add_int(writer, "maximum", field->max);
}

static void put_default(struct schema *schema, const struct msg_field *field)
{
    struct jsonio_writer *writer = &schema->writer;
    if (field->flags & MSG_REQUIRED)
        return;
    if (field->kind == MSG_FIELD_BOOL) {
        jsonio_add_bool(writer, "default", field->fallback != 0);
    } else if (field->kind == MSG_FIELD_ENUM) {
        jsonio_add_text(writer, "default", field->names[field->fallback]);
    } else if (field->kind == MSG_FIELD_INT && field->fallback >= field->min) {
        jsonio_add_int(writer, "default", field->fallback);
    }
}

static void put_array_bounds(struct schema *schema, const struct msg_field *field)
{
    struct jsonio_writer *writer = &schema->writer;
    if (field->min > 0)
        jsonio_add_int(writer, "minItems", field->min);
    jsonio_add_int(writer, "maxItems", field->max);
    if (field->flags & MSG_DISTINCT)
        jsonio_add_bool(writer, "uniqueItems", true);
}

static void put_field(struct schema *schema, const struct msg_field *field)
{
    struct jsonio_writer *writer = &schema->writer;
    if (field->kind == MSG_FIELD_OBJECT || field->kind == MSG_FIELD_POINTER) {
        put_object(schema, field->table, field->help);
        return;
    }
    jsonio_begin_object(writer);
    jsonio_add_text(writer, "description", field->help);
    switch (field->kind) {
    case MSG_FIELD_TEXT:
        put_text_members(schema, field->form, field->min, field->max,
                         (field->flags & MSG_NULLABLE) != 0);
        break;
    case MSG_FIELD_TIME:
    case MSG_FIELD_INSTANT:
        put_text_members(schema, MSG_FORM_TIME, 0, 0, (field->flags & MSG_NULLABLE) != 0);
        break;
    case MSG_FIELD_INT:
    case MSG_FIELD_OPT_INT:
        put_int_members(schema, field);
        break;
    case MSG_FIELD_BOOL:
        jsonio_add_text(writer, "type", "boolean");
        break;
    case MSG_FIELD_ENUM:
        jsonio_put_key(writer, "enum");
        jsonio_begin_array(writer);
        for (size_t i = 0; field->names[i] != NULL; i++)
            jsonio_put_text(writer, field->names[i]);
        jsonio_end_array(writer);
        break;
    case MSG_FIELD_TEXTS:
        jsonio_add_text(writer, "type", "array");
        jsonio_put_key(writer, "items");
        jsonio_begin_object(writer);
        put_text_members(schema, field->form, field->item_min, field->item_max, false);
        jsonio_end_object(writer);
        put_array_bounds(schema, field);
        break;
    case MSG_FIELD_LIST:
        jsonio_add_text(writer, "type", "array");
        jsonio_put_key(writer, "items");
        put_object(schema, field->table, field->table->help);
        put_array_bounds(schema, field);
        break;
    case MSG_FIELD_TALLIES:
        jsonio_add_text(writer, "type", "object");
        jsonio_put_key(writer, "propertyNames");
        jsonio_begin_object(writer);
        put_text_members(schema, field->form, 0, 0, false);
        jsonio_end_object(writer);
        jsonio_put_key(writer, "additionalProperties");
        jsonio_begin_object(writer);
        put_int_members(schema, field);
        jsonio_end_object(writer);
        break;
    case MSG_FIELD_OBJECT:
    case MSG_FIELD_POINTER:
        break;
    }
    put_default(schema, field);
    jsonio_end_object(writer);
}

static void put_object_members(struct schema *schema, const struct msg_table *table)
{
    struct jsonio_writer *writer = &schema->writer;
    jsonio_add_text(writer, "type", "object");
    jsonio_put_key(writer, "properties");
    jsonio_begin_object(writer);
    for (size_t i = 0; i < table->count; i++) {
        jsonio_put_key(writer, table->fields[i].name);
        put_field(schema, &table->fields[i]);
    }
    jsonio_end_object(writer);
    jsonio_put_key(writer, "required");
    jsonio_begin_array(writer);
    for (size_t i = 0; i < table->count; i++) {
        if (table->fields[i].flags & MSG_REQUIRED)
            jsonio_put_text(writer, table->fields[i].name);
    }
    jsonio_end_array(writer);
    jsonio_add_bool(writer, "additionalProperties", table->open);
    if (table->rules != NULL)
        put_members(schema, table->rules);
}

static void put_object(struct schema *schema, const struct msg_table *table, const char *help)
{
    jsonio_begin_object(&schema->writer);
    jsonio_add_text(&schema->writer, "description", help);
    put_object_members(schema, table);
    jsonio_end_object(&schema->writer);
}

void msg_table_schema(const struct msg_table *table, const char *id, const char *title,
                      struct buf *out)
{
    struct schema schema = {.forms = 0};
    struct jsonio_writer *writer = &schema.writer;
    jsonio_writer_init(writer, out);
    jsonio_begin_object(writer);
    jsonio_add_text(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jsonio_add_text(writer, "$id", id);
    jsonio_add_text(writer, "title", title);
    jsonio_add_text(writer, "description", table->help);
    put_object_members(&schema, table);
    if (schema.forms != 0) {
        jsonio_put_key(writer, "$defs");
        jsonio_begin_object(writer);
        for (unsigned form = 0; form < MSG_FORM_COUNT; form++) {
            if (!(schema.forms & 1u << form))
                continue;
            jsonio_put_key(writer, msg_form_name(form));
            jsonio_begin_object(writer);
            put_members(&schema, msg_form_schema(form));
            jsonio_end_object(writer);
        }
        jsonio_end_object(writer);
    }
    jsonio_end_object(writer);
}
