"""Deliveries from a folder of a utility's own files: those that the profile's mapping names, wherever they lie below the address.

The rules of dates and contents are those of `folders.py`; there is no manifest, a file's date is the last one in its name.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from include.contracts import Table, all_tables
from include.landing.delivery import LINE, AlreadyLanded, Delivery, FileProblem, Ignored, Refusal
from include.landing.folders import Landed, day_of, written
from include.landing.mapping import TableMap
from include.landing.opening import name_problem, opened_file, opened_folder, shown
from include.landing.reading import Reader


def read_mapped_folder(
    reader: Reader, address: Path, table: Table, business_date: date, landed: Landed, mapped: TableMap
) -> Iterator[Delivery | Refusal | AlreadyLanded]:
    """Every file of the mapping that belongs to the business date or earlier, in order of date and name."""
    days = {name: day_of(Path(name).name, {}) for name in _files(address) if _is_of(name, mapped)}
    files_of_a_day = Counter(days.values())
    for name, day in sorted(days.items(), key=lambda item: (item[1] or date.min, item[0])):
        if day and day > business_date:
            continue
        place, sha256 = shown(name), None
        complete = "all" if table.is_full_compared and files_of_a_day[day] == 1 else None
        try:
            if problem := name_problem(name):
                raise FileProblem(problem)
            path = Path(name)
            with (
                opened_folder(address, f"{path.parent}") as folder,
                opened_file(folder, path.name, reader.limits.file_mib) as file,
            ):
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                is_known = landed.by_name.get(place) == sha256
                if is_known or (place not in landed.by_name and landed.holds(sha256, day) and not landed.has_pending):
                    delivery = AlreadyLanded(table, place, sha256, "auto", complete, day)
                else:
                    content = reader.read(file, path.suffix.lower(), table, mapped=mapped)
                    delivery = Delivery(
                        table=table,
                        rows=content.rows.select([LINE] + [c.name for c in table.columns]),
                        file_name=place,
                        content_sha256=sha256,
                        malformed=content.malformed,
                        complete=complete,
                        business_date=day,
                        slot_minutes=content.slot_minutes,
                    )
        except FileProblem as problem:
            yield Refusal(table, str(problem), place, sha256)
        else:
            if not is_known or day in (None, business_date):
                yield delivery


def outside_of_maps(address: Path, source: str, maps: dict[str, TableMap]) -> Iterator[Ignored]:
    """The files below a source's folder that no table of its mapping names, and that lie in no other table's folder."""
    others = all_tables().keys() - maps.keys()
    for name in _files(address):
        if name.partition("/")[0] not in others and not any(_is_of(name, mapped) for mapped in maps.values()):
            state = (address / name).lstat()
            yield Ignored(source, "-", shown(name), f"no table of the mapping names it{written(state)}")


def _is_of(name: str, mapped: TableMap) -> bool:
    return not Path(name).name.startswith(("_", ".", "~")) and fnmatch.fnmatchcase(name, mapped.files)


def _files(address: Path) -> list[str]:
    """What lies below a folder and is no folder, by its path from there; links are not followed."""
    found = []
    for folder, _, names in os.walk(address, followlinks=False):
        found += [(Path(folder) / name).relative_to(address).as_posix() for name in names]
    return sorted(found)
