/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the outcomes of redeem commands, and of the metrics of campaigns.
 */
#include "msg_redeem.h"
#include "msg_tables.h"

/* --- redeemed, validated, released ------------------------------------------------------------ */

static const struct msg_field share_rows[] = {
    MSG_ID(struct msg_discount_share, discount, "discount", MSG_REQUIRED, "The discount's id."),
    MSG_INTEGER(struct msg_discount_share, minor, "minor", MSG_REQUIRED, 0, MSG_MONEY_MAX, 0,
                "What it gives, in minor units."),
};
static const struct msg_table share_table = {
    .help = "What one discount gives.",
    .size = sizeof(struct msg_discount_share),
    MSG_ROWS(share_rows),
    .open = true,
};

static const struct msg_field given_rows[] = {
    MSG_TEXT(struct msg_discount_given, currency, "currency", MSG_REQUIRED, MSG_FORM_CURRENCY, 3, 3,
             "Currency of the amounts."),
    MSG_INTEGER(struct msg_discount_given, total_minor, "total_minor", MSG_REQUIRED, 0,
                MSG_MONEY_MAX, 0, "What the code gives in total, in minor units."),
    MSG_LIST(struct msg_discount_given, items, "items", MSG_REQUIRED, 0, 16, &share_table,
             "What each of its discounts gives."),
};
static const struct msg_table given_table = {
    .help = "What a code gives.",
    .size = sizeof(struct msg_discount_given),
    MSG_ROWS(given_rows),
    .open = true,
};

static const struct msg_field code_outcome_rows[] = {
    MSG_TEXT(struct msg_code_outcome, code, "code", MSG_REQUIRED, MSG_FORM_ANY, 1, 256,
             "The code in canonical form."),
    MSG_ID(struct msg_code_outcome, coupon, "coupon", MSG_REQUIRED, "Its coupon."),
    MSG_TEXTS(struct msg_code_outcome, campaign_path, "campaign_path", MSG_REQUIRED, MSG_FORM_ID, 1,
              1000, 1, 64, "Its campaigns at that time, root first."),
    MSG_OPT_INTEGER(struct msg_code_outcome, batch, "batch", 0, 1, MSG_INT32_MAX, "Its batch."),
    MSG_INTEGER(struct msg_code_outcome, units, "units", MSG_REQUIRED, 0, MSG_INT32_MAX, 0,
                "Uses that were taken, would be taken, or were given back."),
    MSG_POINTER(struct msg_code_outcome, discount, "discount", 0, &given_table,
                "What the code gives."),
    MSG_OPT_INTEGER(struct msg_code_outcome, uses_left, "uses_left", MSG_NULLABLE, 0,
                    JSONIO_INT_MAX, "Uses left of the code; null: unlimited."),
};
static const struct msg_table code_outcome_table = {
    .help = "What became of a code.",
    .size = sizeof(struct msg_code_outcome),
    MSG_ROWS(code_outcome_rows),
    .open = true,
};

#define OUTCOME_CODES(S)                                                                           \
    MSG_LIST(S, codes, "codes", MSG_REQUIRED, 1, MSG_CODES_MAX, &code_outcome_table,               \
             "The codes in the order of the command.")
#define OUTCOME_ROWS(opts)                                                                         \
    OUTCOME_CODES(struct msg_redeemed),                                                            \
        MSG_POINTER(struct msg_redeemed, order, "order", opts, &msg_table_order_event,             \
                    "The order as the command gave it."),                                          \
        MSG_OPT_INTEGER(struct msg_redeemed, discount_total_minor, "discount_total_minor", opts,   \
                        0, MSG_MONEY_MAX, "What all codes give, in minor units."),                 \
        MSG_TEXT(struct msg_redeemed, currency, "currency", opts, MSG_FORM_CURRENCY, 3, 3,         \
                 "Currency of the total.")

static const struct msg_field redeemed_rows[] = {OUTCOME_ROWS(MSG_REQUIRED)};
const struct msg_table msg_table_redeemed = {
    .help = "All codes of a redeem command passed, and their uses were taken.",
    .size = sizeof(struct msg_redeemed),
    MSG_ROWS(redeemed_rows),
    .open = true,
};

static const struct msg_field validated_rows[] = {OUTCOME_ROWS(0)};
const struct msg_table msg_table_validated = {
    .help = "All codes of a validate command would pass at that moment.",
    .size = sizeof(struct msg_redeemed),
    MSG_ROWS(validated_rows),
    .open = true,
};

static const struct msg_field released_rows[] = {
    MSG_OBJECT(struct msg_released, redemption, "redemption", MSG_REQUIRED,
               &msg_table_redemption_ref, "The redeem command that was undone."),
    MSG_BOOLEAN(struct msg_released, before_redeem, "before_redeem", 0, false,
                "The release came before its redeem command, which will take nothing."),
    MSG_LIST(struct msg_released, codes, "codes", MSG_REQUIRED, 0, MSG_CODES_MAX,
             &code_outcome_table, "The codes whose uses were given back."),
    MSG_TEXT(struct msg_released, order_id, "order_id", 0, MSG_FORM_LINE, 1, 128,
             "The order of the redemption."),
};
const struct msg_table msg_table_released = {
    .help = "Uses that a redemption took were given back.",
    .size = sizeof(struct msg_released),
    MSG_ROWS(released_rows),
    .open = true,
};

/* --- rejected --------------------------------------------------------------------------------- */

static const struct msg_field rejected_rows[] = {
    MSG_LIST(struct msg_rejected, reasons, "reasons", MSG_REQUIRED, 1, MSG_REASONS_LISTED,
             &msg_table_reason, "Everything that stands against the command."),
};
const struct msg_table msg_table_rejected = {
    .help = "A command was refused and had no effect.",
    .size = sizeof(struct msg_rejected),
    MSG_ROWS(rejected_rows),
    .open = true,
};

static const struct msg_field code_refusal_rows[] = {
    MSG_TEXT(struct msg_code_refusal, code, "code", MSG_REQUIRED, MSG_FORM_ANY, 1, 256,
             "The code as the command gave it."),
    MSG_LIST(struct msg_code_refusal, reasons, "reasons", MSG_REQUIRED, 0, MSG_REASONS_LISTED,
             &msg_table_reason, "Everything that stands against it; none: it would have passed."),
};
static const struct msg_table code_refusal_table = {
    .help = "Why a code was refused.",
    .size = sizeof(struct msg_code_refusal),
    MSG_ROWS(code_refusal_rows),
    .open = true,
};

static const struct msg_field code_rejected_rows[] = {
    MSG_LIST(struct msg_code_rejected, reasons, "reasons", 0, 1, MSG_REASONS_LISTED,
             &msg_table_reason, "What stands against the command as a whole."),
    MSG_LIST(struct msg_code_rejected, codes, "codes", 0, 1, MSG_CODES_MAX, &code_refusal_table,
             "What stands against each of its codes."),
    MSG_TEXT(struct msg_code_rejected, order_id, "order_id", 0, MSG_FORM_LINE, 1, 128,
             "The order of the command."),
};

static void check_code_rejected(const void *data, struct msg_check *check)
{
    const struct msg_code_rejected *rejected = data;
    if (rejected->reasons.count == 0 && rejected->codes.count == 0)
        msg_check_fail(check, MSG_REASON_REQUIRED, "reasons", NULL);
}

const struct msg_table msg_table_code_rejected = {
    .help = "A redeem, validate or release command was refused and had no effect.",
    .size = sizeof(struct msg_code_rejected),
    MSG_ROWS(code_rejected_rows),
    .open = true,
    .check = check_code_rejected,
    .rules = "\"anyOf\":[{\"required\":[\"reasons\"]},{\"required\":[\"codes\"]}]",
};

/* --- metrics ---------------------------------------------------------------------------------- */

#define SUM(member, text)                                                                          \
    MSG_INTEGER(struct msg_campaign_sums, member, #member, MSG_REQUIRED, 0, JSONIO_INT_MAX, 0, text)
static const struct msg_field sums_rows[] = {
    SUM(issued, "Codes made."),
    SUM(redeemed, "Redemptions."),
    SUM(released, "Redemptions that were released."),
    MSG_TALLIES(struct msg_campaign_sums, discount_minor, "discount_minor", MSG_REQUIRED,
                MSG_FORM_CURRENCY, "Discounts given, per currency, in minor units."),
    MSG_TALLIES(struct msg_campaign_sums, order_minor, "order_minor", MSG_REQUIRED,
                MSG_FORM_CURRENCY, "Totals of the orders, per currency, in minor units."),
    MSG_TALLIES(struct msg_campaign_sums, refused, "refused", MSG_REQUIRED, MSG_FORM_NAME,
                "Stored refusals by their first reason."),
};
static const struct msg_table sums_table = {
    .help = "Sums of a campaign.",
    .size = sizeof(struct msg_campaign_sums),
    MSG_ROWS(sums_rows),
    .open = true,
};

static const struct msg_field metrics_rows[] = {
    MSG_ID(struct msg_metrics_snapshot, campaign, "campaign", MSG_REQUIRED, "The campaign."),
    MSG_ID(struct msg_metrics_snapshot, parent, "parent", 0, "The campaign above it, if any."),
    MSG_INTEGER(struct msg_metrics_snapshot, version, "version", MSG_REQUIRED, 1, JSONIO_INT_MAX, 0,
                "Grows with every snapshot of the campaign."),
    MSG_INSTANT(struct msg_metrics_snapshot, at_us, "at", MSG_REQUIRED,
                "When the numbers were read."),
    MSG_OBJECT(struct msg_metrics_snapshot, own, "own", MSG_REQUIRED, &sums_table,
               "The campaign alone."),
    MSG_OBJECT(struct msg_metrics_snapshot, total, "total", MSG_REQUIRED, &sums_table,
               "The campaign and all below it."),
};
const struct msg_table msg_table_metrics_snapshot = {
    .help = "What has happened in a campaign so far.",
    .size = sizeof(struct msg_metrics_snapshot),
    MSG_ROWS(metrics_rows),
    .open = true,
};
