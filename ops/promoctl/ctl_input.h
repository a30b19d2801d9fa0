/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of a file that is read twice: once to check all of it, once to send. What cannot be
 * read twice (a pipe, a terminal) is first copied to a temporary file without a name. Empty lines
 * are skipped but counted.
 */
#ifndef CTL_INPUT_H
#define CTL_INPUT_H

#include "base_attr.h"
#include "base_err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ctl_input {
    FILE *file;
    char *line; /* valid until the next one */
    size_t len;
    int64_t number; /* of the line, from 1 */
    /* private */
    size_t room;
};

/* path "-": standard input. Blocks until it ends; a stop request ends the wait. */
int ctl_input_open(struct ctl_input *input, const char *path, struct err *err) MUST_CHECK;
/* 1 and the next line, without its end; 0: no more. */
int ctl_input_next(struct ctl_input *input, struct err *err) MUST_CHECK;
int ctl_input_rewind(struct ctl_input *input, struct err *err) MUST_CHECK;
void ctl_input_done(struct ctl_input *input); /* for CLEANUP(ctl_input_done); takes {0} */

#endif
