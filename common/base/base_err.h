/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors. The caller owns a struct err and passes it last; a failing function fills it and returns
 * -1, a succeeding one leaves it alone. The kind names what the caller does next, so nobody parses
 * texts. Libraries return errors and never log them; the runtime or a worker's main logs each once.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base_attr.h"

#include <stddef.h>

enum err_kind {
    ERR_NONE = 0,
    ERR_RETRY,     /* plainly retriable: roll back and try the same batch again        */
    ERR_TRANSIENT, /* the connection or the server is in doubt: start over (recovery)  */
    ERR_DUPLICATE, /* a unique key says that this was there already                    */
    ERR_POISON,    /* this message or input can never work: refuse or dead-letter it   */
    ERR_FATAL,     /* this process can never work as it is set up: say so and leave    */
    ERR_BUG,       /* one of our own invariants is broken                              */
};

#define ERR_TRAIL_MAX 6

struct err {
    enum err_kind kind;
    const char *domain; /* static text: "db", "kafka", "json", "codes", ...                     */
    char code[32];      /* SQLSTATE, Kafka error name, or a stable name of our own (snake_case)  */
    char pointer[128];  /* JSON Pointer of the offending field, or ""                            */
    char text[384];     /* one sentence for a person; never a code, an identifier or a secret    */
    unsigned depth;
    struct {
        const char *file;
        int line;
    } trail[ERR_TRAIL_MAX];
};

/* Fill *err and return -1, so that failing is one line. A NULL err is allowed. */
#define err_set(err, kind, domain, code, ...)                                                      \
    err_set_at((err), __FILE__, __LINE__, (kind), (domain), (code), __VA_ARGS__)
/* Put context before the text ("claim job 7: no connection"), keep kind and code, return -1. */
#define err_wrap(err, ...) err_wrap_at((err), __FILE__, __LINE__, __VA_ARGS__)

int err_set_at(struct err *err, const char *file, int line, enum err_kind kind, const char *domain,
               const char *code, const char *fmt, ...) PRINTF_LIKE(7, 8);
int err_wrap_at(struct err *err, const char *file, int line, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Like err_set with the kind ERR_POISON and the domain "msg": a field of a message is wrong.
 * Returns -1. */
int err_field(struct err *err, const char *pointer, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Out of memory, as an error: returns -1. */
int err_nomem(struct err *err);
/* From errno: kind as given, code = the errno's name or number. Returns -1. */
int err_errno(struct err *err, enum err_kind kind, const char *domain, int errnum, const char *fmt,
              ...) PRINTF_LIKE(5, 6);

void err_clear(struct err *err);
/* "transient", "poison", ...; static. */
const char *err_kind_name(enum err_kind kind);

#endif
