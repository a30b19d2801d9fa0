/* SPDX-License-Identifier: Apache-2.0 */
#include "store_map.h"

#include "base_digest.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

void store_map_init(struct store_map *map)
{
    *map = (struct store_map){0};
    digest_random(map->secret, sizeof(map->secret));
}

void store_map_done(struct store_map *map)
{
    free(map->slots);
    map->slots = NULL;
    map->room = 0;
    map->count = 0;
}

void store_map_clear(struct store_map *map)
{
    if (map->room > 0)
        memset(map->slots, 0, map->room * sizeof(map->slots[0]));
    map->count = 0;
}

/* The slot of a key, or the free one where it belongs. There is always a free one: room > count. */
static struct store_map_slot *find(struct store_map_slot *slots, size_t room, uint64_t hash,
                                   const void *key, size_t key_len)
{
    for (size_t i = hash & (room - 1);; i = (i + 1) & (room - 1)) {
        struct store_map_slot *slot = &slots[i];

        if (slot->key == NULL)
            return slot;
        if (slot->hash == hash && slot->key_len == key_len && memcmp(slot->key, key, key_len) == 0)
            return slot;
    }
}

static bool grow(struct store_map *map)
{
    size_t room = map->room == 0 ? ROOM_MIN : map->room * 2;
    struct store_map_slot *slots = calloc(room, sizeof(slots[0]));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < map->room; i++) {
        const struct store_map_slot *old = &map->slots[i];

        if (old->key != NULL)
            *find(slots, room, old->hash, old->key, old->key_len) = *old;
    }
    free(map->slots);
    map->slots = slots;
    map->room = room;
    return true;
}

void *store_map_get(const struct store_map *map, const void *key, size_t key_len)
{
    if (map->count == 0)
        return NULL;
    uint64_t hash = digest_siphash(map->secret, key, key_len);

    return find(map->slots, map->room, hash, key, key_len)->value;
}

bool store_map_put(struct store_map *map, const void *key, size_t key_len, void *value)
{
    /* At most three quarters full, so that probing stays short. */
    if ((map->count + 1) * 4 > map->room * 3 && !grow(map))
        return false;
    uint64_t hash = digest_siphash(map->secret, key, key_len);
    struct store_map_slot *slot = find(map->slots, map->room, hash, key, key_len);

    if (slot->key == NULL)
        map->count++;
    *slot = (struct store_map_slot){hash, key, key_len, value};
    return true;
}
