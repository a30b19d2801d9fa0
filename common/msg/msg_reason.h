/* SPDX-License-Identifier: Apache-2.0
 *
 * Every reason for a refusal: a stable code, its sentence, and a number for the data base. Rows are
 * only ever added (to the list below, with a new number); none is renamed or renumbered.
 *
 * Codes are at most 31 characters of snake_case, so that struct err holds them.
 */
#ifndef MSG_REASON_H
#define MSG_REASON_H

#include "base_arena.h"
#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(number, NAME, "code", "sentence") */
#define MSG_REASONS(X)                                                                             \
    /* the message as such */                                                                      \
    X(1, TOO_LARGE, "too_large", "The message is larger than 4 MiB.")                              \
    X(2, BAD_ENVELOPE, "bad_envelope", "A CloudEvents attribute is missing or malformed.")         \
    X(3, BAD_CONTENT_TYPE, "bad_content_type", "The data is not declared as JSON in UTF-8.")       \
    X(4, UNKNOWN_TYPE, "unknown_type", "There is no command of this type and version.")            \
    X(5, WRONG_TOPIC, "wrong_topic", "This type of command belongs to another topic.")             \
    X(6, BAD_UTF8, "bad_utf8", "The text is not valid UTF-8.")                                     \
    X(7, BAD_JSON, "bad_json", "The data is not one JSON value.")                                  \
    X(8, TOO_DEEP, "too_deep", "The data is nested too deeply.")                                   \
    X(9, DUPLICATE_KEY, "duplicate_key", "An object has the same key twice.")                      \
    X(10, NUL_CHARACTER, "nul_character", "Texts may not hold the character U+0000.")              \
    X(11, LONE_SURROGATE, "lone_surrogate", "A text holds half of a surrogate pair.")              \
    X(12, NUMBER_OUT_OF_RANGE, "number_out_of_range",                                              \
      "Numbers lie within plus and minus (2^53 - 1).")                                             \
    X(13, COMMAND_ID_REUSED, "command_id_reused",                                                  \
      "This source has used this id before, for another command.")                                 \
    X(14, POISON, "poison", "The command made its worker fail again and again.")                   \
    /* fields */                                                                                   \
    X(20, REQUIRED, "required", "A required field is missing.")                                    \
    X(21, UNKNOWN_FIELD, "unknown_field", "There is no field of this name here.")                  \
    X(22, WRONG_TYPE, "wrong_type", "The value has the wrong JSON type.")                          \
    X(23, OUT_OF_RANGE, "out_of_range", "The number is too small or too large.")                   \
    X(24, BAD_VALUE, "bad_value", "The value is none of those that are allowed here.")             \
    X(25, TOO_SHORT, "too_short", "The text is too short.")                                        \
    X(26, TOO_LONG, "too_long", "The text is too long.")                                           \
    X(27, BAD_FORMAT, "bad_format", "The text does not have the required form.")                   \
    X(28, TOO_FEW, "too_few", "The list has too few items.")                                       \
    X(29, TOO_MANY, "too_many", "The list has too many items.")                                    \
    X(30, NOT_DISTINCT, "not_distinct", "The list holds the same item twice.")                     \
    X(31, CONFLICT, "conflict", "The field does not go together with another one.")                \
    X(32, WINDOW_ORDER, "window_order", "The end does not lie after the start.")                   \
    /* definitions */                                                                              \
    X(40, UNKNOWN_CAMPAIGN, "unknown_campaign", "There is no campaign of this id.")                \
    X(41, UNKNOWN_COUPON, "unknown_coupon", "There is no coupon of this id.")                      \
    X(42, UNKNOWN_DISCOUNT, "unknown_discount", "There is no discount of this id.")                \
    X(43, UNKNOWN_AFFILIATE, "unknown_affiliate", "There is no affiliate of this id.")             \
    X(44, UNKNOWN_PARENT, "unknown_parent", "There is no campaign of the parent's id.")            \
    X(45, PARENT_CYCLE, "parent_cycle", "A campaign cannot stand below itself.")                   \
    X(46, PARENT_CHANGED, "parent_changed", "A campaign's parent is changed by a move only.")      \
    X(47, TREE_TOO_DEEP, "tree_too_deep", "The campaign would stand too deep in the tree.")        \
    X(48, VERSION_CONFLICT, "version_conflict", "The version is not the expected one.")            \
    X(49, ARCHIVED, "archived", "What the command names is archived.")                             \
    X(50, CAMPAIGN_ARCHIVED, "campaign_archived", "The campaign is archived.")                     \
    X(51, COUPON_ARCHIVED, "coupon_archived", "The coupon is archived.")                           \
    X(52, DISCOUNT_ARCHIVED, "discount_archived", "The discount is archived.")                     \
    X(53, IN_USE, "in_use", "Something that is not archived still depends on it.")                 \
    X(54, LIMIT_BELOW_USES, "limit_below_uses", "The limit lies below the uses there are.")        \
    X(55, CAMPAIGN_CHANGED, "campaign_changed", "A coupon's campaign is changed by a move only.")  \
    /* jobs and generation */                                                                      \
    X(70, UNKNOWN_JOB, "unknown_job", "There is no job of this id.")                               \
    X(71, JOB_FINISHED, "job_finished", "The job has come to its end already.")                    \
    X(72, BAD_PATTERN, "bad_pattern", "The pattern cannot be read.")                               \
    X(73, BAD_CHARSET, "bad_charset", "The character set cannot be used.")                         \
    X(74, NOT_ENOUGH_SPACE, "not_enough_space", "The pattern has too few codes left.")             \
    X(75, TOO_GUESSABLE, "too_guessable", "Codes of this pattern would be too easy to guess.")     \
    X(76, CHECK_NOT_POSSIBLE, "check_not_possible",                                                \
      "These character sets allow no check character.")                                            \
    X(77, SPACE_FULL, "space_full", "The pattern ran out of free codes.")                          \
    X(78, JOB_CANCELLED, "job_cancelled", "The job was cancelled.")                                \
    X(79, SINK_FAILED, "sink_failed", "The export could not be written.")                          \
    X(80, BAD_WORD, "bad_word", "A blocked word has no canonical form.")                           \
    /* redeeming */                                                                                \
    X(100, UNKNOWN_CODE, "unknown_code", "There is no such code.")                                 \
    X(101, BAD_CODE, "bad_code", "This cannot be a code.")                                         \
    X(102, CODE_REPEATED, "code_repeated", "The command names the same code twice.")               \
    X(103, CODE_INACTIVE, "code_inactive", "The code is not active.")                              \
    X(104, COUPON_INACTIVE, "coupon_inactive", "The code's coupon is not active.")                 \
    X(105, CAMPAIGN_INACTIVE, "campaign_inactive", "The code's campaign is not active.")           \
    X(106, NOT_STARTED, "not_started", "The code is not valid yet.")                               \
    X(107, EXPIRED, "expired", "The code is not valid any more.")                                  \
    X(108, CUSTOMER_REQUIRED, "customer_required", "The code needs to know the customer.")         \
    X(109, CURRENCY_MISMATCH, "currency_mismatch", "The discount is in another currency.")         \
    X(110, CODE_EXHAUSTED, "code_exhausted", "The code has no use left.")                          \
    X(111, CODE_CUSTOMER_LIMIT, "code_customer_limit",                                             \
      "The customer has used this code as often as allowed.")                                      \
    X(112, COUPON_CUSTOMER_LIMIT, "coupon_customer_limit",                                         \
      "The customer has used codes of this coupon as often as allowed.")                           \
    X(113, CAMPAIGN_CUSTOMER_LIMIT, "campaign_customer_limit",                                     \
      "The customer has used codes of this campaign as often as allowed.")                         \
    X(114, COUPON_LIMIT, "coupon_limit", "The coupon has no use left.")                            \
    X(115, CAMPAIGN_LIMIT, "campaign_limit", "The campaign has no use left.")                      \
    X(116, OTHER_CODE_REFUSED, "other_code_refused",                                               \
      "Another code of the command was refused, and it is all or nothing.")                        \
    X(117, UNKNOWN_REDEMPTION, "unknown_redemption", "There is no such redemption.")               \
    X(118, ALREADY_RELEASED, "already_released", "The redemption has been released before.")       \
    X(119, NOT_IN_REDEMPTION, "not_in_redemption", "The redemption did not use this code.")        \
    X(120, NOTHING_TO_RELEASE, "nothing_to_release", "The redemption took no use.")                \
    X(121, ORDER_REQUIRED, "order_required", "The discount needs to know the order.")              \
    X(122, DISCOUNT_INACTIVE, "discount_inactive", "The code's discount is archived.")

enum msg_reason_id {
    MSG_REASON_NONE = 0,
#define MSG_REASON_ENUM(number, name, code, text) MSG_REASON_##name = (number),
    MSG_REASONS(MSG_REASON_ENUM)
#undef MSG_REASON_ENUM
};

/* NULL for a number that is none. */
const char *msg_reason_code(enum msg_reason_id id);
const char *msg_reason_text(enum msg_reason_id id);
/* MSG_REASON_NONE for a code that is none. */
enum msg_reason_id msg_reason_find(const char *code);

/* One reason as it is published. Texts are static or live in the arena. */
struct msg_reason {
    const char *code;
    const char *pointer; /* JSON Pointer into the command's data; NULL: the command as a whole */
    const char *message;
    int64_t next_at_us; /* when the code would next pass; -1 or 0: not known */
};

/* Reasons that are gathered while a message is checked; the first names the outcome. */
#define MSG_REASONS_MAX 16
struct msg_reasons {
    struct arena *arena; /* NULL: they are counted only */
    struct msg_reason items[MSG_REASONS_MAX];
    size_t count;
    bool nomem;
};
/* More than MSG_REASONS_MAX are dropped. detail: printf text that replaces the sentence, or NULL.
 */
void msg_reasons_add(struct msg_reasons *reasons, enum msg_reason_id id, const char *pointer,
                     const char *detail, ...) PRINTF_LIKE(4, 5);
/* From an error of another library (its code, pointer and text are kept). */
void msg_reasons_add_err(struct msg_reasons *reasons, const struct err *from);
/* The first reason as ERR_POISON, domain "msg". Returns -1. */
int msg_reasons_err(const struct msg_reasons *reasons, struct err *err);

#endif
