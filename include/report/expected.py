"""What should have been there on the night: expected, arrived and absent, by table, office and channel, and what is absent."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from include.report.text import safe_cell

COLUMNS = (  # of absent.csv
    "office",
    "rule_id",
    "what",
    "table_name",
    "record_key",
    "channel",
    "account_no",
    "org_no",
    "period_date",
    "since_date",
    "explained_by",
)
LISTED = 100  # absent things on the page
GROUPS = {"tables": ("what", "table_name"), "offices": ("org_no", "table_name"), "channels": ("what", "channel")}


def content(conn: psycopg.Connection, run: dict, folder: Path, rules: list[dict]) -> dict:
    """`{tables, offices, channels, absent, total, sha256}`; writes absent.csv, all that is absent, by the office that owns it.

    A line of a group has its columns and expected, arrived, absent and share, summed over the days and months of the run.
    """
    owners = {rule["id"]: rule["owner"] for rule in rules}
    groups = {name: shares(conn, run["run_id"], columns) for name, columns in GROUPS.items()}
    path, first, total = folder / "absent.csv", [], 0
    with (
        path.open("w", encoding="utf-8", newline="") as file,
        conn.cursor(name="absent", row_factory=dict_row) as cursor,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        query = (
            'select * from quality.expected_absent where run_id = %s order by rule_id collate "C",'
            ' org_no collate "C", record_key::text collate "C", channel collate "C" nulls first'
        )
        for row in cursor.execute(query, [run["run_id"]]):
            total += 1
            row["office"] = owners.get(row["rule_id"], "")
            row["record_key"] = json.dumps(row["record_key"], ensure_ascii=False)
            writer.writerow([safe_cell(row[name]) for name in COLUMNS])
            if len(first) < LISTED:
                first.append(row)
    return groups | {"absent": first, "total": total, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def shares(conn: psycopg.Connection, run_id: int, columns: tuple[str, ...]) -> list[dict]:
    """Sums of the run by these columns, those with the most absent first; lines without a value of each are left out."""
    names = ", ".join(columns)
    return (
        conn.cursor(row_factory=dict_row)
        .execute(
            f"""
            select
                {names}, sum(expected)::bigint as expected, sum(arrived)::bigint as arrived,
                sum(absent)::bigint as absent, sum(arrived) / sum(expected) as share
            from quality.expected_shares
            where run_id = %s and num_nulls({names}) = 0
            group by {names}
            order by sum(absent) desc, {", ".join(f'{name} collate "C"' for name in columns)}
            """,
            [run_id],
        )
        .fetchall()
    )
