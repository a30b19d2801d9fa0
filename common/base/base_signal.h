/* SPDX-License-Identifier: Apache-2.0
 *
 * Stop requests. SIGTERM and SIGINT set a flag and wake whoever waits; nothing else happens in a
 * handler. SIGPIPE is ignored. One per process.
 */
#ifndef BASE_SIGNAL_H
#define BASE_SIGNAL_H

#include "base_err.h"

#include <stdbool.h>
#include <stdint.h>

/* Install the handlers. Called again (after a fork, where the descriptor is shared with the parent)
 * it starts afresh, with no stop requested. */
int signal_init(struct err *err) MUST_CHECK;
bool signal_stop_requested(void);
void signal_request_stop(void); /* as if SIGTERM had come; safe from anywhere */
/* Readable from the first stop request on (never read from it): for poll(). */
int signal_fd(void);
/* Sleep; true when the time is over, false when a stop came first (at once if it came before). */
bool signal_sleep_ms(int64_t ms);

/*
 * The watchdog: unless fed or disarmed in time, the process writes one line to stderr and leaves by
 * _exit(status). `what` is a static text naming the call that is guarded (plain ASCII without
 * quotes). Arming again replaces what was armed. Arm and disarm from one thread only; the process
 * must leave SIGALRM alone.
 */
void watchdog_arm(int64_t ms, int status, const char *what);
void watchdog_disarm(void);

#endif
