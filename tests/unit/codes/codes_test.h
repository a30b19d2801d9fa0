/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of this library share: seeded random numbers and checks of errors. The seeds are
 * fixed, so that a run can be repeated; CODES_TEST_SEED adds one.
 */
#ifndef CODES_TEST_H
#define CODES_TEST_H

#include "base_err.h"
#include "codes_pattern.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the five above first */
#include <cmocka.h>

/* splitmix64 */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The index-th seed of a property test, printed; false when there are no more. */
static inline bool test_seed(unsigned index, unsigned count, uint64_t *ret_state)
{
    const char *own = getenv("CODES_TEST_SEED");

    if (index < count)
        *ret_state = index + 1;
    else if (index == count && own != NULL)
        *ret_state = strtoull(own, NULL, 0);
    else
        return false;
    print_message("seed %" PRIu64 "\n", *ret_state);
    return true;
}

#define assert_refused(result, err, wanted)                                                        \
    do {                                                                                           \
        assert_int_equal((result), -1);                                                            \
        assert_string_equal((err).code, (wanted));                                                 \
        assert_int_equal((err).kind, ERR_POISON);                                                  \
        assert_string_equal((err).domain, "codes");                                                \
        assert_true((err).text[0] != '\0');                                                        \
    } while (0)

static inline UNUSED struct codes_pattern *pattern_of(const char *text)
{
    struct codes_pattern *pattern = NULL;
    struct err err = {0};

    if (codes_pattern_parse(text, strlen(text), false, &pattern, &err) < 0)
        fail_msg("pattern %s: %s %s", text, err.code, err.text);
    return pattern;
}

#endif
