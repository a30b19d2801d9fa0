/* SPDX-License-Identifier: Apache-2.0
 *
 * Publishers: the ce_source of commands, by name, to the small number that stands in the ledger.
 *
 * The ids are kept in memory. One that the open transaction has inserted itself is not: it is
 * looked up again until the transaction has committed, so a rollback leaves nothing behind here.
 * Whoever opens another connection (maybe to a restored data base) forgets them all.
 */
#ifndef STORE_SOURCE_H
#define STORE_SOURCE_H

#include "base_attr.h"
#include "base_err.h"
#include "db_conn.h"

#include <stddef.h>
#include <stdint.h>

#define STORE_SOURCE_KEPT_MAX 4096

struct store_source;

/* kept_max: most names in memory (0: STORE_SOURCE_KEPT_MAX); when full, it starts over. NULL: no
 * memory. */
struct store_source *store_source_new(size_t kept_max);
void store_source_free(struct store_source *source); /* takes NULL */
DEFINE_CLEANUP(struct store_source, store_source_free)

void store_source_forget(struct store_source *source);
size_t store_source_kept(const struct store_source *source);

/*
 * The id of a name, which is inserted when it is new. Inside a transaction or not. Waits for
 * another transaction that is just inserting the same name.
 */
int store_source_id(struct store_source *source, struct db_conn *db, const char *name,
                    int32_t *ret_id, struct err *err) MUST_CHECK;
/* The same without inserting: 1 and *ret_id, 0 unknown. */
int store_source_find(struct store_source *source, struct db_conn *db, const char *name,
                      int32_t *ret_id, struct err *err) MUST_CHECK;

#endif
