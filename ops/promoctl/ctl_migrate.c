/* SPDX-License-Identifier: Apache-2.0
 *
 * promoctl migrate
 */
#include "ctl.h"
#include "ctl_print.h"
#include "db_migrate.h"

static const struct ctl_column columns[] = {{"version", true}, {"name", false}};

struct run {
    const struct ctl *ctl;
    struct ctl_table table;
    int applied;
};

static void migrated(void *opaque, const struct db_migration *migration)
{
    struct run *run = opaque;
    ctl_table_int(&run->table, migration->version);
    ctl_table_text(&run->table, migration->name);
    run->applied++;
}

static int attempt(void *opaque, struct err *err)
{
    struct run *run = opaque;
    CLEANUP(db_conn_closep) struct db_conn *db = NULL;
    if (ctl_open_db(run->ctl, "migrate", &db, err) < 0)
        return -1;
    return db_migrate(db, migrated, run, err) < 0 ? -1 : 0;
}

int ctl_migrate(struct ctl *ctl, enum ctl_exit *ret_exit, struct err *err)
{
    struct run run = {.ctl = ctl};
    int64_t timeout_ms = 0;

    if (ctl_timeout_ms(ctl, 60000, &timeout_ms, err) < 0)
        return -1;
    ctl_table_begin(&run.table, columns, ARRAY_LEN(columns), ctl->options.json, stdout);
    int got = ctl_retry(timeout_ms, "PostgreSQL", attempt, &run, err);
    ctl_table_end(&run.table);
    if (got < 0)
        return err_wrap(err, "migrate");
    if (!ctl->options.json && run.applied == 0)
        printf("nothing to do, the data base is at version %d\n",
               db_migrations[db_migration_count - 1].version);
    *ret_exit = CTL_OK;
    return 0;
}
