/* SPDX-License-Identifier: Apache-2.0 */
#include "base_digest.h"
#include "base_parse.h"
#include "conf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENV_PREFIX "PROMO_"
#define FILE_SUFFIX ".file"

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void conf_env_name(const char *name, char out[CONF_NAME_MAX])
{
    size_t len = (size_t)snprintf(out, CONF_NAME_MAX, "%s%s", ENV_PREFIX, name);
    for (size_t i = 0; i < MIN_OF(len, CONF_NAME_MAX - 1); i++)
        out[i] = out[i] == '.' || out[i] == '-' ? '_' : upper(out[i]);
}

void conf_flag_name(const char *name, char out[CONF_NAME_MAX])
{
    size_t len = (size_t)snprintf(out, CONF_NAME_MAX, "--%s", name);
    for (size_t i = 0; i < MIN_OF(len, CONF_NAME_MAX - 1); i++)
        out[i] = out[i] == '.' ? '-' : out[i];
}

static int replace(char **slot, const char *text, struct err *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return err_nomem(err);
    if (*slot != NULL)
        digest_wipe(*slot, strlen(*slot));
    free(*slot);
    *slot = copy;
    return 0;
}

static bool is_flag_origin(const char *origin)
{
    return origin != NULL && strncmp(origin, "flag ", 5) == 0;
}

/*
 * Take a text (or the path of a file with it) from one source: `kind` and what it was called. A
 * flag wins over the environment, whichever was read first.
 */
static int give(struct conf_entry *entry, bool is_path, const char *text, const char *kind,
                const char *called, struct err *err)
{
    char origin[CONF_NAME_MAX + 16];
    (void)snprintf(origin, sizeof(origin), "%s %.*s", kind, CONF_NAME_MAX, called);
    char **to = is_path ? &entry->path : &entry->text;
    char **origin_to = is_path ? &entry->path_origin : &entry->origin;
    if (is_flag_origin(*origin_to) && strcmp(kind, "flag") != 0)
        return 0;
    if (replace(to, text, err) < 0 || replace(origin_to, origin, err) < 0)
        return -1;
    return 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* An option that is passed through; name is without the prefix and may end in ".file". */
static int give_passed(struct conf_state *state, const char *name, const char *text,
                       const char *kind, const char *called, struct err *err)
{
    const struct conf_table *table = state->table;
    char plain[CONF_NAME_MAX];
    if (name[0] == '\0' || strlen(name) + strlen(table->pass_prefix) >= sizeof(plain))
        return conf_fail(err, "unknown_option", called, "%s: not the name of an option", called);
    (void)snprintf(plain, sizeof(plain), "%s", name);
    bool secret = table->pass_secret != NULL && table->pass_secret(plain);
    bool is_path = false;
    if (!secret && table->pass_secret != NULL && has_suffix(plain, FILE_SUFFIX)) {
        plain[strlen(plain) - strlen(FILE_SUFFIX)] = '\0';
        is_path = secret = table->pass_secret(plain);
        if (!is_path)
            (void)snprintf(plain, sizeof(plain), "%s", name);
    }

    char full[2 * CONF_NAME_MAX];
    (void)snprintf(full, sizeof(full), "%s%s", table->pass_prefix, plain);
    const char *reason = table->pass_denied != NULL ? table->pass_denied(plain) : NULL;
    if (reason != NULL)
        return conf_fail(err, "denied", full, "%s (%s %s) cannot be set: %s", full, kind, called,
                         reason);
    for (size_t i = 0; i < state->passed_count; i++) {
        if (strcmp(state->passed[i].name, full) == 0)
            return give(&state->passed[i], is_path, text, kind, called, err);
    }
    if (state->passed_count == state->passed_room) {
        size_t room = MAX_OF(state->passed_room * 2, 8);
        struct conf_entry *grown = realloc(state->passed, room * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err);
        state->passed = grown;
        state->passed_room = room;
    }
    struct conf_entry *entry = &state->passed[state->passed_count];
    *entry = (struct conf_entry){.secret = secret};
    if (replace(&entry->name, full, err) < 0)
        return -1;
    state->passed_count++;
    return give(entry, is_path, text, kind, called, err);
}

static bool is_ignored(const struct conf_table *table, const char *variable)
{
    for (size_t i = 0; table->ignored_env != NULL && table->ignored_env[i] != NULL; i++) {
        if (strcmp(table->ignored_env[i], variable) == 0)
            return true;
    }
    return false;
}

/* Is `variable` the row's own or second one, or (secrets) one of these with _FILE behind it? */
static bool matches_variable(const struct conf_option *row, const char *variable, bool *ret_is_path)
{
    char own[CONF_NAME_MAX];
    conf_env_name(row->name, own);
    const char *names[] = {own, row->env};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = names[i] != NULL ? strlen(names[i]) : 0;
        if (len == 0 || strncmp(variable, names[i], len) != 0)
            continue;
        *ret_is_path = variable[len] != '\0';
        if (!*ret_is_path || (conf_is_secret_row(row) && strcmp(variable + len, "_FILE") == 0))
            return true;
    }
    return false;
}

static int read_variable(struct conf_state *state, const char *variable, const char *value,
                         struct err *err)
{
    const struct conf_table *table = state->table;
    for (size_t i = 0; i < table->option_count; i++) {
        const struct conf_option *row = &table->options[i];
        bool is_path = false;
        if (row->flag_only || !matches_variable(row, variable, &is_path))
            continue;
        if (!conf_is_used(table, row) || value[0] == '\0')
            return 0;
        struct conf_entry *entry = &state->entries[i];
        const char *before = is_path ? entry->path : entry->text;
        const char *origin = is_path ? entry->path_origin : entry->origin;
        if (before != NULL && !is_flag_origin(origin) && strcmp(before, value) != 0)
            return conf_fail(err, "conflict", row->name,
                             "%s: given with different values by %s and %s", row->name, origin,
                             variable);
        return give(entry, is_path, value, "environment", variable, err);
    }

    if (strncmp(variable, ENV_PREFIX, strlen(ENV_PREFIX)) != 0 || is_ignored(table, variable))
        return 0;
    char name[CONF_NAME_MAX];
    const char *rest = variable + strlen(ENV_PREFIX);
    (void)snprintf(name, sizeof(name), "%s", rest);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '_' ? '.' : lower(*at);
    size_t prefix_len = table->pass_prefix != NULL ? strlen(table->pass_prefix) : 0;
    if (prefix_len > 0 && strncmp(name, table->pass_prefix, prefix_len) == 0) {
        if (value[0] == '\0')
            return 0;
        return give_passed(state, name + prefix_len, value, "environment", variable, err);
    }
    return conf_fail(err, "unknown_option", variable,
                     "%s: no option belongs to this environment variable", variable);
}

int conf_read_environment(struct conf_state *state, char **environment, struct err *err)
{
    for (; *environment != NULL; environment++) {
        const char *equals = strchr(*environment, '=');
        size_t len = equals != NULL ? (size_t)(equals - *environment) : 0;
        if (len == 0)
            continue;
        char variable[CONF_NAME_MAX];
        if (len >= sizeof(variable)) {
            if (strncmp(*environment, ENV_PREFIX, strlen(ENV_PREFIX)) == 0)
                return conf_fail(err, "unknown_option", ENV_PREFIX,
                                 "an environment variable " ENV_PREFIX "... has a name too long");
            continue;
        }
        memcpy(variable, *environment, len);
        variable[len] = '\0';
        if (read_variable(state, variable, equals + 1, err) < 0)
            return -1;
    }
    return 0;
}

/* Does the flag, without its dashes, name this option? Dots may be typed as dashes. Returns the
 * rest behind the name, or NULL. */
static const char *match_flag(const char *flag, const char *name)
{
    for (; *name != '\0'; name++, flag++) {
        if (*flag != *name && !(*name == '.' && *flag == '-'))
            return NULL;
    }
    return flag;
}

static const struct conf_option *find_flag(const struct conf_table *table, const char *flag,
                                           size_t *ret_index, bool *ret_is_path)
{
    for (size_t i = 0; i < table->option_count; i++) {
        const struct conf_option *row = &table->options[i];
        const char *rest = match_flag(flag, row->name);
        if (rest == NULL)
            continue;
        *ret_is_path = *rest != '\0';
        if (!*ret_is_path || (conf_is_secret_row(row) &&
                              (strcmp(rest, "-file") == 0 || strcmp(rest, FILE_SUFFIX) == 0))) {
            *ret_index = i;
            return row;
        }
    }
    return NULL;
}

static bool is_bool_word(const char *text)
{
    bool ignored;
    return text != NULL && parse_bool(text, &ignored, NULL) == 0;
}

/* One flag; *cursor is its index and is left at the last argument used. */
static int read_flag(struct conf_state *state, int argc, char **argv, int *cursor, struct err *err)
{
    const struct conf_table *table = state->table;
    const char *arg = argv[*cursor];
    const char *equals = strchr(arg, '=');
    size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
    char called[CONF_NAME_MAX];
    if (strncmp(arg, "--", 2) != 0 || len >= sizeof(called))
        return conf_fail(err, "unknown_option", "", "%.*s: no such flag", CONF_SHOWN_MAX, arg);
    memcpy(called, arg, len);
    called[len] = '\0';

    size_t index = 0;
    bool is_path = false;
    const char *name = called + 2;
    const struct conf_option *row = find_flag(table, name, &index, &is_path);
    size_t prefix_len = table->pass_prefix != NULL ? strlen(table->pass_prefix) : 0;
    bool passed =
        row == NULL && prefix_len > 0 && strncmp(name, table->pass_prefix, prefix_len) == 0;
    if (row == NULL && !passed)
        return conf_fail(err, "unknown_option", called, "%s: no such flag (see --help)", called);
    if (row != NULL && !conf_is_used(table, row))
        return conf_fail(err, "unknown_option", row->name,
                         "%s: an option of other programs of the fleet, not of this one", called);

    const char *value = equals != NULL ? equals + 1 : NULL;
    const char *next = *cursor + 1 < argc ? argv[*cursor + 1] : NULL;
    if (value == NULL && row != NULL && row->type == CONF_BOOL) {
        /* Where plain arguments are allowed, the next one is never a bool's value. */
        bool takes_next = !table->positional && is_bool_word(next);
        value = takes_next ? next : "true";
        *cursor += takes_next ? 1 : 0;
    } else if (value == NULL) {
        if (next == NULL)
            return conf_fail(err, "missing_value", row != NULL ? row->name : name,
                             "%s: a value must follow", called);
        value = next;
        *cursor += 1;
    }
    if (passed)
        return give_passed(state, name + prefix_len, value, "flag", called, err);
    return give(&state->entries[index], is_path, value, "flag", called, err);
}

int conf_read_flags(struct conf_state *state, int argc, char **argv, struct err *err)
{
    state->args = calloc((size_t)MAX_OF(argc, 1) + 1, sizeof(*state->args));
    if (state->args == NULL)
        return err_nomem(err);
    bool flags_ended = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (flags_ended || arg[0] != '-' || arg[1] == '\0') {
            if (!state->table->positional)
                return conf_fail(err, "unknown_option", "", "\"%.*s\": an argument without a flag",
                                 CONF_SHOWN_MAX, arg);
            state->args[state->arg_count++] = argv[i];
        } else if (strcmp(arg, "--") == 0) {
            flags_ended = true;
        } else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            state->want_help = true;
        } else if (strcmp(arg, "--version") == 0 && state->table->version != NULL) {
            state->want_version = true;
        } else if (strcmp(arg, "--print-config") == 0) {
            state->want_config = true;
        } else if (read_flag(state, argc, argv, &i, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* All of an open file up to CONF_FILE_MAX bytes, with a closing NUL; -1 with errno set. */
static ssize_t read_all(int fd, char *out)
{
    size_t len = 0;
    while (len <= CONF_FILE_MAX) {
        ssize_t got = read(fd, out + len, CONF_FILE_MAX + 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    out[MIN_OF(len, CONF_FILE_MAX)] = '\0';
    return (ssize_t)len;
}

int conf_read_file(const char *name, const char *path, char **ret_text, struct err *err)
{
    int rc = -1;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        (void)conf_fail(err, "unreadable", name, "%s: cannot read the file %s: %s", name, path,
                        strerrordesc_np(errno));
        goto out;
    }
    if ((info.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        (void)conf_fail(err, "unreadable", name,
                        "%s: everybody can read or write the file %s (mode %03o); chmod o-rwx it",
                        name, path, (unsigned)(info.st_mode & 0777));
        goto out;
    }
    text = calloc(1, CONF_FILE_MAX + 1);
    if (text == NULL) {
        (void)err_nomem(err);
        goto out;
    }
    ssize_t len = read_all(fd, text);
    if (len < 0) {
        (void)conf_fail(err, "unreadable", name, "%s: cannot read the file %s: %s", name, path,
                        strerrordesc_np(errno));
        goto out;
    }
    if (len > CONF_FILE_MAX || (size_t)len != strlen(text)) {
        (void)conf_fail(err, "unreadable", name, "%s: the file %s is %s", name, path,
                        len > CONF_FILE_MAX ? "larger than 64 KiB" : "not a text: it holds a NUL");
        goto out;
    }
    if (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    if (len > 0 && text[len - 1] == '\r')
        text[--len] = '\0';
    if (len == 0) {
        (void)conf_fail(err, "unreadable", name, "%s: the file %s is empty", name, path);
        goto out;
    }
    *ret_text = text;
    text = NULL;
    rc = 0;
out:
    if (text != NULL)
        digest_wipe(text, CONF_FILE_MAX + 1);
    free(text);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
