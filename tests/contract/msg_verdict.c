/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder as a filter, for the contract test. Reads requests from standard input, each a line
 * "MODE TOPIC TYPE LENGTH" and LENGTH bytes, and prints one line of JSON for each.
 *
 *   structured TOPIC -     the bytes are a CloudEvent in structured mode
 *   binary     TOPIC TYPE  the bytes are the data of a command of that type, in binary mode
 *       {"verdict":"decoded"}, or "refused" or "unreadable" with "reasons": [{code, pointer}]
 *   event      -     TYPE  the bytes are the data of an event
 *       {"verdict":"decoded","data":...}: read into its struct and encoded from there; or "refused"
 */
#include "base_buf.h"
#include "base_digest.h"
#include "jsonio.h"
#include "jsonio_writer.h"
#include "msg_command.h"
#include "msg_event.h"
#include "msg_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)16 * 1024 * 1024)

static void die(const char *what)
{
    fprintf(stderr, "msg_verdict: %s\n", what);
    exit(2);
}

static void put_reason(struct jsonio_writer *writer, const char *code, const char *pointer)
{
    jsonio_begin_object(writer);
    jsonio_add_text(writer, "code", code);
    jsonio_add_text(writer, "pointer", pointer == NULL ? "" : pointer);
    jsonio_end_object(writer);
}

static void put_refusal(struct jsonio_writer *writer, const char *verdict,
                        const struct msg_reason *reasons, size_t count, const struct err *err)
{
    jsonio_add_text(writer, "verdict", verdict);
    jsonio_put_key(writer, "reasons");
    jsonio_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        put_reason(writer, reasons[i].code, reasons[i].pointer);
    if (count == 0)
        put_reason(writer, err->code, err->pointer);
    jsonio_end_array(writer);
}

static void judge_command(struct arena *arena, enum msg_topic topic, const struct record *record,
                          struct jsonio_writer *writer)
{
    struct msg_command *command = NULL;
    struct err err = {0};
    switch (msg_command_decode(record, topic, arena, &command, &err)) {
    case MSG_FAILED:
        die(err.text);
        break;
    case MSG_UNREADABLE:
        put_refusal(writer, "unreadable", NULL, 0, &err);
        break;
    case MSG_REFUSED:
        put_refusal(writer, "refused", command->reasons, command->reason_count, &err);
        break;
    case MSG_DECODED:
        jsonio_add_text(writer, "verdict", "decoded");
        break;
    }
}

static void judge_event(struct arena *arena, const char *name, const char *bytes, size_t len,
                        struct jsonio_writer *writer)
{
    const struct msg_event_type *type = msg_event_type_find(name);
    struct msg_reasons reasons = {.arena = arena};
    struct json_object *node CLEANUP(jsonio_freep) = NULL;
    struct err err = {0};
    const char *json;
    size_t json_len;
    if (type == NULL)
        die("no such event");
    void *data = arena_zalloc(arena, 1, type->table->size);
    if (jsonio_parse(bytes, len, MSG_SIZE_MAX, &node, &err) < 0) {
        put_refusal(writer, "refused", NULL, 0, &err);
        return;
    }
    msg_table_decode(type->table, node, data, &reasons);
    if (reasons.count > 0) {
        put_refusal(writer, "refused", reasons.items, reasons.count, &err);
        return;
    }
    if (msg_event_data(arena, type->id, data, &json, &json_len, &err) < 0)
        die(err.text);
    jsonio_add_text(writer, "verdict", "decoded");
    jsonio_put_key(writer, "data");
    jsonio_put_raw(writer, json, json_len);
}

static enum msg_topic topic_of(const char *name)
{
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        if (strcmp(msg_topic_spec((enum msg_topic)i)->name, name) == 0)
            return (enum msg_topic)i;
    }
    die("no such topic");
    return MSG_TOPIC_DEAD_LETTER;
}

int main(void)
{
    struct arena *arena = arena_new(1024 * 1024, 0);
    char *bytes = malloc(BYTES_MAX);
    char line[512];
    struct buf out CLEANUP(buf_done);
    buf_init(&out);
    if (arena == NULL || bytes == NULL)
        die("out of memory");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char mode[16];
        char topic[64];
        char type[128];
        size_t len;
        struct jsonio_writer writer;
        if (sscanf(line, "%15s %63s %127s %zu", mode, topic, type, &len) != 4 || len > BYTES_MAX ||
            fread(bytes, 1, len, stdin) != len)
            die("malformed request");
        const struct record_header headers[] = {
            {"ce_specversion", "1.0", 3},
            {"ce_id", "1", 1},
            {"ce_source", "contract", 8},
            {"ce_type", type, strlen(type)},
            {"content-type", "application/json", 16},
        };
        const struct record_header event = {"content-type", "application/cloudevents+json", 28};
        bool binary = strcmp(mode, "binary") == 0;
        struct record record = {.value = bytes,
                                .value_len = len,
                                .headers = binary ? headers : &event,
                                .header_count = binary ? ARRAY_LEN(headers) : 1};
        buf_clear(&out);
        jsonio_writer_init(&writer, &out);
        jsonio_begin_object(&writer);
        if (strcmp(mode, "event") == 0)
            judge_event(arena, type, bytes, len, &writer);
        else
            judge_command(arena, topic_of(topic), &record, &writer);
        jsonio_end_object(&writer);
        puts(out.data);
        arena_reset(arena);
    }
    free(bytes);
    arena_free(arena);
    return 0;
}
