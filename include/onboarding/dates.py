"""Which way of writing days and times a column keeps to: every candidate is tried on every value, and what is left over says so."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise

from include.landing.values import EXCEL_SERIAL, moment

DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%m.%d.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%y/%m/%d",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y-%m-%d",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y年%m月%d日",
)
TIMES = (" %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f", "T%H:%M:%S.%f")
OFFSETS = ("", "%z", " %z")
MONTHS = (
    "%Y%m",
    "%Y-%m",
    "%Y/%m",
    "%Y.%m",
    "%m/%Y",
    "%m-%Y",
    "%m.%Y",
    "%b %Y",
    "%b-%Y",
    "%b-%y",
    "%B %Y",
    "%Y年%m月",
    *DAYS,
)
STAMPS = tuple(day + time + offset for day in DAYS for time in TIMES for offset in OFFSETS)
MIDNIGHTS = (" 00:00:00", " 00:00", "T00:00:00")
LATEST = 10  # years from now: a day later than that was read the wrong way


def candidates(values: list[str], forms: tuple[str, ...]) -> list[str]:
    """The forms in which all values read."""
    distinct = list(dict.fromkeys(values))
    left = list(forms)
    for value in distinct[:5000]:
        text = _plain(value)
        shaped = _of_shape(re.sub(r"\d", "0", text), forms)
        left = [form for form in left if form in shaped and moment(text, form) is not None]
        if not left:
            return []
    return _plausible(left, distinct)


@lru_cache(maxsize=4096)
def _of_shape(text: str, forms: tuple[str, ...]) -> frozenset[str]:
    """The forms in which a text could be read, whatever its digits are."""
    return frozenset(form for form in forms if _shape(form).fullmatch(text))


@cache
def _shape(form: str) -> re.Pattern:
    """What a text must look like before it is worth to be read by a form."""
    two = r"\d{2}" if form.startswith(("%Y%m", "%y%m")) else r"\d{1,2}"
    parts = {
        "%Y": r"\d{4}",
        "%y": r"\d{2}",
        "%b": "[A-Za-z]{3}",
        "%B": "[A-Za-z]{3,9}",
        "%p": "[AaPp][Mm]",
        "%f": r"\d{1,6}",
    }
    parts |= {"%z": r"(Z|[+-]\d{2}:?\d{2})"}
    return re.compile(
        re.sub(r"%\w|.", lambda found: parts.get(found[0], two) if found[0][0] == "%" else re.escape(found[0]), form)
    )


def _plain(value: str) -> str:
    return re.sub(r"\b24:00(?=(:00)?$)", "00:00", value)


def _plausible(forms: list[str], values: list[str]) -> list[str]:
    """Of several forms those by which no value is later than any archive plans for."""
    if len(forms) < 2:
        return forms
    limit = datetime.now().year + LATEST
    kept = [form for form in forms if all(1900 < moment(_plain(v), form).year <= limit for v in values[:500])]
    return kept or forms


def day_forms(values: list[str]) -> list[str]:
    """Candidates for a column of days; a spreadsheet's number of days is one where nothing else reads."""
    found = candidates(values, DAYS) or candidates(values, tuple(day + night for day in DAYS for night in MIDNIGHTS))
    if not found and all(re.fullmatch(r"[2-5]\d{4}(\.0+)?", value) for value in values):
        return [EXCEL_SERIAL]
    return found


def step_of(stamps: list[datetime]) -> tuple[timedelta, float]:
    """The most common distance of two neighbours, and the share that has it."""
    gaps = Counter(b - a for a, b in pairwise(stamps))
    if not gaps:
        return timedelta(0), 0
    gap, times = gaps.most_common(1)[0]
    return gap, times / (len(stamps) - 1)


def read_all(values: list[str], form: str) -> list[datetime]:
    return [moment(_plain(value), form) for value in values]
