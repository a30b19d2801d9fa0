/* SPDX-License-Identifier: Apache-2.0
 *
 * The definitions in memory: all campaigns, discounts, coupons and affiliates, archived ones too,
 * linked with each other. Loaded whole at first, then only what has changed.
 *
 * A worker that decides with them
 *   1. calls store_catalog_refresh() before it decides, and
 *   2. calls store_catalog_check() as the last statement before its commit: when that says 0,
 * definitions have moved meanwhile, and it rolls back and decides again.
 *
 * What the look-ups hand out is owned by the catalogue and valid until the next refresh or forget:
 * a refresh changes objects in place. A failed refresh leaves an empty catalogue, whose next
 * refresh loads everything.
 */
#ifndef STORE_CATALOG_H
#define STORE_CATALOG_H

#include "base_attr.h"
#include "base_err.h"
#include "db_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A window without a start or an end. */
#define STORE_NO_START INT64_MIN
#define STORE_NO_END INT64_MAX

enum store_campaign_status {
    STORE_CAMPAIGN_DRAFT = 0,
    STORE_CAMPAIGN_ACTIVE = 1,
    STORE_CAMPAIGN_PAUSED = 2,
    STORE_CAMPAIGN_ARCHIVED = 3,
};

/* In all of them, texts that were not given are NULL, and a limit of 0 is none. Times in
 * microseconds. */
struct store_campaign {
    int32_t id;
    const char *ext_id;
    const char *name;
    enum store_campaign_status status;
    int64_t starts_us; /* valid from here ...                */
    int64_t ends_us;   /* ... to before here                 */
    int64_t total_limit;
    int64_t customer_limit;
    int64_t version;
    int32_t parent_id; /* 0: a root                          */
    int32_t path_id;
    const struct store_campaign *const *chain; /* from the root down to this one */
    size_t chain_len;                          /* at least 1                      */
};

enum store_discount_kind {
    STORE_DISCOUNT_PERCENT = 1,
    STORE_DISCOUNT_AMOUNT = 2,
};

struct store_discount {
    int32_t id;
    const char *ext_id;
    const char *name;
    enum store_discount_kind kind;
    int32_t percent_bp;   /* of a percentage: basis points         */
    int64_t amount_minor; /* of an amount                          */
    const char *currency; /* of an amount, else NULL               */
    int64_t max_minor;    /* never more than this; 0: no such bound */
    bool archived;
    int64_t version;
};

struct store_coupon {
    int32_t id;
    const char *ext_id;
    const char *name;
    bool active;
    bool archived;
    bool apply_best; /* the best of the discounts instead of all */
    int64_t starts_us;
    int64_t ends_us;
    int64_t total_limit;
    int64_t customer_limit;
    /* What a code has unless its batch or itself sets its own. */
    int32_t code_max_uses;
    int32_t code_customer_limit;
    const char *pattern;
    int64_t version;
    const struct store_campaign *campaign;
    const struct store_discount *const *discounts; /* by priority */
    size_t discount_count;
};

struct store_affiliate {
    int32_t id;
    const char *ext_id;
    const char *external_id;
    const char *email;
    const char *name;
    bool archived;
    int64_t version;
};

struct store_catalog;

struct store_catalog *store_catalog_new(void);          /* NULL: no memory */
void store_catalog_free(struct store_catalog *catalog); /* takes NULL */
DEFINE_CLEANUP(struct store_catalog, store_catalog_free)

/* Drop everything. To be called for a new connection: its data base may be a restored one. */
void store_catalog_forget(struct store_catalog *catalog);

/* Bring it up to date, inside a transaction or not: 1 something has moved, 0 not, -1. One round
 * trip when not. */
int store_catalog_refresh(struct store_catalog *catalog, struct db_conn *db,
                          struct err *err) MUST_CHECK;
/* Keep definitions from changing until the transaction ends: 1 they are those of the catalogue, 0
 * they are not. */
int store_catalog_check(const struct store_catalog *catalog, struct db_conn *db,
                        struct err *err) MUST_CHECK;
/* The same as an answer to the loop: 0, or -1 with store_catalog_moved(). */
int store_catalog_hold(const struct store_catalog *catalog, struct db_conn *db,
                       struct err *err) MUST_CHECK;
/* ERR_RETRY "definitions_moved": what was decided, or found, is not by the definitions of now.
 * Returns -1. */
int store_catalog_moved(struct err *err);
/* The version of all definitions that is loaded; -1: none is. */
int64_t store_catalog_version(const struct store_catalog *catalog);

/* By the publisher's name or by ours. NULL: there is none. */
const struct store_campaign *store_catalog_campaign(const struct store_catalog *catalog,
                                                    const char *ext_id);
const struct store_campaign *store_catalog_campaign_of(const struct store_catalog *catalog,
                                                       int32_t id);
const struct store_discount *store_catalog_discount(const struct store_catalog *catalog,
                                                    const char *ext_id);
const struct store_discount *store_catalog_discount_of(const struct store_catalog *catalog,
                                                       int32_t id);
const struct store_coupon *store_catalog_coupon(const struct store_catalog *catalog,
                                                const char *ext_id);
const struct store_coupon *store_catalog_coupon_of(const struct store_catalog *catalog, int32_t id);
const struct store_affiliate *store_catalog_affiliate(const struct store_catalog *catalog,
                                                      const char *ext_id);
const struct store_affiliate *store_catalog_affiliate_of(const struct store_catalog *catalog,
                                                         int32_t id);

/* All of them, in the order in which they were first loaded. */
size_t store_catalog_campaign_count(const struct store_catalog *catalog);
const struct store_campaign *store_catalog_campaign_at(const struct store_catalog *catalog,
                                                       size_t i);
size_t store_catalog_coupon_count(const struct store_catalog *catalog);
const struct store_coupon *store_catalog_coupon_at(const struct store_catalog *catalog, size_t i);

/* Is it the campaign itself, or does it stand below it? */
bool store_campaign_within(const struct store_campaign *campaign,
                           const struct store_campaign *above);

#endif
