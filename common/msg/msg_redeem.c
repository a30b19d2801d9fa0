/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the redeem commands.
 */
#include "msg_redeem.h"

#include "msg_tables.h"

static const struct msg_field customer_rows[] = {
    MSG_TEXT(struct msg_customer, id, "id", 0, MSG_FORM_ANY, 1, 256, "The publisher's id."),
    MSG_TEXT(struct msg_customer, email, "email", 0, MSG_FORM_LINE, 1, 320, "E-mail address."),
};

static void check_customer(const void *data, struct msg_check *check)
{
    const struct msg_customer *customer = data;
    if (customer->id == NULL && customer->email == NULL)
        msg_check_fail(check, MSG_REASON_REQUIRED, "id", "Give an id or an e-mail address.");
}

static const struct msg_table customer_table = {
    .help = "Who redeems; limits count under every identifier given.",
    .size = sizeof(struct msg_customer),
    MSG_ROWS(customer_rows),
    .check = check_customer,
    .rules = "\"anyOf\":[{\"required\":[\"id\"]},{\"required\":[\"email\"]}]",
};

#define ORDER_ROWS                                                                                 \
    MSG_TEXT(struct msg_order, id, "id", MSG_REQUIRED, MSG_FORM_LINE, 1, 128, "The order's id."),  \
        MSG_TEXT(struct msg_order, currency, "currency", MSG_REQUIRED, MSG_FORM_CURRENCY, 3, 3,    \
                 "The order's currency."),                                                         \
        MSG_INTEGER(struct msg_order, total_minor, "total_minor", MSG_REQUIRED, 0, MSG_MONEY_MAX,  \
                    0, "Total before discounts, in minor units.")

static const struct msg_field order_rows[] = {ORDER_ROWS};
const struct msg_table msg_table_order = {
    .help = "The order that the codes are used for.",
    .size = sizeof(struct msg_order),
    MSG_ROWS(order_rows),
};
const struct msg_table msg_table_order_event = {
    .help = "The order that the codes were used for.",
    .size = sizeof(struct msg_order),
    MSG_ROWS(order_rows),
    .open = true,
};

static const char *const on_refused[] = {"all_or_nothing", NULL};

#define CODES(S, opts, least, text)                                                                \
    MSG_TEXTS(S, codes, "codes", opts | MSG_DISTINCT, MSG_FORM_ANY, least, MSG_CODES_MAX, 1, 256,  \
              text)
#define REDEEM_ROWS(order_opts)                                                                    \
    CODES(struct msg_redeem, MSG_REQUIRED, 1,                                                      \
          "Codes as the customer typed them; case, dashes and spaces do not matter."),             \
        MSG_OBJECT(struct msg_redeem, customer, "customer", 0, &customer_table,                    \
                   "Who redeems; limits count under every identifier given."),                     \
        MSG_TEXT(struct msg_redeem, client_key, "client_key", 0, MSG_FORM_ANY, 1, 256,             \
                 "Opaque name of where the codes were typed, for finding guessers."),              \
        MSG_POINTER(struct msg_redeem, order, "order", order_opts, &msg_table_order,               \
                    "The order that the codes are used for."),                                     \
        MSG_CHOICE(struct msg_redeem, on_refused, enum msg_on_refused, "on_refused", 0,            \
                   on_refused, MSG_ALL_OR_NOTHING, "What happens when one of the codes fails.")

static const struct msg_field redeem_rows[] = {REDEEM_ROWS(MSG_REQUIRED)};
const struct msg_table msg_table_redeem = {
    .help = "Use codes for an order.",
    .size = sizeof(struct msg_redeem),
    MSG_ROWS(redeem_rows),
};

static const struct msg_field validate_rows[] = {
    REDEEM_ROWS(0),
    MSG_OPT_TIME(struct msg_redeem, as_of, "as_of", 0,
                 "Decide as if it were this time; absent: now."),
};
const struct msg_table msg_table_validate = {
    .help = "Ask whether codes would pass; takes no use.",
    .size = sizeof(struct msg_redeem),
    MSG_ROWS(validate_rows),
};

static const struct msg_field redemption_ref_rows[] = {
    MSG_TEXT(struct msg_redemption_ref, source, "source", MSG_REQUIRED, MSG_FORM_LINE, 1, 256,
             "ce_source of the redeem command."),
    MSG_TEXT(struct msg_redemption_ref, id, "id", MSG_REQUIRED, MSG_FORM_LINE, 1, 128,
             "ce_id of the redeem command."),
};
const struct msg_table msg_table_redemption_ref = {
    .help = "A redeem command, by its identity.",
    .size = sizeof(struct msg_redemption_ref),
    MSG_ROWS(redemption_ref_rows),
};

static const struct msg_field release_rows[] = {
    MSG_OBJECT(struct msg_release, redemption, "redemption", MSG_REQUIRED,
               &msg_table_redemption_ref, "The redeem command that is to be undone."),
    CODES(struct msg_release, 0, 1, "Give back these codes of it only. Absent: all."),
};
const struct msg_table msg_table_release = {
    .help = "Give back the uses that a redemption took.",
    .size = sizeof(struct msg_release),
    MSG_ROWS(release_rows),
};
