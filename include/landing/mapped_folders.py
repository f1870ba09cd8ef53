"""Deliveries from a folder of a utility's own files: those that the profile's mapping names, wherever they lie below the address.

The rules of dates and contents are those of `folders.py`; there is no manifest, a file's date is the last one in its name.
"""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from include.contracts import Table
from include.landing.delivery import LINE, AlreadyLanded, Delivery, FileProblem, Refusal
from include.landing.folders import Landed, _day_of
from include.landing.mapping import TableMap, files_of, read_mapped


def read_mapped_folder(
    address: Path, table: Table, business_date: date, landed: Landed, mapped: TableMap
) -> Iterator[Delivery | Refusal | AlreadyLanded]:
    """Every file of the mapping that belongs to the business date or earlier, in order of date and name."""
    days = {path: _day_of(path.name, {}) for path in files_of(address, mapped)}
    files_of_a_day = Counter(days.values())
    for path, day in sorted(days.items(), key=lambda item: (item[1] or date.min, item[0].as_posix())):
        if day and day > business_date:
            continue
        shown, sha256 = path.relative_to(address).as_posix(), None
        complete = "all" if table.is_full_compared and files_of_a_day[day] == 1 else None
        try:
            content = _content(path)
            sha256 = hashlib.sha256(content).hexdigest()
            is_known = landed.by_name.get(shown) == sha256
            if is_known or (shown not in landed.by_name and landed.holds(sha256, day) and not landed.has_pending):
                if not is_known or day in (None, business_date):
                    yield AlreadyLanded(table, shown, sha256, "auto", complete, day)
                continue
            rows, malformed, minutes = read_mapped(content, table, mapped)
        except FileProblem as problem:
            yield Refusal(table, str(problem), shown, sha256)
            continue
        yield Delivery(
            table=table,
            rows=rows.select([LINE] + [c.name for c in table.columns]),
            file_name=shown,
            content_sha256=sha256,
            malformed=malformed,
            complete=complete,
            business_date=day,
            slot_minutes=minutes,
        )


def _content(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise FileProblem("it is no regular file; deliver the file itself")
        content = path.read_bytes()
    except OSError as error:
        raise FileProblem(f"it cannot be read ({error.strerror})") from None
    if not content:
        raise FileProblem("the file is empty")
    return content
