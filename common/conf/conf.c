/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include "base_digest.h"
#include "conf_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int conf_fail(struct err *err, const char *code, const char *name, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    char text[sizeof(err->text)];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)err_set(err, ERR_FATAL, "conf", code, "%s", text);
    (void)snprintf(err->pointer, sizeof(err->pointer), "%s", name);
    return -1;
}

bool conf_is_used(const struct conf_table *table, const struct conf_option *row)
{
    return table->bit == 0 || row->programs == 0 || (row->programs & table->bit) != 0;
}

bool conf_is_secret_row(const struct conf_option *row)
{
    return row->type == CONF_SECRET;
}

/* Mistakes in the table, found at the first start of any program. */
static int check_table(const struct conf_table *table, struct err *err)
{
    for (size_t i = 0; i < table->option_count; i++) {
        const struct conf_option *row = &table->options[i];
        if (row->name == NULL || strlen(row->name) + 16 > CONF_NAME_MAX || row->help == NULL ||
            (row->type == CONF_ENUM && row->words == NULL))
            return err_set(err, ERR_BUG, "conf", "bad_row", "row %zu (%s) is incomplete", i,
                           row->name != NULL ? row->name : "no name");
        for (size_t j = 0; j < i; j++) {
            if (strcmp(table->options[j].name, row->name) == 0)
                return err_set(err, ERR_BUG, "conf", "bad_row", "%s stands twice in the table",
                               row->name);
        }
    }
    return 0;
}

static void free_text(char *text)
{
    if (text != NULL)
        digest_wipe(text, strlen(text));
    free(text);
}

static void entry_done(struct conf_entry *entry)
{
    free_text(entry->text);
    free(entry->name);
    free(entry->origin);
    free(entry->path);
    free(entry->path_origin);
}

static void state_free(struct conf_state *state)
{
    if (state == NULL)
        return;
    for (size_t i = 0; state->entries != NULL && i < state->table->option_count; i++)
        entry_done(&state->entries[i]);
    for (size_t i = 0; i < state->passed_count; i++)
        entry_done(&state->passed[i]);
    free(state->entries);
    free(state->passed);
    free(state->pairs);
    free(state->args);
    free(state);
}

void conf_done(struct conf *conf)
{
    if (conf == NULL)
        return;
    state_free(conf->state);
    *conf = (struct conf){.state = NULL};
}

/* Replace the path of a secret's file by what the file holds. */
static int resolve_file(struct conf_entry *entry, struct err *err)
{
    if (entry->path == NULL)
        return 0;
    const char *name = entry->row != NULL ? entry->row->name : entry->name;
    if (entry->text != NULL)
        return conf_fail(err, "conflict", name, "%s: given both directly (%s) and as a file (%s)",
                         name, entry->origin, entry->path_origin);
    if (conf_read_file(name, entry->path, &entry->text, err) < 0)
        return -1;
    if (asprintf(&entry->origin, "%s (file)", entry->path_origin) < 0) {
        entry->origin = NULL;
        return err_nomem(err);
    }
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct conf_entry *left = a;
    const struct conf_entry *right = b;
    return strcmp(left->name, right->name);
}

static int resolve(struct conf_state *state, void *target, struct err *err)
{
    const struct conf_table *table = state->table;
    for (size_t i = 0; i < table->option_count; i++) {
        const struct conf_option *row = &table->options[i];
        struct conf_entry *entry = &state->entries[i];
        if (resolve_file(entry, err) < 0)
            return -1;
        if (entry->text != NULL) {
            if (conf_store(row, entry->text, entry->origin, target, err) < 0)
                return -1;
        } else if (row->fallback != NULL) {
            if (conf_store(row, row->fallback, "default", target, err) < 0) {
                if (err != NULL)
                    err->kind = ERR_BUG;
                return -1;
            }
        } else if (row->required && conf_is_used(table, row)) {
            char flag[CONF_NAME_MAX];
            char variable[CONF_NAME_MAX];
            conf_flag_name(row->name, flag);
            conf_env_name(row->name, variable);
            return conf_fail(err, "required", row->name, "%s is required: give %s%s%s", row->name,
                             flag, row->flag_only ? "" : " or ",
                             row->flag_only     ? ""
                             : row->env != NULL ? row->env
                                                : variable);
        }
    }

    state->pairs = calloc(state->passed_count + 1, sizeof(*state->pairs));
    if (state->pairs == NULL)
        return err_nomem(err);
    if (state->passed_count > 1)
        qsort(state->passed, state->passed_count, sizeof(*state->passed), compare_entries);
    for (size_t i = 0; i < state->passed_count; i++) {
        struct conf_entry *entry = &state->passed[i];
        if (resolve_file(entry, err) < 0)
            return -1;
        state->pairs[i] = (struct conf_pair){.name = entry->name + strlen(table->pass_prefix),
                                             .value = entry->text};
    }
    return 0;
}

/* NULL when memory is short. */
static struct conf_state *state_new(const struct conf_table *table)
{
    struct conf_state *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return NULL;
    state->table = table;
    state->entries = calloc(table->option_count + 1, sizeof(*state->entries));
    if (state->entries == NULL) {
        free(state);
        return NULL;
    }
    for (size_t i = 0; i < table->option_count; i++) {
        state->entries[i].row = &table->options[i];
        state->entries[i].secret = conf_is_secret_row(&table->options[i]);
    }
    return state;
}

/* As conf_load(): 0 go on, 1 something was written, -1 an error. */
static int fill(struct conf_state *state, int argc, char **argv, char **environment, void *target,
                FILE *out, struct err *err)
{
    /* Flags first, so that --help works in whatever environment; give() keeps their precedence. */
    if (conf_read_flags(state, argc, argv, err) < 0)
        return -1;
    if (state->want_help) {
        conf_print_help(state->table, out);
        return 1;
    }
    if (state->want_version) {
        state->table->version(out);
        return 1;
    }
    if (conf_read_environment(state, environment, err) < 0 || resolve(state, target, err) < 0)
        return -1;
    if (state->want_config) {
        conf_print_state(state, out);
        return 1;
    }
    return 0;
}

int conf_load(const struct conf_table *table, int argc, char **argv, char **environment,
              void *target, FILE *out, struct conf *ret_conf, struct err *err)
{
    if (check_table(table, err) < 0)
        return -1;
    struct conf_state *state = state_new(table);
    if (state == NULL)
        return err_nomem(err);
    int rc = fill(state, argc, argv, environment, target, out, err);
    if (rc != 0) {
        state_free(state);
        return rc;
    }
    *ret_conf = (struct conf){.pairs = state->pairs,
                              .pair_count = state->passed_count,
                              .args = state->args,
                              .arg_count = state->arg_count,
                              .state = state};
    return 0;
}

const char *conf_source(const struct conf *conf, const char *name)
{
    const struct conf_state *state = conf->state;
    for (size_t i = 0; i < state->table->option_count; i++) {
        const struct conf_option *row = &state->table->options[i];
        if (strcmp(row->name, name) == 0 && conf_is_used(state->table, row))
            return conf_entry_source(&state->entries[i]);
    }
    for (size_t i = 0; i < state->passed_count; i++) {
        if (strcmp(state->passed[i].name, name) == 0)
            return conf_entry_source(&state->passed[i]);
    }
    return NULL;
}

const char *conf_entry_source(const struct conf_entry *entry)
{
    if (entry->origin != NULL)
        return entry->origin;
    return entry->row->fallback != NULL ? "default" : "not set";
}
