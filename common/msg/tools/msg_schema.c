/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes what is published of the messages from their tables.
 *
 *     msg_schema DIR          write DIR/messages/<type>.schema.json, DIR/messages/reasons.json and
 *                             DIR/asyncapi.yaml
 *     msg_schema --check DIR  exit 1 and name the files that are missing, outdated or superfluous
 */
#include "base_buf.h"
#include "jsonio_writer.h"
#include "msg_asyncapi.h"
#include "msg_command.h"
#include "msg_event.h"
#include "msg_table.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_ROOM 256

struct output {
    const char *folder;
    bool check;
    size_t files;
    size_t differences;
};

/* Compact JSON, as the writer makes it, over lines. */
static void indent(const struct buf *json, struct buf *out)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json->len; i++) {
        char c = json->data[i];
        bool opens = c == '{' || c == '[';
        bool closes = c == '}' || c == ']';
        if (quoted) {
            buf_add_char(out, c);
            if (c == '\\')
                buf_add_char(out, json->data[++i]);
            else if (c == '"')
                quoted = false;
            continue;
        }
        if (c == '"')
            quoted = true;
        if (closes && json->data[i - 1] != '{' && json->data[i - 1] != '[')
            buf_printf(out, "\n%*s", (int)--depth * 2, "");
        else if (closes)
            depth--;
        buf_add_char(out, c);
        if (opens) {
            depth++;
            if (json->data[i + 1] != '}' && json->data[i + 1] != ']')
                buf_printf(out, "\n%*s", (int)depth * 2, "");
        } else if (c == ',') {
            buf_printf(out, "\n%*s", (int)depth * 2, "");
        } else if (c == ':') {
            buf_add_char(out, ' ');
        }
    }
    buf_add_char(out, '\n');
}

static bool same_as_file(const char *path, const struct buf *text)
{
    struct buf found CLEANUP(buf_done);
    char part[4096];
    size_t got;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    buf_init(&found);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(&found, part, got);
    fclose(file);
    return found.len == text->len && memcmp(found.data, text->data, text->len) == 0;
}

static int put_file(struct output *output, const char *name, const struct buf *text)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", output->folder, name);
    if (output->check) {
        if (!same_as_file(path, text)) {
            printf("%s is missing or outdated\n", path);
            output->differences++;
        }
        return 0;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(text->data, 1, text->len, file) != text->len || fclose(file) != 0) {
        fprintf(stderr, "msg_schema: %s: %s\n", path, strerror(errno));
        return -1;
    }
    return 0;
}

static int put_json(struct output *output, const char *name, const struct buf *json)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text);
    indent(json, &text);
    output->files++;
    return put_file(output, name, &text);
}

static int put_asyncapi(struct output *output)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text);
    msg_asyncapi(&text);
    return put_file(output, "asyncapi.yaml", &text);
}

static int put_schema(struct output *output, const char *type, const struct msg_table *table)
{
    struct buf json CLEANUP(buf_done);
    char id[NAME_ROOM];
    char name[NAME_ROOM];
    buf_init(&json);
    (void)snprintf(id, sizeof(id), "urn:promofleet:schema:%s", type);
    (void)snprintf(name, sizeof(name), "messages/%s.schema.json", type);
    msg_table_schema(table, id, type, &json);
    return put_json(output, name, &json);
}

static int put_reasons(struct output *output)
{
    struct buf json CLEANUP(buf_done);
    struct jsonio_writer writer;
    buf_init(&json);
    jsonio_writer_init(&writer, &json);
    jsonio_begin_object(&writer);
#define PUT_REASON(number, name, code, text) jsonio_add_text(&writer, code, text);
    MSG_REASONS(PUT_REASON)
#undef PUT_REASON
    jsonio_end_object(&writer);
    return put_json(output, "messages/reasons.json", &json);
}

/* The folder of the schemas holds what we write, and nothing else. */
static int check_number_of_files(struct output *output)
{
    size_t found = 0;
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/messages", output->folder);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        fprintf(stderr, "msg_schema: %s: %s\n", path, strerror(errno));
        return -1;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        found += entry->d_name[0] != '.';
    closedir(folder);
    if (found > output->files) {
        printf("%s holds %zu files, but only %zu are made\n", path, found, output->files);
        output->differences++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct output output = {.check = argc == 3 && strcmp(argv[1], "--check") == 0};
    if (argc != 2 + output.check) {
        fprintf(stderr, "usage: msg_schema [--check] DIR\n");
        return 2;
    }
    output.folder = argv[argc - 1];
    for (int i = 0; i < MSG_COMMAND_COUNT; i++) {
        const struct msg_command_type *type = msg_command_type((enum msg_command_id)i);
        if (put_schema(&output, type->name, type->table) < 0)
            return 1;
    }
    for (int i = 0; i < MSG_EVENT_COUNT; i++) {
        const struct msg_event_type *type = msg_event_type((enum msg_event_id)i);
        if (put_schema(&output, type->name, type->table) < 0)
            return 1;
    }
    if (put_reasons(&output) < 0 || put_asyncapi(&output) < 0 ||
        (output.check && check_number_of_files(&output) < 0))
        return 1;
    return output.differences > 0;
}
