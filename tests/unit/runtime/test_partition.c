/* SPDX-License-Identifier: Apache-2.0
 *
 * Where reading a partition starts, and which records are let in: the table of DESIGN section 3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base_attr.h"
#include "runtime_partition.h"

#define T 1700000000000000 /* Kafka timestamp of the record at next - 1 */

static struct partition make(int64_t from, int64_t next, int64_t next_time_us)
{
    struct partition partition = {
        .number = 3, .from = from, .next = next, .next_time_us = next_time_us, .verify = -1};

    (void)snprintf(partition.topic, sizeof(partition.topic), "t.redeem.commands");
    return partition;
}

struct start_case {
    const char *what;
    int64_t from, next, time;              /* table progress */
    int64_t committed, low, high;          /* Kafka          */
    int64_t start, position, verify, told; /* what is to be; told: `from` */
};

static const struct start_case starts[] = {
    {"never read, empty", 0, 0, -1, -1, 0, 0, 0, 0, -1, 0},
    {"never read, with records", 0, 0, -1, -1, 0, 500, 0, 0, -1, 0},
    {"never read, retention took the first", 0, 0, -1, -1, 40, 500, 40, 40, -1, 0},
    {"plain restart", 100, 100, T, 100, 0, 500, 99, 100, 99, 100},
    {"plain restart at the end", 500, 500, T, 500, 0, 500, 499, 500, 499, 500},
    {"plain restart, one record ever", 1, 1, T, 1, 0, 1, 0, 1, 0, 1},
    {"died between the commits", 100, 150, T, 100, 0, 500, 100, 100, 149, 100},
    {"`from` was not told yet", 100, 150, T, 150, 0, 500, 149, 150, 149, 150},
    {"the group is between the marks", 100, 150, T, 120, 0, 500, 120, 120, 149, 120},
    {"group offsets lost", 100, 150, T, -1, 0, 500, 100, 100, 149, 100},
    {"group offsets lost, all is published", 150, 150, T, -1, 0, 500, 149, 150, 149, 150},
    {"group offsets set back", 100, 150, T, 7, 0, 500, 100, 100, 149, 100},
    {"group offsets set to the end", 100, 150, T, 500, 0, 500, 149, 150, 149, 150},
    {"data base restored", 60, 80, T, 150, 0, 500, 79, 80, 79, 80},
    {"data base restored to nothing", 0, 0, -1, 150, 0, 500, 0, 0, -1, 0},
    {"time of the last record unknown", 100, 100, -1, 100, 0, 500, 100, 100, -1, 100},
    {"retention took all we applied", 100, 100, T, 100, 100, 500, 100, 100, -1, 100},
    {"retention took the record to compare", 100, 100, T, 100, 100, 100, 100, 100, -1, 100},
    {"the record to compare is the first left", 100, 100, T, 100, 99, 500, 99, 100, 99, 100},
    {"retention took applied records with outcomes missing", 100, 150, T, 100, 120, 500, 120, 120,
     -1, 100},
};

static void a_partition_starts_at_the_group_s_offset_clamped(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        const struct start_case *at = &starts[i];

        for (int tokens = 0; tokens < 2; tokens++) {
            struct partition partition = make(at->from, at->next, at->time);
            struct partition_facts facts = {
                .committed = at->committed, .low = at->low, .high = at->high, .tokens = tokens};
            struct err err = {0};
            int64_t start = -7;

            if (partition_start(&partition, &facts, &start, &err) != 0)
                fail_msg("%s: %s", at->what, err.text);
            if (start != at->start || partition.position != at->position ||
                partition.verify != at->verify)
                fail_msg("%s: start %lld, position %lld, verify %lld", at->what, (long long)start,
                         (long long)partition.position, (long long)partition.verify);
            assert_int_equal(partition.from, at->told);
            assert_int_equal(partition.next, at->next);
        }
    }
}

static void a_topic_that_ends_before_what_was_applied_is_another_one(void **state UNUSED)
{
    static const int64_t ends[] = {0, 1, 99};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct partition partition = make(100, 100, T);
        struct partition_facts facts = {.committed = -1, .low = 0, .high = ends[i]};
        struct err err = {0};
        int64_t start = -7;

        assert_int_equal(partition_start(&partition, &facts, &start, &err), -1);
        assert_int_equal(err.kind, ERR_FATAL);
        assert_string_equal(err.code, "topic_changed");
        assert_non_null(strstr(err.text, "partition 3 of t.redeem.commands"));
        assert_non_null(strstr(err.text, "offset 99 "));
        assert_int_equal(start, -7);
    }
}

static void commands_that_retention_removed_unread_halt(void **state UNUSED)
{
    struct partition partition = make(100, 100, T);
    struct partition_facts facts = {.committed = 100, .low = 101, .high = 500};
    struct err err = {0};
    int64_t start = -7;

    assert_int_equal(partition_start(&partition, &facts, &start, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "commands_lost");
    assert_non_null(strstr(err.text, "starts at offset 101, but only 100 was applied"));
}

static void tokens_that_retention_removed_are_made_again(void **state UNUSED)
{
    struct partition partition = make(100, 100, T);
    struct partition_facts facts = {.committed = 100, .low = 101, .high = 500, .tokens = true};
    struct err err = {0};
    int64_t start = -7;

    assert_int_equal(partition_start(&partition, &facts, &start, &err), 0);
    assert_int_equal(start, 101);
    assert_int_equal(partition.position, 101);
}

static void records_below_the_start_are_dropped_once_compared(void **state UNUSED)
{
    struct partition partition = make(100, 100, T);
    struct partition_facts facts = {.committed = 100, .low = 0, .high = 500};
    struct err err = {0};
    int64_t start = 0;

    assert_int_equal(partition_start(&partition, &facts, &start, &err), 0);
    assert_int_equal(partition_admit(&partition, 99, T, &err), 0);
    assert_int_equal(partition.verify, -1);
    assert_int_equal(partition_admit(&partition, 100, T + 1, &err), 1);
    assert_int_equal(partition_admit(&partition, 101, T + 1, &err), 1);
    assert_int_equal(partition.position, 102);
}

static void a_record_with_another_time_at_the_known_offset_halts(void **state UNUSED)
{
    static const int64_t times[] = {T - 1, T + 1, 0, -1};

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct partition partition = make(100, 100, T);
        struct partition_facts facts = {.committed = 100, .low = 0, .high = 500};
        struct err err = {0};
        int64_t start = 0;

        assert_int_equal(partition_start(&partition, &facts, &start, &err), 0);
        assert_int_equal(partition_admit(&partition, 99, times[i], &err), -1);
        assert_int_equal(err.kind, ERR_FATAL);
        assert_string_equal(err.code, "topic_changed");
    }
}

static void replayed_records_are_admitted_and_the_known_one_is_compared(void **state UNUSED)
{
    struct partition partition = make(100, 103, T);
    struct partition_facts facts = {.committed = 100, .low = 0, .high = 500};
    struct err err = {0};
    int64_t start = 0;

    assert_int_equal(partition_start(&partition, &facts, &start, &err), 0);
    assert_int_equal(start, 100);
    assert_int_equal(partition_admit(&partition, 100, T - 9, &err), 1);
    assert_int_equal(partition_admit(&partition, 101, T - 5, &err), 1);
    assert_int_equal(partition.verify, 102);
    assert_int_equal(partition_admit(&partition, 102, T, &err), 1);
    assert_int_equal(partition.verify, -1);
    assert_int_equal(partition_admit(&partition, 103, T + 7, &err), 1);
}

static void a_record_to_compare_that_is_gone_does_not_halt(void **state UNUSED)
{
    struct partition partition = make(100, 100, T);
    struct partition_facts facts = {.committed = 100, .low = 0, .high = 500};
    struct err err = {0};
    int64_t start = 0;

    assert_int_equal(partition_start(&partition, &facts, &start, &err), 0);
    assert_int_equal(partition_admit(&partition, 105, T + 1, &err), 1);
    assert_int_equal(partition.verify, -1);
    assert_int_equal(partition_admit(&partition, 106, T, &err), 1);
}

static void a_record_comes_in_once(void **state UNUSED)
{
    struct partition partition = make(0, 0, -1);
    struct partition_facts facts = {.committed = -1, .low = 0, .high = 5};
    struct err err = {0};
    int64_t start = -7;

    assert_int_equal(partition_start(&partition, &facts, &start, &err), 0);
    assert_int_equal(partition_admit(&partition, 0, T, &err), 1);
    assert_int_equal(partition_admit(&partition, 0, T, &err), 0);
    /* marks of transactions leave gaps */
    assert_int_equal(partition_admit(&partition, 4, T, &err), 1);
    assert_int_equal(partition_admit(&partition, 3, T, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_starts_at_the_group_s_offset_clamped),
        cmocka_unit_test(a_topic_that_ends_before_what_was_applied_is_another_one),
        cmocka_unit_test(commands_that_retention_removed_unread_halt),
        cmocka_unit_test(tokens_that_retention_removed_are_made_again),
        cmocka_unit_test(records_below_the_start_are_dropped_once_compared),
        cmocka_unit_test(a_record_with_another_time_at_the_known_offset_halts),
        cmocka_unit_test(replayed_records_are_admitted_and_the_known_one_is_compared),
        cmocka_unit_test(a_record_to_compare_that_is_gone_does_not_halt),
        cmocka_unit_test(a_record_comes_in_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
