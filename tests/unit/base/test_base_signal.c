/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_signal.h"

#include "base_time.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool fd_is_readable(void)
{
    struct pollfd wait = {.fd = signal_fd(), .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

static int setup(void **state)
{
    (void)state;
    return signal_init(NULL);
}

static void nothing_is_requested_at_first(void **state)
{
    (void)state;
    assert_false(signal_stop_requested());
    assert_true(signal_fd() >= 0);
    assert_false(fd_is_readable());
    assert_true(signal_sleep_ms(0));
    assert_true(signal_sleep_ms(-5));
}

static void both_signals_request_a_stop(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_int_equal(signal_init(NULL), 0);
        assert_false(signal_stop_requested());
        assert_int_equal(raise(numbers[i]), 0);
        assert_true(signal_stop_requested());
        assert_true(fd_is_readable());
        assert_true(fd_is_readable());
    }
}

static void blocked_signals_are_unblocked(void **state)
{
    (void)state;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    assert_int_equal(signal_init(NULL), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_true(signal_stop_requested());
}

static void broken_pipes_do_not_kill(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    (void)close(ends[1]);
}

static void stop_before_a_sleep_ends_it_at_once(void **state)
{
    (void)state;
    signal_request_stop();
    assert_false(signal_sleep_ms(INT64_MAX));
}

static void *stop_from_thread(void *opaque)
{
    (void)opaque;
    signal_request_stop();
    return NULL;
}

static void stop_during_a_sleep_ends_it(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_from_thread, NULL), 0);
    assert_false(signal_sleep_ms(INT64_MAX));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void sleep_lasts_as_long_as_asked(void **state)
{
    (void)state;
    int64_t from = clock_mono(&clock_real);
    assert_true(signal_sleep_ms(15));
    assert_true(clock_mono(&clock_real) - from >= 15000);
}

/* Run child() in a process of its own; its stderr goes to text. Returns the wait status. */
static int run_child(void (*child)(void), char *text, size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        child();
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while (len + 1 < room && (got = read(ends[0], text + len, room - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void hang(void)
{
    watchdog_arm(20, 75, "commit_transaction");
    for (;;)
        (void)pause();
}

static void hang_with_the_signal_blocked(void)
{
    sigset_t set;
    (void)sigfillset(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    hang();
}

static void hanging_call_ends_the_process_with_its_line(void **state)
{
    (void)state;
    char text[1000];
    int status = run_child(hang, text, sizeof(text));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 75);
    assert_memory_equal(text, "{\"ts\":\"20", 9);
    static const char rest[] = "Z\",\"level\":\"error\",\"event\":\"watchdog\",\"call\":"
                               "\"commit_transaction\",\"limit_ms\":20,\"exit\":75}\n";
    assert_non_null(strstr(text, rest));
    assert_string_equal(strstr(text, rest), rest);
}

static void inherited_mask_does_not_hold_the_watchdog(void **state)
{
    (void)state;
    char text[1000];
    int status = run_child(hang_with_the_signal_blocked, text, sizeof(text));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 75);
}

static void hang_with_a_full_pipe(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        _exit(1);
    (void)dup2(ends[1], STDERR_FILENO);
    /* Nobody reads: fill it, as far as it goes without blocking. */
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (poll(&out, 1, 0) == 1) {
        if (write(STDERR_FILENO, "x", 1) != 1)
            break;
    }
    hang();
}

static void log_that_nobody_reads_does_not_hold_the_watchdog(void **state)
{
    (void)state;
    char text[10];
    int status = run_child(hang_with_a_full_pipe, text, sizeof(text));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 75);
}

static void arm_and_disarm(void)
{
    watchdog_disarm();
    watchdog_arm(10, 75, "first");
    watchdog_arm(60000, 75, "second");
    (void)signal_sleep_ms(30);
    watchdog_arm(10, 75, "third");
    watchdog_disarm();
    (void)signal_sleep_ms(30);
}

static void disarmed_or_armed_anew_it_stays_quiet(void **state)
{
    (void)state;
    char text[1000];
    int status = run_child(arm_and_disarm, text, sizeof(text));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
}

static void watchdog_of_a_parent_leaves_the_child_its_own(void **state)
{
    (void)state;
    watchdog_arm(60000, 74, "parent");
    char text[1000];
    int status = run_child(hang, text, sizeof(text));
    watchdog_disarm();
    assert_int_equal(WEXITSTATUS(status), 75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_requested_at_first, setup),
        cmocka_unit_test_setup(both_signals_request_a_stop, setup),
        cmocka_unit_test_setup(blocked_signals_are_unblocked, setup),
        cmocka_unit_test_setup(broken_pipes_do_not_kill, setup),
        cmocka_unit_test_setup(stop_before_a_sleep_ends_it_at_once, setup),
        cmocka_unit_test_setup(stop_during_a_sleep_ends_it, setup),
        cmocka_unit_test_setup(sleep_lasts_as_long_as_asked, setup),
        cmocka_unit_test_setup(hanging_call_ends_the_process_with_its_line, setup),
        cmocka_unit_test_setup(inherited_mask_does_not_hold_the_watchdog, setup),
        cmocka_unit_test_setup(log_that_nobody_reads_does_not_hold_the_watchdog, setup),
        cmocka_unit_test_setup(disarmed_or_armed_anew_it_stays_quiet, setup),
        cmocka_unit_test_setup(watchdog_of_a_parent_leaves_the_child_its_own, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
