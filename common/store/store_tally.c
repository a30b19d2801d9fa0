/* SPDX-License-Identifier: Apache-2.0 */
#include "store_tally.h"

#include "db_query.h"
#include "store_sql.h"

#include <stdbool.h>

#define CHANGES "changes"

static bool seen_before(const struct store_tally *tallies, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (tallies[j].campaign_id == tallies[i].campaign_id)
            return true;
    }
    return false;
}

int store_tally_add(struct db_conn *db, int16_t shard, const struct store_tally *tallies,
                    size_t count, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    if (count == 0)
        return 0;
    db_params_init(&params);
    db_array_begin(&params, DB_INT4);
    for (size_t i = 0; i < count; i++) {
        db_array_int4(&params, tallies[i].campaign_id);
        if (!seen_before(tallies, i))
            db_array_int4(&params, tallies[i].campaign_id);
    }
    db_array_end(&params);
    db_param_int2(&params, shard);
    db_array_begin(&params, DB_TEXT);
    for (size_t i = 0; i < count; i++) {
        db_array_text(&params, tallies[i].name);
        if (!seen_before(tallies, i))
            db_array_text(&params, CHANGES);
    }
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    for (size_t i = 0; i < count; i++) {
        db_array_int8(&params, tallies[i].value);
        if (!seen_before(tallies, i))
            db_array_int8(&params, 1);
    }
    db_array_end(&params);
    if (db_query(db, &store_sql_tally_add, &params, NULL, err) < 0)
        return err_wrap(err, "add to the tallies");
    return 0;
}
