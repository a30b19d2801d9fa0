/* SPDX-License-Identifier: Apache-2.0
 *
 * How the catalogue keeps its objects: one table per kind. Each object is a struct entry whose
 * public part is what look-ups hand out; entries never move and are never taken out singly, so
 * others may point to them.
 */
#ifndef STORE_CATALOG_INTERNAL_H
#define STORE_CATALOG_INTERNAL_H

#include "db_result.h"
#include "store_catalog.h"
#include "store_map.h"

enum catalog_kind {
    CATALOG_CAMPAIGN,
    CATALOG_DISCOUNT,
    CATALOG_COUPON,
    CATALOG_AFFILIATE,
};
#define CATALOG_KINDS 4

struct entry {
    union {
        struct store_campaign campaign;
        struct store_discount discount;
        struct store_coupon coupon;
        struct store_affiliate affiliate;
    } as;
    enum catalog_kind kind;
    int32_t id;   /* key of by_id  */
    char *ext_id; /* key of by_ext */
    char *texts;  /* all other texts of the object, one behind the other */
    bool linked;
    /* To link a coupon: what it refers to. */
    int32_t campaign_id;
    int32_t *discount_ids;
    void **links; /* the array behind chain or discounts */
};

struct table {
    struct store_map by_id;
    struct store_map by_ext;
    struct entry **entries;
    size_t count;
    size_t room;
};

struct store_catalog {
    int64_t version;
    struct table tables[CATALOG_KINDS];
};

/* store_catalog_load.c */
void catalog_entry_free(struct entry *entry);
/* Take over the rows of a catalog_* statement: new entries, or others in place. */
int catalog_load(struct store_catalog *catalog, enum catalog_kind kind, const struct db_result *res,
                 struct err *err) MUST_CHECK;
/* Point from each loaded entry to those it refers to. ERR_BUG when one of them is missing. */
int catalog_link(struct store_catalog *catalog, struct err *err) MUST_CHECK;

/* store_catalog.c */
struct entry *catalog_find(const struct store_catalog *catalog, enum catalog_kind kind, int32_t id);

#endif
