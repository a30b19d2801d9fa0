/* SPDX-License-Identifier: Apache-2.0
 *
 * What the unit tests of db share: cmocka with what it needs in front.
 */
#ifndef DB_TEST_H
#define DB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
