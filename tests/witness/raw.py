"""What the witnesses read: the raw log and the parameter seeds, and beside them the marts as published. No model is read."""

from __future__ import annotations

import collections
import functools
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
from psycopg import sql

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
MONTHS = 13  # published months, that of D the last
SLOTS = 96
HERE = {"company_code": "SGCC", "province_code": "31"}  # whose parameters hold


class Raw:
    """Newest row of every key of the raw tables (text stays text, numbers are floats, days are Timestamps), as of D."""

    def __init__(self, url: str, business_date: date, collection_start: date) -> None:
        self.url = url
        self.day = pd.Timestamp(business_date)
        self.collected_from = pd.Timestamp(collection_start)
        self.month = self.day.replace(day=1)
        self.months = list(pd.date_range(end=self.month, periods=MONTHS, freq="MS"))

    def report_day(self, month: pd.Timestamp) -> pd.Timestamp:
        """Last known day of a month."""
        return min(month + pd.offsets.MonthEnd(0), self.day)

    @functools.cache  # noqa: B019
    def __getitem__(self, table: str) -> pd.DataFrame:
        schema = {"met": "raw_metering", "mkt": "raw_marketing", "con": "raw_contract"}[table[:3]]
        frame = self._read(
            sql.SQL("select distinct on (_key) * from {} order by _key, _raw_id desc").format(
                sql.Identifier(schema, table)
            )
        )
        frame = frame[~frame._is_tombstone]
        return frame[[c for c in frame.columns if not c.startswith("_")]].reset_index(drop=True)

    @functools.cache  # noqa: B019
    def of(self, table: str, column: str) -> dict[str, list]:
        """Rows of a table as tuples with names, by the value of a column."""
        rows: dict[str, list] = collections.defaultdict(list)
        for row in self[table].itertuples(index=False):
            rows[getattr(row, column)].append(row)
        return rows

    @functools.cache  # noqa: B019
    def published(self, mart: str) -> pd.DataFrame:
        return self._read(sql.SQL("select * from candidate.{}").format(sql.Identifier(mart)))

    @functools.cache  # noqa: B019
    def fact(self, name: str) -> pd.DataFrame:
        return self._read(sql.SQL("select * from warehouse.{}").format(sql.Identifier(name)))

    def _read(self, query: sql.Composed) -> pd.DataFrame:
        with psycopg.connect(self.url, options="-c timezone=Asia/Shanghai") as connection:
            cursor = connection.execute(query)
            frame = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
            for column in cursor.description:
                info = connection.adapters.types[column.type_code]
                kind = None if column.type_code == info.array_oid else info.name
                if kind in ("numeric", "int2", "int4", "int8", "float8"):
                    frame[column.name] = pd.to_numeric(frame[column.name]).astype(float)
                elif kind == "date":
                    frame[column.name] = pd.to_datetime(frame[column.name])
                elif kind == "timestamptz":
                    frame[column.name] = pd.to_datetime(frame[column.name], utc=True).dt.tz_convert("Asia/Shanghai")
        return frame

    @functools.cache  # noqa: B019
    def curves(self, data_type: str) -> pd.DataFrame:
        """Values of a quantity by (mp_no, data_date, phase), one column a slot, in primary units where it has a ratio.

        Energies and powers are multiplied by the multiplier of the point, voltages stay as metered. NaN: not collected as valid.
        """
        rows = self["met_interval_96"]
        rows = rows[rows.data_type == data_type]
        rows = rows.loc[rows.groupby(["mp_no", "data_date", "phase"]).version.idxmax()]
        values = np.array([[np.nan if v is None else float(v) for v in row] for row in rows.v], dtype=float)
        flags = np.array([list(flag or "1" * SLOTS) for flag in rows.point_flag])
        if len(rows):
            values[flags == "0"] = np.nan
        frame = pd.DataFrame(values.reshape(len(rows), SLOTS), columns=range(1, SLOTS + 1))
        frame.index = pd.MultiIndex.from_frame(rows[["mp_no", "data_date", "phase"]])
        if data_type != "U":
            ratio = self["met_measuring_point"].set_index("mp_no").multiplier.reindex(rows.mp_no).to_numpy()
            frame = frame.mul(np.where(rows.is_primary, 1.0, ratio), axis=0)
        return frame.sort_index()


@functools.cache
def seed(name: str) -> pd.DataFrame:
    """A seed as text, days of validity as Timestamps (an open end far away); of another company or province nothing holds."""
    (path,) = SEEDS.glob(f"*/{name}.csv")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column, here in HERE.items():
        if column in frame:
            frame = frame[frame[column].isin(["", here])]
    for column, empty in (("valid_from", pd.Timestamp.min), ("valid_to", pd.Timestamp.max)):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[ns]").fillna(empty)
    return frame


@functools.cache
def in_force(name: str, day: pd.Timestamp) -> pd.DataFrame:
    frame = seed(name)
    return frame[(frame.valid_from <= day) & (day < frame.valid_to)]


@functools.cache
def rows_in_force(name: str, day: pd.Timestamp) -> list:
    """The same as tuples with names."""
    return list(in_force(name, day).itertuples(index=False))


@functools.cache
def parameter(name: str, code: str, day: pd.Timestamp) -> float | str:
    """The value of a parameter as of a day; text where it has one."""
    (row,) = [row for row in rows_in_force(name, day) if row.parameter_code == code]
    return row.text_value or float(row.number_value)


def rounded(value: float, places: int) -> float:
    """Half up, as a bill prints it; what a float cannot tell is taken away first."""
    return float(Decimal(str(round(float(value), places + 4))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def month_of(yyyymm: pd.Series) -> pd.Series:
    return pd.to_datetime(yyyymm.str.strip(), format="%Y%m")
