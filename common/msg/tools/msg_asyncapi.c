/* SPDX-License-Identifier: Apache-2.0 */
#include "msg_asyncapi.h"

#include "jsonio_writer.h"
#include "msg_command.h"
#include "msg_event.h"
#include "msg_table.h"
#include "msg_topics.h"

#include <string.h>

static const char head[] = "# SPDX-License-Identifier: Apache-2.0\n"
                           "# Written by msg_schema from the code's own tables; edit those.\n"
                           "asyncapi: 3.0.0\n"
                           "info:\n"
                           "  title: Promofleet\n"
                           "  version: 1.0.0\n"
                           "  license:\n"
                           "    name: Apache-2.0\n"
                           "  description: >-\n"
                           "    Commands in, outcomes, job progress and metrics out. Messages are "
                           "CloudEvents 1.0 in the Kafka\n"
                           "    protocol binding: binary mode (what the headers below show), "
                           "structured mode is accepted. A\n"
                           "    command's identity is (ce_source, ce_id) per command topic, for "
                           "ever; its outcome carries both as\n"
                           "    ce_causationsource and ce_causationid. Topic names begin with a "
                           "prefix that the fleet is configured\n"
                           "    with.\n"
                           "defaultContentType: application/json\n";

static const char headers[] =
    "  schemas:\n"
    "    commandHeaders:\n"
    "      type: object\n"
    "      description: Further ce_ headers (extensions) are allowed and ignored.\n"
    "      required: [ce_specversion, ce_id, ce_source, ce_type]\n"
    "      properties:\n"
    "        ce_specversion: {const: '1.0'}\n"
    "        ce_id: {type: string, description: '1 to 128 bytes, UTF-8, no control characters; "
    "UUID "
    "version 7 recommended'}\n"
    "        ce_source: {type: string, description: '1 to 256 bytes, UTF-8, no control "
    "characters'}\n"
    "        ce_type: {type: string}\n"
    "        ce_time: {type: string, format: date-time, description: 'For people; decisions use "
    "the "
    "timestamp that the broker gave the record'}\n"
    "        ce_subject: {type: string}\n"
    "        ce_dataschema: {type: string}\n"
    "        ce_actor: {type: string, description: Who stands behind the source}\n"
    "        content-type: {type: string, description: 'application/json in UTF-8'}\n"
    "        traceparent: {type: string, description: 'W3C Trace Context; passed on to the "
    "outcome'}\n"
    "    eventHeaders:\n"
    "      type: object\n"
    "      required: [ce_specversion, ce_id, ce_source, ce_type, ce_time, content-type]\n"
    "      properties:\n"
    "        ce_specversion: {const: '1.0'}\n"
    "        ce_id: {type: string, format: uuid, description: 'UUID version 5 of cause and kind: "
    "the "
    "same outcome always has the same id'}\n"
    "        ce_source: {type: string, description: promofleet/ and the kind of worker}\n"
    "        ce_type: {type: string}\n"
    "        ce_time: {type: string, format: date-time}\n"
    "        ce_causationid: {type: string, description: ce_id of the command}\n"
    "        ce_causationsource: {type: string, description: ce_source of the command}\n"
    "        ce_repeated: {const: 'true', description: 'The stored outcome again, for the "
    "publisher''s "
    "retry'}\n"
    "        ce_supersedes: {type: string, format: uuid, description: Id of the outcome that this "
    "one "
    "corrects}\n"
    "        content-type: {const: application/json}\n"
    "        traceparent: {type: string, description: The command's}\n"
    "    deadLetterHeaders:\n"
    "      type: object\n"
    "      description: The original headers, followed by these.\n"
    "      required: [__connect.errors.topic, __connect.errors.partition, __connect.errors.offset, "
    "__connect.errors.class.name]\n"
    "      properties:\n"
    "        __connect.errors.topic: {type: string}\n"
    "        __connect.errors.partition: {type: string}\n"
    "        __connect.errors.offset: {type: string}\n"
    "        __connect.errors.stage: {type: string}\n"
    "        __connect.errors.class.name: {type: string, description: Code of the reason}\n"
    "        __connect.errors.exception.message: {type: string}\n";

/* "campaign.commands" as "campaignCommands" */
static const char *camel(const char *name, char *out, size_t room)
{
    size_t n = 0;
    for (bool upper = false; *name != '\0' && n + 1 < room; name++) {
        if (*name == '.' || *name == '-') {
            upper = true;
            continue;
        }
        out[n++] = upper ? (char)(*name - 'a' + 'A') : *name;
        upper = false;
    }
    out[n] = '\0';
    return out;
}

/* A text of JSON is one of YAML, too. */
static void put_line(struct buf *out, const char *label, const char *text)
{
    struct jsonio_writer writer;
    buf_add_str(out, label);
    jsonio_writer_init(&writer, out);
    jsonio_put_text(&writer, text);
    buf_add_char(out, '\n');
}

static void put_topic_message(struct buf *out, const char *name)
{
    buf_printf(out, "      %s:\n        $ref: '#/components/messages/%s'\n", name, name);
}

static void put_topic_messages(struct buf *out, enum msg_topic topic)
{
    for (int i = 0; i < MSG_COMMAND_COUNT; i++) {
        const struct msg_command_type *type = msg_command_type((enum msg_command_id)i);
        if (type->topics & 1u << topic)
            put_topic_message(out, type->name);
    }
    for (int i = 0; i < MSG_EVENT_COUNT; i++) {
        const struct msg_event_type *type = msg_event_type((enum msg_event_id)i);
        if (type->topic == topic)
            put_topic_message(out, type->name);
    }
    if (topic == MSG_TOPIC_DEAD_LETTER)
        put_topic_message(out, "deadLetter");
}

static void put_channel(struct buf *out, enum msg_topic topic)
{
    const struct msg_topic_spec *spec = msg_topic_spec(topic);
    char name[MSG_TOPIC_NAME_MAX];
    buf_printf(out, "  %s:\n", camel(spec->name, name, sizeof(name)));
    buf_printf(out, "    address: '{prefix}.%s'\n", spec->name);
    put_line(out, "    description: ", spec->carries);
    buf_add_str(out, "    parameters:\n      prefix:\n        default: promo\n    messages:\n");
    put_topic_messages(out, topic);
    buf_printf(out, "    bindings:\n      kafka:\n        partitions: %d\n", (int)spec->partitions);
    buf_add_str(out, "        topicConfiguration:\n");
    for (size_t i = 0; i < spec->setting_count; i++) {
        const struct msg_topic_setting *setting = &spec->settings[i];
        bool list = strcmp(setting->name, "cleanup.policy") == 0;
        bool ours = strcmp(setting->name, "message.timestamp.type") == 0;
        buf_printf(out, "          %s%s: %s%s%s\n", ours ? "x-" : "", setting->name,
                   list ? "[" : "", setting->value, list ? "]" : "");
    }
}

static void put_operation(struct buf *out, const char *action, enum msg_topic topic)
{
    char name[MSG_TOPIC_NAME_MAX];
    (void)camel(msg_topic_spec(topic)->name, name, sizeof(name));
    buf_printf(out, "  %s%c%s:\n    action: %s\n    channel:\n      $ref: '#/channels/%s'\n",
               action, name[0] - 'a' + 'A', name + 1, action, name);
}

static void put_message(struct buf *out, const char *name, const char *help, const char *headers_of,
                        const char *key)
{
    buf_printf(out, "    %s:\n      name: %s\n", name, name);
    put_line(out, "      summary: ", help);
    buf_printf(out, "      headers:\n        $ref: '#/components/schemas/%s'\n", headers_of);
    buf_add_str(out,
                "      payload:\n        schemaFormat: application/schema+json;version=2020-12\n");
    buf_printf(out, "        schema:\n          $ref: messages/%s.schema.json\n", name);
    buf_add_str(out, "      bindings:\n        kafka:\n          key:\n            type: string\n");
    put_line(out, "            description: ", key);
}

void msg_asyncapi(struct buf *out)
{
    buf_add_str(out, head);
    buf_add_str(out, "channels:\n");
    for (int i = 0; i < MSG_TOPIC_COUNT; i++)
        put_channel(out, (enum msg_topic)i);
    buf_add_str(out, "operations:\n");
    for (int i = 0; i < MSG_TOPIC_COUNT; i++) {
        enum msg_topic topic = (enum msg_topic)i;
        bool commands = msg_topic_kind(topic) != MSG_KIND_NONE || msg_topic_internal(topic);
        if (commands)
            put_operation(out, "receive", topic);
        if (!commands || msg_topic_internal(topic))
            put_operation(out, "send", topic);
    }
    buf_add_str(out, "components:\n  messages:\n");
    for (int i = 0; i < MSG_COMMAND_COUNT; i++) {
        const struct msg_command_type *type = msg_command_type((enum msg_command_id)i);
        put_message(out, type->name, type->table->help, "commandHeaders",
                    msg_topic_spec(msg_command_topic(type))->key);
    }
    for (int i = 0; i < MSG_EVENT_COUNT; i++) {
        const struct msg_event_type *type = msg_event_type((enum msg_event_id)i);
        put_message(out, type->name, type->table->help, "eventHeaders",
                    msg_topic_spec(type->topic)->key);
    }
    buf_add_str(out, "    deadLetter:\n"
                     "      name: deadLetter\n"
                     "      summary: A message that could not be answered, byte for byte.\n"
                     "      contentType: application/octet-stream\n"
                     "      headers:\n"
                     "        $ref: '#/components/schemas/deadLetterHeaders'\n");
    buf_add_str(out, headers);
}
