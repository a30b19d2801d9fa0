/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the real servers are, for integration tests, and a data base of a test program's own.
 *
 * Values come from the environment, or else from the file that PROMO_TEST_ENV names: KEY=VALUE
 * lines, as the stack's fixture writes them. A test that needs a value that is not there leaves
 * with 77, which CTest counts as skipped. For tests only: every failure ends the program.
 */
#ifndef TEST_ENV_H
#define TEST_ENV_H

#define TEST_SKIPPED 77

/* NULL: not there. The text lives until the program ends. */
const char *test_env_get(const char *name);
/* Leaves with TEST_SKIPPED when it is not there. */
const char *test_env_need(const char *name);

/*
 * URL of a fresh, empty data base t_<random> on the server of PGURL; one for each call. They are
 * dropped, and the sessions in them ended, when the program exits. The text lives until then.
 */
const char *test_env_database(void);

#endif
