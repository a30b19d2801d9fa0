/* SPDX-License-Identifier: Apache-2.0
 *
 * Table command: the ledger of all commands but redeem's. Texts that come back live in the arena.
 */
#ifndef STORE_COMMAND_H
#define STORE_COMMAND_H

#include "base_arena.h"
#include "base_err.h"
#include "db_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_HASH_LEN 16

struct store_command {
    int16_t kind; /* enum msg_kind */
    int32_t source_id;
    const char *ce_id;
    uint8_t hash[STORE_HASH_LEN];
    int32_t partition;
    int64_t offset;
    int64_t at_us;
    const char *outcome_type;
    const char *outcome_key; /* NULL: the command's id */
    const char *outcome;     /* data of the event, JSON */
    size_t outcome_len;
    bool has_job;
    uint8_t job[16];
};

/* 1 and *ret; 0 there is none. */
int store_command_get(struct db_conn *db, struct arena *arena, int16_t kind, int32_t source_id,
                      const char *ce_id, struct store_command *ret, struct err *err) MUST_CHECK;
/* ERR_DUPLICATE when it is there already. */
int store_command_put(struct db_conn *db, const struct store_command *command,
                      struct err *err) MUST_CHECK;

#endif
