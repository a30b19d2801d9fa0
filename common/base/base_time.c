/* SPDX-License-Identifier: Apache-2.0 */
#include "base_time.h"

#include <stdbool.h>
#include <time.h>

#define S_PER_DAY INT64_C(86400)
#define DAYS_PER_ERA INT64_C(146097) /* 400 years of the Gregorian calendar */

/*
 * Days since 1970-01-01 of a date, and back (Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). Years are counted from March on, so that the leap day is the last of its year.
 */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `count` digits at *cursor, as a number from min to max; steps behind them. */
static bool take_number(const char **cursor, int count, int min, int max, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char c = (*cursor)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *cursor += count;
    *ret_value = value;
    return value >= min && value <= max;
}

/* One character, either case. */
static bool take_char(const char **cursor, char wanted)
{
    char c = **cursor;
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c != wanted)
        return false;
    (*cursor)++;
    return true;
}

/* ".5" up to ".123456", or nothing: 0. */
static bool take_fraction(const char **cursor, int64_t *ret_us)
{
    int64_t us = 0;
    if (take_char(cursor, '.')) {
        int64_t unit = TIME_US_PER_S;
        const char *from = *cursor;
        for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++) {
            unit /= 10;
            if (unit == 0)
                return false;
            us += unit * (**cursor - '0');
        }
        if (*cursor == from)
            return false;
    }
    *ret_us = us;
    return true;
}

/* "Z" or "+hh:mm": seconds east of UTC. */
static bool take_offset(const char **cursor, int64_t *ret_s)
{
    if (take_char(cursor, 'Z')) {
        *ret_s = 0;
        return true;
    }
    int hour;
    int minute;
    bool west = **cursor == '-';
    if ((!take_char(cursor, '+') && !take_char(cursor, '-')) ||
        !take_number(cursor, 2, 0, 23, &hour) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, 0, 59, &minute))
        return false;
    *ret_s = (hour * 60 + minute) * INT64_C(60) * (west ? -1 : 1);
    return true;
}

int time_parse(const char *text, int64_t *ret_us, struct err *err)
{
    const char *at = text;
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int64_t fraction_us;
    int64_t offset_s;
    if (!take_number(&at, 4, 0, 9999, &year) || !take_char(&at, '-') ||
        !take_number(&at, 2, 1, 12, &month) || !take_char(&at, '-') ||
        !take_number(&at, 2, 1, days_in_month(year, month), &day) || !take_char(&at, 'T') ||
        !take_number(&at, 2, 0, 23, &hour) || !take_char(&at, ':') ||
        !take_number(&at, 2, 0, 59, &minute) || !take_char(&at, ':') ||
        !take_number(&at, 2, 0, 59, &second) || !take_fraction(&at, &fraction_us) ||
        !take_offset(&at, &offset_s) || *at != '\0')
        return err_set(err, ERR_POISON, "time", "malformed",
                       "not a time of RFC 3339 such as 2026-11-20T19:06:00Z");

    int64_t s = days_from_civil(year, month, day) * S_PER_DAY + (hour * INT64_C(60) + minute) * 60 +
                second - offset_s;
    int64_t us = s * TIME_US_PER_S + fraction_us;
    if (us < TIME_MIN_US || us > TIME_MAX_US)
        return err_set(err, ERR_POISON, "time", "out_of_range",
                       "not between the years 1970 and 9999");
    *ret_us = us;
    return 0;
}

/* At least `width` digits; returns where they end. Plain stores only: also used in a handler. */
static char *put_number(char *at, int64_t value, int width)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count < width)
        digits[count++] = '0';
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

const char *time_format(int64_t us, char out[TIME_TEXT_MAX])
{
    int64_t fraction = us % TIME_US_PER_S;
    int64_t s = us / TIME_US_PER_S;
    if (fraction < 0) {
        fraction += TIME_US_PER_S;
        s--;
    }
    int64_t second_of_day = s % S_PER_DAY;
    int64_t days = s / S_PER_DAY;
    if (second_of_day < 0) {
        second_of_day += S_PER_DAY;
        days--;
    }
    int64_t year;
    int month;
    int day;
    civil_from_days(days, &year, &month, &day);

    char *at = out;
    if (year < 0)
        *at++ = '-';
    at = put_number(at, year < 0 ? -year : year, 4);
    *at++ = '-';
    at = put_number(at, month, 2);
    *at++ = '-';
    at = put_number(at, day, 2);
    *at++ = 'T';
    at = put_number(at, second_of_day / 3600, 2);
    *at++ = ':';
    at = put_number(at, second_of_day / 60 % 60, 2);
    *at++ = ':';
    at = put_number(at, second_of_day % 60, 2);
    if (fraction != 0) {
        *at++ = '.';
        at = fraction % TIME_US_PER_MS == 0 ? put_number(at, fraction / TIME_US_PER_MS, 3)
                                            : put_number(at, fraction, 6);
    }
    *at++ = 'Z';
    *at = '\0';
    return out;
}

static int64_t clock_read(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * TIME_US_PER_S + now.tv_nsec / 1000;
}

static int64_t real_wall(void *opaque)
{
    (void)opaque;
    return clock_read(CLOCK_REALTIME);
}

static int64_t real_mono(void *opaque)
{
    (void)opaque;
    return clock_read(CLOCK_MONOTONIC);
}

const struct clock clock_real = {.wall = real_wall, .mono = real_mono, .opaque = NULL};

int64_t clock_wall(const struct clock *clock)
{
    return clock->wall(clock->opaque);
}

int64_t clock_mono(const struct clock *clock)
{
    return clock->mono(clock->opaque);
}
