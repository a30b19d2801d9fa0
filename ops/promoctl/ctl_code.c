/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl code show
 */
#include "codes_canonical.h"
#include "codes_pattern.h"
#include "ctl.h"
#include "ctl_print.h"
#include "ctl_sql.h"
#include "db_query.h"
#include "jsonio.h"

#include <inttypes.h>

#define CODE_JSON_MAX ((size_t)64 * 1024 * 1024)

static struct json_object *member(const struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    return jsonio_member(object, name, &value) ? value : NULL;
}

/* Any scalar as people read it; NULL for null. number must hold 32 bytes. */
static const char *shown(struct json_object *value, char *number)
{
    switch (jsonio_type(value)) {
    case JSONIO_TEXT:
        return jsonio_text(value, NULL);
    case JSONIO_INT:
        snprintf(number, 32, "%" PRId64, jsonio_int(value));
        return number;
    case JSONIO_BOOL:
        return jsonio_bool(value) ? "yes" : "no";
    case JSONIO_NULL:
    case JSONIO_NUMBER:
    case JSONIO_ARRAY:
    case JSONIO_OBJECT:
        break;
    }
    return NULL;
}

static void line(const char *label, const struct json_object *object, const char *name,
                 const char *otherwise)
{
    char number[32];
    const char *text = shown(member(object, name), number);
    printf("%-14s %s\n", label, text ? text : otherwise);
}

/* How the customer sees it: the batch's pattern knows. */
static void line_display(const struct json_object *code)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
    struct json_object *text = member(code, "pattern");
    struct json_object *key = member(code, "code");
    struct codes_code display;
    struct err ignored = {0};
    size_t len = 0;

    if (jsonio_type(text) != JSONIO_TEXT)
        return;
    const char *bytes = jsonio_text(text, &len);
    if (codes_pattern_parse(bytes, len, false, &pattern, &ignored) < 0)
        return;
    bytes = jsonio_text(key, &len);
    if (codes_pattern_display(pattern, bytes, len, &display) > 0)
        printf("%-14s %s\n", "shown as", display.display);
}

static void line_path(const struct json_object *code)
{
    struct json_object *path = member(code, "campaign_path");
    printf("%-14s ", "campaigns");
    for (size_t i = 0; jsonio_type(path) == JSONIO_ARRAY && i < jsonio_length(path); i++)
        printf("%s%s", i > 0 ? " / " : "", jsonio_text(jsonio_item(path, i), NULL));
    putchar('\n');
}

static void print_ledger(const struct json_object *code)
{
    static const struct ctl_column columns[] = {
        {"at", false},       {"state", false}, {"source", false},     {"id", false},
        {"line", true},      {"units", true},  {"order", false},      {"discount_minor", true},
        {"currency", false}, {"reason", true}, {"released_at", false}};
    struct json_object *ledger = member(code, "ledger");
    struct ctl_table table;
    char number[32];

    ctl_table_begin(&table, columns, ARRAY_LEN(columns), false, stdout);
    for (size_t i = 0; jsonio_type(ledger) == JSONIO_ARRAY && i < jsonio_length(ledger); i++)
        for (size_t c = 0; c < ARRAY_LEN(columns); c++)
            ctl_table_text(&table, shown(member(jsonio_item(ledger, i), columns[c].name), number));
    printf("\n");
    ctl_table_end(&table);
}

static void print_text(const struct json_object *code)
{
    line("code", code, "code", "-");
    line_display(code);
    line("id", code, "id", "-");
    line("state", code, "state", "-");
    line("coupon", code, "coupon", "-");
    line_path(code);
    line("batch", code, "batch", "-");
    line("serial", code, "serial", "-");
    line("job", code, "job", "-");
    line("uses", code, "uses", "-");
    line("most uses", code, "max_uses", "unlimited");
    line("per customer", code, "per_customer", "unlimited");
    line("from", code, "starts_at", "always");
    line("until", code, "ends_at", "for ever");
    line("ledger rows", code, "ledger_rows", "0");
    print_ledger(code);
}

int ctl_code_show(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    CLEANUP(db_conn_closep) struct db_conn *db = NULL;
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    CLEANUP(jsonio_freep) struct json_object *code = NULL;
    char key[CODES_KEY_BYTES + 1];
    size_t len = 0;
    struct err why = {0};

    if (codes_canonical(ctl->args[0], strlen(ctl->args[0]), key, &len, &why) < 0)
        return ctl_usage(err, "this cannot be a code: %s", why.text);
    db_params_init(&params);
    db_param_text_n(&params, key, len);
    db_param_int4(&params, (int32_t)ctl->options.limit);
    if (ctl_open_db(ctl, "code", &db, err) < 0 ||
        db_query(db, &ctl_sql_code_show, &params, &res, err) < 0)
        return -1;
    if (db_result_rows(&res) == 0)
        return err_set(err, ERR_POISON, "ctl", "unknown_code", "there is no code %s", key);
    const char *json = db_get_text(&res, 0, 0, &len);
    if (ctl->options.json) {
        printf("%s\n", json);
    } else {
        if (jsonio_parse(json, len, CODE_JSON_MAX, &code, err) < 0)
            return err_wrap(err, "read the data base's answer");
        print_text(code);
    }
    *ret_exit = CTL_OK;
    return 0;
}
