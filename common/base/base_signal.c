/* SPDX-License-Identifier: Apache-2.0 */
#include "base_signal.h"

#include "base_time.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* A year: so that the end of the longest sleep can still be counted. */
#define SLEEP_MAX_MS (INT64_C(365) * 86400 * 1000)

static atomic_bool stop_requested;
static atomic_int stop_fd = -1;

/* Only what POSIX lists as safe in a signal handler. */
void signal_request_stop(void)
{
    int saved = errno;
    atomic_store(&stop_requested, true);
    int fd = atomic_load(&stop_fd);
    if (fd >= 0) {
        uint64_t one = 1;
        ssize_t written = write(fd, &one, sizeof(one));
        (void)written; /* the counter is at its end: readable already */
    }
    errno = saved;
}

static void on_stop_signal(int number)
{
    (void)number;
    signal_request_stop();
}

static int unblock(int number, struct err *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    int rc = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return rc == 0 ? 0 : err_errno(err, ERR_FATAL, "signal", rc, "cannot unblock a signal");
}

int signal_init(struct err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_errno(err, ERR_FATAL, "signal", errno, "cannot make an event descriptor");
    int old = atomic_exchange(&stop_fd, fd);
    if (old >= 0)
        (void)close(old);
    atomic_store(&stop_requested, false);

    /* Restarted system calls: who waits in a library is woken by the descriptor or by the flag. */
    struct sigaction stop = {.sa_handler = on_stop_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&stop.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    if (sigaction(SIGTERM, &stop, NULL) != 0 || sigaction(SIGINT, &stop, NULL) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0)
        return err_errno(err, ERR_FATAL, "signal", errno, "cannot install a signal handler");
    /* A mask survives exec: whoever started us may have blocked them. */
    if (unblock(SIGTERM, err) < 0 || unblock(SIGINT, err) < 0)
        return -1;
    return 0;
}

bool signal_stop_requested(void)
{
    return atomic_load(&stop_requested);
}

int signal_fd(void)
{
    return atomic_load(&stop_fd);
}

bool signal_sleep_ms(int64_t ms)
{
    int64_t end_us = clock_mono(&clock_real) + MIN_OF(ms, SLEEP_MAX_MS) * TIME_US_PER_MS;
    while (!signal_stop_requested()) {
        int64_t left_us = end_us - clock_mono(&clock_real);
        if (left_us <= 0)
            return true;
        int64_t left_ms = (left_us + TIME_US_PER_MS - 1) / TIME_US_PER_MS;
        struct pollfd wait = {.fd = signal_fd(), .events = POLLIN};
        (void)poll(&wait, 1, (int)MIN_OF(left_ms, INT_MAX));
    }
    return false;
}

/*
 * The watchdog is a timer that sends SIGALRM. The handler must not hang either: the line is ready
 * before, and it is written only where the descriptor takes it at once.
 */
static timer_t watchdog_timer;
static pid_t watchdog_owner; /* timers do not outlive a fork: the child makes its own */
static _Atomic int64_t watchdog_deadline_us; /* 0: disarmed; a signal still under way is ignored */
static int watchdog_status;
static char watchdog_line[256]; /* behind the time */
static size_t watchdog_line_len;

static void on_watchdog(int number)
{
    (void)number;
    int saved = errno;
    int64_t deadline = atomic_load(&watchdog_deadline_us);
    if (deadline != 0 && clock_mono(&clock_real) >= deadline) {
        char line[16 + TIME_TEXT_MAX + sizeof(watchdog_line)] = "{\"ts\":\"";
        size_t len = strlen(line);
        (void)time_format(clock_wall(&clock_real), line + len);
        len = strlen(line);
        memcpy(line + len, watchdog_line, watchdog_line_len);
        len += watchdog_line_len;
        struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
        if (poll(&out, 1, 0) == 1) {
            ssize_t written = write(STDERR_FILENO, line, len);
            (void)written; /* nobody is left to tell */
        }
        _exit(watchdog_status);
    }
    errno = saved;
}

static void watchdog_set(int64_t ms)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000}};
    int rc = timer_settime(watchdog_timer, 0, &when, NULL);
    assert(rc == 0);
    (void)rc;
}

/* No way to report: a process without its watchdog must not go on. */
static void watchdog_setup(void)
{
    struct sigaction action = {.sa_handler = on_watchdog, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (sigaction(SIGALRM, &action, NULL) != 0 || unblock(SIGALRM, NULL) < 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &watchdog_timer) != 0)
        abort();
    watchdog_owner = getpid();
}

void watchdog_arm(int64_t ms, int status, const char *what)
{
    assert(ms > 0);
    if (watchdog_owner != getpid())
        watchdog_setup();
    atomic_store(&watchdog_deadline_us, 0);
    int len = snprintf(watchdog_line, sizeof(watchdog_line),
                       "\",\"level\":\"error\",\"event\":\"watchdog\",\"call\":\"%.120s\","
                       "\"limit_ms\":%lld,\"exit\":%d}\n",
                       what, (long long)ms, status);
    watchdog_line_len = MIN_OF((size_t)MAX_OF(len, 0), sizeof(watchdog_line) - 1);
    watchdog_status = status;
    atomic_store(&watchdog_deadline_us, clock_mono(&clock_real) + ms * TIME_US_PER_MS);
    watchdog_set(ms);
}

void watchdog_disarm(void)
{
    atomic_store(&watchdog_deadline_us, 0);
    if (watchdog_owner == getpid())
        watchdog_set(0);
}
