"""A long interval file (one row a slot) becomes day curves, one row per day and quantity.

The table's manifest declares the file in its key `intervals`:

    {"metering_point_no": "MP-1", "is_primary": true,
     "stamp": {"column": "date", "format": "%d-%m-%Y %H:%M", "labels": "end", "midnight": "same_day"},
     "quantities": {"Usage_kWh": {"data_type": "E+"}, "PF": {"data_type": "PF", "scale": 0.01}}}

`labels` is `start` or `end` of the slot; `midnight` says on which day 24:00 stands when it is written 00:00:
`same_day` (the day that ends) or `next_day`. Optional: `phase` per quantity (default T), `received_at` (hh:mm of the next
day, default 08:00), `metering_point_column` instead of one number.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pyarrow as pa

from include.contracts import Table
from include.landing.delivery import LINE, FileProblem

SLOT_MINUTES = 15


def day_curves(rows: pa.Table, layout: dict, table: Table) -> pa.Table:
    """Rows of `met_interval_96` as text (v1 .. v96 as text too), `_file_line` the first line of the day.

    Raises FileProblem (a ValueError) where a column is missing, a row names no metering point, or a stamp cannot be read,
    falls off the 15-minute grid, or comes twice.
    """
    import pandas

    stamp = layout["stamp"]
    frame = rows.to_pandas()
    needed = [stamp["column"], *layout["quantities"], *filter(None, [layout.get("metering_point_column")])]
    if missing := [name for name in needed if name not in frame]:
        raise FileProblem(f"column {', '.join(missing)} of its manifest is missing")
    starts = _slot_starts(pandas, frame[stamp["column"]], stamp, frame[LINE])
    point = frame[layout["metering_point_column"]] if "metering_point_column" in layout else layout["metering_point_no"]
    if "metering_point_column" in layout and (unnamed := point.isna()).any():
        raise FileProblem(f"line {frame[LINE][unnamed].iloc[0]} names no metering point")
    long = pandas.DataFrame({"mp_no": point, "data_date": starts.dt.strftime("%Y-%m-%d"), LINE: frame[LINE]})
    long["slot"] = (starts.dt.hour * 60 + starts.dt.minute) // SLOT_MINUTES + 1
    if (twice := long.duplicated(["mp_no", "data_date", "slot"])).any():
        raise FileProblem(f"line {long[LINE][twice].iloc[0]} repeats a slot of its day")

    days = []
    for name, quantity in layout["quantities"].items():
        scale = Decimal(str(quantity.get("scale", 1)))
        long["value"] = frame[name] if scale == 1 else frame[name].map(lambda text, by=scale: _scaled(text, by))
        wide = long.pivot(index=["mp_no", "data_date"], columns="slot", values="value")
        wide = wide.reindex(columns=range(1, 97))
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


def _scaled(text: object, by: Decimal) -> object:
    """The value times its scale; what is no number stays as it is, so that its row is rejected with its own text."""
    try:
        return str(Decimal(text) * by) if isinstance(text, str) else None
    except InvalidOperation:
        return text


def _slot_starts(pandas, texts, stamp: dict, lines):
    """Start of each slot as a naive local time."""
    stamps = pandas.to_datetime(texts, format=stamp["format"], errors="coerce")
    if stamps.isna().any():
        at = stamps.isna().idxmax()
        raise FileProblem(f"line {lines[at]}: {texts[at]!r} does not read as {stamp['format']}")
    if stamp.get("labels", "start") == "end":
        if stamp.get("midnight", "next_day") == "same_day":
            midnight = (stamps.dt.hour == 0) & (stamps.dt.minute == 0)
            stamps = stamps.where(~midnight, stamps + pandas.Timedelta(days=1))
        stamps = stamps - pandas.Timedelta(minutes=SLOT_MINUTES)
    if (off := (stamps.dt.minute % SLOT_MINUTES != 0) | (stamps.dt.second != 0)).any():
        raise FileProblem(f"line {lines[off.idxmax()]}: {texts[off.idxmax()]!r} is not on the 15-minute grid")
    return stamps
