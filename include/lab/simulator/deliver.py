"""A simulation written as deliveries: a folder per table with dated files and a manifest, and forms of two units."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from include.contracts import Table, load_contracts
from include.lab.simulator.delivery_text import as_text, csv_bytes, event_days, local_days
from include.lab.simulator.simulation import Simulation

# Tables that hold every day of the window and nothing complete before it.
_WINDOWED = {"met_interval_96", "met_register_freeze", "met_voltage_daily", "met_pq_sample", "met_collect_task"}
_PARQUET = {"met_interval_96"}


def write_deliveries(
    simulation: Simulation,
    directory: Path | str,
    sources=("metering", "marketing", "contract"),
    full: bool = False,
    by_form: bool = False,
) -> list[Path]:
    """Write `directory/<source>/<table>/<table>_<YYYYMMDD>.{csv,parquet}` with a manifest beside each; return the files.

    The first file of an event table holds the whole window. A later one holds what is new since the latest earlier
    file, unless `full`. The other tables are always whole. `by_form` puts what units deliver by form into `directory/forms`
    instead. Writing the same day again rewrites the same bytes.
    """
    written = []
    for source in sources:
        for name, contract in load_contracts()[source].items():
            folder = Path(directory) / source / name
            folder.mkdir(parents=True, exist_ok=True)
            table = without_forms(simulation, source, name) if by_form else simulation.tables[source, name]
            written.append(_write_table(simulation, contract, table, folder, full))
    return written + (write_forms(simulation, Path(directory) / "forms") if by_form else [])


def _write_table(simulation: Simulation, contract: Table, table: pa.Table, folder: Path, full: bool) -> Path:
    stamp = f"{simulation.business_date:%Y%m%d}"
    entries = [entry for entry in _manifest(folder) if entry["business_date"] != simulation.business_date.isoformat()]
    earlier = [
        entry["business_date"] for entry in entries if entry["business_date"] < simulation.business_date.isoformat()
    ]
    span = {}
    if not contract.is_full_compared:
        since = date.fromisoformat(max(earlier)) if earlier and not full else None
        table, first = _new_rows(simulation, contract, table, since)
        span = {"complete_from": first.isoformat(), "complete_to": simulation.business_date.isoformat()}
    suffix = "parquet" if contract.name in _PARQUET else "csv"
    path = folder / f"{contract.name}_{stamp}.{suffix}"
    content = _parquet_bytes(table) if suffix == "parquet" else csv_bytes(table)
    path.write_bytes(content)
    entries.append(
        {
            "name": path.name,
            "rows": table.num_rows,
            "sha256": hashlib.sha256(content).hexdigest(),
            "business_date": simulation.business_date.isoformat(),
            **span,
            "sums": {c.name: _sum_text(table[c.name]) for c in contract.columns if c.is_amount},
        }
    )
    entries.sort(key=lambda entry: entry["name"])
    text = json.dumps({"synthetic": True, "files": entries}, ensure_ascii=False, indent=1)
    (folder / "_manifest.json").write_text(text + "\n", encoding="utf-8")
    return path


def _manifest(folder: Path) -> list[dict]:
    path = folder / "_manifest.json"
    return json.loads(path.read_text(encoding="utf-8"))["files"] if path.exists() else []


def _new_rows(simulation: Simulation, contract: Table, table: pa.Table, since: date | None) -> tuple[pa.Table, date]:
    """The rows to deliver and the first day for which they are complete."""
    days = event_days(contract.name, table)
    if since is not None:
        seen = local_days(table[contract.cursor_column], 8 * 3600)
        last = np.datetime64(since)
        return table.filter(pa.array((days > last) | (seen > last))), since + timedelta(days=1)
    first = simulation.business_date - timedelta(days=simulation.days - 1)
    if contract.name not in _WINDOWED and len(days):
        first = min(first, days.min().item())
    return table, first


def _sum_text(column: pa.ChunkedArray) -> str:
    total = pc.sum(
        column.cast(pa.decimal128(38, column.type.scale)) if pa.types.is_decimal(column.type) else column
    ).as_py()
    return str(0 if total is None else total)


def _parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    dictionary = [f.name for f in table.schema if pa.types.is_string(f.type)]
    pa.parquet.write_table(table, buffer, compression="zstd", use_dictionary=dictionary, write_statistics=False)
    return buffer.getvalue()


def without_forms(simulation: Simulation, source: str, name: str) -> pa.Table:
    """The rows of a table that no unit delivers by form."""
    table = simulation.tables[source, name]
    if (source, name) not in simulation.form_tables:
        return table
    accounts = [cons for members in simulation.form_units.values() for cons in members]
    return table.filter(pc.invert(pc.is_in(table["cons_no"], pa.array(accounts, pa.string()))))


def form_rows(simulation: Simulation, name: str, accounts: list[str]) -> pa.Table:
    """The rows of a form table that belong to some accounts."""
    table = simulation.tables["marketing", name]
    return table.filter(pc.is_in(table["cons_no"], pa.array(accounts, pa.string())))


def write_forms(simulation: Simulation, directory: Path | str) -> list[Path]:
    """Write the forms of the two units: `directory/<table>/<unit>_<YYYYMMDD>.csv` and, for the other unit, `.xlsx`.

    A unit that writes its forms on Fridays delivers that of the last one again, the same bytes, until the next.
    """
    written = []
    for _, name in simulation.form_tables:
        folder = Path(directory) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_manifest.json").write_text('{"synthetic": true}\n', encoding="utf-8")
        for number, (unit, accounts) in enumerate(sorted(simulation.form_units.items())):
            rows = form_rows(simulation, name, accounts)
            path = folder / f"{unit}_{simulation.form_days[unit]:%Y%m%d}.{('csv', 'xlsx')[number % 2]}"
            path.write_bytes(csv_bytes(rows) if path.suffix == ".csv" else _workbook_bytes(rows))
            written.append(path)
    return written


def _workbook_bytes(table: pa.Table) -> bytes:
    """One sheet, every cell a text; the archive carries no time of writing, so equal rows give equal bytes."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(table.column_names)
    text = [column.cast(pa.string()).to_pylist() for column in as_text(table).columns]
    for row in zip(*text, strict=True):
        sheet.append(row)
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.number_format = "@"
    raw, fixed = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = (
                re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2020-01-01T00:00:00Z", source.read(entry))
                if entry.filename == "docProps/core.xml"
                else source.read(entry)
            )
            target.writestr(zipfile.ZipInfo(entry.filename, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
