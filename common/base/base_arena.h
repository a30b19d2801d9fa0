/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: memory that lives as long as one unit of work (a batch) and is given back at once. Blocks
 * are kept for the next round up to `keep` bytes, so that a steady load allocates nothing.
 *
 * Everything handed out is valid until arena_reset() or arena_free(). An arena has a hard cap: what
 * goes beyond it fails like any other allocation. All functions return NULL when memory is short or
 * capped.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base_attr.h"

#include <stddef.h>

struct arena;

/* keep: bytes kept over a reset; cap: most bytes ever held (0: no cap). */
struct arena *arena_new(size_t keep, size_t cap);
void arena_free(struct arena *arena); /* takes NULL */
DEFINE_CLEANUP(struct arena, arena_free)

void arena_reset(struct arena *arena);
/* Bytes handed out since the last reset, and the most ever between two resets. */
size_t arena_used(const struct arena *arena);
size_t arena_high_water(const struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type, not cleared */
void *arena_zalloc(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_memdup(struct arena *arena, const void *bytes, size_t len); /* plus a closing NUL */
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
