/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_state.h"

#include "base_attr.h"

#include <assert.h>
#include <stddef.h>

static const struct edge {
    enum runtime_state from;
    enum runtime_state to;
    const char *reason;
} edges[] = {
    {STATE_STARTING, STATE_CONNECTING, "options are read"},
    {STATE_STARTING, STATE_STOPPING, "cannot start"},
    {STATE_CONNECTING, STATE_JOINING, "both servers answer"},
    {STATE_CONNECTING, STATE_RECOVERING, "a server does not answer"},
    {STATE_CONNECTING, STATE_STOPPING, "stopped while connecting"},
    {STATE_JOINING, STATE_RUNNING, "partitions are assigned"},
    {STATE_JOINING, STATE_RECOVERING, "an error while joining"},
    {STATE_JOINING, STATE_STOPPING, "stopped while joining"},
    {STATE_RUNNING, STATE_JOINING, "all partitions are revoked"},
    {STATE_RUNNING, STATE_RECOVERING, "an error not plainly retriable"},
    {STATE_RUNNING, STATE_STOPPING, "stopped between batches"},
    {STATE_RECOVERING, STATE_CONNECTING, "waited long enough"},
    {STATE_RECOVERING, STATE_STOPPING, "stopped while waiting"},
};

void runtime_state_set(enum runtime_state *state, enum runtime_state next,
                       void (*changed)(void *opaque, enum runtime_state from, enum runtime_state to,
                                       const char *reason),
                       void *opaque)
{
    if (*state == next)
        return;
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        if (edges[i].from != *state || edges[i].to != next)
            continue;
        enum runtime_state from = *state;
        *state = next;
        changed(opaque, from, next, edges[i].reason);
        return;
    }
    assert(!"no such edge between states");
}

const char *runtime_state_name(enum runtime_state state)
{
    switch (state) {
    case STATE_STARTING:
        return "starting";
    case STATE_CONNECTING:
        return "connecting";
    case STATE_JOINING:
        return "joining";
    case STATE_RUNNING:
        return "running";
    case STATE_RECOVERING:
        return "recovering";
    case STATE_STOPPING:
        return "stopping";
    }
    return "?";
}
