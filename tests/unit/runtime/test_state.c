/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's states: each edge of this list is allowed, every other one aborts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_attr.h"
#include "runtime_state.h"

#define STATES (STATE_STOPPING + 1)

static const bool allowed[STATES][STATES] = {
    [STATE_STARTING] = {[STATE_CONNECTING] = true, [STATE_STOPPING] = true},
    [STATE_CONNECTING] =
        {[STATE_JOINING] = true, [STATE_RECOVERING] = true, [STATE_STOPPING] = true},
    [STATE_JOINING] = {[STATE_RUNNING] = true, [STATE_RECOVERING] = true, [STATE_STOPPING] = true},
    [STATE_RUNNING] = {[STATE_JOINING] = true, [STATE_RECOVERING] = true, [STATE_STOPPING] = true},
    [STATE_RECOVERING] = {[STATE_CONNECTING] = true, [STATE_STOPPING] = true},
};

struct seen {
    unsigned calls;
    enum runtime_state from;
    enum runtime_state to;
    const char *reason;
};

static void note(void *opaque, enum runtime_state from, enum runtime_state to, const char *reason)
{
    struct seen *seen = opaque;

    *seen = (struct seen){seen->calls + 1, from, to, reason};
}

/* Does this change end the process by abort()? */
static bool aborts(enum runtime_state from, enum runtime_state to)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        struct seen seen = {0};
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        (void)dup2(nowhere, STDERR_FILENO);
        runtime_state_set(&from, to, note, &seen);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    return WIFSIGNALED(status);
}

static void edges_of_the_table_are_taken_and_told_with_a_reason(void **state UNUSED)
{
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++) {
            enum runtime_state now = (enum runtime_state)from;
            struct seen seen = {0};

            if (!allowed[from][to])
                continue;
            runtime_state_set(&now, (enum runtime_state)to, note, &seen);
            assert_int_equal(now, to);
            assert_int_equal(seen.calls, 1);
            assert_int_equal(seen.from, from);
            assert_int_equal(seen.to, to);
            assert_true(strlen(seen.reason) > 0);
        }
    }
}

static void the_same_state_again_is_told_to_nobody(void **state UNUSED)
{
    for (int at = 0; at < STATES; at++) {
        enum runtime_state now = (enum runtime_state)at;
        struct seen seen = {0};

        runtime_state_set(&now, (enum runtime_state)at, note, &seen);
        assert_int_equal(now, at);
        assert_int_equal(seen.calls, 0);
    }
}

static void every_other_edge_aborts(void **state UNUSED)
{
    unsigned forbidden = 0;

    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++) {
            if (from == to || allowed[from][to])
                continue;
            assert_true(aborts((enum runtime_state)from, (enum runtime_state)to));
            forbidden++;
        }
    }
    assert_int_equal(forbidden, 30 - 13);
    assert_false(aborts(STATE_STARTING, STATE_CONNECTING));
}

static void every_state_has_a_name_of_its_own(void **state UNUSED)
{
    for (int a = 0; a < STATES; a++) {
        assert_string_not_equal(runtime_state_name((enum runtime_state)a), "?");
        for (int b = 0; b < a; b++)
            assert_string_not_equal(runtime_state_name((enum runtime_state)a),
                                    runtime_state_name((enum runtime_state)b));
    }
    assert_string_equal(runtime_state_name(STATE_RUNNING), "running");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_of_the_table_are_taken_and_told_with_a_reason),
        cmocka_unit_test(the_same_state_again_is_told_to_nobody),
        cmocka_unit_test(every_other_edge_aborts),
        cmocka_unit_test(every_state_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
