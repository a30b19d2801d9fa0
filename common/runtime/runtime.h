/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime: everything a worker has in common with the others. A worker is a table of callbacks;
 * its main() hands it to runtime_main(), which reads the options, connects, runs the one loop and
 * leaves.
 *
 *     poll a batch -> decode -> one PostgreSQL transaction -> one Kafka transaction -> poll ...
 *
 * A callback never commits, never publishes and never repairs: it reads and writes through
 * runtime_db() inside the open transaction, says what is to be published by runtime_emit(), and
 * returns. Any error it returns ends in a rollback; the error's kind decides what happens next
 * (base_err.h): ERR_RETRY handles the same batch again, ERR_POISON and ERR_DUPLICATE split it until
 * the message that cannot work is alone and goes to the dead letter, ERR_TRANSIENT drops both
 * clients and starts over, ERR_FATAL and ERR_BUG end the process.
 *
 * All of it runs on one thread. Everything from runtime_arena() lives until the batch is published.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"
#include "msg_command.h"
#include "msg_event.h"
#include "msg_topics.h"
#include "runtime_conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a process says when it leaves. Scripts that restart workers do not retry
 * RUNTIME_EXIT_CONFIG. */
enum runtime_exit {
    RUNTIME_EXIT_OK = 0,
    RUNTIME_EXIT_FAILED = 1,    /* an error that nobody could go on from; the log has it       */
    RUNTIME_EXIT_WATCHDOG = 75, /* a call to a server hung; a new process takes over           */
    RUNTIME_EXIT_HALTED = 76,   /* a topic is not the one we know, or has lost unread commands */
    RUNTIME_EXIT_CONFIG = 78,   /* options are wrong                                           */
};

struct runtime;
struct store_source;

/* A message of the batch that has been decoded. Borrowed; lives until the batch is published. */
struct runtime_item {
    const struct record *record;
    const struct msg_command *command;
    int64_t now_us; /* the Kafka timestamp: "now" for everything this command decides */
    /*
     * The record lies below what was applied once: a message without a row in its ledger had no
     * effect then, gets none now, and is answered so again.
     */
    bool replayed;
};

struct runtime_batch {
    const struct runtime_item *items;
    size_t count;
    /* A partition that no other worker of this kind holds while this batch is open. */
    int32_t shard;
};

struct runtime_topic {
    enum msg_topic topic;
    unsigned batch_max; /* most messages of this topic in a batch; 0: the option batch.max */
};

struct worker {
    const char *kind;  /* "generate": consumer group, key of its progress, default slot */
    unsigned programs; /* its bit in the option table: RUNTIME_PROGRAM_... */
    const char *about; /* one sentence for --help */
    const struct runtime_topic *topics;
    size_t topic_count;
    int64_t tick_ms; /* at least every so often tick() is called, in a transaction of its own; 0:
                        never */

    /* Process start, options are read. *ret_state is handed to the others. May be NULL. */
    int (*start)(struct runtime *runtime, void **ret_state, struct err *err);
    /* A new database connection is there, outside a transaction: forget what was cached under the
     * old one. */
    int (*connected)(struct runtime *runtime, void *state, struct err *err);
    /* Apply a batch, in its order, inside the open transaction. */
    int (*batch)(struct runtime *runtime, void *state, const struct runtime_batch *batch,
                 struct err *err);
    /* Timers. Only publishes (and keeps its own notes); runs where runtime_holds() says so. May be
     * NULL. */
    int (*tick)(struct runtime *runtime, void *state, struct err *err);
    void (*stop)(void *state);
};

/* The whole of a worker's main(). Returns the exit code. */
int runtime_main(const struct worker *worker, int argc, char **argv);

const struct runtime_conf *runtime_conf(const struct runtime *runtime);
struct db_conn *runtime_db(struct runtime *runtime);
struct arena *runtime_arena(struct runtime *runtime);
/* Is this partition of the topic assigned to us? */
bool runtime_holds(const struct runtime *runtime, enum msg_topic topic, int32_t partition);
/* Ids of publishers; valid inside the batch's transaction. */
struct store_source *runtime_sources(struct runtime *runtime);
/* Names of the topics under the fleet's prefix. */
const struct msg_topics *runtime_names(const struct runtime *runtime);

/*
 * Publish with this batch. The event's strings must live as long as the arena. `cause` may be NULL;
 * otherwise its source, id and traceparent are copied into the event where the event leaves them
 * empty.
 */
int runtime_emit(struct runtime *runtime, const struct msg_event *event,
                 const struct msg_envelope *cause, struct err *err) MUST_CHECK;
/* Publish a ready record (a token). Borrowed: must live as long as the arena. */
int runtime_emit_record(struct runtime *runtime, const struct record *record,
                        struct err *err) MUST_CHECK;

#endif
