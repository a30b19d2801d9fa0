/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this library share. conf_source.c collects texts from the environment and the
 * command line, conf_value.c turns texts into values, conf_print.c writes for people, conf.c holds
 * it together.
 */
#ifndef CONF_INTERNAL_H
#define CONF_INTERNAL_H

#include "conf.h"

#define CONF_NAME_MAX 128
#define CONF_ALLOWED_MAX 256
#define CONF_TEXT_MAX 4096        /* longest text where a row does not say otherwise */
#define CONF_FILE_MAX (64 * 1024) /* largest file of a secret                        */
#define CONF_SHOWN_MAX 60         /* of a value, in an error                         */

/* One option as it was given: a row's, or one that is passed through. Owns its texts. */
struct conf_entry {
    const struct conf_option *row; /* NULL: passed through */
    char *name;                    /* full name, with the prefix */
    bool secret;
    char *text;   /* NULL: not given */
    char *origin; /* "environment PGURL", "flag --batch-max"; NULL: not given */
    char *path;   /* of the file to read it from; NULL: none */
    char *path_origin;
};

struct conf_state {
    const struct conf_table *table;
    struct conf_entry *entries; /* one per row, in its order */
    struct conf_entry *passed;
    size_t passed_count;
    size_t passed_room;
    struct conf_pair *pairs;
    char **args;
    size_t arg_count;
    bool want_help;
    bool want_version;
    bool want_config;
};

/* Fill *err: ERR_FATAL, domain conf, pointer = name. Returns -1. */
int conf_fail(struct err *err, const char *code, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
bool conf_is_used(const struct conf_table *table, const struct conf_option *row);
bool conf_is_secret_row(const struct conf_option *row);

/* What conf_source() says of it. */
const char *conf_entry_source(const struct conf_entry *entry);

/* "batch.max" to "PROMO_BATCH_MAX" and "--batch-max". */
void conf_env_name(const char *name, char out[CONF_NAME_MAX]);
void conf_flag_name(const char *name, char out[CONF_NAME_MAX]);

/* conf_print.c */
void conf_print_state(const struct conf_state *state, FILE *out);

/* conf_source.c: put what is given into the state's entries. */
int conf_read_environment(struct conf_state *state, char **environment, struct err *err) MUST_CHECK;
int conf_read_flags(struct conf_state *state, int argc, char **argv, struct err *err) MUST_CHECK;
int conf_read_file(const char *name, const char *path, char **ret_text, struct err *err) MUST_CHECK;

/* conf_value.c: check a text against its row and store the value; texts are stored by pointer.
 * where: for the error. */
int conf_store(const struct conf_option *row, const char *text, const char *where, void *target,
               struct err *err) MUST_CHECK;
/* "1 to 1000", "10ms to 1h", "debug, info or warn"; "" when everything of the type is allowed. */
const char *conf_allowed(const struct conf_option *row, char out[CONF_ALLOWED_MAX]);
/* "text", "integer", ...; static. */
const char *conf_type_name(enum conf_type type);

#endif
