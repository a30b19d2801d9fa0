/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes: which partition their tokens go to, and which have a token at the start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base_attr.h"
#include "jobs.h"

#define SAMPLES 2000

/* Ids as even as those of UUIDv5. */
static void next_id(uint8_t id[16])
{
    static uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < 16; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        id[i] = (uint8_t)(random >> 56);
    }
}

/* Which of `workers` members holds a partition, as the range assignor deals: the first members get
 * one more where it does not divide. */
static int holder(int partition, int partitions, int workers)
{
    int each = partitions / workers;
    int more = partitions % workers;

    if (partition < more * (each + 1))
        return partition / (each + 1);
    return more + (partition - more * (each + 1)) / each;
}

static void the_first_lanes_fall_evenly_on_range_assigned_workers(void **state UNUSED)
{
    static const int partition_counts[] = {16, 32, 64};

    for (size_t p = 0; p < ARRAY_LEN(partition_counts); p++) {
        for (int workers = 2; workers <= 8; workers *= 2) {
            for (int width = 1; width <= JOBS_LANES; width++) {
                for (int sample = 0; sample < SAMPLES / 20; sample++) {
                    uint8_t id[16];
                    int held[8] = {0};
                    int least = JOBS_LANES;
                    int most = 0;

                    next_id(id);
                    for (int lane = 0; lane < width; lane++) {
                        int32_t at = jobs_partition(id, lane, partition_counts[p]);

                        assert_in_range(at, 0, partition_counts[p] - 1);
                        held[holder(at, partition_counts[p], workers)]++;
                    }
                    for (int worker = 0; worker < workers; worker++) {
                        least = held[worker] < least ? held[worker] : least;
                        most = held[worker] > most ? held[worker] : most;
                    }
                    /* Even where the width is a multiple of the workers, else one apart. */
                    if (width % workers == 0)
                        assert_int_equal(most, least);
                    else
                        assert_int_equal(most - least, 1);
                }
            }
        }
    }
}

static void sixteen_lanes_use_every_partition_alike(void **state UNUSED)
{
    static const int partition_counts[] = {1, 2, 4, 8, 16};

    for (size_t p = 0; p < ARRAY_LEN(partition_counts); p++) {
        uint8_t id[16];
        int hit[16] = {0};

        next_id(id);
        for (int lane = 0; lane < JOBS_LANES; lane++)
            hit[jobs_partition(id, lane, partition_counts[p])]++;
        for (int i = 0; i < partition_counts[p]; i++)
            assert_int_equal(hit[i], JOBS_LANES / partition_counts[p]);
    }
}

static void any_number_of_partitions_will_do(void **state UNUSED)
{
    for (int partitions = 1; partitions <= 100; partitions++) {
        uint8_t id[16];

        next_id(id);
        for (int lane = 0; lane <= JOBS_LANE_EXTRA; lane++)
            assert_in_range(jobs_partition(id, lane, partitions), 0, partitions - 1);
    }
    static const uint8_t highest[16] = {0xff, 0xff, 0xff, 0xff};

    assert_in_range(jobs_partition(highest, 15, INT32_MAX), 0, INT32_MAX - 1);
}

static void jobs_begin_at_different_partitions(void **state UNUSED)
{
    int hit[16] = {0};

    for (int sample = 0; sample < SAMPLES; sample++) {
        uint8_t id[16];

        next_id(id);
        hit[jobs_partition(id, 0, 16)]++;
    }
    for (int i = 0; i < 16; i++) /* 125 expected, a standard deviation is 11 */
        assert_in_range(hit[i], 125 - 55, 125 + 55);
}

static void a_lane_s_partition_never_changes(void **state UNUSED)
{
    static const uint8_t id[16] = {0x01, 0x23, 0x45, 0x67, 0x89};
    static const int32_t known[JOBS_LANE_EXTRA + 1] = {7, 15, 11, 3,  9, 1,  13, 5, 8,
                                                       0, 12, 4,  10, 2, 14, 6,  7};

    for (int lane = 0; lane <= JOBS_LANE_EXTRA; lane++)
        assert_int_equal(jobs_partition(id, lane, 16), known[lane]);
}

static void the_first_tokens_are_those_of_the_first_lanes_with_work(void **state UNUSED)
{
    static const struct {
        int64_t total;
        int width;
        size_t count;
    } rows[] = {
        {1000000, 4, 4}, {1000000, 1, 1}, {1000000, 16, 16}, {16, 16, 16}, {15, 16, 15},
        {16, 4, 4},      {3, 4, 3},       {1, 4, 1},         {0, 4, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jobs_job job = {.total = rows[i].total, .width = rows[i].width};
        struct jobs_token tokens[JOBS_LANES];
        size_t count = 99;

        next_id(job.id);
        jobs_first_tokens(&job, tokens, &count);
        assert_int_equal(count, rows[i].count);
        for (size_t t = 0; t < count; t++) {
            assert_memory_equal(tokens[t].job, job.id, 16);
            assert_int_equal(tokens[t].n, 0);
            assert_int_equal(tokens[t].epoch, 0);
            assert_true(t == 0 || tokens[t].lane > tokens[t - 1].lane);
            if (rows[i].total >= JOBS_LANES)
                assert_int_equal(tokens[t].lane, t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_lanes_fall_evenly_on_range_assigned_workers),
        cmocka_unit_test(sixteen_lanes_use_every_partition_alike),
        cmocka_unit_test(any_number_of_partitions_will_do),
        cmocka_unit_test(jobs_begin_at_different_partitions),
        cmocka_unit_test(a_lane_s_partition_never_changes),
        cmocka_unit_test(the_first_tokens_are_those_of_the_first_lanes_with_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
