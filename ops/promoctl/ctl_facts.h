/* SPDX-License-Identifier: Apache-2.0
 *
 * What Kafka says of each command, gathered while the topics are read: how often it was sent, what
 * it was answered. A command is known by (source, id) and the topic of its answer, since an event
 * does not tell which topic its command came from.
 *
 * Memory goes with the number of commands, some 200 bytes each.
 */
#ifndef CTL_FACTS_H
#define CTL_FACTS_H

#include "base_arena.h"
#include "base_attr.h"
#include "base_err.h"
#include "jsonio.h"
#include "msg_topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An outcome that was published: hash of type and data. */
struct ctl_said {
    struct ctl_said *next;
    uint8_t hash[JSONIO_HASH_LEN];
};

struct ctl_fact {
    struct ctl_fact *next; /* in the bucket */
    enum msg_topic events;
    const char *source;
    const char *id;
    /* records of the command topics */
    uint32_t records;
    uint32_t pending; /* of them: not known to be answered when the audit began */
    uint32_t dead;    /* of them: in the dead letter                           */
    /* events */
    uint32_t answers;  /* all                                                    */
    uint32_t fresh;    /* of them: not marked as repeated                        */
    uint32_t positive; /* of these: not a refusal                                */
    uint32_t ends;     /* terminal events of a job, not repeated                 */
    uint32_t redeemed; /* code.redeemed, not repeated                            */
    uint32_t codes;    /* of the last code.redeemed                              */
    int64_t discount_minor;
    struct ctl_said *said; /* answers and ends; none for redemptions             */
    /* data base */
    uint32_t ended_before; /* jobs that had ended when the audit began           */
    uint32_t ended_after;  /* ... after Kafka was read                           */
    bool in_ledger;
};

struct ctl_facts {
    struct arena *arena;
    struct ctl_fact **buckets;
    size_t size; /* a power of two */
    size_t count;
    uint8_t key[16];
};

int ctl_facts_init(struct ctl_facts *facts, struct err *err) MUST_CHECK;
void ctl_facts_done(struct ctl_facts *facts); /* takes {0} */

/* The fact, made where there is none yet; NULL: out of memory. */
struct ctl_fact *ctl_facts_get(struct ctl_facts *facts, enum msg_topic events, const char *source,
                               size_t source_len, const char *id, size_t id_len);
/* NULL: there is none. */
struct ctl_fact *ctl_facts_find(const struct ctl_facts *facts, enum msg_topic events,
                                const char *source, size_t source_len, const char *id,
                                size_t id_len);
int ctl_fact_add_said(struct ctl_facts *facts, struct ctl_fact *fact,
                      const uint8_t hash[JSONIO_HASH_LEN], struct err *err) MUST_CHECK;
bool ctl_fact_has_said(const struct ctl_fact *fact, const uint8_t hash[JSONIO_HASH_LEN]);

/* for (struct ctl_fact *fact = NULL; (fact = ctl_facts_next(&facts, fact)); ) in no order */
struct ctl_fact *ctl_facts_next(const struct ctl_facts *facts, const struct ctl_fact *after);

#endif
