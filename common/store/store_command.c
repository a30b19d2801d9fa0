/* SPDX-License-Identifier: Apache-2.0 */
#include "store_command.h"

#include "db_query.h"
#include "store_sql.h"

#include <string.h>

int store_command_get(struct db_conn *db, struct arena *arena, int16_t kind, int32_t source_id,
                      const char *ce_id, struct store_command *ret, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};
    CLEANUP(db_result_done) struct db_result res = {0};
    struct store_command command = {.kind = kind, .source_id = source_id};
    size_t hash_len = 0;

    db_params_init(&params);
    db_param_int2(&params, kind);
    db_param_int4(&params, source_id);
    db_param_text(&params, ce_id);
    if (db_query(db, &store_sql_command_get, &params, &res, err) < 0)
        return err_wrap(err, "look up a command");
    if (db_result_rows(&res) == 0)
        return 0;
    const uint8_t *hash = db_get_bytea(&res, 0, 0, &hash_len);

    if (hash_len != STORE_HASH_LEN)
        return err_set(err, ERR_BUG, "store", "bad_hash", "a stored hash of %zu bytes", hash_len);
    memcpy(command.hash, hash, STORE_HASH_LEN);
    command.partition = db_get_int32(&res, 0, 1);
    command.offset = db_get_int64(&res, 0, 2);
    command.at_us = db_get_timestamptz(&res, 0, 3);
    command.ce_id = arena_strdup(arena, ce_id);
    command.outcome_type = arena_strdup(arena, db_get_text(&res, 0, 4, NULL));
    command.outcome_key =
        db_is_null(&res, 0, 5) ? NULL : arena_strdup(arena, db_get_text(&res, 0, 5, NULL));
    command.outcome = arena_strdup(arena, db_get_text(&res, 0, 6, &command.outcome_len));
    command.has_job = !db_is_null(&res, 0, 7);
    if (command.has_job)
        memcpy(command.job, db_get_uuid(&res, 0, 7), sizeof(command.job));
    if (command.ce_id == NULL || command.outcome_type == NULL || command.outcome == NULL)
        return err_nomem(err);
    *ret = command;
    return 1;
}

int store_command_put(struct db_conn *db, const struct store_command *command, struct err *err)
{
    CLEANUP(db_params_done) struct db_params params = {0};

    db_params_init(&params);
    db_param_int2(&params, command->kind);
    db_param_int4(&params, command->source_id);
    db_param_text(&params, command->ce_id);
    db_param_bytea(&params, command->hash, sizeof(command->hash));
    db_param_int4(&params, command->partition);
    db_param_int8(&params, command->offset);
    db_param_timestamptz(&params, command->at_us);
    db_param_text(&params, command->outcome_type);
    db_param_text(&params, command->outcome_key);
    db_param_text_n(&params, command->outcome, command->outcome_len);
    db_param_uuid(&params, command->has_job ? command->job : NULL);
    if (db_query(db, &store_sql_command_put, &params, NULL, err) < 0)
        return err_wrap(err, "store a command");
    return 0;
}
