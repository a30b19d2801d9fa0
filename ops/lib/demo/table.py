# SPDX-License-Identifier: Apache-2.0
"""The table: one row a number, one column a source."""


def grouped(number):
    return f"{number:,}"


def money(minor):
    return f"{minor // 100:,}.{minor % 100:02d}"


# field, label, how to write it, whether all sources must agree
ROWS = (
    ("customers", "customers", grouped, True),
    ("purchases", "purchases", grouped, True),
    ("codes", "codes generated", grouped, True),
    ("sent", "commands", grouped, True),
    ("accepted", "accepted", grouped, True),
    ("accepted_own", "  own code, 15 %", grouped, True),
    ("accepted_group", "  CDNOW-10, 10 %", grouped, True),
    ("rejected", "rejected", grouped, True),
    ("discount_minor", "discounts, USD", money, True),
    ("order_minor", "orders discounted, USD", money, True),
    ("codes_per_s", "codes per second", lambda number: grouped(round(number)), False),
    ("commands_per_s", "commands per second", lambda number: grouped(round(number)), False),
)


def _values(sources):
    """(label, how to write it, whether all must agree, values by source) of each row."""
    counts = list(sources.values())
    for name, label, write, agree in ROWS:
        if name != "rejected":
            yield label, write, agree, [getattr(one, name) for one in counts]
            continue
        yield label, write, agree, [sum(one.rejected.values()) for one in counts]
        for reason in sorted({reason for one in counts for reason in one.rejected}):
            yield f"  {reason}", write, agree, [one.rejected.get(reason, 0) for one in counts]


def render(sources):
    """(text, rows that differ) of {name of the source: Counts}."""
    names = list(sources)
    cells = [["", *names, ""]]
    differing = 0
    for label, write, agree, values in _values(sources):
        differs = agree and len({value for value in values if value is not None}) > 1
        differing += differs
        cells.append([label, *("-" if value is None else write(value) for value in values),
                      "<- differs" if differs else ""])
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for row in cells:
        first, *rest, mark = row
        line = first.ljust(widths[0])
        for cell, width in zip(rest, widths[1:]):
            line += "  " + cell.rjust(max(width, 10))
        lines.append(f"{line}  {mark}".rstrip())
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines), differing
