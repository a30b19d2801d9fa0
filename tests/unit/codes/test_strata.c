/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "base_digest.h"
#include "codes_internal.h"
#include "codes_strata.h"

#include <time.h>

static const uint8_t test_key[CODES_KEY_LEN] = {1, 2, 3};

static struct codes_strata *strata_of(const struct codes_pattern *pattern, uint64_t count,
                                      const uint8_t *key)
{
    struct codes_strata *strata = NULL;
    struct err err = {0};

    if (codes_strata_new(pattern, count, key, &strata, &err) < 0)
        fail_msg("strata: %s", err.text);
    return strata;
}

/* The key of known_answers_are_kept, and of nothing else. */
static void known_key(uint8_t key[CODES_KEY_LEN])
{
    static const char source[] = "/shop/eu";
    static const char id[] = "0190b0a0-0000-7000-8000-000000000001";
    uint8_t secret[32];

    memset(secret, 1, sizeof secret);
    codes_secret_job(secret, sizeof secret, CODES_SECRET_DRAW, source, strlen(source), id,
                     strlen(id), key);
}

/* Computed by another program. They may never change: replayed jobs must make the same codes. */
static void known_answers_are_kept(void **state)
{
    static const struct {
        uint64_t serial;
        unsigned attempt;
        const char *key;
    } draws[] = {
        {0, 0, "0000pgrph23q"},      {1, 0, "0001r5a3yt6v"},      {2, 0, "0002v8kwbkwb"},
        {500000, 0, "g000fqcdrs7q"}, {999999, 0, "zzzyzex0vrh2"}, {7, 1, "0007h2439gez"},
        {7, 8, "000879w0mnv9"},
    };
    static const struct {
        uint64_t step;
        const char *key;
    } overflows[] = {
        {0, "h12fmgphj3cg"},
        {63, "y1c2vchhrev6"},
        {64, "7wv3372np11k"},
        {65, "7wv3372np11m"},
    };
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(CODES_PATTERN_DEFAULT);
    CLEANUP(codes_strata_freep) struct codes_strata *strata = NULL;
    uint8_t key[CODES_KEY_LEN];
    struct codes_code code;

    (void)state;
    known_key(key);
    strata = strata_of(pattern, 1000000, key);
    for (size_t i = 0; i < ARRAY_LEN(draws); i++) {
        assert_int_equal(
            codes_strata_redraw(strata, draws[i].serial, draws[i].attempt, &code, NULL), 0);
        assert_string_equal(code.key, draws[i].key);
        assert_int_equal(code.serial, draws[i].serial);
    }
    for (size_t i = 0; i < ARRAY_LEN(overflows); i++) {
        assert_int_equal(codes_strata_overflow(strata, 7, overflows[i].step, &code, NULL), 1);
        assert_string_equal(code.key, overflows[i].key);
        assert_int_equal(code.serial, 7);
    }
}

static void known_answers_with_free_places_are_kept(void **state)
{
    static const struct {
        uint64_t serial;
        const char *key;
    } draws[] = {
        {0, "00000000f4a44444afe0b053c4c"},
        {1, "000000033e2cdd73e719a544fc3"},
        {1999999998, "fffffffe6df31b014f85b29146a"},
    };
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("[0-9a-f]{27}");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = NULL;
    uint8_t key[CODES_KEY_LEN];

    (void)state;
    known_key(key);
    strata = strata_of(pattern, 1999999999, key);
    for (size_t i = 0; i < ARRAY_LEN(draws); i++) {
        struct codes_code code;
        size_t count = 0;
        codes_strata_seek(strata, draws[i].serial);
        assert_int_equal(codes_strata_next(strata, &code, 1, &count, NULL), 1);
        assert_string_equal(code.key, draws[i].key);
        assert_int_equal(codes_strata_redraw(strata, draws[i].serial, 0, &code, NULL), 0);
        assert_string_equal(code.key, draws[i].key);
    }
}

static void known_answers_of_an_odd_space_are_kept(void **state)
{
    static const char *const keys[] = {"4by2b", "981ry", "e2l6t", "h33ty",
                                       "mfcnk", "q2p0o", "vumcx"};
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("[A-Z0-9]{5}");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = NULL;
    uint8_t key[CODES_KEY_LEN];
    struct codes_code codes[16];
    size_t count = 0;

    (void)state;
    known_key(key);
    strata = strata_of(pattern, 7, key);
    assert_int_equal(codes_strata_next(strata, codes, 16, &count, NULL), 1);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(codes[i].key, keys[i]);
    assert_int_equal(codes_strata_next(strata, codes, 16, &count, NULL), 0);
    assert_int_equal(count, 7);
}

/* For every space M and every N up to M: strata tile the space, codes are distinct and ascending.
 */
static void every_job_of_small_spaces_is_complete_distinct_and_sorted(void **state)
{
    static const char *const texts[] = {"[ab]", "[abc]",    "[0-9a]",     "[ab][cde]",
                                        "#",    "[a-c]{3}", "[0-9][a-g]", "x[0-9]{2}"};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
        uint64_t space = (uint64_t)codes_pattern_space(pattern);
        for (uint64_t count = 1; count <= space; count++) {
            CLEANUP(codes_strata_freep)
            struct codes_strata *strata = strata_of(pattern, count, test_key);
            struct codes_code codes[128];
            codes_u128 next = 0;
            size_t got = 0;
            assert_int_equal(codes_strata_next(strata, codes, ARRAY_LEN(codes), &got, NULL), 1);
            assert_int_equal(got, count);
            for (uint64_t i = 0; i < count; i++) {
                codes_u128 low;
                codes_u128 width;
                codes_strata_bounds(strata, i, &low, &width);
                assert_true(low == next);
                assert_in_range(width, space / count, space / count + 1);
                assert_true(codes[i].rank >= low && codes[i].rank < low + width);
                assert_int_equal(codes[i].serial, i);
                assert_true(i == 0 || strcmp(codes[i - 1].key, codes[i].key) < 0);
                for (codes_u128 rank = low; rank < low + width; rank++)
                    assert_int_equal(codes_strata_serial_of(strata, rank), i);
                next = low + width;
            }
            assert_true(next == space);
        }
    }
}

static void a_job_as_large_as_its_space_makes_every_code(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("[0-9]{4}{check}");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = strata_of(pattern, 10000, test_key);
    struct codes_code *codes = calloc(10000, sizeof *codes);
    size_t count = 0;

    (void)state;
    assert_non_null(codes);
    assert_int_equal(codes_strata_next(strata, codes, 10000, &count, NULL), 1);
    assert_int_equal(count, 10000);
    for (unsigned i = 0; i < 10000; i++) {
        char wanted[8];
        assert_true(codes[i].rank == i);
        snprintf(wanted, sizeof wanted, "%04u", i);
        assert_memory_equal(codes[i].key, wanted, 4);
    }
    free(codes);
}

/* Any range, in any pieces, in any order: the same codes. */
static void any_range_can_be_computed_alone(void **state)
{
    static const char *const texts[] = {CODES_PATTERN_DEFAULT, "#{22}{check}", "#{40}",
                                        "\u00E9[\u0410-\u042F]{9}"};
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 2, &random); s++) {
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            enum { COUNT = 2000 };
            CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
            CLEANUP(codes_strata_freep)
            struct codes_strata *whole = strata_of(pattern, COUNT, test_key);
            CLEANUP(codes_strata_freep)
            struct codes_strata *pieces = strata_of(pattern, COUNT, test_key);
            struct codes_code *all = calloc(COUNT, sizeof *all);
            struct codes_code *some = calloc(COUNT, sizeof *some);
            size_t count = 0;
            assert_true(all != NULL && some != NULL);
            assert_int_equal(codes_strata_next(whole, all, COUNT, &count, NULL), 1);
            assert_int_equal(count, COUNT);
            for (int round = 0; round < 30; round++) {
                uint64_t from = test_random(&random) % COUNT;
                size_t room = 1 + test_random(&random) % 600;
                codes_strata_seek(pieces, from);
                assert_int_equal(codes_strata_next(pieces, some, room, &count, NULL), 1);
                assert_int_equal(count, MIN_OF(room, COUNT - from));
                for (size_t i = 0; i < count; i++) {
                    assert_string_equal(some[i].key, all[from + i].key);
                    assert_string_equal(some[i].display, all[from + i].display);
                    assert_int_equal(some[i].serial, from + i);
                }
            }
            codes_strata_seek(pieces, COUNT);
            assert_int_equal(codes_strata_next(pieces, some, 1, &count, NULL), 0);
            free(all);
            free(some);
        }
    }
}

/* The corners of the numbers: N and M as small and as large as they go. */
static void extreme_jobs_stay_in_their_strata(void **state)
{
    static const char *const texts[] = {"[01]{31}",     "#{12}", "[0-9a-f]{24}", "[0-9a-f]{25}",
                                        "[A-Z0-9]{18}", "#{64}", "[0-2]{60}"};
    static const uint64_t counts[] = {1, 2, 3, 1000003, 1999999973, CODES_JOB_MAX};
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 2, &random); s++) {
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
            codes_u128 space = codes_pattern_space(pattern);
            for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
                CLEANUP(codes_strata_freep)
                struct codes_strata *strata = strata_of(pattern, counts[c], test_key);
                codes_u128 low;
                codes_u128 width;
                codes_strata_bounds(strata, 0, &low, &width);
                assert_true(low == 0);
                codes_strata_bounds(strata, counts[c] - 1, &low, &width);
                assert_true(low + width == space);
                for (int round = 0; round < 50; round++) {
                    uint64_t serial = round == 0   ? 0
                                      : round == 1 ? counts[c] - 1
                                                   : test_random(&random) % counts[c];
                    struct codes_code code;
                    codes_strata_bounds(strata, serial, &low, &width);
                    assert_true(width >= space / counts[c] && width <= space / counts[c] + 1);
                    assert_int_equal(codes_strata_serial_of(strata, low), serial);
                    assert_int_equal(codes_strata_serial_of(strata, low + width - 1), serial);
                    for (unsigned attempt = 0; attempt <= CODES_REDRAWS; attempt++) {
                        assert_int_equal(codes_strata_redraw(strata, serial, attempt, &code, NULL),
                                         0);
                        assert_true(code.rank >= low && code.rank < low + width);
                        assert_int_equal(
                            codes_pattern_match(pattern, code.key, code.key_len, NULL, NULL),
                            CODES_MATCH_YES);
                    }
                }
            }
        }
    }
}

static void a_space_of_one_code_is_drawn_once(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("SUMMER-10");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = strata_of(pattern, 1, test_key);
    struct codes_strata *none = NULL;
    struct codes_code codes[2];
    struct err err = {0};
    size_t count = 0;

    (void)state;
    assert_int_equal(codes_strata_next(strata, codes, ARRAY_LEN(codes), &count, NULL), 1);
    assert_int_equal(count, 1);
    assert_string_equal(codes[0].key, "summer10");
    assert_string_equal(codes[0].display, "SUMMER-10");
    assert_int_equal(codes_strata_next(strata, codes, ARRAY_LEN(codes), &count, NULL), 0);
    assert_int_equal(codes_strata_redraw(strata, 0, CODES_REDRAWS, &codes[1], NULL), 0);
    assert_string_equal(codes[1].key, "summer10");
    assert_int_equal(codes_strata_overflow(strata, 0, CODES_OVERFLOW_TRIES, &codes[1], NULL), 1);
    assert_string_equal(codes[1].key, "summer10");
    assert_int_equal(codes_strata_overflow(strata, 0, CODES_OVERFLOW_TRIES + 1, &codes[1], NULL),
                     0);
    assert_refused(codes_strata_new(pattern, 2, test_key, &none, &err), err, "bad_count");
}

static void counts_outside_of_the_space_are_refused(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *small = pattern_of("[0-9]{2}");
    CLEANUP(codes_pattern_freep) struct codes_pattern *large = pattern_of(CODES_PATTERN_DEFAULT);
    struct codes_strata *strata = NULL;
    struct err err = {0};

    (void)state;
    assert_refused(codes_strata_new(small, 0, test_key, &strata, &err), err, "bad_count");
    assert_refused(codes_strata_new(small, 101, test_key, &strata, &err), err, "bad_count");
    assert_refused(codes_strata_new(large, CODES_JOB_MAX + 1, test_key, &strata, &err), err,
                   "bad_count");
    assert_null(strata);
    codes_strata_free(NULL);
}

static void keys_and_attempts_draw_differently(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("#{30}");
    CLEANUP(codes_strata_freep) struct codes_strata *a = strata_of(pattern, 1000, test_key);
    uint8_t other_key[CODES_KEY_LEN] = {1, 2, 4};
    CLEANUP(codes_strata_freep) struct codes_strata *b = strata_of(pattern, 1000, other_key);
    struct codes_code code;
    struct codes_code others[CODES_REDRAWS + 2];

    (void)state;
    for (unsigned attempt = 0; attempt <= CODES_REDRAWS; attempt++)
        assert_int_equal(codes_strata_redraw(a, 5, attempt, &others[attempt], NULL), 0);
    assert_int_equal(codes_strata_redraw(b, 5, 0, &others[CODES_REDRAWS + 1], NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        for (size_t j = 0; j < i; j++) {
            assert_true(others[i].rank != others[j].rank);
            /* the free places, 11 of them, are drawn anew as well */
            assert_memory_not_equal(others[i].key + 19, others[j].key + 19, 11);
        }
    assert_int_equal(codes_strata_redraw(a, 5, 3, &code, NULL), 0);
    assert_string_equal(code.key, others[3].key);
}

/* Tries anywhere, then a walk that meets every rank once and stops. */
static void overflow_tries_then_walks_everywhere_once(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("[0-9]{2}[abc]");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = strata_of(pattern, 50, test_key);
    codes_u128 starts[50];
    unsigned different = 0;

    (void)state;
    for (uint64_t serial = 0; serial < 50; serial++) {
        bool seen[300] = {false};
        unsigned tried = 0;
        struct codes_code code;
        codes_u128 last = 0;
        for (uint64_t step = 0; step < CODES_OVERFLOW_TRIES; step++) {
            assert_int_equal(codes_strata_overflow(strata, serial, step, &code, NULL), 1);
            assert_true(code.rank < 300);
            tried += !seen[code.rank];
            seen[code.rank] = true;
        }
        assert_in_range(tried, 40, CODES_OVERFLOW_TRIES); /* 57.6 expected of 300 */
        memset(seen, 0, sizeof seen);
        for (uint64_t step = 0; step < 300; step++) {
            assert_int_equal(
                codes_strata_overflow(strata, serial, CODES_OVERFLOW_TRIES + step, &code, NULL), 1);
            assert_false(seen[code.rank]);
            seen[code.rank] = true;
            if (step == 0)
                starts[serial] = code.rank;
            else
                assert_true(code.rank == (last + 1) % 300);
            last = code.rank;
        }
        assert_int_equal(
            codes_strata_overflow(strata, serial, CODES_OVERFLOW_TRIES + 300, &code, NULL), 0);
        assert_int_equal(codes_strata_overflow(strata, serial, UINT64_MAX, &code, NULL), 0);
        different += serial > 0 && starts[serial] != starts[serial - 1];
    }
    assert_in_range(different, 40, 49);
}

/*
 * Are draws even? 100 cells over each stratum, 99 degrees of freedom: 99.99 % of fair draws stay
 * below 161. Key and seed are fixed, so this fails for a change of the code only.
 */
static void draws_are_even_within_strata(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("[A-Z0-9]{11}");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = strata_of(pattern, 200000, test_key);
    struct codes_code codes[500];
    unsigned cells[100] = {0};
    unsigned first[36] = {0};
    unsigned last[36] = {0};
    double chi = 0;
    double chi_first = 0;
    double chi_last = 0;
    size_t count = 0;

    (void)state;
    while (codes_strata_next(strata, codes, 500, &count, NULL) == 1) {
        for (size_t i = 0; i < count; i++) {
            codes_u128 low;
            codes_u128 width;
            codes_strata_bounds(strata, codes[i].serial, &low, &width);
            cells[(unsigned)((codes[i].rank - low) * 100 / width)]++;
            first[(unsigned)(codes[i].rank * 36 / codes_pattern_space(pattern))]++;
            last[(unsigned)(codes[i].rank % 36)]++;
        }
    }
    for (unsigned i = 0; i < 100; i++)
        chi += (cells[i] - 2000.0) * (cells[i] - 2000.0) / 2000.0;
    for (unsigned i = 0; i < 36; i++) {
        double expected = 200000.0 / 36;
        chi_first += (first[i] - expected) * (first[i] - expected) / expected;
        chi_last += (last[i] - expected) * (last[i] - expected) / expected;
    }
    print_message("chi-square: strata %.1f (99), last place %.1f (35), first place %.4f\n", chi,
                  chi_last, chi_first);
    assert_true(chi < 161.0);
    assert_true(chi > 50.0);
    assert_true(chi_last < 77.0);
    assert_true(chi_first < 1.0); /* strata spread more evenly than chance */
}

static void free_places_are_even(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("#{19}[0-2][0-9]{3}");
    CLEANUP(codes_strata_freep) struct codes_strata *strata = strata_of(pattern, 30000, test_key);
    struct codes_code codes[500];
    unsigned counts[4][10] = {{0}};
    size_t count = 0;

    (void)state;
    assert_int_equal(codes_pattern_free_places(pattern), 4);
    while (codes_strata_next(strata, codes, 500, &count, NULL) == 1)
        for (size_t i = 0; i < count; i++)
            for (unsigned place = 0; place < 4; place++)
                counts[place][codes[i].key[19 + place] - '0']++;
    for (unsigned place = 0; place < 4; place++) {
        unsigned size = place == 0 ? 3 : 10;
        double expected = 30000.0 / size;
        double chi = 0;
        for (unsigned i = 0; i < size; i++)
            chi += (counts[place][i] - expected) * (counts[place][i] - expected) / expected;
        print_message("chi-square of free place %u: %.1f (%u)\n", place, chi, size - 1);
        assert_true(chi < (place == 0 ? 19.0 : 34.0));
    }
}

static double seconds_since(const struct timespec *from)
{
    struct timespec to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from->tv_sec) + (double)(to.tv_nsec - from->tv_nsec) / 1e9;
}

static void speed_of_the_draw(void **state)
{
    static const char *const texts[] = {CODES_PATTERN_DEFAULT, "####-####-####{check}",
                                        "[A-Z0-9]{18}", "#{24}", "[\u0410-\u042F]{12}"};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        enum { COUNT = 1000000, ROOM = 256 };
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
        CLEANUP(codes_strata_freep)
        struct codes_strata *strata = strata_of(pattern, COUNT, test_key);
        struct codes_code codes[ROOM];
        struct timespec from;
        size_t sum = 0;
        size_t count = 0;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        while (codes_strata_next(strata, codes, ROOM, &count, NULL) == 1)
            sum += count;
        print_message("%-24s %.2f million codes a second\n", texts[t],
                      COUNT / seconds_since(&from) / 1e6);
        assert_int_equal(sum, COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_are_kept),
        cmocka_unit_test(known_answers_with_free_places_are_kept),
        cmocka_unit_test(known_answers_of_an_odd_space_are_kept),
        cmocka_unit_test(every_job_of_small_spaces_is_complete_distinct_and_sorted),
        cmocka_unit_test(a_job_as_large_as_its_space_makes_every_code),
        cmocka_unit_test(any_range_can_be_computed_alone),
        cmocka_unit_test(extreme_jobs_stay_in_their_strata),
        cmocka_unit_test(a_space_of_one_code_is_drawn_once),
        cmocka_unit_test(counts_outside_of_the_space_are_refused),
        cmocka_unit_test(keys_and_attempts_draw_differently),
        cmocka_unit_test(overflow_tries_then_walks_everywhere_once),
        cmocka_unit_test(draws_are_even_within_strata),
        cmocka_unit_test(free_places_are_even),
        cmocka_unit_test(speed_of_the_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
