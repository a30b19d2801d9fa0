/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds of values that the messages' structs are made of. Texts are NUL-terminated UTF-8 in the
 * batch's arena; a text that was not given, or is null, is NULL. Times are microseconds
 * (base_time).
 */
#ifndef MSG_VALUES_H
#define MSG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum msg_presence {
    MSG_ABSENT = 0,
    MSG_NULL, /* only where the contract allows a null */
    MSG_GIVEN,
};

/* An integer or a time that need not be there. */
struct msg_int {
    enum msg_presence is;
    int64_t value; /* 0 unless given */
};
static inline struct msg_int msg_int_of(int64_t value)
{
    return (struct msg_int){MSG_GIVEN, value};
}
static inline int64_t msg_int_or(struct msg_int given, int64_t fallback)
{
    return given.is == MSG_GIVEN ? given.value : fallback;
}

struct msg_texts {
    const char *const *items;
    size_t count;
};

/* A JSON object of counts: {"EUR": 1200} */
struct msg_tally {
    const char *name;
    int64_t value;
};
struct msg_tallies {
    const struct msg_tally *items;
    size_t count;
};

#endif
