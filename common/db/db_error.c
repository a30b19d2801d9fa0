/* SPDX-License-Identifier: Apache-2.0 */
#include "db_error.h"

#include "db_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SQLSTATE_LEN 5

struct rule {
    const char *prefix; /* a whole SQLSTATE or its first characters */
    enum err_kind kind;
};

/* The first that fits decides: exceptions stand before their class. */
static const struct rule rules[] = {
    {"40001", ERR_RETRY},     /* serialization_failure                                        */
    {"40P01", ERR_RETRY},     /* deadlock_detected                                            */
    {"40000", ERR_RETRY},     /* transaction_rollback                                         */
    {"40003", ERR_TRANSIENT}, /* statement_completion_unknown                                 */
    {"55P03", ERR_RETRY},     /* lock_not_available                                           */
    {"55006", ERR_RETRY},     /* object_in_use                                                */
    {"72", ERR_RETRY},        /* snapshot_too_old                                             */
    {"23505", ERR_DUPLICATE}, /* unique_violation                                             */
    {"23", ERR_POISON},       /* other constraints                                            */
    {"22", ERR_POISON},       /* data exception                                               */
    {"21", ERR_POISON},       /* cardinality: one command hits a row twice                    */
    {"44", ERR_POISON},       /* with check option                                            */
    {"54", ERR_POISON},       /* program limit: a value too large for an index, say           */
    {"P0001", ERR_POISON},    /* raised by one of our own triggers or functions               */
    {"08", ERR_TRANSIENT},    /* connection exception                                         */
    {"53", ERR_TRANSIENT},    /* insufficient resources                                       */
    {"57", ERR_TRANSIENT},    /* operator intervention, statement time-out                    */
    {"58", ERR_TRANSIENT},    /* system error outside PostgreSQL                              */
    {"XX", ERR_TRANSIENT},    /* internal error: never a reason to blame a message            */
    {"25006", ERR_TRANSIENT}, /* read only: the server has become a standby                   */
    {"25P03", ERR_TRANSIENT}, /* idle in transaction too long; the session is gone            */
    {"25P04", ERR_TRANSIENT}, /* transaction took too long; the session is gone               */
    {"26000", ERR_TRANSIENT}, /* a prepared statement vanished: a new connection has none     */
    {"25", ERR_BUG},          /* statements in an order that cannot work                      */
};

enum err_kind db_error_kind(const char *sqlstate, const char *source)
{
    /* A plan from before a migration; a new connection plans anew. The message itself is
     * translated. */
    if (strcmp(sqlstate, "0A000") == 0 && source != NULL &&
        strcmp(source, "RevalidateCachedQuery") == 0)
        return ERR_TRANSIENT;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return rules[i].kind;
    }
    return ERR_FATAL;
}

bool db_error_is(const struct err *err, const char *code)
{
    return err->kind != ERR_NONE && err->domain != NULL && strcmp(err->domain, DB_DOMAIN) == 0 &&
           strcmp(err->code, code) == 0;
}

void db_error_scrub(const char *sqlstate, const char *message, char *out, size_t size)
{
    const char *end = message + strcspn(message, "\n");
    const char *first = NULL;
    const char *last = NULL;

    if (strncmp(sqlstate, "22", 2) == 0) {
        /* What stands in quotes may hold quotes: leave out everything from the first to the last.
         */
        first = memchr(message, '"', (size_t)(end - message));
        last = memrchr(message, '"', (size_t)(end - message));
    }
    if (first == NULL) {
        /* invalid byte sequence ...: 0xff; none of these messages has a colon before the data. */
        const char *colon =
            strncmp(sqlstate, "22", 2) == 0 ? memchr(message, ':', (size_t)(end - message)) : NULL;
        (void)snprintf(out, size, "%.*s", (int)((colon == NULL ? end : colon) - message), message);
        return;
    }
    /* A single quote character opens what a line break cut off. */
    const char *rest = last == first ? end : last + 1;
    const char *colon = memchr(rest, ':', (size_t)(end - rest));
    if (colon != NULL)
        end = colon;
    (void)snprintf(out, size, "%.*s\"?\"%.*s", (int)(first - message), message, (int)(end - rest),
                   rest);
}

int db_error_result(struct db_conn *conn, const PGresult *pg, struct err *err)
{
    const char *sqlstate = PQresultErrorField(pg, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(pg, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(pg, PG_DIAG_CONSTRAINT_NAME);
    char text[sizeof(err->text)];

    (void)snprintf(conn->constraint, sizeof(conn->constraint), "%s",
                   constraint == NULL ? "" : constraint);
    if (sqlstate == NULL || strlen(sqlstate) != SQLSTATE_LEN) {
        /* libpq itself speaks: the connection is gone, or it did not understand the server. */
        db_error_scrub("", PQresultErrorMessage(pg), text, sizeof(text));
        return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "connection_lost", "%s",
                       text[0] == '\0' ? "the connection is lost" : text);
    }
    db_error_scrub(sqlstate, message == NULL ? "" : message, text, sizeof(text));
    return err_set(err, db_error_kind(sqlstate, PQresultErrorField(pg, PG_DIAG_SOURCE_FUNCTION)),
                   DB_DOMAIN, sqlstate, "%s", text);
}

/* ":  28P01: " as PQERRORS_VERBOSE puts it behind the severity; the position of the SQLSTATE. */
static const char *find_sqlstate(const char *message)
{
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        const char *state = at + 3;
        size_t n = strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (n == SQLSTATE_LEN && state[n] == ':')
            return state;
    }
    return NULL;
}

int db_error_connect(const char *message, struct err *err)
{
    const char *state = find_sqlstate(message);
    char sqlstate[SQLSTATE_LEN + 1] = "";
    char text[sizeof(err->text)];

    if (state == NULL) {
        db_error_scrub("", message, text, sizeof(text));
        return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "connect", "%s",
                       text[0] == '\0' ? "no connection" : text);
    }
    memcpy(sqlstate, state, SQLSTATE_LEN);
    state += SQLSTATE_LEN + 1;
    while (isspace((unsigned char)*state))
        state++;
    db_error_scrub(sqlstate, state, text, sizeof(text));
    return err_set(err, db_error_kind(sqlstate, NULL), DB_DOMAIN, sqlstate, "%s", text);
}
