"""What a rule tells: (rule, of what, statements on raw tables, whether anything was tested, columns and what is expected of them)."""

from __future__ import annotations

from tests.rules.faults import ACCOUNT, BILLING, LOST_DAYS
from tests.rules.population_worlds import in_use, overdue

_VOLTAGE = f"data_type = 'U' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}"
_CURRENT = f"data_type = 'I' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}"


def removed(at: str) -> list[str]:
    """An account that closed on 3 November and was read on; its meters were removed at that time."""
    return [
        f"update {{{{met_measuring_point}}}} set remove_ts = '2026-11-{at}+08' where cons_no = {ACCOUNT}",
        f"update {{{{mkt_customer}}}} set status = 'CLOSED', close_date = date '2026-11-03' where cons_no = {ACCOUNT}",
    ]


TOLD: list[tuple[str, str, list[str], bool, set[tuple[str, str]]]] = [
    (
        "MET-16",
        "a voltage at its limit before one beyond it",
        [f"update {{{{met_interval_96}}}} set v[39] = 130, v[40] = 131 where {_VOLTAGE}"],
        True,
        {("v40", "50 to 130 V, or 0 V in an outage")},
    ),
    ("MET-23", "no point that should report", ["update {{mkt_mp}} set valid_to = date '2026-11-04'"], False, set()),
    (
        "MET-31",
        "an overflow code after measured values",
        [f"update {{{{met_interval_96}}}} set v[40] = 655.34 where {_CURRENT}"],
        True,
        {("v40", "a measured value")},
    ),
    (
        "MKT-30",
        "a penalty of 2 yuan where 1 yuan is due, which is the least",
        overdue("2"),
        True,
        {("penalty_yuan", "1.00")},
    ),
    (
        "MKT-30",
        "a penalty of 2 yuan where less than the least is due",
        overdue("2", charge="400"),
        True,
        {("penalty_yuan", "1.00 for the whole bill")},
    ),
    (
        "XSR-02",
        "three lost days of 29",
        [*in_use("2026-10-03", None, f"mp_no = {BILLING}"), LOST_DAYS],
        True,
        {("mp_no", "at most 278 missing")},
    ),
    (
        "XSR-02",
        "three days of 30, which cannot be more than a tenth",
        [*in_use("2026-10-02", None, f"mp_no = {BILLING}"), LOST_DAYS],
        False,
        set(),
    ),
    (
        "XSR-15",
        "a meter removed on the day of closing",
        removed("03 12:00"),
        True,
        {("status", "0 kWh; likely closed, as the meter is on record as removed")},
    ),
    (
        "XSR-15",
        "a meter removed the day after",
        removed("04 12:00"),
        True,
        {("status", "0 kWh; likely in use, as the meter counts")},
    ),
]
