"""Values of persons that deliveries hold, and where else they are found: in a database beside the vault, and in files."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import openpyxl
import psycopg
from psycopg import sql

# As the requirement names them: names, telephone numbers, addresses, representatives, bank accounts, comments.
IDENTIFYING = {
    "mkt_customer": ["legal_rep"],
    "mkt_contact": ["contact_name", "mobile", "phone", "email"],
    "mkt_account": ["bank_acct"],
    "mkt_outage_notice": ["confirmed_by"],
    "mkt_manager": ["manager_name"],
    "mkt_manager_visit": ["summary"],
    "mkt_survey": ["comment_text"],
    "con_contract": ["signer"],
}
PLACEHOLDERS = Path(__file__).parents[1] / "dbt_project" / "seeds" / "quality" / "quality_placeholders.csv"
LONG = 6  # signs; what is shorter occurs by chance in other texts
NUMBERS_ALONE = ("met_interval_96", "int_curves_latest", "int_curves_validated")


def planted_in(deliveries: Path, *, short: bool = False) -> list[str]:
    """Values of the columns above in folders of deliveries, CSV and forms; the long ones alone, if not asked otherwise.

    Placeholders are not among them: the project lists them itself.
    """
    listed = {row["value"].lower() for row in _rows(PLACEHOLDERS)}
    found = set()
    for path in sorted(deliveries.rglob("*")):
        columns = IDENTIFYING.get(path.parent.name)
        if columns and path.suffix in (".csv", ".xlsx"):
            for row in _rows(path):
                found |= {(row.get(column) or "").strip() for column in columns}
    found = {value for value in found if value.lower() not in listed and len(set(value)) > 1}
    return sorted(value for value in found if short or len(value) >= LONG)


def _rows(path: Path) -> Iterator[dict]:
    if path.suffix == ".csv":
        yield from csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        return
    names, *lines = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    yield from (dict(zip(names, (None if cell is None else str(cell) for cell in line), strict=True)) for line in lines)


def clear_text_outside(url: str, values: Iterable[str], *folders: Path) -> list[str]:
    """Where a value is found: every relation of the database but those of the vault, as COPY writes it, and every file of the folders."""
    found, wanted = [], [value.encode() for value in values]
    with psycopg.connect(url) as connection:
        relations = connection.execute(
            "select nspname, relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
            " where relkind in ('r', 'm') and nspname not in ('pg_catalog', 'information_schema', 'vault') and nspname !~ '^pg_'"
        ).fetchall()
        assert len(relations) > 50
        for schema, name in relations:
            if name in NUMBERS_ALONE:
                continue
            told = sql.Identifier(schema, name)
            with connection.cursor().copy(
                sql.SQL("copy (select told::text from {} as told) to stdout").format(told)
            ) as copy:
                # a row as text doubles its quotes and backslashes, and COPY the backslashes again
                content = b"".join(copy).replace(b"\\\\", b"\\").replace(b"\\\\", b"\\").replace(b'""', b'"')
            if any(value in content for value in wanted):
                found.append(f"{schema}.{name}")
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and any(value in content for content in file_contents(path) for value in wanted):
                found.append(str(path.relative_to(folder)))
    return found


def file_contents(path: Path) -> Iterator[bytes]:
    """A file as it is, and what is inside of a workbook or archive."""
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
