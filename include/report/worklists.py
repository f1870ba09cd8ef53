"""`./kaw worklists DIR`: what each office has to fix, as a workbook and as CSV, and what it has to deliver that is absent.

One list per owner office of the rules, in order of the accounts' units, so that each unit finds its part together. A finding
may stand for many absent things (a table of which half came); `<office>_absent.csv` names each of them. The
workbook is for people: every value is a text cell that Excel shows and never executes, turns or shortens. The CSV is for
programs; opened in Excel, its formulas are harmless too. Personal values appear in neither.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from psycopg.rows import dict_row

from include.contracts import all_tables
from include.quality.evaluate import WITHHELD
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.report import workbook
from include.report.text import safe_cell
from include.settings import TIMEZONE

COLUMNS = {  # heading -> width in characters
    "rule": 10,
    "what should hold": 50,
    "severity": 11,
    "source": 11,
    "table": 22,
    "key": 40,
    "account": 14,
    "unit": 10,
    "unit name": 18,
    "column": 18,
    "observed": 30,
    "expected": 30,
    "suspected": 12,
    "error, kWh": 14,
    "error, yuan": 14,
    "error a year, yuan": 14,
    "exposure, yuan": 14,
    "and with it": 40,
    "first seen": 17,
    "age, days": 9,
    "where": 44,
    "what to do": 60,
    "finding": 10,
    "office": 18,
    "person": 18,
    "status": 11,
    "reason": 16,
    "comment": 50,
    "note": 8,
}
# what an office fills in, and how the note calls it: returned.py reads it back, by number of finding and of its newest note
ANSWERS = {"office": "office", "person": "person", "status": "status", "reason": "reason_code", "comment": "comment"}
_QUERY = """
    with customers as (
        select distinct on (cons_no) btrim(cons_no) as account_no, btrim(org_no) as unit
        from raw_marketing.mkt_customer
        where not _is_tombstone
        order by cons_no, quality.version_order(_business_date, _load_id) desc, _raw_id desc
    ),

    units as (
        select distinct on (org_no) btrim(org_no) as unit, org_name as unit_name
        from raw_marketing.mkt_org
        where not _is_tombstone
        order by org_no, quality.version_order(_business_date, _load_id) desc, _raw_id desc
    )

    select findings.*, coalesce(findings.office, 'no office') as owner, rule_book.sentence,
        findings.severity = 'quarantine' and findings.column_name = any(rule_book.withholds) as is_withheld_value,
        customers.unit, units.unit_name, said.office as has_it, said.person, coalesce(said.status, 'open') as status,
        said.reason_code, said.comment, said.note_id
    from quality.findings as findings
    left join quality.finding_work as said on findings.finding_id = said.finding_id
    left join quality.rule_book on findings.rule_id = rule_book.rule_id
    left join customers on findings.account_no = customers.account_no
    left join units on customers.unit = units.unit
    where
        findings.state = 'open'
        and (%(office)s::text is null or coalesce(findings.office, 'no office') = %(office)s)
    order by
        owner collate "C", customers.unit collate "C" nulls last, findings.rule_id collate "C", findings.table_name collate "C",
        findings.record_key::text collate "C", findings.column_name collate "C" nulls first, findings.finding_id
"""
_ABSENT = """
    select rule_book.owner, absent.*
    from quality.expected_absent as absent
    inner join quality.rule_book on absent.rule_id = rule_book.rule_id
    where absent.run_id = (select max(run_id) from quality.expected_shares)
    order by
        owner collate "C", absent.org_no collate "C", absent.what collate "C", absent.record_key::text collate "C",
        absent.channel collate "C" nulls first
"""
NOBODY = "no office"  # of a finding whose rule has none
_ABSENT_COLUMNS = ("what", "table_name", "record_key", "channel", "account_no", "org_no", "period_date", "since_date")
_TO_DO = {
    "block": "Deliver {table} again, complete and right: no night is published before.",
    "quarantine": "Correct {what} at the source. The row is kept out of the warehouse until it is delivered right.",
    "withhold": "Correct {what} at the source. The row counts without this value until it is delivered right.",
    "warn": "Look at {what} and correct it at the source where it is wrong. Meanwhile it counts as it is.",
}


@dataclass(frozen=True)
class Worklist:
    office: str
    rows: int
    files: tuple[Path, Path]


def write_worklists(
    url: str | Warehouse, folder: Path, sheet_rows: int = workbook.SHEET_ROWS, only: str | None = None
) -> list[Worklist]:
    """Writes `<office>.xlsx` and `<office>.csv` for every office of the rule book, also where nothing is open any more.

    `only` is the name of one office's files without ending: the lists of the others are not made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with connect(url) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        idle = {office for (office,) in connection.execute("select distinct owner from quality.rule_book").fetchall()}
        if only is not None:
            idle = {office for office in idle | {NOBODY} if _file_name(office) == only}
            if not idle:
                return []
        office = next(iter(idle)) if only is not None else None
        _write_absent(connection, folder, office)
        made = []
        with connection.cursor(name="worklists", row_factory=dict_row) as cursor:
            cursor.itersize = 5000
            for owner, rows in itertools.groupby(
                cursor.execute(_QUERY, {"office": office}), key=lambda row: row["owner"]
            ):
                made.append(_write(owner, (_line(row) for row in rows), folder, sheet_rows))
    made += [_write(owner, (), folder, sheet_rows) for owner in idle - {w.office for w in made}]
    return sorted(made, key=lambda worklist: worklist.office)


def _write_absent(connection, folder: Path, only: str | None) -> None:
    """`<office>_absent.csv` for every office that answers for something expected, or one: what is absent as of the last night."""
    owners = connection.execute("select distinct owner from quality.rule_book where rule_id like 'EXP-%'").fetchall()
    absent: dict[str, list[dict]] = {owner: [] for (owner,) in owners}
    for row in connection.cursor(row_factory=dict_row).execute(_ABSENT):
        absent[row["owner"]].append(row | {"record_key": json.dumps(row["record_key"], ensure_ascii=False)})
    for office, rows in absent.items():
        if only not in (None, office):
            continue
        path = folder / f"{_file_name(office)}_absent.csv"
        partial = path.with_suffix(".csv.partial")
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_ABSENT_COLUMNS)
            writer.writerows([safe_cell(row[name]) for name in _ABSENT_COLUMNS] for row in rows)
        partial.replace(path)


def _file_name(office: str) -> str:
    return re.sub(r"\W+", "_", office)


def _write(office: str, lines: Iterable[list], folder: Path, sheet_rows: int) -> Worklist:
    """Both files from one pass; a reader never sees half of one."""
    name, rows = _file_name(office), 0
    as_csv, as_xlsx = folder / f"{name}.csv", folder / f"{name}.xlsx"
    partial, book = as_csv.with_suffix(".csv.partial"), workbook.Writer(COLUMNS, sheet_rows=sheet_rows)
    with partial.open("w", encoding="utf-8-sig", newline="") as file:  # with the mark by which Excel knows Chinese text
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for line in lines:
            rows += 1
            writer.writerow(line)
            book.append(line)
    partial.replace(as_csv)
    book.save(as_xlsx)
    return Worklist(office, rows, (as_xlsx, as_csv))


def _line(row: dict) -> list:
    """A finding as the cells of `COLUMNS`: numbers, and texts that no spreadsheet executes."""
    personal = personal_columns(row["table_name"])
    key = {name: WITHHELD if name in personal else value for name, value in row["record_key"].items()}
    is_personal = row["column_name"] in personal
    what = (
        f"{row['column_name']} of {row['table_name']}" if row["column_name"] else f"this record of {row['table_name']}"
    )
    values = [
        row["rule_id"],
        row["sentence"],
        row["severity"],
        row["source_name"],
        row["table_name"],
        json.dumps(key, ensure_ascii=False),
        row["account_no"],
        row["unit"],
        row["unit_name"],
        row["column_name"],
        WITHHELD if is_personal and row["observed"] else row["observed"],
        row["expected"],
        row["suspect_side"],
        row["error_kwh"],
        row["error_cny"],
        row["error_cny_year"],
        row["exposure_cny"],
        row["dependants_text"],
        _minute(row["first_seen_at"]),
        row["age_days"],
        row["source_reference"],
        _TO_DO["withhold" if row["is_withheld_value"] else row["severity"]].format(table=row["table_name"], what=what),
        row["finding_id"],
        row["has_it"] or row["office"],
        row["person"],
        row["status"],
        row["reason_code"],
        row["comment"],
        row["note_id"],
    ]
    return [safe_cell(value) for value in values]


@cache
def personal_columns(table_name: str) -> frozenset[str]:
    """Personal columns of the table; of all tables where a rule has a grain of its own."""
    tables = [all_tables()[table_name]] if table_name in all_tables() else all_tables().values()
    return frozenset(c.name for table in tables for c in table.columns if c.classification == "personal")


def _minute(at: datetime) -> str:
    return at.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M")
