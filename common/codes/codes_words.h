/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocked words: an Aho-Corasick automaton over canonical characters. A word blocks every key that
 * contains it, wherever it begins: in places, in literals, across both, in the check character.
 *
 * Never changes after it was made, and may be shared by threads.
 */
#ifndef CODES_WORDS_H
#define CODES_WORDS_H

#include "base_attr.h"
#include "base_err.h"
#include "codes_number.h"
#include "codes_pattern.h"

#include <stdbool.h>
#include <stddef.h>

/* Bounds of one list, built-in words included: words, and characters of all words together. */
#define CODES_WORDS_MAX 1000
#define CODES_WORDS_CHARS 4096

struct codes_words;

/* The built-in list: offensive English words and their usual spellings with digits. */
extern const char *const codes_words_builtin[];
extern const size_t codes_words_builtin_count;

/*
 * Words go through the canonical form. builtin: take the built-in list as well. No word at all is
 * fine: nothing is blocked. ERR_POISON, domain "codes": word_list_too_large, and those of
 * codes_canonical. The caller owns *ret_words.
 */
int codes_words_new(const char *const *words, size_t count, bool builtin,
                    struct codes_words **ret_words, struct err *err) MUST_CHECK;
void codes_words_free(struct codes_words *words); /* takes NULL */
DEFINE_CLEANUP(struct codes_words, codes_words_free)

/* Does the canonical key contain a blocked word? NULL words block nothing. */
bool codes_words_hit(const struct codes_words *words, const char *key, size_t len);

/*
 * How many strings of the pattern contain no blocked word, exactly, check character included. With
 * free places, where there are more than 2^96 strings to begin with, the count is exact up to M and
 * M beyond. Costs about places * set size * word characters (* check size) steps: milliseconds for
 * the built-in list. -1 only when memory is short.
 */
int codes_words_count(const struct codes_words *words, const struct codes_pattern *pattern,
                      codes_u128 *ret_count, struct err *err) MUST_CHECK;

#endif
