/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration from one table of options: defaults, then the environment, then the command line;
 * the later wins. The table is the fleet's; every program uses the rows that carry its bit.
 *
 * The option "batch.max" is the environment variable PROMO_BATCH_MAX and the flag --batch-max (with
 * "=VALUE" or the value as next argument; a bool without value is true). An option may have a
 * second environment variable (`env`). An empty environment variable counts as not given.
 *
 * A secret "fleet.secret" is also "fleet.secret.file" (PROMO_FLEET_SECRET_FILE,
 * --fleet-secret-file): read from that file, one trailing newline cut. Both given, or a file that
 * everybody can read or write, is an error.
 *
 * Pass-through: with the prefix "kafka." each --kafka.linger.ms=5 or PROMO_KAFKA_LINGER_MS=5 that
 * is no row of the table is collected as the pair linger.ms = 5, unless denied.
 *
 * Anything unknown, malformed or out of range is an error of kind ERR_FATAL, domain "conf", with
 * the option's name as pointer and a text that names value and allowed range (never a secret's
 * value). Codes: unknown_option, missing_value, malformed, out_of_range, required, conflict,
 * denied, unreadable.
 */
#ifndef CONF_H
#define CONF_H

#include "base_attr.h"
#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
    CONF_STRING,   /* const char *, NULL when not set; min and max are its length in bytes */
    CONF_INT,      /* int64_t                                                              */
    CONF_BOOL,     /* bool                                                                 */
    CONF_DURATION, /* int64_t milliseconds, as are min and max                             */
    CONF_SIZE,     /* int64_t bytes, as are min and max                                    */
    CONF_ENUM,     /* int or an enum: the index in `words`                                 */
    CONF_SECRET,   /* like CONF_STRING, but masked and also read from a file               */
};

struct conf_option {
    const char *name;  /* lower case words with dots between: "batch.max"           */
    const char *group; /* heading in texts made for people; rows of one stand together */
    enum conf_type type;
    size_t offset;            /* of the field in the caller's struct                     */
    const char *fallback;     /* default, as it would be typed; NULL: none               */
    int64_t min, max;         /* inclusive; both 0: whatever the type can hold           */
    const char *const *words; /* CONF_ENUM: the values, NULL at the end                 */
    const char *env;          /* a second environment variable, such as PGURL, or NULL   */
    unsigned programs;        /* bits of the programs that use it; 0: all                */
    bool required;            /* must be given                                           */
    bool flag_only;           /* no environment variable                                 */
    const char *help;         /* a sentence or two                                       */
};

/*
 * Type and offset of a row in one, checked by the compiler:
 *     {.name = "batch.max", CONF_INT_AT(struct settings, batch_max), .fallback = "1000", ...}
 */
#define CONF_AT_(kind, where, member, ctype)                                                       \
    .type = (kind),                                                                                \
    .offset =                                                                                      \
        offsetof(where, member) +                                                                  \
        0 * sizeof(                                                                                \
                char[__builtin_types_compatible_p(__typeof__(((where *)0)->member), ctype) ? 1     \
                                                                                           : -1])
#define CONF_STRING_AT(where, member) CONF_AT_(CONF_STRING, where, member, const char *)
#define CONF_INT_AT(where, member) CONF_AT_(CONF_INT, where, member, int64_t)
#define CONF_BOOL_AT(where, member) CONF_AT_(CONF_BOOL, where, member, bool)
#define CONF_DURATION_AT(where, member) CONF_AT_(CONF_DURATION, where, member, int64_t)
#define CONF_SIZE_AT(where, member) CONF_AT_(CONF_SIZE, where, member, int64_t)
#define CONF_SECRET_AT(where, member) CONF_AT_(CONF_SECRET, where, member, const char *)
#define CONF_ENUM_AT(where, member)                                                                \
    .type = CONF_ENUM,                                                                             \
    .offset = offsetof(where, member) +                                                            \
              0 * sizeof(char[sizeof(((where *)0)->member) == sizeof(int) ? 1 : -1])

/* All of it is borrowed and must outlive the struct conf; tables are static. */
struct conf_table {
    const char *program;              /* as it is called, for the help's first line */
    const char *about;                /* one sentence                               */
    unsigned bit;                     /* this program's; 0: every row is used       */
    const char *const *program_names; /* name of bit 0, of bit 1, ..., NULL; may be NULL */
    const struct conf_option *options;
    size_t option_count;
    const char *pass_prefix; /* "kafka.", or NULL: nothing is passed through */
    /* The reason why a name (without the prefix) may not be passed through, or NULL. May be NULL.
     */
    const char *(*pass_denied)(const char *name);
    /* Must the value be masked, and may it come from a file ("NAME.file")? May be NULL. */
    bool (*pass_secret)(const char *name);
    const char *const *ignored_env; /* PROMO_ variables of others, NULL at the end; may be NULL */
    bool positional;                /* arguments that are no flags are allowed and handed back */
    void (*version)(FILE *out);     /* writes what --version prints; NULL: no such flag */
};

struct conf_pair {
    const char *name; /* without the prefix */
    const char *value;
};

struct conf {
    const struct conf_pair *pairs; /* passed through, sorted by name */
    size_t pair_count;
    char **args; /* positional arguments, borrowed from argv; a NULL follows */
    size_t arg_count;
    struct conf_state *state; /* private */
};

/*
 * Fill *target and *ret_conf. 0: go on; 1: --help, --version or --print-config was asked for and
 * written to out, leave with success (nothing to free); -1: an error, nothing to free. Texts in
 * *target belong to *ret_conf. Fields of rows that this program does not use hold their defaults.
 * argv[0] is skipped; environment ends with NULL.
 */
int conf_load(const struct conf_table *table, int argc, char **argv, char **environment,
              void *target, FILE *out, struct conf *ret_conf, struct err *err) MUST_CHECK;
/* Frees everything, wiping the secrets: the texts in the target are gone too. */
void conf_done(struct conf *conf);

/* Where a value came from: "default", "environment PGURL", "flag --batch-max", "not set"; for one
 * from a file followed by " (file)". NULL: no such option in this program. Lives as long as conf.
 */
const char *conf_source(const struct conf *conf, const char *name);

/* What --help writes, at most 100 columns wide. */
void conf_print_help(const struct conf_table *table, FILE *out);
/* What --print-config writes: every option in force with its source, secrets masked. */
void conf_print_config(const struct conf *conf, FILE *out);
/* The whole table, of all programs, as Markdown. */
void conf_print_markdown(const struct conf_table *table, FILE *out);

#endif
