/* SPDX-License-Identifier: Apache-2.0
 *
 * A campaign-worker as a process of its own, with topics and a data base of its own, and what a
 * publisher sees of it: commands in, events out. Whatever fails here fails the test.
 */
#ifndef WORKER_FIXTURE_H
#define WORKER_FIXTURE_H

#include "db_conn.h"
#include "kafka_producer.h"
#include "kafka_reader.h"
#include "msg_topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An event as it was read. Texts live until the fixture closes; "" where there was none. */
struct seen {
    enum msg_topic topic;
    const char *key;
    const char *type;
    const char *id;
    const char *cause_id;
    const char *cause_source;
    const char *repeated;
    const char *data;
};

#define SEEN_MAX 512

struct worker_fixture {
    struct msg_topics topics;
    char prefix[MSG_TOPIC_PREFIX_MAX];
    const char *url;
    struct db_conn *db;
    struct kafka_producer *producer;
    struct kafka_reader *reader;
    struct arena *arena;
    pid_t worker;
    /* Everything that the worker has published, in the order in which we read it. */
    struct seen seen[SEEN_MAX];
    size_t seen_count;
};

/* For cmocka: group set-up and tear-down. */
int worker_open(void **state);
int worker_close(void **state);

void worker_start(struct worker_fixture *fx);
void worker_stop(struct worker_fixture *fx); /* SIGTERM; fails unless it leaves with 0 */
void worker_kill(struct worker_fixture *fx); /* SIGKILL */

/* Publish a command in binary mode. id NULL: without an envelope. len -1: up to the closing NUL. */
void worker_send(struct worker_fixture *fx, const char *type, const char *id, const char *data,
                 ptrdiff_t len);
/* In structured mode: the value is the whole event. */
void worker_send_structured(struct worker_fixture *fx, const char *event);

/* Wait until so many events have been seen in all, and no more come at once. */
void worker_await(struct worker_fixture *fx, size_t count);
/* The event number `nth` (0 the first) of those caused by this command, once it is there. */
const struct seen *worker_answer(struct worker_fixture *fx, const char *cause_id, size_t nth);
/* Have all commands read again, as if the worker had died before it published any of them. */
void worker_forget_progress(struct worker_fixture *fx);

int64_t worker_int(struct worker_fixture *fx, const char *sql);
void worker_exec(struct worker_fixture *fx, const char *sql);

#endif
