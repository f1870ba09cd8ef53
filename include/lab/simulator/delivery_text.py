"""Tables as delivery text: CSV in the conventions of the contracts (UTF-8, empty for null, +08:00, decimal point)."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

# Event tables: the column that dates a row; a month counts until its last day.
EVENT_COLUMNS = {
    "met_interval_96": "data_date",
    "met_register_freeze": "freeze_ts",
    "met_voltage_daily": "data_date",
    "met_pq_sample": "sampled_at",
    "met_power_event": "event_ts",
    "met_event_alarm": "start_ts",
    "met_collect_task": "data_date",
    "met_supply_outage": "start_at",
    "met_supply_voltage": "data_month",
    "mkt_bill": "bill_month",
    "mkt_bill_line": "src_updated_at",
    "mkt_payment": "paid_at",
    "mkt_manager_visit": "visited_at",
    "mkt_survey": "answered_at",
    "con_amendment": "effective_on",
    "con_transformer_annex": "src_updated_at",
    "con_metering_annex": "src_updated_at",
    "con_trade_settle": "trade_month",
    "con_trade_curve": "trade_month",
}


def as_text(table: pa.Table) -> pa.Table:
    """The same columns with instants as local text with offset; other types keep their own text form."""
    columns = [_instants(column) if pa.types.is_timestamp(column.type) else column for column in table.columns]
    return pa.table(columns, names=table.column_names)


def csv_bytes(table: pa.Table, header: bool = True) -> bytes:
    """The table as CSV; texts are quoted, so an empty text differs from null."""
    buffer = io.BytesIO()
    pa.csv.write_csv(as_text(table), buffer, pa.csv.WriteOptions(include_header=header))
    return buffer.getvalue()


def event_days(name: str, table: pa.Table) -> np.ndarray:
    """The local day of each row's event, datetime64[D]."""
    column = table[EVENT_COLUMNS[name]]
    if pa.types.is_date(column.type):
        return column.to_numpy().astype("datetime64[D]")
    if pa.types.is_string(column.type):
        months = [f"{text[:4]}-{text[4:]}" for text in column.to_pylist()]
        return (np.array(months, dtype="datetime64[M]") + 1).astype("datetime64[D]") - 1
    return local_days(column)


def local_days(instants: pa.ChunkedArray, back_seconds: int = 0) -> np.ndarray:
    """The local day of each instant, moved back by some seconds first, datetime64[D]."""
    utc = instants.cast(pa.timestamp("us")).to_numpy()
    return (utc + np.timedelta64(8 * 3600 - back_seconds, "s")).astype("datetime64[D]")


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    seconds = pc.floor_temporal(column, unit="second")
    is_whole = pc.all(pc.equal(seconds, column)).as_py()
    shown = column.cast(pa.timestamp("s" if is_whole is not False else "ms", "Asia/Shanghai"), safe=False)
    return pc.binary_join_element_wise(pc.strftime(shown, format="%Y-%m-%d %H:%M:%S"), "+08:00", "")
