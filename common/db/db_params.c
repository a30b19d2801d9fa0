/* SPDX-License-Identifier: Apache-2.0 */
#include "db_params.h"

#include "db_error.h"
#include "db_internal.h"
#include "db_value.h"

#include <limits.h>
#include <string.h>

/* dimensions, has NULLs, element type, then count and lower bound of the one dimension */
enum {
    ARRAY_HEADER = 20,
    ARRAY_HEADER_EMPTY = 12,
};

static const char too_many[] = "more than DB_PARAMS_MAX parameters";
static const char in_array[] = "a parameter inside an array";
static const char no_array[] = "an array's element outside an array";
static const char other_element[] = "an element of another type than its array";
static const char unknown_element[] = "an array of a type that has none";
static const char left_open[] = "an array that was not ended";
static const char too_large[] = "a parameter of 2 GB or more";
static const char bad_numeric[] = "not a plain decimal number";

void db_params_init(struct db_params *params)
{
    *params = (struct db_params){0};
    buf_init(&params->bytes);
}

void db_params_done(struct db_params *params)
{
    buf_done(&params->bytes);
    params->count = 0;
}

void db_params_reset(struct db_params *params)
{
    buf_clear(&params->bytes);
    params->count = 0;
    params->in_array = false;
    params->fault = NULL;
}

static void fault(struct db_params *params, const char *what)
{
    if (params->fault == NULL) {
        params->fault = what;
        params->fault_after = params->count;
        params->fault_is_input = what == bad_numeric || what == too_large;
    }
}

/* The bytes of one more parameter follow; NULL when there is no room for one. */
static bool add(struct db_params *params, uint32_t type, int32_t len)
{
    if (params->in_array || params->count == DB_PARAMS_MAX) {
        fault(params, params->in_array ? in_array : too_many);
        return false;
    }
    params->param[params->count].type = type;
    params->param[params->count].len = len;
    params->param[params->count].at = params->bytes.len;
    params->count++;
    return true;
}

/* One value, as a parameter or as an element; bytes NULL: a NULL; prefix: see db_put_field. */
static void put_param(struct db_params *params, uint32_t type, int prefix, const void *bytes,
                      size_t len)
{
    size_t whole = len + (prefix >= 0 ? 1 : 0);

    if (bytes == NULL) {
        (void)add(params, type, -1);
    } else if (whole > INT32_MAX) {
        fault(params, too_large);
    } else if (add(params, type, (int32_t)whole)) {
        if (prefix >= 0)
            buf_add_char(&params->bytes, (char)prefix);
        buf_add(&params->bytes, bytes, len);
    }
}

static void put_element(struct db_params *params, uint32_t type, int prefix, const void *bytes,
                        size_t len)
{
    if (!params->in_array) {
        fault(params, no_array);
        return;
    }
    if (type != params->element && type != DB_ANY) {
        fault(params, other_element);
        return;
    }
    if (params->array_count == INT32_MAX || len >= INT32_MAX) {
        fault(params, too_large);
        return;
    }
    params->array_count++;
    if (bytes == NULL) {
        params->array_nulls = true;
        db_put_null(&params->bytes);
    } else {
        db_put_field(&params->bytes, prefix, bytes, len);
    }
}

static uint32_t array_type(enum db_type element)
{
    switch (element) {
    case DB_BOOL:
        return DB_BOOL_ARRAY;
    case DB_BYTEA:
        return DB_BYTEA_ARRAY;
    case DB_INT8:
        return DB_INT8_ARRAY;
    case DB_INT2:
        return DB_INT2_ARRAY;
    case DB_INT4:
        return DB_INT4_ARRAY;
    case DB_TEXT:
        return DB_TEXT_ARRAY;
    case DB_JSON:
        return DB_JSON_ARRAY;
    case DB_TIMESTAMPTZ:
        return DB_TIMESTAMPTZ_ARRAY;
    case DB_NUMERIC:
        return DB_NUMERIC_ARRAY;
    case DB_UUID:
        return DB_UUID_ARRAY;
    case DB_JSONB:
        return DB_JSONB_ARRAY;
    case DB_XID8:
        return DB_XID8_ARRAY;
    case DB_ANY:
    case DB_JSON_ARRAY:
    case DB_XID8_ARRAY:
    case DB_BOOL_ARRAY:
    case DB_BYTEA_ARRAY:
    case DB_INT2_ARRAY:
    case DB_INT4_ARRAY:
    case DB_TEXT_ARRAY:
    case DB_INT8_ARRAY:
    case DB_TIMESTAMPTZ_ARRAY:
    case DB_NUMERIC_ARRAY:
    case DB_UUID_ARRAY:
    case DB_JSONB_ARRAY:
        break;
    }
    return DB_ANY;
}

void db_array_begin(struct db_params *params, enum db_type element)
{
    uint32_t type = array_type(element);

    if (type == DB_ANY) {
        fault(params, unknown_element);
        return;
    }
    if (!add(params, type, 0))
        return;
    params->in_array = true;
    params->element = element;
    params->array_at = params->bytes.len;
    params->array_count = 0;
    params->array_nulls = false;
    /* Filled in at the end. */
    static const uint8_t header[ARRAY_HEADER];
    buf_add(&params->bytes, header, sizeof(header));
}

void db_array_end(struct db_params *params)
{
    if (!params->in_array) {
        fault(params, no_array);
        return;
    }
    params->in_array = false;
    if (buf_failed(&params->bytes))
        return;
    uint8_t *at = (uint8_t *)params->bytes.data + params->array_at;
    db_store32(at, params->array_count > 0 ? 1 : 0);
    db_store32(at + 4, params->array_nulls ? 1 : 0);
    db_store32(at + 8, params->element);
    if (params->array_count > 0) {
        db_store32(at + 12, (uint32_t)params->array_count);
        db_store32(at + 16, 1);
    } else {
        params->bytes.len = params->array_at + ARRAY_HEADER_EMPTY;
    }
    size_t len = params->bytes.len - params->array_at;
    if (len > INT32_MAX)
        fault(params, too_large);
    else
        params->param[params->count - 1].len = (int32_t)len;
}

/* Each kind of value once: its bytes, for a parameter (put_param) or an element (put_element). */
typedef void (*put_fn)(struct db_params *params, uint32_t type, int prefix, const void *bytes,
                       size_t len);

static void put_bool(struct db_params *params, put_fn put, bool value)
{
    uint8_t bytes[1] = {value ? 1 : 0};
    put(params, DB_BOOL, -1, bytes, sizeof(bytes));
}

static void put_int2(struct db_params *params, put_fn put, int16_t value)
{
    uint8_t bytes[2];
    db_store16(bytes, (uint16_t)value);
    put(params, DB_INT2, -1, bytes, sizeof(bytes));
}

static void put_int4(struct db_params *params, put_fn put, int32_t value)
{
    uint8_t bytes[4];
    db_store32(bytes, (uint32_t)value);
    put(params, DB_INT4, -1, bytes, sizeof(bytes));
}

/* Everything that is eight bytes: bigint, timestamptz, xid8. */
static void put_8(struct db_params *params, put_fn put, uint32_t type, uint64_t value)
{
    uint8_t bytes[8];
    db_store64(bytes, value);
    put(params, type, -1, bytes, sizeof(bytes));
}

static void put_numeric(struct db_params *params, put_fn put, const char *decimal)
{
    uint8_t bytes[DB_NUMERIC_MAX];
    size_t len = db_value_numeric(decimal, bytes);
    if (len == 0)
        fault(params, bad_numeric);
    else
        put(params, DB_NUMERIC, -1, bytes, len);
}

static void put_numeric_u128(struct db_params *params, put_fn put, unsigned __int128 value)
{
    uint8_t bytes[DB_NUMERIC_MAX];
    put(params, DB_NUMERIC, -1, bytes, db_value_numeric_u128(value, bytes));
}

void db_param_null(struct db_params *params)
{
    put_param(params, DB_ANY, -1, NULL, 0);
}

void db_param_bool(struct db_params *params, bool value)
{
    put_bool(params, put_param, value);
}

void db_param_int2(struct db_params *params, int16_t value)
{
    put_int2(params, put_param, value);
}

void db_param_int4(struct db_params *params, int32_t value)
{
    put_int4(params, put_param, value);
}

void db_param_int8(struct db_params *params, int64_t value)
{
    put_8(params, put_param, DB_INT8, (uint64_t)value);
}

void db_param_text(struct db_params *params, const char *text)
{
    put_param(params, DB_TEXT, -1, text, text == NULL ? 0 : strlen(text));
}

void db_param_text_n(struct db_params *params, const char *text, size_t len)
{
    put_param(params, DB_TEXT, -1, text, len);
}

void db_param_bytea(struct db_params *params, const void *bytes, size_t len)
{
    put_param(params, DB_BYTEA, -1, bytes, len);
}

void db_param_uuid(struct db_params *params, const uint8_t uuid[16])
{
    put_param(params, DB_UUID, -1, uuid, 16);
}

void db_param_timestamptz(struct db_params *params, int64_t us)
{
    put_8(params, put_param, DB_TIMESTAMPTZ, db_value_time(us));
}

void db_param_numeric(struct db_params *params, const char *decimal)
{
    put_numeric(params, put_param, decimal);
}

void db_param_numeric_u128(struct db_params *params, unsigned __int128 value)
{
    put_numeric_u128(params, put_param, value);
}

void db_param_json(struct db_params *params, const char *json, size_t len)
{
    put_param(params, DB_JSON, -1, json, len);
}

void db_param_jsonb(struct db_params *params, const char *json, size_t len)
{
    put_param(params, DB_JSONB, DB_JSONB_PREFIX, json, len);
}

void db_param_xid8(struct db_params *params, uint64_t xid)
{
    put_8(params, put_param, DB_XID8, xid);
}

void db_array_null(struct db_params *params)
{
    put_element(params, DB_ANY, -1, NULL, 0);
}

void db_array_bool(struct db_params *params, bool value)
{
    put_bool(params, put_element, value);
}

void db_array_int2(struct db_params *params, int16_t value)
{
    put_int2(params, put_element, value);
}

void db_array_int4(struct db_params *params, int32_t value)
{
    put_int4(params, put_element, value);
}

void db_array_int8(struct db_params *params, int64_t value)
{
    put_8(params, put_element, DB_INT8, (uint64_t)value);
}

void db_array_text(struct db_params *params, const char *text)
{
    put_element(params, DB_TEXT, -1, text, text == NULL ? 0 : strlen(text));
}

void db_array_text_n(struct db_params *params, const char *text, size_t len)
{
    put_element(params, DB_TEXT, -1, text, len);
}

void db_array_bytea(struct db_params *params, const void *bytes, size_t len)
{
    put_element(params, DB_BYTEA, -1, bytes, len);
}

void db_array_uuid(struct db_params *params, const uint8_t uuid[16])
{
    put_element(params, DB_UUID, -1, uuid, 16);
}

void db_array_timestamptz(struct db_params *params, int64_t us)
{
    put_8(params, put_element, DB_TIMESTAMPTZ, db_value_time(us));
}

void db_array_numeric(struct db_params *params, const char *decimal)
{
    put_numeric(params, put_element, decimal);
}

void db_array_numeric_u128(struct db_params *params, unsigned __int128 value)
{
    put_numeric_u128(params, put_element, value);
}

void db_array_json(struct db_params *params, const char *json, size_t len)
{
    put_element(params, DB_JSON, -1, json, len);
}

void db_array_jsonb(struct db_params *params, const char *json, size_t len)
{
    put_element(params, DB_JSONB, DB_JSONB_PREFIX, json, len);
}

void db_array_xid8(struct db_params *params, uint64_t xid)
{
    put_8(params, put_element, DB_XID8, xid);
}

static int check(const struct db_params *params, const struct db_stmt *stmt, struct err *err)
{
    unsigned count = params == NULL ? 0 : params->count;
    const char *name = stmt == NULL ? "statement" : stmt->name;

    if (params != NULL && params->in_array)
        return err_set(err, ERR_BUG, DB_DOMAIN, "params", "%s: %s", name, left_open);
    if (params != NULL && params->fault != NULL)
        return err_set(err, params->fault_is_input ? ERR_POISON : ERR_BUG, DB_DOMAIN,
                       params->fault == bad_numeric ? "bad_numeric" : "params",
                       "%s: after parameter %u: %s", name, params->fault_after, params->fault);
    if (params != NULL && buf_failed(&params->bytes))
        return err_nomem(err);
    if (stmt == NULL || stmt->param_types == NULL)
        return 0;
    if (count != stmt->param_count)
        return err_set(err, ERR_BUG, DB_DOMAIN, "params", "%s: %u parameters instead of %u", name,
                       count, stmt->param_count);
    for (unsigned i = 0; i < count; i++) {
        uint32_t type = params->param[i].type;
        if (type != DB_ANY && type != stmt->param_types[i])
            return err_set(err, ERR_BUG, DB_DOMAIN, "params",
                           "%s: $%u has the type with oid %u instead of %u", name, i + 1, type,
                           stmt->param_types[i]);
    }
    return 0;
}

int db_params_bind(const struct db_params *params, const struct db_stmt *stmt,
                   struct db_bound *ret_bound, struct err *err)
{
    if (check(params, stmt, err) < 0)
        return -1;
    ret_bound->count = params == NULL ? 0 : (int)params->count;
    for (int i = 0; i < ret_bound->count; i++) {
        int32_t len = params->param[i].len;
        ret_bound->value[i] = len < 0 ? NULL : params->bytes.data + params->param[i].at;
        ret_bound->len[i] = MAX_OF(len, 0);
        ret_bound->format[i] = 1;
        ret_bound->type[i] = params->param[i].type;
    }
    return 0;
}
