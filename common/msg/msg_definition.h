/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands about definitions (topic campaign.commands) and their events (campaign.events). A put
 * states the whole definition: what it leaves out has its default, not its former value.
 */
#ifndef MSG_DEFINITION_H
#define MSG_DEFINITION_H

#include "msg_values.h"

enum msg_campaign_status {
    MSG_CAMPAIGN_DRAFT,
    MSG_CAMPAIGN_ACTIVE,
    MSG_CAMPAIGN_PAUSED,
};

/* Absent: unlimited. */
struct msg_limits {
    struct msg_int total;
    struct msg_int per_customer;
};

/* promofleet.campaign.put.v1 */
struct msg_campaign_put {
    const char *id;
    const char *name;
    const char *description;
    const char *parent;
    enum msg_campaign_status status;
    struct msg_int starts_at;
    struct msg_int ends_at;
    struct msg_limits limits;
    struct msg_int expected_version;
};

enum msg_discount_kind {
    MSG_DISCOUNT_PERCENT,
    MSG_DISCOUNT_AMOUNT,
};
enum msg_discount_level {
    MSG_DISCOUNT_ORDER,
};

/* promofleet.discount.put.v1 */
struct msg_discount_put {
    const char *id;
    const char *name;
    enum msg_discount_kind kind;
    struct msg_int percent_bp;   /* given exactly with MSG_DISCOUNT_PERCENT */
    struct msg_int amount_minor; /* given exactly with MSG_DISCOUNT_AMOUNT  */
    const char *currency;        /* likewise                                */
    enum msg_discount_level level;
    struct msg_int max_minor;
    struct msg_int expected_version;
};

enum msg_apply {
    MSG_APPLY_ALL,
    MSG_APPLY_BEST,
};

/* What a code has unless its batch sets its own. */
struct msg_code_defaults {
    struct msg_int max_uses;     /* absent or null: unlimited */
    struct msg_int per_customer; /* absent: unlimited         */
};

/* promofleet.coupon.put.v1 */
struct msg_coupon_put {
    const char *id;
    const char *campaign;
    const char *name;
    struct msg_texts discounts; /* 1..16, distinct, by priority */
    enum msg_apply apply;
    bool active;
    struct msg_int starts_at;
    struct msg_int ends_at;
    struct msg_limits limits;
    struct msg_code_defaults code_defaults;
    const char *pattern;
    struct msg_int expected_version;
};

/* promofleet.affiliate.put.v1 */
struct msg_affiliate_put {
    const char *id;
    const char *external_id;
    const char *email;
    const char *name;
    struct msg_int expected_version;
};

/* promofleet.{campaign,discount,coupon,affiliate}.archive.v1 */
struct msg_archive {
    const char *id;
};

/* --- events ----------------------------------------------------------------------------------- */

enum msg_definition_kind {
    MSG_DEFINITION_CAMPAIGN,
    MSG_DEFINITION_DISCOUNT,
    MSG_DEFINITION_COUPON,
    MSG_DEFINITION_AFFILIATE,
};
enum msg_definition_status {
    MSG_STATUS_DRAFT,
    MSG_STATUS_ACTIVE,
    MSG_STATUS_PAUSED,   /* of a campaign       */
    MSG_STATUS_INACTIVE, /* of a coupon         */
    MSG_STATUS_ARCHIVED,
};

/* promofleet.{campaign,discount,coupon,affiliate}.{changed,archived}.v1 */
struct msg_definition_event {
    enum msg_definition_kind kind;
    const char *id;
    int64_t version;
    enum msg_definition_status status;
};

#endif
