/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl_open.h"

#include "base_buf.h"
#include "base_digest.h"
#include "jsonio.h"
#include "jsonio_writer.h"
#include "msg_event.h"

#define NONE UINT32_MAX
/* What any record of the fleet's topics may hold. */
#define DATA_MAX ((size_t)16 * 1024 * 1024)

struct entry {
    char *source; /* source and id in one allocation */
    const char *id;
    char *outcome; /* JSON, NULL: not answered */
    size_t outcome_len;
    enum msg_topic commands;
    enum msg_topic events;
    uint32_t next; /* in the bucket, of those not answered */
};

struct ctl_open {
    struct entry *ring;
    size_t size;
    size_t first; /* oldest */
    size_t count;
    size_t unanswered;
    uint32_t *buckets; /* as many as the power of two at or above size */
    size_t mask;
    uint8_t key[16];
};

int ctl_open_new(size_t window, struct ctl_open **ret_open, struct err *err)
{
    size_t buckets = 16;
    while (buckets < window)
        buckets *= 2;
    struct ctl_open *open = calloc(1, sizeof *open);
    if (!open)
        return err_nomem(err);
    open->size = window;
    open->mask = buckets - 1;
    open->ring = calloc(window, sizeof *open->ring);
    open->buckets = malloc(buckets * sizeof *open->buckets);
    if (!open->ring || !open->buckets) {
        ctl_open_free(open);
        return err_nomem(err);
    }
    memset(open->buckets, 0xff, buckets * sizeof *open->buckets);
    digest_random(open->key, sizeof open->key);
    *ret_open = open;
    return 0;
}

static void entry_clear(struct entry *entry)
{
    free(entry->source);
    free(entry->outcome);
    *entry = (struct entry){0};
}

void ctl_open_free(struct ctl_open *open)
{
    if (!open)
        return;
    for (size_t i = 0; open->ring && i < open->size; i++)
        entry_clear(&open->ring[i]);
    free(open->ring);
    free(open->buckets);
    free(open);
}

bool ctl_open_full(const struct ctl_open *open)
{
    return open->count == open->size;
}

size_t ctl_open_unanswered(const struct ctl_open *open)
{
    return open->unanswered;
}

static size_t bucket_of(const struct ctl_open *open, const char *source, size_t source_len,
                        const char *id, size_t id_len)
{
    uint64_t hash = digest_siphash(open->key, source, source_len);
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) ^ digest_siphash(open->key, id, id_len);
    return (size_t)hash & open->mask;
}

/* A text that is not closed by a NUL, as headers have them. */
struct text {
    const char *at;
    size_t len;
};

static bool text_is(const char *known, struct text text)
{
    return strlen(known) == text.len && memcmp(known, text.at, text.len) == 0;
}

/*
 * The link (bucket or member `next`) that leads to the entry; NULL: there is none. by_commands: the
 * topic is the command's, else the answer's.
 */
static uint32_t *find_link(const struct ctl_open *open, enum msg_topic topic, bool by_commands,
                           struct text source, struct text id)
{
    uint32_t *link = &open->buckets[bucket_of(open, source.at, source.len, id.at, id.len)];
    for (; *link != NONE; link = &open->ring[*link].next) {
        const struct entry *entry = &open->ring[*link];
        if ((by_commands ? entry->commands : entry->events) == topic &&
            text_is(entry->source, source) && text_is(entry->id, id))
            return link;
    }
    return NULL;
}

bool ctl_open_has(const struct ctl_open *open, enum msg_topic events, const char *source,
                  const char *id)
{
    return find_link(open, events, false, (struct text){source, strlen(source)},
                     (struct text){id, strlen(id)}) != NULL;
}

int ctl_open_add(struct ctl_open *open, enum msg_topic commands, enum msg_topic events,
                 const char *source, const char *id, struct err *err)
{
    size_t source_len = strlen(source);
    size_t id_len = strlen(id);
    uint32_t slot = (uint32_t)((open->first + open->count) % open->size);
    struct entry *entry = &open->ring[slot];

    char *texts = malloc(source_len + id_len + 2);
    if (!texts)
        return err_nomem(err);
    memcpy(texts, source, source_len + 1);
    memcpy(texts + source_len + 1, id, id_len + 1);
    uint32_t *bucket = &open->buckets[bucket_of(open, source, source_len, id, id_len)];
    *entry = (struct entry){.source = texts,
                            .id = texts + source_len + 1,
                            .commands = commands,
                            .events = events,
                            .next = *bucket};
    *bucket = slot;
    open->count++;
    open->unanswered++;
    return 0;
}

static bool header(const struct record *record, const char *name, struct text *ret_text)
{
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *at = &record->headers[i];
        if (at->value && strcmp(at->name, name) == 0) {
            *ret_text = (struct text){at->value, at->len};
            return true;
        }
    }
    return false;
}

static bool has_control_bytes(const struct record *record)
{
    const unsigned char *bytes = record->value;
    for (size_t i = 0; i < record->value_len; i++)
        if (bytes[i] < 0x20)
            return true;
    return false;
}

/* The data as JSON on one line; what is no JSON becomes a text. */
static void put_data(struct jsonio_writer *writer, const struct record *record)
{
    struct json_object *root = NULL;
    struct err ignored = {0};

    jsonio_put_key(writer, "data");
    if (!record->value || record->value_len == 0) {
        jsonio_put_null(writer);
    } else if (jsonio_parse(record->value, record->value_len, DATA_MAX, &root, &ignored) < 0) {
        jsonio_put_text_len(writer, record->value, record->value_len);
    } else {
        if (has_control_bytes(record))
            jsonio_put_node(writer, root);
        else
            jsonio_put_raw(writer, record->value, record->value_len);
        jsonio_free(root);
    }
}

/* The event in structured mode. */
static void put_event(struct jsonio_writer *writer, const struct record *record)
{
    jsonio_begin_object(writer);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *at = &record->headers[i];
        if (!at->value)
            continue;
        if (strncmp(at->name, "ce_", 3) == 0)
            jsonio_put_key(writer, at->name + 3);
        else if (strcmp(at->name, "content-type") == 0)
            jsonio_put_key(writer, "datacontenttype");
        else
            continue;
        if (strcmp(at->name, "ce_repeated") == 0 &&
            text_is("true", (struct text){at->value, at->len}))
            jsonio_put_bool(writer, true);
        else
            jsonio_put_text_len(writer, at->value, at->len);
    }
    put_data(writer, record);
    jsonio_end_object(writer);
}

#define ERRORS "__connect.errors."

static void put_dead_letter(struct jsonio_writer *writer, const struct record *record,
                            const struct entry *entry)
{
    jsonio_begin_object(writer);
    jsonio_add_text(writer, "type", "dead-letter");
    jsonio_add_text(writer, "causationid", entry->id);
    jsonio_add_text(writer, "causationsource", entry->source);
    jsonio_put_key(writer, "errors");
    jsonio_begin_object(writer);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *at = &record->headers[i];
        if (!at->value || strncmp(at->name, ERRORS, strlen(ERRORS)) != 0)
            continue;
        jsonio_put_key(writer, at->name + strlen(ERRORS));
        jsonio_put_text_len(writer, at->value, at->len);
    }
    jsonio_end_object(writer);
    jsonio_end_object(writer);
}

/* The link to the command that an event ends, or NULL. */
static uint32_t *ended_by_event(const struct ctl_open *open, enum msg_topic topic,
                                const struct record *record)
{
    struct text type, source, id;
    char name[MSG_TYPE_MAX + 1];

    if (!header(record, "ce_type", &type) || !header(record, "ce_causationsource", &source) ||
        !header(record, "ce_causationid", &id) || type.len > MSG_TYPE_MAX)
        return NULL;
    memcpy(name, type.at, type.len);
    name[type.len] = '\0';
    const struct msg_event_type *known = msg_event_type_find(name);
    if (!known || !known->terminal)
        return NULL;
    return find_link(open, topic, false, source, id);
}

static uint32_t *ended_by_dead_letter(const struct ctl_open *open, const struct msg_topics *names,
                                      const struct record *record)
{
    struct text origin, source, id;
    char name[MSG_TOPIC_NAME_MAX];
    enum msg_topic topic;

    if (!header(record, ERRORS "topic", &origin) || !header(record, "ce_source", &source) ||
        !header(record, "ce_id", &id) || origin.len >= sizeof name)
        return NULL;
    memcpy(name, origin.at, origin.len);
    name[origin.len] = '\0';
    return msg_topics_find(names, name, &topic) ? find_link(open, topic, true, source, id) : NULL;
}

int ctl_open_offer(struct ctl_open *open, const struct msg_topics *names,
                   const struct record *record, struct err *err)
{
    struct jsonio_writer writer;
    struct buf buf;
    enum msg_topic topic;

    if (!msg_topics_find(names, record->topic, &topic))
        return 0;
    bool dead = topic == MSG_TOPIC_DEAD_LETTER;
    uint32_t *link =
        dead ? ended_by_dead_letter(open, names, record) : ended_by_event(open, topic, record);
    if (!link)
        return 0;
    struct entry *entry = &open->ring[*link];
    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    if (dead)
        put_dead_letter(&writer, record, entry);
    else
        put_event(&writer, record);
    buf_add_char(&buf, '\n');
    entry->outcome = buf_detach(&buf, &entry->outcome_len);
    if (!entry->outcome)
        return err_nomem(err);
    *link = entry->next;
    open->unanswered--;
    return 1;
}

size_t ctl_open_print(struct ctl_open *open, bool skip, FILE *out)
{
    size_t written = 0;
    while (open->count > 0) {
        struct entry *entry = &open->ring[open->first];
        if (!entry->outcome && !skip)
            break;
        if (entry->outcome) {
            fwrite(entry->outcome, 1, entry->outcome_len, out);
            written++;
        } else {
            uint32_t *link = find_link(open, entry->events, false,
                                       (struct text){entry->source, strlen(entry->source)},
                                       (struct text){entry->id, strlen(entry->id)});
            *link = entry->next;
            open->unanswered--;
        }
        entry_clear(entry);
        open->first = (open->first + 1) % open->size;
        open->count--;
    }
    return written;
}
