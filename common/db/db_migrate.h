/* SPDX-License-Identifier: Apache-2.0
 *
 * Migrations: schemas/sql/NNNN_name.sql, embedded at build time, applied in order and noted in the
 * table schema_migration (version, name, checksum, applied_at).
 *
 * Each migration is a transaction of its own, together with its note: whatever happens, the data
 * base is at one version. That transaction first locks the table, so any number of runners may
 * start at once: one applies, the others wait and find it done. A migration that has been applied
 * must not change any more, and none may be missing in between; both are refused before anything is
 * applied, as is a data base that knows a version we do not.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "base_attr.h"
#include "base_err.h"
#include "db_conn.h"

#include <stddef.h>

struct db_migration {
    int version; /* NNNN: 1, 2, 3, ... */
    const char *name;
    const char *text;
};

/* Called after each migration that this very run has committed. */
typedef void (*db_migrated_fn)(void *opaque, const struct db_migration *migration);

/*
 * Bring the data base to the last of the built-in migrations. Outside a transaction; blocks as long
 * as the migrations take (statement_timeout is off meanwhile). 1: applied some; 0: there was
 * nothing to do. migrated may be NULL. Errors of our own, all ERR_FATAL: "migration_changed",
 * "migration_gap", "schema_newer".
 */
int db_migrate(struct db_conn *conn, db_migrated_fn migrated, void *opaque,
               struct err *err) MUST_CHECK;
/*
 * Is the data base exactly where we need it? 0, or -1 with one of the codes above or
 * "schema_older", all ERR_FATAL. Writes nothing. For start-up.
 */
int db_migrate_check(struct db_conn *conn, struct err *err) MUST_CHECK;

/* The built-in list, in order. */
extern const struct db_migration db_migrations[];
extern const size_t db_migration_count;

/* The same for any list; the list itself must count 1, 2, 3, ... ("migration_gap" otherwise). */
int db_migrate_list(struct db_conn *conn, const struct db_migration *list, size_t count,
                    db_migrated_fn migrated, void *opaque, struct err *err) MUST_CHECK;
int db_migrate_check_list(struct db_conn *conn, const struct db_migration *list, size_t count,
                          struct err *err) MUST_CHECK;

#endif
