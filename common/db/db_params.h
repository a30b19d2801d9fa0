/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of one statement, in PostgreSQL's binary formats, and the types we know.
 *
 * Append in the order of $1, $2, ...; a failure (memory, a malformed number, an array left open) is
 * kept and comes out of db_query(), so there is one place to look. After db_params_reset() the
 * memory is used again: a steady load allocates nothing. Bytes handed in are copied.
 *
 *   struct db_params p;                  db_array_begin(&p, DB_INT8);
 *   db_params_init(&p);                  for (...)
 *   db_param_int4(&p, 7);                    db_array_int8(&p, value);
 *   db_param_text(&p, "x");              db_array_end(&p);
 *
 * An array is one parameter, `bigint[]` above. Neither arrays nor texts have a limit of ours;
 * PostgreSQL's is 1 GB for a parameter.
 */
#ifndef DB_PARAMS_H
#define DB_PARAMS_H

#include "base_attr.h"
#include "base_buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values are PostgreSQL's type OIDs, which never change for built-in types. */
enum db_type {
    DB_ANY = 0, /* left to the server to infer */
    DB_BOOL = 16,
    DB_BYTEA = 17,
    DB_INT8 = 20,
    DB_INT2 = 21,
    DB_INT4 = 23,
    DB_TEXT = 25,
    DB_JSON = 114,
    DB_TIMESTAMPTZ = 1184,
    DB_NUMERIC = 1700,
    DB_UUID = 2950,
    DB_JSONB = 3802,
    DB_XID8 = 5069,

    DB_JSON_ARRAY = 199,
    DB_XID8_ARRAY = 271,
    DB_BOOL_ARRAY = 1000,
    DB_BYTEA_ARRAY = 1001,
    DB_INT2_ARRAY = 1005,
    DB_INT4_ARRAY = 1007,
    DB_TEXT_ARRAY = 1009,
    DB_INT8_ARRAY = 1016,
    DB_TIMESTAMPTZ_ARRAY = 1185,
    DB_NUMERIC_ARRAY = 1231,
    DB_UUID_ARRAY = 2951,
    DB_JSONB_ARRAY = 3807,
};

#define DB_PARAMS_MAX 64

struct db_params {
    unsigned count;
    struct buf bytes;
    /* private */
    struct {
        uint32_t type; /* DB_ANY: an untyped NULL */
        int32_t len;   /* -1: NULL */
        size_t at;
    } param[DB_PARAMS_MAX];
    bool in_array;
    uint32_t element;
    size_t array_at;
    int32_t array_count;
    bool array_nulls;
    const char *fault; /* what was wrong first, or NULL */
    bool fault_is_input;
    unsigned fault_after; /* so many parameters were there */
};

void db_params_init(struct db_params *params);
void db_params_done(struct db_params *params); /* for CLEANUP(db_params_done) */
void db_params_reset(struct db_params *params);

void db_param_null(struct db_params *params); /* of any type */
void db_param_bool(struct db_params *params, bool value);
void db_param_int2(struct db_params *params, int16_t value);
void db_param_int4(struct db_params *params, int32_t value);
void db_param_int8(struct db_params *params, int64_t value);
/* Text: UTF-8; NULL: a NULL. The server refuses bytes that are not UTF-8 and NUL (22021,
 * ERR_POISON). */
void db_param_text(struct db_params *params, const char *text);
void db_param_text_n(struct db_params *params, const char *text, size_t len);
void db_param_bytea(struct db_params *params, const void *bytes, size_t len); /* bytes NULL: NULL */
void db_param_uuid(struct db_params *params, const uint8_t uuid[16]);         /* NULL: NULL */
void db_param_timestamptz(struct db_params *params, int64_t us);              /* since 1970 */
/* "-12.50": digits with at most one point, an optional minus; otherwise ERR_POISON, "bad_numeric".
 */
void db_param_numeric(struct db_params *params, const char *decimal);
void db_param_numeric_u128(struct db_params *params, unsigned __int128 value);
void db_param_json(struct db_params *params, const char *json, size_t len);
void db_param_jsonb(struct db_params *params, const char *json, size_t len);
void db_param_xid8(struct db_params *params, uint64_t xid);

/* The array's element type; one level, lower bound 1. Between begin and end only db_array_*. */
void db_array_begin(struct db_params *params, enum db_type element);
void db_array_null(struct db_params *params);
void db_array_bool(struct db_params *params, bool value);
void db_array_int2(struct db_params *params, int16_t value);
void db_array_int4(struct db_params *params, int32_t value);
void db_array_int8(struct db_params *params, int64_t value);
void db_array_text(struct db_params *params, const char *text); /* NULL: NULL */
void db_array_text_n(struct db_params *params, const char *text, size_t len);
void db_array_bytea(struct db_params *params, const void *bytes, size_t len);
void db_array_uuid(struct db_params *params, const uint8_t uuid[16]);
void db_array_timestamptz(struct db_params *params, int64_t us);
void db_array_numeric(struct db_params *params, const char *decimal);
void db_array_numeric_u128(struct db_params *params, unsigned __int128 value);
void db_array_json(struct db_params *params, const char *json, size_t len);
void db_array_jsonb(struct db_params *params, const char *json, size_t len);
void db_array_xid8(struct db_params *params, uint64_t xid);
void db_array_end(struct db_params *params);

#endif
