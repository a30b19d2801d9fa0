/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_internal.h"

#include <string.h>

#define WIDTH 100
#define INDENT 8

/* Words of `text` from column `indent` on, broken before column WIDTH. */
static void print_wrapped(const char *text, int indent, FILE *out)
{
    int column = 0;
    while (*text != '\0') {
        text += strspn(text, " \n");
        int len = (int)strcspn(text, " \n");
        if (len == 0)
            break;
        if (column > 0 && column + 1 + len > WIDTH) {
            (void)fputc('\n', out);
            column = 0;
        }
        if (column == 0)
            column = fprintf(out, "%*s%.*s", indent, "", len, text);
        else
            column += fprintf(out, " %.*s", len, text);
        text += len;
    }
    (void)fputc('\n', out);
}

static const char *placeholder(const struct conf_option *row)
{
    switch (row->type) {
    case CONF_STRING:
        return " TEXT";
    case CONF_INT:
        return " N";
    case CONF_BOOL:
        return "[=true|false]";
    case CONF_DURATION:
        return " TIME";
    case CONF_SIZE:
        return " BYTES";
    case CONF_ENUM:
        return " WORD";
    case CONF_SECRET:
        return " SECRET";
    }
    return "";
}

static void print_option_help(const struct conf_option *row, FILE *out)
{
    char flag[CONF_NAME_MAX];
    char variable[CONF_NAME_MAX];
    char allowed[CONF_ALLOWED_MAX];
    conf_flag_name(row->name, flag);
    conf_env_name(row->name, variable);
    (void)fprintf(out, "  %s%s\n", flag, placeholder(row));
    if (row->type == CONF_SECRET)
        (void)fprintf(out, "  %s-file FILE\n", flag);
    print_wrapped(row->help, INDENT, out);

    char facts[WIDTH * 6];
    size_t len = 0;
    facts[0] = '\0';
#define FACT(...)                                                                                  \
    do {                                                                                           \
        if (len < sizeof(facts))                                                                   \
            len += (size_t)snprintf(facts + len, sizeof(facts) - len, __VA_ARGS__);                \
    } while (0)
    if (row->required)
        FACT("Required. ");
    else if (row->fallback != NULL)
        FACT("Default: %s. ", row->fallback[0] != '\0' ? row->fallback : "\"\"");
    if (conf_allowed(row, allowed)[0] != '\0')
        FACT("Allowed: %s. ", allowed);
    if (!row->flag_only)
        FACT("Environment: %s%s%s.", row->env != NULL ? row->env : "", row->env != NULL ? ", " : "",
             variable);
#undef FACT
    if (facts[0] != '\0')
        print_wrapped(facts, INDENT, out);
}

/* Does the row open a group that the one before it (among the used ones) was not in? */
static bool opens_group(const struct conf_option *row, const char **last)
{
    const char *group = row->group != NULL ? row->group : "Options";
    bool opens = *last == NULL || strcmp(*last, group) != 0;
    *last = group;
    return opens;
}

void conf_print_help(const struct conf_table *table, FILE *out)
{
    (void)fprintf(out, "Usage: %s [OPTION...]%s\n", table->program,
                  table->positional ? " [ARGUMENT...]" : "");
    if (table->about != NULL)
        print_wrapped(table->about, 0, out);
    const char *last = NULL;
    for (size_t i = 0; i < table->option_count; i++) {
        const struct conf_option *row = &table->options[i];
        if (!conf_is_used(table, row))
            continue;
        if (opens_group(row, &last))
            (void)fprintf(out, "\n%s:\n", last);
        print_option_help(row, out);
    }
    if (table->pass_prefix != NULL) {
        (void)fprintf(out, "\nPassed through:\n  --%sNAME VALUE\n", table->pass_prefix);
        print_wrapped("Any property of the client library, under its own name. Properties that "
                      "safety rests on are refused with the reason.",
                      INDENT, out);
    }
    (void)fprintf(out, "\nAlways there:\n"
                       "  --help          this text\n"
                       "  --print-config  the options in force with their sources, then leave\n");
    if (table->version != NULL)
        (void)fprintf(out, "  --version       the program's version and its libraries'\n");
    (void)fputc('\n', out);
    print_wrapped("Flags win over environment variables, and these over defaults. An empty "
                  "environment variable counts as not given. Unknown options are errors.",
                  0, out);
}

static void print_line(const struct conf_entry *entry, const char *name, const char *text,
                       FILE *out)
{
    const char *shown = text == NULL ? "" : entry->secret ? "***" : text;
    int len = fprintf(out, "%s = %s", name, shown);
    (void)fprintf(out, "%*s# %s\n", MAX_OF(1, 60 - len), " ", conf_entry_source(entry));
}

void conf_print_state(const struct conf_state *state, FILE *out)
{
    for (size_t i = 0; i < state->table->option_count; i++) {
        const struct conf_option *row = &state->table->options[i];
        const struct conf_entry *entry = &state->entries[i];
        if (conf_is_used(state->table, row))
            print_line(entry, row->name, entry->text != NULL ? entry->text : row->fallback, out);
    }
    for (size_t i = 0; i < state->passed_count; i++)
        print_line(&state->passed[i], state->passed[i].name, state->passed[i].text, out);
}

void conf_print_config(const struct conf *conf, FILE *out)
{
    conf_print_state(conf->state, out);
}

/* A cell's text: a bar would end the cell, a line break the row. */
static void print_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            (void)fputs("\\|", out);
        else
            (void)fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void print_programs(const struct conf_table *table, unsigned programs, FILE *out)
{
    if (programs == 0 || table->program_names == NULL) {
        (void)fputs("all", out);
        return;
    }
    bool first = true;
    for (unsigned bit = 0; bit < 8 * sizeof(programs) && table->program_names[bit] != NULL; bit++) {
        if ((programs >> bit & 1) == 0)
            continue;
        (void)fprintf(out, "%s%s", first ? "" : ", ", table->program_names[bit]);
        first = false;
    }
}

static void print_row(const struct conf_table *table, const struct conf_option *row, FILE *out)
{
    char flag[CONF_NAME_MAX];
    char variable[CONF_NAME_MAX];
    char allowed[CONF_ALLOWED_MAX];
    conf_flag_name(row->name, flag);
    conf_env_name(row->name, variable);
    (void)fprintf(out, "| `%s`<br>`%s` | ", row->name, flag);
    if (row->flag_only)
        (void)fputs("none", out);
    else if (row->env != NULL)
        (void)fprintf(out, "`%s`, `%s`", row->env, variable);
    else
        (void)fprintf(out, "`%s`", variable);
    (void)fprintf(out, " | %s | ", conf_type_name(row->type));
    if (row->required)
        (void)fputs("required", out);
    else if (row->fallback != NULL && row->fallback[0] != '\0') {
        (void)fputc('`', out);
        print_cell(row->fallback, out);
        (void)fputc('`', out);
    }
    (void)fputs(" | ", out);
    print_cell(conf_allowed(row, allowed), out);
    (void)fputs(" | ", out);
    print_programs(table, row->programs, out);
    (void)fputs(" | ", out);
    print_cell(row->help, out);
    if (row->type == CONF_SECRET)
        (void)fprintf(out, " Also from a file: `%s.file`.", row->name);
    (void)fputs(" |\n", out);
}

void conf_print_markdown(const struct conf_table *table, FILE *out)
{
    const char *last = NULL;
    for (size_t i = 0; i < table->option_count; i++) {
        const struct conf_option *row = &table->options[i];
        if (opens_group(row, &last))
            (void)fprintf(out,
                          "%s## %s\n\n"
                          "| Option, flag | Environment | Type | Default | Allowed | Used by | "
                          "Meaning |\n|---|---|---|---|---|---|---|\n",
                          i == 0 ? "" : "\n", last);
        print_row(table, row, out);
    }
}
