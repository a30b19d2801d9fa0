/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of JSON in the making, in a fixed buffer that never overflows: what does not fit is cut
 * at a character's or a member's end and the line is marked. For log.c only.
 */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "log.h"

#include <stdbool.h>
#include <stddef.h>

struct log_line {
    char *data;
    size_t room; /* what members may use; log_line_end() has its own reserve behind it */
    size_t len;
    bool cut;
};

/* Bytes behind `room` that the end of a line needs. */
#define LOG_LINE_RESERVE 16

/* A line in `data` of `size` bytes, which is more than LOG_LINE_RESERVE. No brace is written. */
void log_line_init(struct log_line *line, char *data, size_t size);
/* Member after member, each with the comma before it except the first behind a brace. */
void log_line_text(struct log_line *line, const char *key, const void *bytes, size_t len);
void log_line_int(struct log_line *line, const char *key, int64_t value);
void log_line_field(struct log_line *line, const struct log_field *field);
/* Members made before, as they are: all or nothing. */
void log_line_raw(struct log_line *line, const char *members, size_t len);
/* Close the object, with the mark if something was cut, and add the newline. */
void log_line_end(struct log_line *line);

/* Is the member of this key to be hidden? */
bool log_key_is_secret(const char *key);

#endif
