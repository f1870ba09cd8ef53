"""What the landing tests share: a folder that delivers, and the night that lands it."""

from __future__ import annotations

import atexit
import csv
import hashlib
import io
import json
from datetime import date
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from include import lineage
from include.contracts import all_tables
from include.landing.extract import extract
from include.landing.files import Found, with_lines
from include.landing.reading import Reader
from include.landing.reading_child import READERS
from include.records.database import connect
from include.records.receipts import Receipt
from include.records.warehouse import Warehouse
from include.settings import Settings, settings
from tests import databases

DAY = date(2026, 1, 15)
READER = Reader(Settings(home=Path("none")))  # one for all tests of a process
atexit.register(READER.close)


def read_file(suffix: str, content: bytes, *, is_known_whole: bool = False) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Rows with their lines, and malformed ones, as the child of a reader finds them; in this process."""
    found = Found()
    batches = list(READERS[suffix](io.BytesIO(content), is_known_whole, found))
    return with_lines(pa.Table.from_batches(batches), found)


def land_source(place: str | Warehouse, source: str, day: date) -> list[Receipt]:
    """Lands a source as its DAG does, from the address that the settings name."""
    given, warehouse = settings(), place if isinstance(place, Warehouse) else Warehouse(place)
    address, forms = given.source(source), given.source("forms")
    with lineage.landing(warehouse, source, address, forms, day):
        return extract(warehouse, source, address, day, forms=forms)


def csv_text(table_name: str, rows: list[dict], *, without: str = "", extra: str = "") -> str:
    """A CSV of the table's columns, empty where a row says nothing."""
    names = [c.name for c in all_tables()[table_name].columns if c.name != without] + ([extra] if extra else [])
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


class Utility:
    """A metering source (or another, in `source`) made of files, and a warehouse that lands it."""

    def __init__(self, url: str, folder: Path, source: str = "metering") -> None:
        self.url, self.folder, self.source = url, folder, source

    def write(self, table_name: str, file_name: str, content: str | bytes | list[dict]) -> Path:
        path = self.folder / table_name / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = csv_text(table_name, content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def announce(self, table_name: str, *entries: dict, **more: object) -> None:
        """A manifest; an entry without a sha256 gets that of its file, one with None stays without."""
        for entry in entries:
            path = self.folder / table_name / entry["name"]
            if path.exists():
                entry.setdefault("sha256", hashlib.sha256(path.read_bytes()).hexdigest())
        self.write(table_name, "_manifest.json", json.dumps({"files": entries, **more}))

    def land(self, day: date = DAY) -> list[Receipt]:
        receipts = land_source(self.url, self.source, day)
        self.assert_conserved()
        return receipts

    def query(self, query: str, *values: object) -> list[tuple]:
        with connect(self.url) as connection:
            return connection.execute(query, values).fetchall()

    def in_force(self, table_name: str, *columns: str) -> list[tuple]:
        """The newest version of each key that is not withdrawn, as staging reads it."""
        return self.query(
            f"select {', '.join(columns)} from (select *, rank() over (partition by _key order by _business_date desc,"
            f" _load_id desc) as place from {all_tables()[table_name].raw_name}) as raw"
            " where place = 1 and not _is_tombstone order by 1, 2"
        )

    def assert_conserved(self) -> None:
        """Delivered = inserted + duplicate + rejected, and raw and rejected_rows hold what the receipts say."""
        for load_id, name, *counts in self.query(
            "select load_id, table_name, delivered_rows, inserted_rows, duplicate_rows, rejected_rows, tombstone_rows"
            " from quality.receipts where state = 'landed'"
        ):
            delivered, inserted, duplicate, rejected, tombstones = counts
            assert delivered == inserted + duplicate + rejected
            raw = all_tables()[name].raw_name
            stored = self.query(f"select count(*) from {raw} where _load_id = %s", load_id)[0][0]
            kept = self.query("select count(*) from quality.rejected_rows where load_id = %s", load_id)[0][0]
            assert (stored, kept) == (inserted + tombstones, rejected)


def new_utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    """All sources as empty folders of this test, and its own warehouse and home."""
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    databases.use(monkeypatch, database)
    for source in ("metering", "marketing", "contract", "forms"):
        (tmp_path / source).mkdir()
        monkeypatch.setenv(f"KAW_SOURCE_{source.upper()}", str(tmp_path / source))
    return Utility(database, tmp_path / "metering")


def source_tables(url: str, *names: str) -> None:
    """Empty tables of a source system, of the contract's types."""
    with psycopg.connect(url) as connection:
        for name in names:
            columns = ", ".join(f"{c.name} {c.physical_type}" for c in all_tables()[name].columns)
            connection.execute(f"create table {name} ({columns})")
