# SPDX-License-Identifier: Apache-2.0
"""The pattern for times against the calendar, and the decoder against both."""

import calendar
import sys

from contract import Contract

KIND = "promofleet.code.validate.v1"


def month_ends():
    for year in [*range(1968, 2110), 2200, 2300, 2400, 2404, 3000, 3600, 4800, 9600, 9696, 9900, 9996, 9999]:
        for month in range(1, 13):
            last = calendar.monthrange(year, month)[1]
            for day in (0, 1, last, last + 1):
                yield f"{year:04}-{month:02}-{day:02}T12:00:00Z", 1 <= day <= last and year >= 1970
    for year in range(1970, 10000):
        yield f"{year:04}-02-29T00:00:00Z", calendar.isleap(year)


def edges():
    good = ["2026-11-20T19:06:00Z", "2026-11-20t19:06:00z", "2026-11-20T00:00:00+23:59", "2026-11-20T23:59:59-23:59",
            "2026-11-20T19:06:00.1Z", "2026-11-20T19:06:00.123456Z", "2026-11-20T19:06:00.123456+00:00",
            "1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00-00:00",
            "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-00:00", "1970-01-02T00:00:00+23:59",
            "9999-12-30T23:59:59-23:59"]
    bad = ["", "Z", "2026-11-20", "2026-11-20 19:06:00Z", "2026-11-20T19:06:00", "2026-11-20T19:06Z",
           "2026-11-20T24:00:00Z", "2026-11-20T23:60:00Z", "2026-11-20T23:59:60Z", "2026-13-01T00:00:00Z",
           "2026-00-01T00:00:00Z", "2026-1-01T00:00:00Z", "26-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
           "-2026-01-01T00:00:00Z", "+2026-01-01T00:00:00Z", "2026-11-20T19:06:00.Z", "2026-11-20T19:06:00,5Z",
           "2026-11-20T19:06:00.1234567Z", "2026-11-20T19:06:00+24:00", "2026-11-20T19:06:00+00:60",
           "2026-11-20T19:06:00+0000", "2026-11-20T19:06:00+00", "2026-11-20T19:06:00 Z", "2026-11-20T19:06:00Z ",
           " 2026-11-20T19:06:00Z", "2026-11-20T19:06:00Z\n", "\n2026-11-20T19:06:00Z", "2026-11-20T19:06:00ZZ",
           "2026-11-20T19:06:00\u22125:00", "\u0662026-11-20T19:06:00Z", "2026-11-20T19:06:0\u0660Z",
           "1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00+01:00", "1970-01-01T12:00:00-00:01",
           "9999-12-31T23:30:00-01:00", "9999-12-31T00:00:00+00:10", "0000-01-01T00:00:00Z", "2026W47-5T00:00:00Z"]
    return [(text, True) for text in good] + [(text, False) for text in bad]


def main():
    contract = Contract(sys.argv)
    cases = [*month_ends(), *edges()]
    answers = contract.judge_data([(KIND, {"codes": ["A"], "as_of": text}) for text, _ in cases])
    for (text, right), answer in zip(cases, answers):
        schema = contract.validators[KIND].is_valid({"codes": ["A"], "as_of": text})
        contract.check(schema == right, f"schema: {text!r} {schema}")
        contract.check((answer["verdict"] == "decoded") == right, f"decoder: {text!r} {answer}")
    contract.finish(20000)


main()
