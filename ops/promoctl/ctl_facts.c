/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl_facts.h"

#include "base_digest.h"

#define FIRST_SIZE 1024

int ctl_facts_init(struct ctl_facts *facts, struct err *err)
{
    *facts = (struct ctl_facts){.size = FIRST_SIZE};
    facts->arena = arena_new(1024 * 1024, 0);
    facts->buckets = calloc(FIRST_SIZE, sizeof(struct ctl_fact *));
    digest_random(facts->key, sizeof facts->key);
    if (facts->arena && facts->buckets)
        return 0;
    ctl_facts_done(facts);
    return err_nomem(err);
}

void ctl_facts_done(struct ctl_facts *facts)
{
    arena_free(facts->arena);
    free(facts->buckets);
    *facts = (struct ctl_facts){0};
}

static size_t bucket_of(const struct ctl_facts *facts, size_t size, enum msg_topic events,
                        const char *source, size_t source_len, const char *id, size_t id_len)
{
    uint64_t hash = digest_siphash(facts->key, source, source_len);
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)events;
    return (size_t)(hash ^ digest_siphash(facts->key, id, id_len)) & (size - 1);
}

static bool same(const char *known, const char *text, size_t len)
{
    return strncmp(known, text, len) == 0 && known[len] == '\0';
}

struct ctl_fact *ctl_facts_find(const struct ctl_facts *facts, enum msg_topic events,
                                const char *source, size_t source_len, const char *id,
                                size_t id_len)
{
    struct ctl_fact *fact =
        facts->buckets[bucket_of(facts, facts->size, events, source, source_len, id, id_len)];
    while (fact && !(fact->events == events && same(fact->source, source, source_len) &&
                     same(fact->id, id, id_len)))
        fact = fact->next;
    return fact;
}

/* Twice the buckets. A failure leaves things as they are: slower, not wrong. */
static void grow(struct ctl_facts *facts)
{
    size_t size = facts->size * 2;
    struct ctl_fact **buckets = calloc(size, sizeof(struct ctl_fact *));
    if (!buckets)
        return;
    for (size_t i = 0; i < facts->size; i++) {
        for (struct ctl_fact *fact = facts->buckets[i], *next; fact; fact = next) {
            next = fact->next;
            size_t at = bucket_of(facts, size, fact->events, fact->source, strlen(fact->source),
                                  fact->id, strlen(fact->id));
            fact->next = buckets[at];
            buckets[at] = fact;
        }
    }
    free(facts->buckets);
    facts->buckets = buckets;
    facts->size = size;
}

struct ctl_fact *ctl_facts_get(struct ctl_facts *facts, enum msg_topic events, const char *source,
                               size_t source_len, const char *id, size_t id_len)
{
    struct ctl_fact *fact = ctl_facts_find(facts, events, source, source_len, id, id_len);
    if (fact)
        return fact;
    if (facts->count >= facts->size)
        grow(facts);
    fact = arena_zalloc(facts->arena, 1, sizeof *fact);
    if (!fact)
        return NULL;
    fact->events = events;
    fact->source = arena_memdup(facts->arena, source, source_len);
    fact->id = arena_memdup(facts->arena, id, id_len);
    if (!fact->source || !fact->id)
        return NULL;
    struct ctl_fact **bucket =
        &facts->buckets[bucket_of(facts, facts->size, events, source, source_len, id, id_len)];
    fact->next = *bucket;
    *bucket = fact;
    facts->count++;
    return fact;
}

int ctl_fact_add_said(struct ctl_facts *facts, struct ctl_fact *fact,
                      const uint8_t hash[JSONIO_HASH_LEN], struct err *err)
{
    if (ctl_fact_has_said(fact, hash))
        return 0;
    struct ctl_said *said = arena_alloc(facts->arena, sizeof *said);
    if (!said)
        return err_nomem(err);
    memcpy(said->hash, hash, sizeof said->hash);
    said->next = fact->said;
    fact->said = said;
    return 0;
}

bool ctl_fact_has_said(const struct ctl_fact *fact, const uint8_t hash[JSONIO_HASH_LEN])
{
    for (const struct ctl_said *said = fact->said; said; said = said->next)
        if (memcmp(said->hash, hash, sizeof said->hash) == 0)
            return true;
    return false;
}

struct ctl_fact *ctl_facts_next(const struct ctl_facts *facts, const struct ctl_fact *after)
{
    size_t bucket = 0;
    if (after) {
        if (after->next)
            return after->next;
        bucket = bucket_of(facts, facts->size, after->events, after->source, strlen(after->source),
                           after->id, strlen(after->id)) +
                 1;
    }
    for (; bucket < facts->size; bucket++)
        if (facts->buckets[bucket])
            return facts->buckets[bucket];
    return NULL;
}
