/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of store_definition share, and its tests use.
 */
#ifndef STORE_DEFINITION_INTERNAL_H
#define STORE_DEFINITION_INTERNAL_H

#include "db_params.h"
#include "db_query.h"
#include "db_result.h"
#include "msg_reason.h"
#include "store_definition.h"

/* Numbers in the data base. */
enum {
    STATUS_ARCHIVED = 3,
    SCOPE_CODE = 1,
    SCOPE_COUPON = 2,
    SCOPE_CAMPAIGN = 3,
};

/* Fill *ret_refused and return 0. */
#define REFUSE(ret_refused, reason, pointer, ...)                                                  \
    (err_field((ret_refused), (pointer), msg_reason_code(MSG_REASON_##reason), __VA_ARGS__) + 1)

void definition_param_int(struct db_params *params, struct msg_int value);  /* int8, or NULL */
void definition_param_time(struct db_params *params, struct msg_int value); /* or NULL */

/* Wait until no other transaction changes definitions, and keep them out until ours ends. */
int definition_lock(const struct store_change *change, struct err *err) MUST_CHECK;

/* The row of that name: *ret_res has id, version, archived and what else the kind's statement
 * tells; 1, or 0. */
int definition_get(const struct store_change *change, enum msg_definition_kind kind,
                   const char *ext_id, struct db_result *ret_res, struct err *err) MUST_CHECK;
/* Does what is there (no row: nothing) allow a put? 1, or 0 refused. */
int definition_allows(const struct db_result *found, struct msg_int expected,
                      struct err *ret_refused) MUST_CHECK;

/* What every change writes down. */
struct stamp {
    int64_t def_version;
    int64_t at_us;
    const char *by;
};
/* Raises the version of all definitions: only when something is about to change. */
int definition_stamp(const struct store_change *change, struct stamp *ret_stamp,
                     struct err *err) MUST_CHECK;
void definition_param_stamp(struct db_params *params, const struct stamp *stamp);
int definition_note(const struct store_change *change, const struct stamp *stamp,
                    enum msg_definition_kind kind, int32_t id, int64_t version, const char *action,
                    struct err *err) MUST_CHECK;
/* Run an insert (returning id) or an update (returning version); *ret_id and *ret_version are in
 * and out. */
int definition_write(const struct store_change *change, const struct db_stmt *stmt,
                     const struct db_params *params, bool insert, int32_t *ret_id,
                     int64_t *ret_version, struct err *err) MUST_CHECK;
/* Run a *_same statement. 1: the row says so already. */
int definition_same(const struct store_change *change, const struct db_stmt *stmt,
                    const struct db_params *params, struct err *err) MUST_CHECK;

/* store_definition_limits.c: a limit before and after a put; 0: none. */
enum limit_kind {
    LIMIT_CAMPAIGN_TOTAL,
    LIMIT_CAMPAIGN_CUSTOMER,
    LIMIT_COUPON_TOTAL,
    LIMIT_COUPON_CUSTOMER,
    LIMIT_CODE_USES,     /* of codes that take it from their coupon; the code's row counts */
    LIMIT_CODE_CUSTOMER, /* likewise, with counters                                        */
};
struct limit {
    enum limit_kind kind;
    int64_t was;
    int64_t now;
};
#define LIMITS_MAX 8
/*
 * Hold the limits of one definition against the uses there are, and make or drop the counters that
 * come or go with them: 1 done, 0 refused and nothing changed, -1. After definition_lock().
 */
int definition_limits(struct db_conn *db, int32_t id, const struct limit *limits, size_t count,
                      struct err *ret_refused, struct err *err) MUST_CHECK;

#endif
