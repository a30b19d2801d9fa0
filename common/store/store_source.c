/* SPDX-License-Identifier: Apache-2.0 */
#include "store_source.h"

#include "db_query.h"
#include "store_map.h"
#include "store_sql.h"

#include <stdlib.h>
#include <string.h>

struct kept {
    int32_t id;
    struct kept *next;
    char name[];
};

struct store_source {
    struct store_map by_name;
    struct kept *all;
    size_t kept_max;
};

struct store_source *store_source_new(size_t kept_max)
{
    struct store_source *source = calloc(1, sizeof(*source));

    if (source == NULL)
        return NULL;
    store_map_init(&source->by_name);
    source->kept_max = kept_max > 0 ? kept_max : STORE_SOURCE_KEPT_MAX;
    return source;
}

void store_source_free(struct store_source *source)
{
    if (source == NULL)
        return;
    store_source_forget(source);
    store_map_done(&source->by_name);
    free(source);
}

void store_source_forget(struct store_source *source)
{
    store_map_clear(&source->by_name);
    while (source->all != NULL) {
        struct kept *next = source->all->next;

        free(source->all);
        source->all = next;
    }
}

size_t store_source_kept(const struct store_source *source)
{
    return source->by_name.count;
}

/* Best effort: without memory the name is looked up again. */
static void keep(struct store_source *source, const char *name, int32_t id)
{
    size_t len = strlen(name);
    struct kept *kept = malloc(sizeof(*kept) + len + 1);

    if (kept == NULL)
        return;
    if (source->by_name.count >= source->kept_max)
        store_source_forget(source);
    kept->id = id;
    memcpy(kept->name, name, len + 1);
    if (!store_map_put(&source->by_name, kept->name, len, kept)) {
        free(kept);
        return;
    }
    kept->next = source->all;
    source->all = kept;
}

int store_source_find(struct store_source *source, struct db_conn *db, const char *name,
                      int32_t *ret_id, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    const struct kept *kept = store_map_get(&source->by_name, name, strlen(name));

    db_params_init(&params);
    if (kept != NULL) {
        *ret_id = kept->id;
        return 1;
    }
    db_param_text(&params, name);
    if (db_query(db, &store_sql_source_get, &params, &res, err) < 0)
        return err_wrap(err, "look up a publisher");
    if (db_result_rows(&res) == 0)
        return 0;
    *ret_id = db_get_int32(&res, 0, 0);
    if (!db_get_bool(&res, 0, 1))
        keep(source, name, *ret_id);
    return 1;
}

int store_source_id(struct store_source *source, struct db_conn *db, const char *name,
                    int32_t *ret_id, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};

    db_params_init(&params);
    /* Whoever inserts between our look and our insert makes the next look find it. */
    for (int round = 0; round < 3; round++) {
        int found = store_source_find(source, db, name, ret_id, err);

        if (found != 0)
            return found < 0 ? -1 : 0;
        db_params_reset(&params);
        db_param_text(&params, name);
        if (db_query(db, &store_sql_source_put, &params, &res, err) < 0)
            return err_wrap(err, "note a publisher");
        if (db_result_rows(&res) == 1) {
            *ret_id = db_get_int32(&res, 0, 0);
            return 0;
        }
    }
    return err_set(err, ERR_RETRY, "store", "source_contended", "a publisher comes and goes");
}
