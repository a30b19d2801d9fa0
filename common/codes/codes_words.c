/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_words.h"

#include "codes_canonical.h"
#include "codes_internal.h"

/*
 * The automaton: states are what of a blocked word has just been read, characters fall in classes
 * (one per character that words use, class 0 for all others). Every state that ends a word is the
 * one state HIT, since nothing after it matters.
 */
#define HIT UINT16_MAX
#define CLASSES_MAX 256
#define STATES_MAX (CODES_WORDS_CHARS + 1)

struct codes_words {
    unsigned states;
    unsigned classes;
    uint8_t ascii[128];           /* ASCII to class         */
    uint32_t points[CLASSES_MAX]; /* class to character     */
    uint16_t *next;               /* [state * classes + class] */
};

/* The class of a character: by table for ASCII, by search through the few others. */
static unsigned class_of(const struct codes_words *words, uint32_t point)
{
    if (point < ARRAY_LEN(words->ascii))
        return words->ascii[point];
    for (unsigned i = 1; i < words->classes; i++)
        if (words->points[i] == point)
            return i;
    return 0;
}

static int fail_too_large(struct err *err)
{
    return err_set(err, ERR_POISON, "codes", "word_list_too_large",
                   "blocked words: at most %d words with %d characters, %d of them different",
                   CODES_WORDS_MAX, CODES_WORDS_CHARS, CLASSES_MAX - 1);
}

/* The canonical characters of all words, one after the other, each word closed by a 0. */
struct list {
    uint32_t points[CODES_WORDS_CHARS + CODES_WORDS_MAX];
    size_t len;
    size_t words;
};

static int list_add(struct list *list, struct codes_words *words, const char *word, struct err *err)
{
    char key[CODES_KEY_BYTES + 1];
    size_t len;

    if (codes_canonical(word, strlen(word), key, &len, err) < 0)
        return err_wrap(err, "a blocked word");
    if (list->words == CODES_WORDS_MAX)
        return fail_too_large(err);
    for (size_t at = 0; at < len;) {
        uint32_t point = 0;
        at += codes_point_read(key + at, len - at, &point);
        if (list->len - list->words == CODES_WORDS_CHARS)
            return fail_too_large(err);
        list->points[list->len++] = point;
        if (class_of(words, point) != 0)
            continue;
        if (words->classes == CLASSES_MAX)
            return fail_too_large(err);
        words->points[words->classes] = point;
        if (point < ARRAY_LEN(words->ascii))
            words->ascii[point] = (uint8_t)words->classes;
        words->classes++;
    }
    list->points[list->len++] = 0;
    list->words++;
    return 0;
}

/* The trie: 0 stands for "no edge yet", which no edge of a trie leads to. */
static void build_trie(struct codes_words *words, const struct list *list)
{
    unsigned state = 0;
    bool blocked = false; /* a shorter word already ends on the way */

    words->states = 1;
    for (size_t i = 0; i < list->len; i++) {
        if (list->points[i] == 0) {
            state = 0;
            blocked = false;
            continue;
        }
        if (blocked)
            continue;
        uint16_t *edge = &words->next[state * words->classes + class_of(words, list->points[i])];
        if (list->points[i + 1] == 0) {
            *edge = HIT;
        } else if (*edge == HIT) {
            blocked = true;
        } else {
            if (*edge == 0)
                *edge = (uint16_t)words->states++;
            state = *edge;
        }
    }
}

/* Fill in the missing edges, in breadth-first order: where the longest suffix would go. */
static int build_edges(struct codes_words *words, struct err *err)
{
    uint16_t *fail = calloc(words->states, sizeof *fail);
    uint16_t *queue = calloc(words->states, sizeof *queue);
    unsigned head = 0;
    unsigned tail = 1; /* queue[0] is the root */

    if (fail == NULL || queue == NULL) {
        free(fail);
        free(queue);
        return err_nomem(err);
    }
    while (head < tail) {
        unsigned state = queue[head++];
        uint16_t *row = &words->next[state * words->classes];
        const uint16_t *suffix = &words->next[fail[state] * words->classes];
        for (unsigned kind = 0; kind < words->classes; kind++) {
            if (row[kind] == 0) {
                row[kind] = state == 0 ? 0 : suffix[kind];
            } else if (row[kind] != HIT) {
                unsigned child = row[kind];
                uint16_t target = state == 0 ? 0 : suffix[kind];
                if (target == HIT) {
                    row[kind] = HIT; /* a word ends here as somebody's suffix */
                } else {
                    fail[child] = target;
                    queue[tail++] = (uint16_t)child;
                }
            }
        }
    }
    free(fail);
    free(queue);
    return 0;
}

static int build(struct codes_words *words, const char *const *list_words, size_t count,
                 bool builtin, struct list *list, struct err *err)
{
    words->classes = 1;
    for (size_t i = 0; i < count; i++)
        if (list_add(list, words, list_words[i], err) < 0)
            return -1;
    for (size_t i = 0; builtin && i < codes_words_builtin_count; i++)
        if (list_add(list, words, codes_words_builtin[i], err) < 0)
            return -1;
    words->next = calloc((list->len - list->words + 1) * words->classes, sizeof *words->next);
    if (words->next == NULL)
        return err_nomem(err);
    build_trie(words, list);
    return build_edges(words, err);
}

int codes_words_new(const char *const *list_words, size_t count, bool builtin,
                    struct codes_words **ret_words, struct err *err)
{
    struct codes_words *words = calloc(1, sizeof *words);
    struct list *list = calloc(1, sizeof *list);
    int result = words == NULL || list == NULL
                     ? err_nomem(err)
                     : build(words, list_words, count, builtin, list, err);

    free(list);
    if (result < 0) {
        codes_words_free(words);
        return -1;
    }
    *ret_words = words;
    return 0;
}

void codes_words_free(struct codes_words *words)
{
    if (words == NULL)
        return;
    free(words->next);
    free(words);
}

bool codes_words_hit(const struct codes_words *words, const char *key, size_t len)
{
    unsigned state = 0;

    if (words == NULL)
        return false;
    for (size_t at = 0; at < len;) {
        unsigned kind;
        unsigned char byte = (unsigned char)key[at];
        if (byte < 128) {
            kind = words->ascii[byte];
            at++;
        } else {
            uint32_t point = 0;
            size_t used = codes_point_read(key + at, len - at, &point);
            kind = class_of(words, point);
            at += used > 0 ? used : 1;
        }
        state = words->next[state * words->classes + kind];
        if (state == HIT)
            return true;
    }
    return false;
}

/*
 * The count is a dynamic programme over the characters of the key: how many beginnings lead to each
 * (state of the automaton, state of the check). Without a check character there is one check state.
 */
struct counter {
    const struct codes_words *words;
    const struct codes_pattern *pattern;
    unsigned checks; /* check states: 1 or the size of the alphabet */
    codes_u128 *now;
    codes_u128 *then;
};

/* Saturating: beyond 2^128 there are more than enough. */
static void add_product(codes_u128 *sum, codes_u128 value, unsigned times)
{
    codes_u128 product;

    if (__builtin_mul_overflow(value, (codes_u128)times, &product) ||
        __builtin_add_overflow(*sum, product, sum))
        *sum = ~(codes_u128)0;
}

static void count_literal(struct counter *counter, uint32_t point)
{
    unsigned kind = class_of(counter->words, point);

    for (unsigned state = 0; state < counter->words->states; state++) {
        unsigned target = counter->words->next[state * counter->words->classes + kind];
        for (unsigned check = 0; target != HIT && check < counter->checks; check++)
            add_product(&counter->then[target * counter->checks + check],
                        counter->now[state * counter->checks + check], 1);
    }
}

/* A place without check character: characters of one class go the same way. */
static void count_place(struct counter *counter, const struct codes_set *set)
{
    unsigned times[CLASSES_MAX] = {0};

    for (unsigned i = 0; i < set->count; i++)
        times[class_of(counter->words, set->symbols[i].point)]++;
    for (unsigned state = 0; state < counter->words->states; state++) {
        if (counter->now[state] == 0)
            continue;
        for (unsigned kind = 0; kind < counter->words->classes; kind++) {
            unsigned target = counter->words->next[state * counter->words->classes + kind];
            if (times[kind] > 0 && target != HIT)
                add_product(&counter->then[target], counter->now[state], times[kind]);
        }
    }
}

static void count_checked_place(struct counter *counter, const struct codes_place_set *place_set)
{
    const struct codes_check *table = &counter->pattern->check;
    unsigned classes[CODES_SET_MAX];

    for (unsigned i = 0; i < place_set->set.count; i++)
        classes[i] = class_of(counter->words, place_set->set.symbols[i].point);
    for (unsigned state = 0; state < counter->words->states; state++) {
        for (unsigned check = 0; check < counter->checks; check++) {
            codes_u128 value = counter->now[state * counter->checks + check];
            for (unsigned i = 0; value > 0 && i < place_set->set.count; i++) {
                unsigned target =
                    counter->words->next[state * counter->words->classes + classes[i]];
                if (target != HIT)
                    add_product(&counter->then[target * counter->checks +
                                               table->table[check][place_set->value[i]]],
                                value, 1);
            }
        }
    }
}

static void count_check(struct counter *counter)
{
    const struct codes_pattern *pattern = counter->pattern;

    for (unsigned check = 0; check < counter->checks; check++) {
        unsigned value = pattern->check.closing[check];
        unsigned kind = class_of(counter->words, pattern->alphabet.symbols[value].point);
        for (unsigned state = 0; state < counter->words->states; state++) {
            unsigned target = counter->words->next[state * counter->words->classes + kind];
            if (target != HIT)
                add_product(&counter->then[target * counter->checks + check],
                            counter->now[state * counter->checks + check], 1);
        }
    }
}

static codes_u128 run_count(struct counter *counter, size_t cells)
{
    const struct codes_pattern *pattern = counter->pattern;
    codes_u128 sum = 0;

    counter->now[0] = 1;
    for (unsigned i = 0; i < pattern->step_count; i++) {
        const struct codes_step *step = &pattern->steps[i];
        memset(counter->then, 0, cells * sizeof *counter->then);
        switch (step->kind) {
        case CODES_STEP_LITERAL:
            count_literal(counter, step->point);
            break;
        case CODES_STEP_PLACE:
            if (pattern->has_check)
                count_checked_place(counter, step->set);
            else
                count_place(counter, &step->set->set);
            break;
        case CODES_STEP_CHECK:
            count_check(counter);
            break;
        }
        codes_u128 *swap = counter->now;
        counter->now = counter->then;
        counter->then = swap;
    }
    for (size_t i = 0; i < cells; i++)
        add_product(&sum, counter->now[i], 1);
    return MIN_OF(sum, pattern->space);
}

int codes_words_count(const struct codes_words *words, const struct codes_pattern *pattern,
                      codes_u128 *ret_count, struct err *err)
{
    struct counter counter = {.words = words, .pattern = pattern};
    int result = 0;

    if (words == NULL) {
        *ret_count = pattern->space;
        return 0;
    }
    counter.checks = pattern->has_check ? pattern->check.size : 1;
    size_t cells = (size_t)words->states * counter.checks;
    counter.now = calloc(cells, sizeof *counter.now);
    counter.then = calloc(cells, sizeof *counter.then);
    if (counter.now == NULL || counter.then == NULL)
        result = err_nomem(err);
    else
        *ret_count = run_count(&counter, cells);
    free(counter.now);
    free(counter.then);
    return result;
}
