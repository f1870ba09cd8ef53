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
LONG = 6  # signs; what is shorter occurs by chance in other texts
BLOCK = 400


def planted_in(deliveries: Path, *, short: bool = False) -> list[str]:
    """Values of the columns above in folders of deliveries, CSV and forms; the long ones alone, if not asked otherwise."""
    found = set()
    for path in sorted(deliveries.rglob("*")):
        columns = IDENTIFYING.get(path.parent.name)
        if columns and path.suffix in (".csv", ".xlsx"):
            for row in _rows(path):
                found |= {(row.get(column) or "").strip() for column in columns}
    return sorted(value for value in found if value and (short or len(value) >= LONG))


def _rows(path: Path) -> Iterator[dict]:
    if path.suffix == ".csv":
        yield from csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        return
    names, *lines = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    yield from (dict(zip(names, (None if cell is None else str(cell) for cell in line), strict=True)) for line in lines)


def clear_text_outside(url: str, values: Iterable[str], *folders: Path) -> list[str]:
    """Where a value is found: relation or file, and how often; every relation of the database is read but those of the vault."""
    found = []
    wanted = [value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for value in values]
    with psycopg.connect(url) as connection:
        relations = connection.execute(
            "select nspname, relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
            " where relkind in ('r', 'p', 'm') and nspname not in ('pg_catalog', 'information_schema', 'vault')"
            " and nspname !~ '^pg_' and pg_class.oid not in (select inhrelid from pg_inherits)"
        ).fetchall()
        for schema, name in relations:
            if name in ("met_interval_96", "int_curves_latest", "int_curves_validated"):  # numbers alone
                continue
            query = sql.SQL("select count(*) from {} as told where told::text ~ %s").format(
                sql.Identifier(schema, name)
            )
            for start in range(0, len(wanted), BLOCK):
                pattern = "|".join(_escaped(value) for value in list(values)[start : start + BLOCK])
                (count,) = connection.execute(query, [pattern]).fetchone()
                if count:
                    found.append(f"{schema}.{name}: {count} rows")
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and any(value.encode() in content for content in _contents(path) for value in values):
                found.append(str(path.relative_to(folder)))
    return found


def _escaped(value: str) -> str:
    return "".join(f"\\{sign}" if not sign.isalnum() and sign.isascii() else sign for sign in value)


def _contents(path: Path) -> Iterator[bytes]:
    """A file as it is, and what is inside of a workbook or archive."""
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
