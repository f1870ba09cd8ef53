"""Deliveries from a folder: `<address>/<table>/*.csv|*.parquet|*.xlsx`, with an optional `_manifest.json` per table.

An entry of the manifest says of a file: name, sha256, rows, sums, business_date, complete_from and complete_to, and
withdrawn_rows, the number of rows that the source took out on purpose since its last file; all but the name may be absent.
Its key intervals says how the slots of long interval files are read.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from include.contracts import Table
from include.landing.delivery import LINE, AlreadyLanded, Delivery, FileProblem, Refusal, header_problem
from include.landing.files import READERS
from include.landing.intervals import day_curves, resolution_of
from include.landing.manifests import MANIFEST, layout_of, read_manifest

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
    address: Path, table: Table, business_date: date, landed: Landed, channel: str = "auto"
) -> Iterator[Delivery | Refusal | AlreadyLanded]:
    """Every file of a table that belongs to the business date or earlier, in order of date and name.

    A file dated later waits for its night. A file of an earlier night that lies there unchanged says nothing. Content
    that landed before under another name is named, not landed, where its file has the same date or none. A file of another
    date is a delivery of its own, also where its bytes are those of an earlier one, or a file of a later date has landed.
    """
    folder = address / table.name
    try:
        manifest = read_manifest(folder, table)
    except FileProblem as problem:
        yield Refusal(table, str(problem), file_name=f"{table.name}/{MANIFEST}", channel=channel)
        return
    announced = {entry["name"]: entry for entry in manifest.get("files", [])}
    days = {path: _day_of(path.name, announced) for path in _files(folder)}
    for name in sorted(set(announced) - {path.name for path in days}):
        entry = announced[name]
        is_due = (entry.get("business_date") or date.min) <= business_date
        if is_due and entry.get("sha256") not in landed.by_name.values():
            yield Refusal(
                table, "the manifest announces a file that is not there", f"{table.name}/{name}", channel=channel
            )
    files_of_a_day = Counter(days.values())
    for path, day in sorted(days.items(), key=lambda item: (item[1] or date.min, item[0].name)):
        if day and day > business_date:
            continue
        shown = f"{table.name}/{path.name}"
        try:
            content = path.read_bytes()
        except OSError as error:
            yield Refusal(table, f"it cannot be read ({error.strerror})", shown, channel=channel)
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        entry = announced.get(path.name, {})
        complete = entry.get("complete_from"), entry.get("complete_to")
        if not all(complete):
            is_whole = table.is_full_compared and channel == "auto" and files_of_a_day[day] == 1
            complete = "all" if is_whole else None
        if landed.by_name.get(shown) == sha256:
            if day in (None, business_date):
                yield AlreadyLanded(table, shown, sha256, channel, complete, day)
            continue
        if shown not in landed.by_name and landed.holds(sha256, day) and not landed.has_pending:
            yield AlreadyLanded(table, shown, sha256, channel, complete, day)
            continue
        try:
            delivery = _read(path, content, table, entry, layout_of(manifest, path.name), sha256)
            delivery.channel, delivery.file_name = channel, shown
            delivery.complete, delivery.business_date = complete, day
            delivery.announced_withdrawals = entry.get("withdrawn_rows")
            delivery.is_synthetic = manifest.get("synthetic", False)
            yield delivery
        except FileProblem as problem:
            yield Refusal(table, str(problem), shown, sha256, channel, entry.get("rows"))


def _read(path: Path, content: bytes, table: Table, entry: dict, layout: dict | None, sha256: str) -> Delivery:
    if entry.get("sha256") not in (None, sha256):
        raise FileProblem("its sha256 is not the announced one: the file is half-written or was changed on the way")
    if not content:
        raise FileProblem("the file is empty")
    rows, malformed = READERS[path.suffix.lower()](content, "sha256" in entry)
    announced_rows, sums = entry.get("rows"), entry.get("sums")
    if layout:
        if announced_rows not in (None, rows.num_rows + len(malformed)):
            raise FileProblem(f"{announced_rows} rows were announced, {rows.num_rows + len(malformed)} came")
        announced_rows = sums = None  # they were told of slots, not of curves
        rows = day_curves(rows, layout, table)
    delivered = [name for name in rows.column_names if name != LINE]
    if problem := header_problem(table, delivered):
        raise FileProblem(problem)
    known = {c.name for c in table.columns}
    return Delivery(
        table=table,
        rows=rows.select([LINE] + [c.name for c in table.columns]),
        content_sha256=sha256,
        announced_rows=announced_rows,
        announced_sums=sums,
        unknown_columns=[name for name in delivered if name not in known],
        malformed=malformed,
        slot_minutes=resolution_of(layout) if layout else None,
    )


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [p for p in folder.iterdir() if p.suffix.lower() in READERS and not p.name.startswith(("_", ".", "~"))]


def _day_of(file_name: str, announced: dict) -> date | None:
    """The business date of a file: as announced, else the last date in its name, else none (belongs to any night)."""
    if day := announced.get(file_name, {}).get("business_date"):
        return day
    if found := _DAY_IN_NAME.search(Path(file_name).stem):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            return None
    return None
