/* SPDX-License-Identifier: Apache-2.0
 *
 * From SQLSTATE to struct err. This is the only place that knows SQLSTATEs. err.domain is "db",
 * err.code the SQLSTATE, or a name of our own where the server said nothing:
 *
 *   connection_lost   the connection broke, or was broken already        ERR_TRANSIENT
 *   commit_unknown    ... while COMMIT was under way: nobody knows       ERR_TRANSIENT
 *   server_silent     no answer within the time limit                    ERR_TRANSIENT
 *   stopped           a stop request came and the server did not answer  ERR_TRANSIENT
 *   timeout, connect  no connection in time, or at all                   ERR_TRANSIENT
 *   bad_url, server_version                                              ERR_FATAL
 *
 * | SQLSTATE                                                    | kind          |
 * |-------------------------------------------------------------|---------------|
 * | 40001 40P01 40000 55P03 55006 72000                         | ERR_RETRY     |
 * | 08*** 53*** 57*** 58*** XX*** 25006 25P03 25P04 26000 40003 | ERR_TRANSIENT |
 * | 0A000 from a plan made before a migration                   | ERR_TRANSIENT |
 * | 23505                                                       | ERR_DUPLICATE |
 * | 22*** other 23*** 21000 44000 54*** P0001                   | ERR_POISON    |
 * | other 25***                                                 | ERR_BUG       |
 * | 42*** 28*** 3D000 and everything else                       | ERR_FATAL     |
 *
 * err.text has the server's primary message and never DETAIL, HINT, CONTEXT or parameters. Where
 * the primary message itself quotes data (class 22), the quoted part is left out.
 */
#ifndef DB_ERROR_H
#define DB_ERROR_H

#include "base_err.h"

#include <stdbool.h>

#define DB_DOMAIN "db"
#define DB_LOCK_TIMEOUT "55P03"
#define DB_COMMIT_UNKNOWN "commit_unknown"

/* sqlstate: five characters. source: PG_DIAG_SOURCE_FUNCTION, or NULL. */
enum err_kind db_error_kind(const char *sqlstate, const char *source);

/* Does this error carry this code? For the few who tell 55P03 from 40001. False for other domains.
 */
bool db_error_is(const struct err *err, const char *code);

#endif
