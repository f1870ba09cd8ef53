"""Days, months and the working-day calendar of the simulated world.

The world begins at `ANCHOR`: from that day on every register is the sum of its curves. Holidays and make-up working
days come from the `chinese-calendar` package for the years that it knows; later years fall back to weekdays.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import chinese_calendar
import numpy as np

ANCHOR = np.datetime64("2023-06-01", "D")
FIRST_BUSINESS_DATE = date(2024, 8, 1)
EVENT_MONTHS = 13
BILL_MONTHS = 25  # a year before each of the thirteen, to compare with
WORKDAY, WEEKEND, HOLIDAY = 0, 1, 2


@cache
def day_type(day: date) -> int:
    """Working day (make-up days included), weekend, or public holiday."""
    try:
        if chinese_calendar.is_workday(day):
            return WORKDAY
        return HOLIDAY if chinese_calendar.get_holiday_detail(day)[1] else WEEKEND
    except NotImplementedError:
        return WEEKEND if day.weekday() >= 5 else WORKDAY


@cache
def _day_types_until(last: np.datetime64) -> np.ndarray:
    return np.array([day_type(day.item()) for day in np.arange(ANCHOR, last + 1)], dtype=np.int8)


def day_types(days: np.ndarray) -> np.ndarray:
    """`day_type` of an array of days from `ANCHOR` on."""
    return _day_types_until(days.max())[(days - ANCHOR).astype(np.int64)]


def weekdays(days: np.ndarray) -> np.ndarray:
    """0 Monday .. 6 Sunday; 1970-01-01 was a Thursday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def add_working_days(start: date, count: int) -> date:
    """The day `count` working days after `start`, the start not counted."""
    day = start
    while count > 0:
        day += timedelta(days=1)
        count -= day_type(day) == WORKDAY
    return day


def next_working_day(day: date) -> date:
    """The day itself if people work on it, else the next one on which they do."""
    while day_type(day) != WORKDAY:
        day += timedelta(days=1)
    return day


def first_of(month: np.ndarray) -> np.ndarray:
    """First day of datetime64[M] months."""
    return month.astype("datetime64[M]").astype("datetime64[D]")


def event_months(business_date: np.datetime64) -> np.ndarray:
    """The thirteen calendar months before the month of the business date, as datetime64[M]."""
    this = business_date.astype("datetime64[M]")
    return np.arange(this - EVENT_MONTHS, this)


def bill_months(business_date: np.datetime64) -> np.ndarray:
    """The months before the month of the business date that have bills, twenty-five if the world is old enough."""
    this = business_date.astype("datetime64[M]")
    return np.arange(max(this - BILL_MONTHS, ANCHOR.astype("datetime64[M]")), this)


def register_months(business_date: np.datetime64) -> np.ndarray:
    """First days of the months whose 00:00 freeze has been taken, from the opening of the first bill month on."""
    last = (business_date + 1).astype("datetime64[M]")
    return first_of(np.arange(bill_months(business_date)[0], last + 1))
