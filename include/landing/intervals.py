"""A long interval file (one row a slot) becomes day curves, one row per day and quantity.

docs/reference/interval-files.md describes the layout in the manifest that says how a file is read; `manifests.py` checks it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta, timezone
from decimal import Decimal, InvalidOperation

import pyarrow as pa

from include.contracts import Table
from include.landing.delivery import LINE, FileProblem
from include.landing.manifests import SLOT_MINUTES

_LOCAL = timezone(timedelta(hours=8))  # of the contract's dates and slots
_DAY_MINUTES = 24 * 60


def resolution_of(layout: dict) -> int:
    """Minutes of the slots in which a file is kept: the fewest that its slots and the warehouse's both fill exactly.

    15 for slots of 5 and 15 minutes; 30 and 60 for their own; 30 for 10, since 15 minutes would cut one of 10 in two.
    """
    return math.lcm(layout.get("slot_minutes", SLOT_MINUTES), SLOT_MINUTES)


def day_curves(rows: pa.Table, layout: dict, table: Table) -> pa.Table:
    """Rows of `met_interval_96` as text (v1 .. v96 as text too), `_file_line` the first line of the day.

    Where a slot is kept coarser than 15 minutes (`resolution_of`), its value is in the 15 minutes with which it ends, and
    nothing in those before. What is made of several slots has a value where all of them have one.

    Raises FileProblem (a ValueError) where a column is missing, a row names no metering point, or a stamp cannot be read,
    falls off the grid, or comes twice.
    """
    import pandas

    stamp, minutes = layout["stamp"], layout.get("slot_minutes", SLOT_MINUTES)
    frame = rows.to_pandas()
    needed = [stamp["column"], *layout["quantities"], *filter(None, [layout.get("metering_point_column")])]
    if missing := [name for name in needed if name not in frame]:
        raise FileProblem(f"column {', '.join(missing)} of its manifest is missing")
    starts = _slot_starts(pandas, frame[stamp["column"]], stamp, minutes, frame[LINE])
    point = frame[layout["metering_point_column"]] if "metering_point_column" in layout else layout["metering_point_no"]
    if "metering_point_column" in layout and (unnamed := point.isna()).any():
        raise FileProblem(f"line {frame[LINE][unnamed].iloc[0]} names no metering point")
    long = pandas.DataFrame({"mp_no": point, "data_date": starts.dt.strftime("%Y-%m-%d"), LINE: frame[LINE]})
    long["slot"] = (starts.dt.hour * 60 + starts.dt.minute) // minutes + 1
    if (twice := long.duplicated(["mp_no", "data_date", "slot"])).any():
        raise FileProblem(f"line {long[LINE][twice].iloc[0]} repeats a slot of its day")

    days = []
    for name, quantity in layout["quantities"].items():
        scale = Decimal(str(quantity.get("scale", 1)))
        long["value"] = frame[name] if scale == 1 else frame[name].map(lambda text, by=scale: _scaled(text, by))
        wide = long.pivot(index=["mp_no", "data_date"], columns="slot", values="value")
        wide = wide.reindex(columns=range(1, _DAY_MINUTES // minutes + 1))
        wide = _in_slots(pandas, wide, minutes, resolution_of(layout), _COMBINED.get(quantity["data_type"]))
        wide.columns = table.curve_slots
        wide["point_flag"] = [
            "".join("1" if isinstance(v, str) else "0" for v in row) for row in wide.itertuples(index=False)
        ]
        wide["data_type"], wide["phase"] = quantity["data_type"], quantity.get("phase", "T")
        wide[LINE] = long.groupby(["mp_no", "data_date"])[LINE].min()
        days.append(wide.reset_index())
    curves = pandas.concat(days, ignore_index=True)
    received = pandas.to_datetime(curves["data_date"]) + pandas.Timedelta(days=1)
    curves["recv_ts"] = received.dt.strftime("%Y-%m-%d ") + layout.get("received_at", "08:00") + ":00+08:00"
    curves["version"], curves["collect_way"], curves["batch_id"] = "1", "AUTO", None
    curves["is_primary"] = "true" if layout.get("is_primary") else "false"
    columns = {LINE: pa.array(curves[LINE].tolist(), pa.int64())}
    for column in table.columns:
        columns[column.name] = pa.array([v if isinstance(v, str) else None for v in curves[column.name]], pa.string())
    return pa.table(columns)


def _in_slots(pandas, wide, minutes: int, resolution: int, combined: Callable | None):
    """Days of delivered slots as days of 96: each kept slot's value in the 15 minutes with which it ends."""
    parts, step = resolution // minutes, resolution // SLOT_MINUTES
    kept = {}
    for end in range(step, 96 + 1, step):
        last = end * SLOT_MINUTES // minutes
        of_slot = wide[list(range(last - parts + 1, last + 1))].itertuples(index=False)
        kept[end] = wide[last] if parts == 1 else [combined(row) for row in of_slot]
    return pandas.DataFrame(kept, index=wide.index, dtype=object).reindex(columns=range(1, 97))


def _over_all(total: Callable[[list[Decimal]], Decimal]) -> Callable[[tuple], str | None]:
    """None where a part is missing; the text that is no number where there is one, so that its row is rejected with it."""

    def combine(values: tuple) -> str | None:
        if not all(isinstance(value, str) for value in values):
            return None
        numbers = []
        for text in values:
            try:
                numbers.append(Decimal(text))
            except InvalidOperation:
                return text
        return format(total(numbers), "f")

    return combine


# What several slots come to together: energies add up, powers are averages over their slot, voltages and currents are
# instants at its end.
_COMBINED: dict[str, Callable[[tuple], str | None]] = {
    **dict.fromkeys(("E+", "E-", "RQ1", "RQ2", "RQ3", "RQ4"), _over_all(sum)),
    **dict.fromkeys(("P", "Q"), _over_all(lambda numbers: sum(numbers) / len(numbers))),
    **dict.fromkeys(("U", "I"), lambda values: values[-1]),
}


def _scaled(text: object, by: Decimal) -> object:
    """The value times its scale; what is no number stays as it is, so that its row is rejected with its own text."""
    try:
        return str(Decimal(text) * by) if isinstance(text, str) else None
    except InvalidOperation:
        return text


def _slot_starts(pandas, texts, stamp: dict, minutes: int, lines):
    """Start of each slot as a naive time of +08:00."""
    has_offset, form = "%z" in stamp["format"], stamp["format"]
    stamps = pandas.to_datetime(texts, format=form, errors="coerce", utc=has_offset)
    if (unread := stamps.isna()).any():
        at = unread.idxmax()
        raise FileProblem(f"line {lines[at]}: {texts[at]!r} does not read as {form}")
    if stamp.get("labels", "start") == "end":
        if stamp.get("midnight", "next_day") == "same_day":
            shown = stamps
            if has_offset:  # midnight as it is written, whatever instant it is
                bare = texts.str.replace(r"\s*(Z|[+-]\d\d:?\d\d)\s*$", "", regex=True)
                shown = pandas.to_datetime(bare, format=form.replace("%z", "").rstrip())
            midnight = (shown.dt.hour == 0) & (shown.dt.minute == 0)
            stamps = stamps.where(~midnight, stamps + pandas.Timedelta(days=1))
        stamps = stamps - pandas.Timedelta(minutes=minutes)
    if zone := stamp.get("zone"):
        stamps = _in_zone(stamps, zone, texts, lines)
    if has_offset or zone:
        stamps = stamps.dt.tz_convert(_LOCAL).dt.tz_localize(None)
    if (off := (stamps.dt.minute % minutes != 0) | (stamps.dt.second != 0)).any():
        raise FileProblem(f"line {lines[off.idxmax()]}: {texts[off.idxmax()]!r} is not on the {minutes}-minute grid")
    return stamps


def _in_zone(stamps, zone: str, texts, lines):
    """The naive stamps as times of their zone; an hour that the zone has twice or not at all says no instant."""
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone)
    if found:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        zone = timezone(-offset if found[1] == "-" else offset)
    placed = stamps.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    if (unplaced := placed.isna()).any():
        at = unplaced.idxmax()
        raise FileProblem(
            f"line {lines[at]}: {zone} has {texts[at]!r} twice or not at all, when its clocks change;"
            " write the offset in the stamps and %z in their format"
        )
    return placed
