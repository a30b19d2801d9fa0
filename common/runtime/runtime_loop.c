/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop and its one recovery path, which is start-up: whatever is not plainly retriable drops
 * both clients, waits, opens them anew and goes on where the data base says.
 */
#include "base_digest.h"
#include "base_signal.h"
#include "runtime_internal.h"

#include <string.h>

#define IDLE_POLL_MS 100
#define IDLE_FLUSH_MS 200

static void state_changed(void *opaque UNUSED, enum runtime_state from, enum runtime_state to,
                          const char *reason)
{
    log_debug("state", LOG_STR("from", runtime_state_name(from)),
              LOG_STR("to", runtime_state_name(to)), LOG_STR("reason", reason));
    metrics_set(runtime_metrics, METRIC_STATE, 0, (double)to);
}

static void set_state(struct runtime *runtime, enum runtime_state next)
{
    runtime_state_set(&runtime->state, next, state_changed, runtime);
}

static bool tick_is_due(const struct runtime *runtime)
{
    return runtime->worker->tick != NULL && clock_mono(&clock_real) >= runtime->next_tick_us;
}

/* One turn: a batch, or what is to be done while there is none. */
static int turn(struct runtime *runtime, struct err *err)
{
    int got = runtime_gather(runtime, runtime->idle_flushed ? IDLE_POLL_MS : IDLE_FLUSH_MS, err);

    if (got < 0)
        return -1;
    set_state(runtime, runtime->partition_count > 0 ? STATE_RUNNING : STATE_JOINING);
    if (got > 0) {
        if (runtime_process_gathered(runtime, err) < 0)
            return -1;
        runtime_drop_gathered(runtime);
    } else if (!runtime->idle_flushed && runtime_flush_from(runtime, err) < 0) {
        return -1;
    }
    if (tick_is_due(runtime)) {
        if (runtime_tick(runtime, err) < 0)
            return -1;
        runtime->next_tick_us = clock_mono(&clock_real) + runtime->worker->tick_ms * TIME_US_PER_MS;
    }
    return 0;
}

/* Connect and turn until an error or a stop. -1 and *err, or 0 after a stop. */
static int run(struct runtime *runtime, struct err *err)
{
    set_state(runtime, STATE_CONNECTING);
    if (runtime_connect(runtime, err) < 0)
        return -1;
    set_state(runtime, STATE_JOINING);
    log_edge(&runtime->outage, false);
    while (!signal_stop_requested()) {
        if (turn(runtime, err) < 0)
            return -1;
        if (runtime->state == STATE_RUNNING)
            retry_reset(&runtime->backoff);
    }
    /* So that a group whose offsets are lost meanwhile has nothing to publish again. */
    if (!runtime->idle_flushed && runtime_flush_from(runtime, err) < 0)
        log_err(LOG_LEVEL_DEBUG, "last_words_lost", err);
    return 0;
}

static int exit_code(const struct err *err)
{
    if (strcmp(err->code, "topic_changed") == 0 || strcmp(err->code, "commands_lost") == 0)
        return RUNTIME_EXIT_HALTED;
    return RUNTIME_EXIT_FAILED;
}

int runtime_loop(struct runtime *runtime)
{
    retry_init(&runtime->backoff, 100, 5000, 0, 0);
    for (;;) {
        struct err err = {0};
        uint64_t random = 0;
        int ended = run(runtime, &err);

        runtime_drop_gathered(runtime);
        runtime_disconnect(runtime);
        if (ended == 0 || signal_stop_requested()) {
            set_state(runtime, STATE_STOPPING);
            log_info("stopped");
            return RUNTIME_EXIT_OK;
        }
        if (err.kind == ERR_FATAL || err.kind == ERR_BUG) {
            log_err(LOG_LEVEL_ERROR, "cannot_go_on", &err);
            set_state(runtime, STATE_RECOVERING);
            set_state(runtime, STATE_STOPPING);
            return exit_code(&err);
        }
        metrics_add(runtime_metrics, METRIC_RECOVERIES, 0, 1);
        log_edge(&runtime->outage, true, LOG_ERR(&err));
        set_state(runtime, STATE_RECOVERING);
        digest_random(&random, sizeof(random));
        if (!signal_sleep_ms(retry_next_ms(&runtime->backoff, random))) {
            set_state(runtime, STATE_STOPPING);
            return RUNTIME_EXIT_OK;
        }
    }
}
