/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_arena.h"

#include <stdbool.h>
#include <string.h>

static bool is_aligned(const void *pointer)
{
    return (uintptr_t)pointer % _Alignof(max_align_t) == 0;
}

static void pieces_are_aligned_and_apart(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096, 0);
    char *before = NULL;
    for (size_t size = 0; size < 70; size++) {
        char *piece = arena_alloc(arena, size);
        assert_non_null(piece);
        assert_true(is_aligned(piece));
        assert_ptr_not_equal(piece, before);
        memset(piece, 0x5a, size);
        before = piece;
    }
}

static void zalloc_clears_what_a_round_before_left(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536, 0);
    memset(arena_alloc(arena, 1000), 0xff, 1000);
    arena_reset(arena);
    const unsigned char *bytes = arena_zalloc(arena, 100, 10);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(0, 0);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 8));
    assert_null(arena_zalloc(arena, SIZE_MAX / 2, 3));
    assert_null(arena_memdup(arena, "", SIZE_MAX));
    assert_non_null(arena_alloc(arena, 1));
}

static void cap_holds_and_the_arena_goes_on_below_it(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(0, 64 * 1024);
    assert_null(arena_alloc(arena, 64 * 1024));
    size_t got = 0;
    while (arena_alloc(arena, 1024) != NULL)
        got++;
    assert_in_range(got, 48, 63);
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 60 * 1024));
}

static void same_memory_serves_round_after_round(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024 * 1024, 0);
    void *first = arena_alloc(arena, 100);
    (void)arena_alloc(arena, 100 * 1000);
    arena_reset(arena);
    assert_ptr_equal(arena_alloc(arena, 100), first);
}

static void blocks_beyond_keep_are_given_back(void **state)
{
    (void)state;
    /* Whatever is kept counts against the cap: a big request only fits if the rest was freed. */
    CLEANUP(arena_freep) struct arena *arena = arena_new(20 * 1024, 128 * 1024);
    assert_non_null(arena_alloc(arena, 10 * 1024));
    assert_non_null(arena_alloc(arena, 50 * 1024));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 100 * 1024));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 100 * 1024));
}

static void used_counts_a_round_and_high_water_all(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(0, 0);
    assert_int_equal(arena_used(arena), 0);
    (void)arena_alloc(arena, 1000);
    size_t used = arena_used(arena);
    assert_in_range(used, 1000, 1024);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    (void)arena_alloc(arena, 16);
    assert_int_equal(arena_high_water(arena), used);
}

static void texts_are_copied_with_their_nul(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(0, 0);
    char text[] = "first";
    char *copy = arena_strdup(arena, text);
    text[0] = 'F';
    assert_string_equal(copy, "first");
    char *bytes = arena_memdup(arena, "a\0b", 3);
    assert_memory_equal(bytes, "a\0b\0", 4);
    assert_string_equal(arena_memdup(arena, NULL, 0), "");
    assert_string_equal(arena_printf(arena, "%s-%d", "job", 7), "job-7");
    assert_string_equal(arena_printf(arena, "%s", ""), "");
    assert_int_equal(strlen(arena_printf(arena, "%50000d", 1)), 50000);
}

static void free_takes_null(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(zalloc_clears_what_a_round_before_left),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(cap_holds_and_the_arena_goes_on_below_it),
        cmocka_unit_test(same_memory_serves_round_after_round),
        cmocka_unit_test(blocks_beyond_keep_are_given_back),
        cmocka_unit_test(used_counts_a_round_and_high_water_all),
        cmocka_unit_test(texts_are_copied_with_their_nul),
        cmocka_unit_test(free_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
