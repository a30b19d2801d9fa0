/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's states and the edges between them, each with the reason why it exists. There is one
 * setter; an edge that is not in the table is a bug and aborts.
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

enum runtime_state {
    STATE_STARTING,   /* options read, nothing opened                                */
    STATE_CONNECTING, /* opening database, producer, consumer; retried with back-off */
    STATE_JOINING,    /* member of the group, no partition assigned yet              */
    STATE_RUNNING,    /* partitions assigned: polling and applying                   */
    STATE_RECOVERING, /* both clients dropped after an error; then CONNECTING again  */
    STATE_STOPPING,   /* a stop was asked for, or the process cannot go on           */
};

/* Change *state, calling changed() with the reason (an edge of the table) unless it stays the same.
 */
void runtime_state_set(enum runtime_state *state, enum runtime_state next,
                       void (*changed)(void *opaque, enum runtime_state from, enum runtime_state to,
                                       const char *reason),
                       void *opaque);
const char *runtime_state_name(enum runtime_state state);

#endif
