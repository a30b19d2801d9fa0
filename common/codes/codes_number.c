/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_number.h"

const char *codes_u128_text(codes_u128 value, char out[CODES_U128_TEXT])
{
    char digits[CODES_U128_TEXT];
    size_t at = sizeof digits;

    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + (unsigned)(value % 10));
        value /= 10;
    } while (value > 0);
    memcpy(out, digits + at, sizeof digits - at);
    return out;
}

int codes_u128_parse(const char *text, codes_u128 max, codes_u128 *ret_value, struct err *err)
{
    codes_u128 value = 0;

    if (*text == '\0')
        return err_set(err, ERR_POISON, "codes", "bad_number", "a number without digits");
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return err_set(err, ERR_POISON, "codes", "bad_number",
                           "a number may have digits 0 to 9 only");
        unsigned digit = (unsigned)(*text - '0');
        if (digit > max || value > (max - digit) / 10)
            return err_set(err, ERR_POISON, "codes", "bad_number", "the number is too large");
        value = value * 10 + digit;
    }
    *ret_value = value;
    return 0;
}
