/* SPDX-License-Identifier: Apache-2.0 */
#include "base_arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

/* Under AddressSanitizer what is not handed out is out of bounds: a use after a reset is seen. */
#if defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#define POISON(at, len) ASAN_POISON_MEMORY_REGION((at), (len))
#define UNPOISON(at, len) ASAN_UNPOISON_MEMORY_REGION((at), (len))
#else
#define POISON(at, len) ((void)(at), (void)(len))
#define UNPOISON(at, len) ((void)(at), (void)(len))
#endif

#define ALIGNMENT alignof(max_align_t)
#define BLOCK_MIN ((size_t)16 * 1024)
#define BLOCK_MAX ((size_t)1024 * 1024)

struct block {
    struct block *next;
    size_t room; /* bytes behind this header */
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

/*
 * The blocks from `first` up to `current` are in use, those behind `current` are kept and empty.
 */
struct arena {
    struct block *first;
    struct block *current;
    size_t keep;
    size_t cap;
    size_t held; /* bytes taken from the system, headers included */
    size_t used;
    size_t high_water;
    size_t block_size; /* the next block's, doubling */
};

struct arena *arena_new(size_t keep, size_t cap)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL)
        return NULL;
    arena->keep = keep;
    arena->cap = cap;
    arena->block_size = BLOCK_MIN;
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        UNPOISON(block->bytes, block->room);
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_blocks(arena->first);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    /* Keep the first blocks that fit into `keep` together; what one big batch needed goes back. */
    struct block **link = &arena->first;
    size_t kept = 0;
    while (*link != NULL) {
        struct block *block = *link;
        size_t size = sizeof(*block) + block->room;
        if (size <= arena->keep - kept) {
            kept += size;
            block->used = 0;
            POISON(block->bytes, block->room);
            link = &block->next;
        } else {
            *link = block->next;
            UNPOISON(block->bytes, block->room);
            free(block);
        }
    }
    arena->held = kept;
    arena->used = 0;
    arena->current = arena->first;
    arena->block_size = BLOCK_MIN;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

size_t arena_high_water(const struct arena *arena)
{
    return arena->high_water;
}

/* A new block with room for at least `need` bytes, put behind the current one and made current. */
static bool add_block(struct arena *arena, size_t need)
{
    size_t limit = SIZE_MAX / 2;
    if (arena->cap != 0)
        limit = arena->cap - MIN_OF(arena->cap, arena->held);
    if (need > limit || sizeof(struct block) > limit - need)
        return false;
    size_t room = MAX_OF(need, arena->block_size - sizeof(struct block));
    if (room > limit - sizeof(struct block))
        room = need;

    struct block *block = malloc(sizeof(*block) + room);
    if (block == NULL)
        return false;
    block->room = room;
    block->used = 0;
    POISON(block->bytes, room);
    if (arena->current == NULL) {
        block->next = arena->first;
        arena->first = block;
    } else {
        block->next = arena->current->next;
        arena->current->next = block;
    }
    arena->current = block;
    arena->held += sizeof(*block) + room;
    arena->block_size = MIN_OF(arena->block_size * 2, BLOCK_MAX);
    return true;
}

static bool fits(const struct block *block, size_t need)
{
    return block != NULL && need <= block->room - block->used;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    /* Something of its own even for size 0, so that pointers differ. */
    size_t need = (MAX_OF(size, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!fits(arena->current, need)) {
        if (arena->current != NULL && fits(arena->current->next, need))
            arena->current = arena->current->next;
        else if (!add_block(arena, need))
            return NULL;
    }
    struct block *block = arena->current;
    unsigned char *result = block->bytes + block->used;
    block->used += need;
    arena->used += need;
    arena->high_water = MAX_OF(arena->high_water, arena->used);
    UNPOISON(result, size);
    return result;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *result = arena_alloc(arena, total);
    if (result != NULL)
        memset(result, 0, total);
    return result;
}

char *arena_memdup(struct arena *arena, const void *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *result = arena_alloc(arena, len + 1);
    if (result == NULL)
        return NULL;
    if (len > 0)
        memcpy(result, bytes, len);
    result[len] = '\0';
    return result;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_memdup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_list again;
    va_start(args, fmt);
    va_copy(again, args);
    char *result = NULL;
    int len = vsnprintf(NULL, 0, fmt, args);
    if (len >= 0) {
        result = arena_alloc(arena, (size_t)len + 1);
        if (result != NULL)
            (void)vsnprintf(result, (size_t)len + 1, fmt, again);
    }
    va_end(again);
    va_end(args);
    return result;
}
