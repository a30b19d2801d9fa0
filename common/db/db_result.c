/* SPDX-License-Identifier: Apache-2.0 */
#include "db_result.h"

#include "base_parse.h"
#include "db_params.h"
#include "db_value.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types that we only read. */
enum {
    OID_NAME = 19,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
};

static const uint8_t nothing[16];

void db_result_done(struct db_result *res)
{
    PQclear(res->pg);
    res->pg = NULL;
}

int db_result_rows(const struct db_result *res)
{
    return PQntuples(res->pg);
}

int db_result_cols(const struct db_result *res)
{
    return PQnfields(res->pg);
}

int64_t db_result_affected(const struct db_result *res)
{
    int64_t count = 0;

    /* Empty for commands that count nothing. */
    if (res->pg == NULL || parse_int64(PQcmdTuples(res->pg), 0, INT64_MAX, &count, NULL) < 0)
        return 0;
    return count;
}

int db_col(const struct db_result *res, const char *name)
{
    /* PQfnumber() would fold the case of the name. */
    for (int col = 0; col < PQnfields(res->pg); col++) {
        if (strcmp(PQfname(res->pg, col), name) == 0)
            return col;
    }
    return -1;
}

static NORETURN void misuse(const struct db_result *res, int row, int col, const char *wanted)
{
    bool there = col >= 0 && col < PQnfields(res->pg);

    fprintf(stderr, "db_result: row %d of %d, column %d of %d (%s, type %u) read as %s\n", row,
            PQntuples(res->pg), col, PQnfields(res->pg), there ? PQfname(res->pg, col) : "none",
            there ? PQftype(res->pg, col) : 0, wanted);
    abort();
}

/* The value's bytes, or NULL for NULL. The type is returned; whether it fits is the caller's to
 * say. */
static const uint8_t *value(const struct db_result *res, int row, int col, const char *wanted,
                            uint32_t *ret_type, size_t *ret_len)
{
    if (row < 0 || row >= PQntuples(res->pg) || col < 0 || col >= PQnfields(res->pg) ||
        PQfformat(res->pg, col) != 1)
        misuse(res, row, col, wanted);
    *ret_type = PQftype(res->pg, col);
    if (PQgetisnull(res->pg, row, col))
        return NULL;
    *ret_len = (size_t)PQgetlength(res->pg, row, col);
    return (const uint8_t *)PQgetvalue(res->pg, row, col);
}

/* A value of one type and one length; zeros for NULL. */
static const uint8_t *fixed(const struct db_result *res, int row, int col, uint32_t type,
                            size_t len, const char *wanted)
{
    uint32_t is;
    size_t is_len = len;
    const uint8_t *bytes = value(res, row, col, wanted, &is, &is_len);

    if (is != type || is_len != len)
        misuse(res, row, col, wanted);
    return bytes == NULL ? nothing : bytes;
}

bool db_is_null(const struct db_result *res, int row, int col)
{
    uint32_t type;
    size_t len;
    return value(res, row, col, "any", &type, &len) == NULL;
}

bool db_get_bool(const struct db_result *res, int row, int col)
{
    return fixed(res, row, col, DB_BOOL, 1, "bool")[0] != 0;
}

static int64_t integer(const struct db_result *res, int row, int col, size_t widest,
                       const char *wanted)
{
    uint32_t type;
    size_t len = 0;
    const uint8_t *bytes = value(res, row, col, wanted, &type, &len);
    size_t width = type == DB_INT2 ? 2 : type == DB_INT4 ? 4 : type == DB_INT8 ? 8 : 0;

    if (width == 0 || width > widest || (bytes != NULL && len != width))
        misuse(res, row, col, wanted);
    if (bytes == NULL)
        return 0;
    if (width == 2)
        return (int16_t)db_load16(bytes);
    return width == 4 ? (int64_t)(int32_t)db_load32(bytes) : (int64_t)db_load64(bytes);
}

int16_t db_get_int16(const struct db_result *res, int row, int col)
{
    return (int16_t)integer(res, row, col, 2, "int2");
}

int32_t db_get_int32(const struct db_result *res, int row, int col)
{
    return (int32_t)integer(res, row, col, 4, "int4");
}

int64_t db_get_int64(const struct db_result *res, int row, int col)
{
    return integer(res, row, col, 8, "int8");
}

const char *db_get_text(const struct db_result *res, int row, int col, size_t *ret_len)
{
    uint32_t type;
    size_t len = 0;
    const uint8_t *bytes = value(res, row, col, "text", &type, &len);

    if (type != DB_TEXT && type != OID_VARCHAR && type != OID_BPCHAR && type != OID_NAME &&
        type != DB_JSON && type != DB_JSONB)
        misuse(res, row, col, "text");
    if (bytes == NULL)
        bytes = nothing;
    else if (type == DB_JSONB && len > 0) {
        bytes++;
        len--;
    }
    if (ret_len != NULL)
        *ret_len = len;
    return (const char *)bytes;
}

const uint8_t *db_get_bytea(const struct db_result *res, int row, int col, size_t *ret_len)
{
    uint32_t type;
    size_t len = 0;
    const uint8_t *bytes = value(res, row, col, "bytea", &type, &len);

    if (type != DB_BYTEA)
        misuse(res, row, col, "bytea");
    *ret_len = len;
    return bytes == NULL ? nothing : bytes;
}

const uint8_t *db_get_uuid(const struct db_result *res, int row, int col)
{
    const uint8_t *bytes = fixed(res, row, col, DB_UUID, 16, "uuid");
    return bytes == nothing ? NULL : bytes;
}

int64_t db_get_timestamptz(const struct db_result *res, int row, int col)
{
    const uint8_t *bytes = fixed(res, row, col, DB_TIMESTAMPTZ, 8, "timestamptz");
    return bytes == nothing ? 0 : db_value_time_us(db_load64(bytes));
}

uint64_t db_get_xid8(const struct db_result *res, int row, int col)
{
    return db_load64(fixed(res, row, col, DB_XID8, 8, "xid8"));
}

static const uint8_t *numeric(const struct db_result *res, int row, int col, size_t *ret_len)
{
    uint32_t type;
    const uint8_t *bytes = value(res, row, col, "numeric", &type, ret_len);

    if (type != DB_NUMERIC)
        misuse(res, row, col, "numeric");
    if (bytes == NULL) {
        *ret_len = 8; /* zero: no groups */
        bytes = nothing;
    }
    return bytes;
}

bool db_get_numeric_u128(const struct db_result *res, int row, int col,
                         unsigned __int128 *ret_value)
{
    size_t len = 0;
    const uint8_t *bytes = numeric(res, row, col, &len);
    return db_value_numeric_to_u128(bytes, len, ret_value);
}

bool db_get_numeric(const struct db_result *res, int row, int col, char *out, size_t size)
{
    size_t len = 0;
    const uint8_t *bytes = numeric(res, row, col, &len);
    return db_value_numeric_text(bytes, len, out, size);
}

void db_get_array(const struct db_result *res, int row, int col, struct db_array *ret_array)
{
    uint32_t type;
    size_t len = 0;
    const uint8_t *bytes = value(res, row, col, "array", &type, &len);

    switch (type) {
    case DB_INT2_ARRAY:
    case DB_INT4_ARRAY:
    case DB_INT8_ARRAY:
    case DB_TEXT_ARRAY:
    case DB_UUID_ARRAY:
        break;
    default:
        misuse(res, row, col, "array");
    }
    *ret_array = (struct db_array){0};
    if (bytes == NULL)
        return;
    /* dimensions, has NULLs, element type, count, lower bound; no dimension: empty */
    if (len < 12)
        misuse(res, row, col, "array");
    ret_array->element = db_load32(bytes + 8);
    if (db_load32(bytes) == 0)
        return;
    if (db_load32(bytes) != 1 || len < 20)
        misuse(res, row, col, "array of one dimension");
    ret_array->count = (int32_t)db_load32(bytes + 12);
    ret_array->left = ret_array->count;
    ret_array->at = bytes + 20;
    ret_array->end = bytes + len;
}

static NORETURN void array_misuse(const struct db_array *array, const char *wanted)
{
    fprintf(stderr, "db_array: an element of type %u read as %s\n", array->element, wanted);
    abort();
}

/* False after the last one. *ret_bytes NULL: a NULL. */
static bool next(struct db_array *array, const uint8_t **ret_bytes, size_t *ret_len)
{
    if (array->left == 0)
        return false;
    if (array->end - array->at < 4)
        array_misuse(array, "any");
    int32_t len = (int32_t)db_load32(array->at);
    array->at += 4;
    array->left--;
    *ret_bytes = NULL;
    *ret_len = 0;
    if (len < 0)
        return true;
    if (array->end - array->at < len)
        array_misuse(array, "any");
    *ret_bytes = array->at;
    *ret_len = (size_t)len;
    array->at += len;
    return true;
}

bool db_array_next_int(struct db_array *array, int64_t *ret_value, bool *ret_null)
{
    const uint8_t *bytes;
    size_t len;

    if (!next(array, &bytes, &len))
        return false;
    *ret_value = 0;
    if (ret_null != NULL)
        *ret_null = bytes == NULL;
    if (bytes == NULL)
        return true;
    if (array->element == DB_INT2 && len == 2)
        *ret_value = (int16_t)db_load16(bytes);
    else if (array->element == DB_INT4 && len == 4)
        *ret_value = (int32_t)db_load32(bytes);
    else if (array->element == DB_INT8 && len == 8)
        *ret_value = (int64_t)db_load64(bytes);
    else
        array_misuse(array, "an integer");
    return true;
}

bool db_array_next_text(struct db_array *array, const char **ret_text, size_t *ret_len,
                        bool *ret_null)
{
    const uint8_t *bytes;
    size_t len;

    if (!next(array, &bytes, &len))
        return false;
    if (array->element != DB_TEXT)
        array_misuse(array, "text");
    if (ret_null != NULL)
        *ret_null = bytes == NULL;
    *ret_text = bytes == NULL ? "" : (const char *)bytes;
    *ret_len = len;
    return true;
}

bool db_array_next_uuid(struct db_array *array, const uint8_t **ret_uuid)
{
    const uint8_t *bytes;
    size_t len;

    if (!next(array, &bytes, &len))
        return false;
    if (array->element != DB_UUID || (bytes != NULL && len != 16))
        array_misuse(array, "uuid");
    *ret_uuid = bytes;
    return true;
}
