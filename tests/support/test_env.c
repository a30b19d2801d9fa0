/* SPDX-License-Identifier: Apache-2.0 */
#include "test_env.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define VALUES_MAX 128
#define DATABASES_MAX 16
#define URL_MAX 2048

static char *file_lines[VALUES_MAX];
static size_t file_count;
static bool file_read;

static struct {
    char name[32];
    char url[URL_MAX];
} databases[DATABASES_MAX];
static size_t database_count;
static pid_t owner;
static bool leaving; /* exit() is under way */

static void die(const char *what, const char *why)
{
    fprintf(stderr, "test_env: %s: %s\n", what, why);
    if (leaving)
        _exit(1);
    exit(1);
}

static void read_file(void)
{
    const char *path = getenv("PROMO_TEST_ENV");
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    char *line = NULL;
    size_t room = 0;

    file_read = true;
    if (file == NULL)
        return;
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#' || strchr(line, '=') == NULL)
            continue;
        if (file_count == VALUES_MAX)
            die(path, "too many lines");
        file_lines[file_count] = strdup(line);
        if (file_lines[file_count] == NULL)
            die(path, "out of memory");
        file_count++;
    }
    free(line);
    (void)fclose(file);
}

const char *test_env_get(const char *name)
{
    const char *value = getenv(name);
    size_t len = strlen(name);

    if (value != NULL && value[0] != '\0')
        return value;
    if (!file_read)
        read_file();
    for (size_t i = 0; i < file_count; i++) {
        if (strncmp(file_lines[i], name, len) == 0 && file_lines[i][len] == '=')
            return file_lines[i] + len + 1;
    }
    return NULL;
}

const char *test_env_need(const char *name)
{
    const char *value = test_env_get(name);

    if (value == NULL || value[0] == '\0') {
        fprintf(stderr, "skipped: %s is neither in the environment nor in $PROMO_TEST_ENV\n", name);
        exit(TEST_SKIPPED);
    }
    return value;
}

/* One command in the data base that PGURL names. */
static void run(const char *sql)
{
    PGconn *pg = PQconnectdb(test_env_need("PGURL"));
    PGresult *result;

    if (PQstatus(pg) != CONNECTION_OK)
        die("PGURL", PQerrorMessage(pg));
    result = PQexec(pg, "set client_min_messages = error");
    PQclear(result);
    result = PQexec(pg, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        die(sql, PQresultErrorMessage(result));
    PQclear(result);
    PQfinish(pg);
}

static void drop_all(void)
{
    /* A child that a test forked and that leaves by exit() owns none of them. */
    if (getpid() != owner)
        return;
    leaving = true;
    while (database_count > 0) {
        char sql[96];

        database_count--;
        (void)snprintf(sql, sizeof(sql), "drop database if exists %s with (force)",
                       databases[database_count].name);
        run(sql);
    }
}

static void add(char *url, const char *text, bool escape)
{
    size_t len = strlen(url);

    for (; *text != '\0'; text++) {
        bool plain = !escape || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-._~", *text) != NULL;
        if (len + 4 > URL_MAX)
            die("PGURL", "too long");
        if (plain)
            url[len++] = *text;
        else
            len += (size_t)snprintf(url + len, 4, "%%%02X", (unsigned char)*text);
    }
    url[len] = '\0';
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val == NULL ? "" : options->val;
    }
    return "";
}

/* PGURL with another data base. */
static void make_url(const char *database, char *url)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(test_env_need("PGURL"), &why);
    const char *separator = "?";

    if (options == NULL)
        die("PGURL", why == NULL ? "unreadable" : why);
    url[0] = '\0';
    add(url, "postgresql://", false);
    add(url, option(options, "user"), true);
    if (option(options, "password")[0] != '\0') {
        add(url, ":", false);
        add(url, option(options, "password"), true);
    }
    if (option(options, "user")[0] != '\0')
        add(url, "@", false);
    add(url, option(options, "host"), true);
    if (option(options, "port")[0] != '\0') {
        add(url, ":", false);
        add(url, option(options, "port"), true);
    }
    add(url, "/", false);
    add(url, database, true);
    for (const PQconninfoOption *at = options; at->keyword != NULL; at++) {
        static const char *const said[] = {"user", "password", "host", "port", "dbname"};
        bool done = at->val == NULL;

        for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
            done = done || strcmp(at->keyword, said[i]) == 0;
        if (done)
            continue;
        add(url, separator, false);
        add(url, at->keyword, false);
        add(url, "=", false);
        add(url, at->val, true);
        separator = "&";
    }
    PQconninfoFree(options);
}

const char *test_env_database(void)
{
    uint64_t random = 0;
    char sql[64];

    (void)test_env_need("PGURL");
    if (database_count == DATABASES_MAX)
        die("databases", "too many");
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        die("getrandom", "failed");
    char *name = databases[database_count].name;
    char *url = databases[database_count].url;
    (void)snprintf(name, sizeof(databases[0].name), "t_%016llx", (unsigned long long)random);
    make_url(name, url);
    (void)snprintf(sql, sizeof(sql), "create database %s", name);
    run(sql);
    /* After the first connection: functions of atexit() run in reverse, and OpenSSL registers its
     * own with the first use, which must not be over when we drop. */
    if (owner == 0) {
        owner = getpid();
        (void)atexit(drop_all);
    }
    database_count++;
    return url;
}
