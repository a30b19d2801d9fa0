/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the definitions: campaign, discount, coupon, affiliate, and their events.
 */
#include "msg_definition.h"

#include "msg_tables.h"

void msg_check_window(struct msg_check *check, const struct msg_int *starts_at,
                      const struct msg_int *ends_at)
{
    if (starts_at->is == MSG_GIVEN && ends_at->is == MSG_GIVEN &&
        ends_at->value <= starts_at->value)
        msg_check_fail(check, MSG_REASON_WINDOW_ORDER, "ends_at", NULL);
}

#define EXPECTED_VERSION(S)                                                                        \
    MSG_OPT_INTEGER(S, expected_version, "expected_version", 0, 0, JSONIO_INT_MAX,                 \
                    "Refuse the command unless this is the present version; 0: unless it is new.")
#define NAME(S)                                                                                    \
    MSG_TEXT(S, name, "name", 0, MSG_FORM_LINE, 0, 200, "Name for people; has no other meaning.")
#define STARTS_AT(S)                                                                               \
    MSG_OPT_TIME(S, starts_at, "starts_at", MSG_NULLABLE,                                          \
                 "First moment at which codes are valid; null: no start.")
#define ENDS_AT(S)                                                                                 \
    MSG_OPT_TIME(S, ends_at, "ends_at", MSG_NULLABLE,                                              \
                 "First moment at which codes are valid no more, after starts_at; null: no end.")

/* --- campaign --------------------------------------------------------------------------------- */

static const struct msg_field limits_rows[] = {
    MSG_OPT_INTEGER(struct msg_limits, total, "total", 0, 1, JSONIO_INT_MAX,
                    "Uses in total. Absent: unlimited."),
    MSG_OPT_INTEGER(struct msg_limits, per_customer, "per_customer", 0, 1, JSONIO_INT_MAX,
                    "Uses per customer, counted under each identifier. Absent: unlimited."),
};
static const struct msg_table limits_table = {
    .help = "Limits of uses.", .size = sizeof(struct msg_limits), MSG_ROWS(limits_rows)};

static const char *const campaign_statuses[] = {"draft", "active", "paused", NULL};

static const struct msg_field campaign_put_rows[] = {
    MSG_ID(struct msg_campaign_put, id, "id", MSG_REQUIRED, "The campaign's id."),
    NAME(struct msg_campaign_put),
    MSG_TEXT(struct msg_campaign_put, description, "description", 0, MSG_FORM_ANY, 0, 2000,
             "Description for people."),
    MSG_ID(struct msg_campaign_put, parent, "parent", MSG_NULLABLE,
           "The campaign above this one; null or absent: this is a root."),
    MSG_CHOICE(struct msg_campaign_put, status, enum msg_campaign_status, "status", 0,
               campaign_statuses, MSG_CAMPAIGN_ACTIVE,
               "Codes are valid only while every campaign up to the root is active."),
    STARTS_AT(struct msg_campaign_put),
    ENDS_AT(struct msg_campaign_put),
    MSG_OBJECT(struct msg_campaign_put, limits, "limits", 0, &limits_table,
               "Limits of uses over all codes of the campaign and of those below it."),
    EXPECTED_VERSION(struct msg_campaign_put),
};

static void check_campaign_put(const void *data, struct msg_check *check)
{
    const struct msg_campaign_put *put = data;
    msg_check_window(check, &put->starts_at, &put->ends_at);
}

const struct msg_table msg_table_campaign_put = {
    .help = "Define a campaign, or define it anew: what is left out takes its default.",
    .size = sizeof(struct msg_campaign_put),
    MSG_ROWS(campaign_put_rows),
    .check = check_campaign_put,
};

/* --- discount --------------------------------------------------------------------------------- */

static const char *const discount_kinds[] = {"percent", "amount", NULL};
static const char *const discount_levels[] = {"order", NULL};

static const struct msg_field discount_put_rows[] = {
    MSG_ID(struct msg_discount_put, id, "id", MSG_REQUIRED, "The discount's id."),
    NAME(struct msg_discount_put),
    MSG_CHOICE(struct msg_discount_put, kind, enum msg_discount_kind, "kind", MSG_REQUIRED,
               discount_kinds, MSG_DISCOUNT_PERCENT, "What the discount is reckoned from."),
    MSG_OPT_INTEGER(struct msg_discount_put, percent_bp, "percent_bp", 0, 1, 10000,
                    "Basis points: 1500 is 15 %. Exactly with kind percent."),
    MSG_OPT_INTEGER(struct msg_discount_put, amount_minor, "amount_minor", 0, 1, MSG_MONEY_MAX,
                    "Amount in minor units of the currency. Exactly with kind amount."),
    MSG_TEXT(struct msg_discount_put, currency, "currency", 0, MSG_FORM_CURRENCY, 3, 3,
             "Currency of amount_minor. Exactly with kind amount."),
    MSG_CHOICE(struct msg_discount_put, level, enum msg_discount_level, "level", 0, discount_levels,
               MSG_DISCOUNT_ORDER, "What the discount applies to."),
    MSG_OPT_INTEGER(struct msg_discount_put, max_minor, "max_minor", 0, 1, MSG_MONEY_MAX,
                    "Most that the discount gives, in minor units of the order's currency."),
    EXPECTED_VERSION(struct msg_discount_put),
};

static void need(struct msg_check *check, bool given, bool wanted, const char *name,
                 const char *conflict)
{
    if (wanted && !given)
        msg_check_fail(check, MSG_REASON_REQUIRED, name, NULL);
    else if (given && !wanted)
        msg_check_fail(check, MSG_REASON_CONFLICT, name, conflict);
}

static void check_discount_put(const void *data, struct msg_check *check)
{
    const struct msg_discount_put *put = data;
    bool percent = put->kind == MSG_DISCOUNT_PERCENT;
    need(check, put->percent_bp.is == MSG_GIVEN, percent, "percent_bp",
         "The field belongs to discounts of the kind percent.");
    need(check, put->amount_minor.is == MSG_GIVEN, !percent, "amount_minor",
         "The field belongs to discounts of the kind amount.");
    need(check, put->currency != NULL, !percent, "currency",
         "The field belongs to discounts of the kind amount.");
}

const struct msg_table msg_table_discount_put = {
    .help = "Define a discount, or define it anew: what is left out takes its default.",
    .size = sizeof(struct msg_discount_put),
    MSG_ROWS(discount_put_rows),
    .check = check_discount_put,
    .rules = "\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"percent\"},"
             "\"amount_minor\":false,\"currency\":false},\"required\":[\"percent_bp\"]},"
             "{\"properties\":{\"kind\":{\"const\":\"amount\"},\"percent_bp\":false},"
             "\"required\":[\"amount_minor\",\"currency\"]}]",
};

/* --- coupon ----------------------------------------------------------------------------------- */

static const struct msg_field code_defaults_rows[] = {
    MSG_OPT_INTEGER(struct msg_code_defaults, max_uses, "max_uses", MSG_NULLABLE, 1, MSG_INT32_MAX,
                    "Uses of a code in total; null or absent: unlimited."),
    MSG_OPT_INTEGER(struct msg_code_defaults, per_customer, "per_customer", 0, 1, MSG_INT32_MAX,
                    "Uses of a code per customer. Absent: unlimited."),
};
static const struct msg_table code_defaults_table = {
    .help = "What a code has unless its batch sets its own.",
    .size = sizeof(struct msg_code_defaults),
    MSG_ROWS(code_defaults_rows),
};

static const char *const applies[] = {"all", "best", NULL};

static const struct msg_field coupon_put_rows[] = {
    MSG_ID(struct msg_coupon_put, id, "id", MSG_REQUIRED, "The coupon's id."),
    MSG_ID(struct msg_coupon_put, campaign, "campaign", MSG_REQUIRED,
           "The campaign that the coupon belongs to."),
    NAME(struct msg_coupon_put),
    MSG_TEXTS(struct msg_coupon_put, discounts, "discounts", MSG_REQUIRED | MSG_DISTINCT,
              MSG_FORM_ID, 1, 16, 1, 64, "Ids of its discounts, by priority."),
    MSG_CHOICE(struct msg_coupon_put, apply, enum msg_apply, "apply", 0, applies, MSG_APPLY_ALL,
               "Apply all discounts one after the other, or the best one only."),
    MSG_BOOLEAN(struct msg_coupon_put, active, "active", 0, true,
                "Codes are valid only while their coupon is active."),
    STARTS_AT(struct msg_coupon_put),
    ENDS_AT(struct msg_coupon_put),
    MSG_OBJECT(struct msg_coupon_put, limits, "limits", 0, &limits_table,
               "Limits of uses over all codes of the coupon."),
    MSG_OBJECT(struct msg_coupon_put, code_defaults, "code_defaults", 0, &code_defaults_table,
               "What a code has unless its batch sets its own."),
    MSG_TEXT(struct msg_coupon_put, pattern, "pattern", 0, MSG_FORM_ANY, 1, 200,
             "Pattern that codes are generated from when the command names none."),
    EXPECTED_VERSION(struct msg_coupon_put),
};

static void check_coupon_put(const void *data, struct msg_check *check)
{
    const struct msg_coupon_put *put = data;
    msg_check_window(check, &put->starts_at, &put->ends_at);
}

const struct msg_table msg_table_coupon_put = {
    .help = "Define a coupon, the parent of codes, or define it anew: what is left out takes its "
            "default.",
    .size = sizeof(struct msg_coupon_put),
    MSG_ROWS(coupon_put_rows),
    .check = check_coupon_put,
};

/* --- affiliate, archive ----------------------------------------------------------------------- */

static const struct msg_field affiliate_put_rows[] = {
    MSG_ID(struct msg_affiliate_put, id, "id", MSG_REQUIRED, "The affiliate's id."),
    MSG_TEXT(struct msg_affiliate_put, external_id, "external_id", 0, MSG_FORM_LINE, 1, 200,
             "The affiliate's id as a customer."),
    MSG_TEXT(struct msg_affiliate_put, email, "email", 0, MSG_FORM_LINE, 1, 320,
             "The affiliate's e-mail address."),
    NAME(struct msg_affiliate_put),
    EXPECTED_VERSION(struct msg_affiliate_put),
};
const struct msg_table msg_table_affiliate_put = {
    .help = "Define an affiliate, to whom codes are credited, or define it anew.",
    .size = sizeof(struct msg_affiliate_put),
    MSG_ROWS(affiliate_put_rows),
};

static const struct msg_field archive_rows[] = {
    MSG_ID(struct msg_archive, id, "id", MSG_REQUIRED, "Id of what is to be archived."),
};
const struct msg_table msg_table_archive = {
    .help = "Archive a definition: it stays readable, and takes part in nothing any more.",
    .size = sizeof(struct msg_archive),
    MSG_ROWS(archive_rows),
};

/* --- events ----------------------------------------------------------------------------------- */

static const char *const definition_kinds[] = {"campaign", "discount", "coupon", "affiliate", NULL};
static const char *const definition_statuses[] = {"draft",    "active",   "paused",
                                                  "inactive", "archived", NULL};

static const struct msg_field definition_event_rows[] = {
    MSG_CHOICE(struct msg_definition_event, kind, enum msg_definition_kind, "kind", MSG_REQUIRED,
               definition_kinds, MSG_DEFINITION_CAMPAIGN, "What was changed."),
    MSG_ID(struct msg_definition_event, id, "id", MSG_REQUIRED, "Its id."),
    MSG_INTEGER(struct msg_definition_event, version, "version", MSG_REQUIRED, 1, JSONIO_INT_MAX, 0,
                "Its version now; every change adds one."),
    MSG_CHOICE(struct msg_definition_event, status, enum msg_definition_status, "status",
               MSG_REQUIRED, definition_statuses, MSG_STATUS_ACTIVE,
               "Its status now; inactive: a coupon that is switched off."),
};
const struct msg_table msg_table_definition_event = {
    .help = "A definition was made, changed or archived.",
    .size = sizeof(struct msg_definition_event),
    MSG_ROWS(definition_event_rows),
    .open = true,
};
