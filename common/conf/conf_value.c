/* SPDX-License-Identifier: Apache-2.0 */
#include "base_parse.h"
#include "conf_internal.h"

#include <inttypes.h>
#include <string.h>

const char *conf_type_name(enum conf_type type)
{
    switch (type) {
    case CONF_STRING:
        return "text";
    case CONF_INT:
        return "integer";
    case CONF_BOOL:
        return "true/false";
    case CONF_DURATION:
        return "duration";
    case CONF_SIZE:
        return "size";
    case CONF_ENUM:
        return "word";
    case CONF_SECRET:
        return "secret";
    }
    return "";
}

/* The row's limits, or the type's where the row has none. */
static void limits(const struct conf_option *row, int64_t *ret_min, int64_t *ret_max)
{
    *ret_min = row->min;
    *ret_max = row->max;
    if (row->min != 0 || row->max != 0)
        return;
    switch (row->type) {
    case CONF_INT:
        *ret_min = INT64_MIN;
        *ret_max = INT64_MAX;
        break;
    case CONF_STRING:
        *ret_max = CONF_TEXT_MAX;
        break;
    case CONF_SECRET:
        *ret_max = CONF_FILE_MAX;
        break;
    case CONF_DURATION:
    case CONF_SIZE:
        *ret_max = INT64_MAX;
        break;
    case CONF_BOOL:
    case CONF_ENUM:
        break;
    }
}

struct unit {
    const char *name;
    int64_t factor;
};

/* As it would be typed: in the largest unit that divides it. */
static void format_units(int64_t value, const struct unit *units, size_t count, char out[32])
{
    const char *name = "";
    for (size_t i = 0; i < count && value != 0; i++) {
        if (value % units[i].factor == 0) {
            value /= units[i].factor;
            name = units[i].name;
            break;
        }
    }
    (void)snprintf(out, 32, "%" PRId64 "%s", value, name);
}

static void format_number(enum conf_type type, int64_t value, char out[32])
{
    static const struct unit durations[] = {
        {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    static const struct unit sizes[] = {
        {"G", INT64_C(1) << 30}, {"M", INT64_C(1) << 20}, {"k", INT64_C(1) << 10}};
    if (type == CONF_DURATION)
        format_units(value, durations, ARRAY_LEN(durations), out);
    else if (type == CONF_SIZE)
        format_units(value, sizes, ARRAY_LEN(sizes), out);
    else
        (void)snprintf(out, 32, "%" PRId64, value);
}

const char *conf_allowed(const struct conf_option *row, char out[CONF_ALLOWED_MAX])
{
    out[0] = '\0';
    if (row->type == CONF_ENUM) {
        size_t len = 0;
        for (size_t i = 0; row->words[i] != NULL && len < CONF_ALLOWED_MAX; i++) {
            const char *between = i == 0 ? "" : row->words[i + 1] == NULL ? " or " : ", ";
            len +=
                (size_t)snprintf(out + len, CONF_ALLOWED_MAX - len, "%s%s", between, row->words[i]);
        }
    } else if (row->min != 0 || row->max != 0) {
        char min[32];
        char max[32];
        bool is_text = row->type == CONF_STRING || row->type == CONF_SECRET;
        format_number(row->type, row->min, min);
        format_number(row->type, row->max, max);
        if (row->max == INT64_MAX)
            (void)snprintf(out, CONF_ALLOWED_MAX, "%s or more%s", min, is_text ? " bytes" : "");
        else
            (void)snprintf(out, CONF_ALLOWED_MAX, "%s to %s%s", min, max, is_text ? " bytes" : "");
    }
    return out;
}

/* "batch.max (flag --batch-max): "x" is not an integer; allowed: 1 to 1000" */
static int refuse(const struct conf_option *row, const char *text, const char *where,
                  const char *code, const char *what, struct err *err)
{
    char allowed[CONF_ALLOWED_MAX];
    (void)conf_allowed(row, allowed);
    const char *lead = allowed[0] == '\0' ? "" : "; allowed: ";
    if (conf_is_secret_row(row))
        return conf_fail(err, code, row->name, "%s (%s): the value is %s%s%s", row->name, where,
                         what, lead, allowed);
    return conf_fail(err, code, row->name, "%s (%s): \"%.*s%s\" is %s%s%s", row->name, where,
                     CONF_SHOWN_MAX, text, strlen(text) > CONF_SHOWN_MAX ? "..." : "", what, lead,
                     allowed);
}

static int store_number(const struct conf_option *row, const char *text, const char *where,
                        int64_t *field, struct err *err)
{
    int64_t min;
    int64_t max;
    limits(row, &min, &max);
    struct err why = {.kind = ERR_NONE};
    int64_t value = 0;
    int rc = row->type == CONF_DURATION ? parse_duration_ms(text, &value, &why)
             : row->type == CONF_SIZE   ? parse_size(text, &value, &why)
                                        : parse_int64(text, INT64_MIN, INT64_MAX, &value, &why);
    if (rc < 0)
        return refuse(row, text, where, why.code, why.text, err);
    if (value < min || value > max)
        return refuse(row, text, where, "out_of_range", "out of range", err);
    *field = value;
    return 0;
}

static int store_text(const struct conf_option *row, const char *text, const char *where,
                      const char **field, struct err *err)
{
    int64_t min;
    int64_t max;
    limits(row, &min, &max);
    int64_t len = (int64_t)strlen(text);
    if (len < min || len > max)
        return refuse(row, text, where, "out_of_range", len < min ? "too short" : "too long", err);
    *field = text;
    return 0;
}

static int store_word(const struct conf_option *row, const char *text, const char *where,
                      int *field, struct err *err)
{
    for (int i = 0; row->words[i] != NULL; i++) {
        if (strcmp(text, row->words[i]) == 0) {
            *field = i;
            return 0;
        }
    }
    return refuse(row, text, where, "out_of_range", "not one of the words", err);
}

int conf_store(const struct conf_option *row, const char *text, const char *where, void *target,
               struct err *err)
{
    void *field = (char *)target + row->offset;
    switch (row->type) {
    case CONF_STRING:
    case CONF_SECRET:
        return store_text(row, text, where, field, err);
    case CONF_INT:
    case CONF_DURATION:
    case CONF_SIZE:
        return store_number(row, text, where, field, err);
    case CONF_BOOL: {
        struct err why = {.kind = ERR_NONE};
        if (parse_bool(text, field, &why) < 0)
            return refuse(row, text, where, why.code, why.text, err);
        return 0;
    }
    case CONF_ENUM:
        return store_word(row, text, where, field, err);
    }
    return err_set(err, ERR_BUG, "conf", "bad_row", "%s has no known type", row->name);
}
