"""Deliveries from a folder: `<address>/<table>/*.csv|*.parquet|*.xlsx`, with an optional `_manifest.json` per table.

An entry of the manifest says of a file: name, sha256, rows, sums, business_date, complete_from and complete_to, and
withdrawn_rows, the number of rows that the source took out on purpose since its last file; all but the name may be absent.
Its key intervals says how the slots of long interval files are read.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from include.contracts import Table, all_tables
from include.landing.delivery import LINE, AlreadyLanded, Delivery, FileProblem, Ignored, Refusal, printable
from include.landing.intervals import resolution_of
from include.landing.manifests import MANIFEST, layout_of, read_manifest
from include.landing.opening import entries, name_problem, opened_file, opened_folder, shown
from include.landing.reading import Reader
from include.settings import TIMEZONE

SUFFIXES = (".csv", ".parquet", ".xlsx")
_STEPS = {
    ".gz": "unpack it",
    ".zip": "unpack it",
    ".xls": "save it as .xlsx",
    ".xlsm": "save it as .xlsx",
    ".xlsb": "save it as .xlsx",
    ".ods": "save it as .xlsx",
    ".part": "give it its name when it is whole",
    ".tmp": "give it its name when it is whole",
}

_MOST_NAMED = 200  # of the files of a folder that are not read; the others are counted
_DAY_IN_NAME = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!.*\d{4}-?\d{2}-?\d{2})")


@dataclass
class Landed:
    """What landed of a table: each file name's newest content, and the contents of each date."""

    by_name: dict[str, str] = field(default_factory=dict)
    by_date: dict[date, set[str]] = field(default_factory=lambda: defaultdict(set))
    has_pending: bool = False  # rows that a delivery left out wait for one that holds them, whatever its content

    def holds(self, sha256: str, day: date | None) -> bool:
        """True where the content landed for that date; for any, where the file has none."""
        return any(sha256 in contents for date_, contents in self.by_date.items() if day in (None, date_))


def read_folder(
    reader: Reader, address: Path, table: Table, business_date: date, landed: Landed, channel: str = "auto"
) -> Iterator[Delivery | Refusal | AlreadyLanded | Ignored]:
    """Every file of a table that belongs to the business date or earlier, in order of date and name, and what is ignored.

    A file dated later waits for its night. A file of an earlier night that lies there unchanged says nothing. Content
    that landed before under another name is named, not landed, where its file has the same date or none. A file of another
    date is a delivery of its own, also where its bytes are those of an earlier one, or a file of a later date has landed.
    """
    place = f"{table.name}/{MANIFEST}"
    with contextlib.ExitStack() as handles:
        try:
            place = table.name
            folder = handles.enter_context(opened_folder(address, table.name))
            if folder is None:
                return
            place = f"{table.name}/{MANIFEST}"
            manifest = read_manifest(folder, table)
        except FileProblem as problem:
            yield Refusal(table, str(problem), file_name=place, channel=channel)
            return
        yield from _read_files(reader, folder, manifest, table, business_date, landed, channel)


def _read_files(
    reader: Reader, folder: int, manifest: dict, table: Table, business_date: date, landed: Landed, channel: str
) -> Iterator[Delivery | Refusal | AlreadyLanded | Ignored]:
    announced = {entry["name"]: entry for entry in manifest.get("files", [])}
    files, ignored = _sorted_out(folder)
    days = {name: day_of(name, announced) for name in files}
    for name, problem in list(ignored.items())[:_MOST_NAMED]:
        if (day_of(name, announced) or date.min) <= business_date:
            yield Ignored(table.source, table.name, f"{table.name}/{shown(name)}", problem, channel)
    if (more := len(ignored) - _MOST_NAMED) > 0:
        yield Ignored(table.source, table.name, f"{table.name}/", f"{more:,} more files of it are not read", channel)
    for name in sorted(set(announced) - {*days}):
        entry = announced[name]
        is_due = (entry.get("business_date") or date.min) <= business_date
        if is_due and entry.get("sha256") not in landed.by_name.values():
            why = f"is not read: {ignored[name]}" if name in ignored else "is not there"
            yield Refusal(table, f"the manifest announces a file that {why}", f"{table.name}/{name}", channel=channel)
    files_of_a_day = Counter(days.values())
    for name, day in sorted(days.items(), key=lambda item: (item[1] or date.min, item[0])):
        if day and day > business_date:
            continue
        place, sha256, entry = f"{table.name}/{shown(name)}", None, announced.get(name, {})
        try:
            if problem := name_problem(name):
                raise FileProblem(problem)
            complete = entry.get("complete_from"), entry.get("complete_to")
            if not all(complete):
                is_whole = table.is_full_compared and channel == "auto" and files_of_a_day[day] == 1
                complete = "all" if is_whole else None
            with opened_file(folder, name, reader.limits.file_mib) as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                is_known = landed.by_name.get(place) == sha256
                if is_known or (place not in landed.by_name and landed.holds(sha256, day) and not landed.has_pending):
                    delivery = AlreadyLanded(table, place, sha256, channel, complete, day)
                else:
                    delivery = _read(reader, file, name, table, entry, layout_of(manifest, name), sha256)
                    delivery.channel, delivery.file_name = channel, place
                    delivery.complete, delivery.business_date = complete, day
                    delivery.announced_withdrawals = entry.get("withdrawn_rows")
                    delivery.is_synthetic = manifest.get("synthetic", False)
        except FileProblem as problem:
            yield Refusal(table, str(problem), place, sha256, channel, entry.get("rows"))
        else:
            if not is_known or day in (None, business_date):
                yield delivery


def _read(
    reader: Reader, file: BinaryIO, name: str, table: Table, entry: dict, layout: dict | None, sha256: str
) -> Delivery:
    if entry.get("sha256") not in (None, sha256):
        raise FileProblem("its sha256 is not the announced one: the file is half-written or was changed on the way")
    announced_rows, sums = entry.get("rows"), entry.get("sums")
    content = reader.read(
        file,
        Path(name).suffix.lower(),
        table,
        is_known_whole="sha256" in entry,
        layout=layout,
        announced_rows=announced_rows,
    )
    if layout:
        announced_rows = sums = None  # they were told of slots, not of curves
    known = {c.name for c in table.columns}
    return Delivery(
        table=table,
        rows=content.rows.select([LINE] + [c.name for c in table.columns]),
        content_sha256=sha256,
        announced_rows=announced_rows,
        announced_sums=sums,
        unknown_columns=[] if layout else [printable(name) for name in content.names if name not in known],
        malformed=content.malformed,
        notices=content.notices,
        slot_minutes=resolution_of(layout) if layout else None,
    )


def outside_of_tables(address: Path, source: str, channel: str = "auto") -> Iterator[Ignored]:
    """What lies in a source's folder and not in the folder of a table, of whichever source."""
    tables = all_tables()
    with contextlib.suppress(FileProblem), opened_folder(address) as folder:  # each table is refused then
        found = [each for each in entries(folder) if each[0] not in tables] if folder is not None else []
        if (more := len(found) - _MOST_NAMED) > 0:
            yield Ignored(source, "-", "-", f"{more:,} more files and folders are in no table's folder", channel)
        for name, state in found[:_MOST_NAMED]:
            is_folder = stat.S_ISDIR(state.st_mode)
            near = difflib.get_close_matches(name.lower(), tables, n=1, cutoff=0.8) if is_folder else []
            what = (
                "no table of the contracts has the name of this folder" if is_folder else "it is in no table's folder"
            )
            hint = f"; rename it to {near[0]}" if near else "; move its files into the folder of their table"
            yield Ignored(
                source, shown(name) if is_folder else "-", shown(name), f"{what}{hint}{written(state)}", channel
            )


def _sorted_out(folder: int) -> tuple[list[str], dict[str, str]]:
    """The names that are read, and the others with the reason."""
    files, ignored = [], {}
    for name, state in entries(folder):
        suffix = Path(name).suffix.lower()
        if name == MANIFEST:
            continue
        if name.startswith(("_", ".", "~")):
            problem = "a name that begins with _, . or ~ is not read; rename it if it is a delivery"
        elif suffix in SUFFIXES:
            files.append(name)
            continue
        elif stat.S_ISDIR(state.st_mode):
            problem = "a folder in a table's folder is not read; move its files one up"
        else:
            step = _STEPS.get(suffix, f"deliver {', '.join(SUFFIXES)}")
            problem = f"its ending {shown(suffix) or '(none)'} is not read; {step}"
        ignored[name] = problem + written(state)
    return files, ignored


def written(state: os.stat_result) -> str:
    """When it was written: the same name with something else in it is said again."""
    with contextlib.suppress(ValueError, OverflowError, OSError):  # a time that no calendar has
        return f" (written {datetime.fromtimestamp(state.st_mtime, TIMEZONE):%Y-%m-%d %H:%M:%S})"
    return ""


def day_of(file_name: str, announced: dict) -> date | None:
    """The business date of a file: as announced, else the last date in its name, else none (belongs to any night)."""
    if day := announced.get(file_name, {}).get("business_date"):
        return day
    if found := _DAY_IN_NAME.search(Path(file_name).stem):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            return None
    return None
