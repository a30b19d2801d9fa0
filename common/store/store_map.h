/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash map from bytes to a pointer, for the caches of store. Keys are borrowed: they must live,
 * and not change, while the map holds them; they usually stand in the object they lead to. Nothing
 * is taken out singly. The hash is keyed with random bytes, because publishers choose the names
 * that become keys.
 */
#ifndef STORE_MAP_H
#define STORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_map_slot {
    uint64_t hash;
    const void *key; /* NULL: free */
    size_t key_len;
    void *value;
};

struct store_map {
    size_t count;
    /* private */
    struct store_map_slot *slots;
    size_t room; /* a power of two, or 0 */
    uint8_t secret[16];
};

void store_map_init(struct store_map *map);
void store_map_done(struct store_map *map); /* the keys and values are the caller's */
/* Take everything out; keeps the memory. */
void store_map_clear(struct store_map *map);

/* NULL: not there. */
void *store_map_get(const struct store_map *map, const void *key, size_t key_len);
/* Add or replace. value is not NULL. False when memory is short; the map is as before then. */
bool store_map_put(struct store_map *map, const void *key, size_t key_len, void *value);

#endif
