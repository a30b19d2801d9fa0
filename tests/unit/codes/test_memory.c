/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of every constructor fails once: an error, nothing leaked, nothing returned.
 * Linked with --wrap for the functions below.
 */
#include "codes_test.h"

#include "codes_internal.h"
#include "codes_strata.h"
#include "codes_words.h"

/* The allocation that fails, counted from 1; 0: none. */
static unsigned failing;
static unsigned allocations;

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails_now(void)
{
    return failing > 0 && ++allocations == failing;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __real_realloc(old, size);
}

typedef int (*attempt_fn)(struct err *err);

/* Fail the first, the second, .. allocation until the attempt gets through. */
static void assert_survives(attempt_fn attempt, unsigned at_least)
{
    for (unsigned nth = 1;; nth++) {
        struct err err = {0};
        failing = nth;
        allocations = 0;
        int result = attempt(&err);
        bool failed = allocations >= failing;
        failing = 0;
        if (!failed) {
            assert_int_equal(result, 0);
            assert_in_range(nth - 1, at_least, 1000);
            return;
        }
        assert_int_equal(result, -1);
        assert_int_not_equal(err.kind, ERR_NONE);
        assert_int_not_equal(err.kind, ERR_POISON); /* the input was fine */
    }
}

static int make_pattern(struct err *err)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
    int result = codes_pattern_parse("A##-[0-9]{3}-[x-z]", 18, true, &pattern, err);

    assert_int_equal(pattern != NULL, result == 0);
    return result;
}

static int make_format(struct err *err)
{
    const struct codes_format format = {.charset = "alnum", .prefix = "SUMMER-", .dash_every = 4};
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
    int result = codes_pattern_from_format(&format, &pattern, err);

    assert_int_equal(pattern != NULL, result == 0);
    return result;
}

static int make_words(struct err *err)
{
    CLEANUP(codes_words_freep) struct codes_words *words = NULL;
    int result = codes_words_new(NULL, 0, true, &words, err);

    assert_int_equal(words != NULL, result == 0);
    return result;
}

static struct codes_pattern *shared_pattern;
static struct codes_words *shared_words;

static int count_words(struct err *err)
{
    codes_u128 count = 4711;
    int result = codes_words_count(shared_words, shared_pattern, &count, err);

    assert_int_equal(count != 4711, result == 0);
    return result;
}

static int make_strata(struct err *err)
{
    const uint8_t key[CODES_KEY_LEN] = {0};
    CLEANUP(codes_strata_freep) struct codes_strata *strata = NULL;
    int result = codes_strata_new(shared_pattern, 10, key, &strata, err);

    assert_int_equal(strata != NULL, result == 0);
    return result;
}

static void a_pattern_survives_lack_of_memory(void **state)
{
    (void)state;
    assert_survives(make_pattern, 4);
    assert_survives(make_format, 5);
}

static void words_survive_lack_of_memory(void **state)
{
    (void)state;
    assert_survives(make_words, 4);
    assert_survives(count_words, 2);
}

static void strata_survive_lack_of_memory(void **state)
{
    (void)state;
    assert_survives(make_strata, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_survives_lack_of_memory),
        cmocka_unit_test(words_survive_lack_of_memory),
        cmocka_unit_test(strata_survive_lack_of_memory),
    };
    struct err err = {0};

    shared_pattern = pattern_of("#####{check}");
    if (codes_words_new(NULL, 0, true, &shared_words, &err) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    codes_words_free(shared_words);
    codes_pattern_free(shared_pattern);
    return failed;
}
