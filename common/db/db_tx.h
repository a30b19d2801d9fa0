/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions. What state the session is in is the server's word (each answer carries it), not a
 * flag of ours.
 *
 *   db_tx_begin ... statements ... db_tx_commit      on any error: db_tx_rollback
 *
 * An error inside a transaction leaves it failed: nothing but rollback (or rollback to a savepoint)
 * works.
 */
#ifndef DB_TX_H
#define DB_TX_H

#include "base_attr.h"
#include "base_err.h"
#include "db_conn.h"

enum db_tx_mode {
    DB_TX_READ_COMMITTED,
    DB_TX_SNAPSHOT, /* repeatable read, read only: one moment for all  */
    DB_TX_REPEATABLE_READ,
    DB_TX_SERIALIZABLE,
};

enum db_tx_state {
    DB_TX_NONE,   /* outside a transaction              */
    DB_TX_OPEN,   /* inside                             */
    DB_TX_FAILED, /* inside, and only rollback is left  */
    DB_TX_BROKEN, /* the connection is broken           */
};

enum db_tx_state db_tx_state(const struct db_conn *conn);

/* READ COMMITTED, which is what the fleet uses wherever it writes. ERR_BUG inside a transaction. */
int db_tx_begin(struct db_conn *conn, struct err *err) MUST_CHECK;
int db_tx_begin_mode(struct db_conn *conn, enum db_tx_mode mode, struct err *err) MUST_CHECK;
/*
 * -1 with code "commit_unknown" (ERR_TRANSIENT): the connection broke on the way, the effects may
 * be there or not, the ledger tells. -1 with any other code: nothing was committed, and the
 * transaction is over. ERR_BUG when there is none, or a failed one (which is rolled back).
 */
int db_tx_commit(struct db_conn *conn, struct err *err) MUST_CHECK;
/*
 * Ends whatever transaction, pipeline or half-read answer there is; 0 without one. -1: the server
 * did not answer and the connection is broken; it rolls back by itself then.
 */
int db_tx_rollback(struct db_conn *conn, struct err *err);

/* name: letters, digits and _ only, a literal. Rolling back to a savepoint keeps it. */
int db_tx_savepoint(struct db_conn *conn, const char *name, struct err *err) MUST_CHECK;
int db_tx_rollback_to(struct db_conn *conn, const char *name, struct err *err) MUST_CHECK;
int db_tx_release(struct db_conn *conn, const char *name, struct err *err) MUST_CHECK;

/*
 * After 55P03, outside a transaction (roll back first): end the fleet's sessions that hold locks
 * and have not heard from their client, by promo_end_blockers() of the migrations. 1: ended some;
 * 0: there were none.
 */
int db_end_blockers(struct db_conn *conn, struct err *err) MUST_CHECK;

#endif
