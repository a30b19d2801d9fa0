/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows that came back, in binary. A result owns its memory until db_result_done() or until it is
 * filled again; what the getters hand out points into it.
 *
 * Rows and columns count from 0. The getters of numbers, texts and so on give 0, false or "" for
 * NULL: ask db_is_null() where it matters. Asking for a row or column that is not there, or for a
 * type that the column does not have, is a mistake of ours that no caller can handle: it writes one
 * line to stderr and aborts.
 */
#ifndef DB_RESULT_H
#define DB_RESULT_H

#include "base_attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_result;

/* Start as {0}. */
struct db_result {
    struct pg_result *pg; /* private */
};

void db_result_done(struct db_result *res); /* for CLEANUP(db_result_done); leaves {0} */

int db_result_rows(const struct db_result *res);
int db_result_cols(const struct db_result *res);
/* Rows that were inserted, updated, deleted or selected. */
int64_t db_result_affected(const struct db_result *res);
/* Index of a column by its name as the statement spells it; -1: no such column. */
int db_col(const struct db_result *res, const char *name);

bool db_is_null(const struct db_result *res, int row, int col);
bool db_get_bool(const struct db_result *res, int row, int col);
int16_t db_get_int16(const struct db_result *res, int row, int col); /* smallint            */
int32_t db_get_int32(const struct db_result *res, int row, int col); /* smallint, int       */
int64_t db_get_int64(const struct db_result *res, int row, int col); /* smallint, int, bigint */
/* text, varchar, name, json, jsonb; always closed by a NUL; ret_len may be NULL. */
const char *db_get_text(const struct db_result *res, int row, int col, size_t *ret_len);
const uint8_t *db_get_bytea(const struct db_result *res, int row, int col, size_t *ret_len);
const uint8_t *db_get_uuid(const struct db_result *res, int row,
                           int col); /* 16 bytes; NULL: NULL */
/* Microseconds since 1970; -infinity and infinity are INT64_MIN and INT64_MAX. */
int64_t db_get_timestamptz(const struct db_result *res, int row, int col);
uint64_t db_get_xid8(const struct db_result *res, int row, int col);
/* numeric: true when it is a whole number from 0 to 2^128 - 1 (then *ret_value), otherwise false.
 */
bool db_get_numeric_u128(const struct db_result *res, int row, int col,
                         unsigned __int128 *ret_value);
/* numeric as decimal text with its scale ("12.50", "-3", "NaN"); false when out is too small. */
bool db_get_numeric(const struct db_result *res, int row, int col, char *out, size_t size);

/* Arrays of one dimension. The reader borrows from the result. */
struct db_array {
    int32_t count; /* elements in all; 0 for NULL and for {} */
    /* private */
    int32_t left;
    uint32_t element;
    const uint8_t *at;
    const uint8_t *end;
};

void db_get_array(const struct db_result *res, int row, int col, struct db_array *ret_array);
/*
 * The next element: false after the last one. ret_null may be NULL where no element can be NULL; a
 * NULL gives 0 or "". Texts are NOT closed by a NUL.
 */
bool db_array_next_int(struct db_array *array, int64_t *ret_value, bool *ret_null);
bool db_array_next_text(struct db_array *array, const char **ret_text, size_t *ret_len,
                        bool *ret_null);
bool db_array_next_uuid(struct db_array *array, const uint8_t **ret_uuid);

#endif
