"""From a published figure back to its files: what each mart is made of, the command that follows a row, the files' digests."""

from __future__ import annotations

import csv
import hashlib
import json
import shlex
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from include.report.text import safe_cell
from include.transform.dbt import manifest_path

RECEIPTS = (
    "load_id",
    "source_name",
    "table_name",
    "channel",
    "business_date",
    "state",
    "file_name",
    "content_sha256",
    "delivered_rows",
    "inserted_rows",
    "duplicate_rows",
    "rejected_rows",
    "tombstone_rows",
    "ledger_entry",
)
LISTED = 400  # receipts on the page


def marts(published: dict) -> list[dict]:
    """Per published mart: its raw tables and the command that traces a row of it. Empty before dbt has run in this home."""
    if not published["marts"] or not manifest_path().exists():
        return []
    manifest = json.loads(manifest_path().read_text())
    return [
        {"name": name, "raw_tables": _raw_tables(manifest, name), "command": _trace_command(published, name)}
        for name in published["marts"]
    ]


def _published_name(node: dict) -> str:
    return ((node.get("config") or {}).get("meta") or {}).get("published_as") or node["name"]


def _raw_tables(manifest: dict, name: str) -> list[str]:
    nodes = manifest["nodes"] | manifest.get("sources", {})
    todo = [key for key, node in nodes.items() if node["resource_type"] == "model" and _published_name(node) == name]
    seen: set[str] = set()
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            todo += nodes[key].get("depends_on", {}).get("nodes", [])
    return sorted(
        n["name"] for n in map(nodes.get, seen) if n["resource_type"] == "source" and n["schema"].startswith("raw_")
    )


def _trace_command(published: dict, name: str) -> str | None:
    """`./kaw trace` of the row that was noted with the newest month's version; None where none was."""
    keys = [month["marts"][name]["example_key"] for month in published["months"] if name in month["marts"]]
    key = next((key for key in keys if key), None)
    return f"./kaw trace {name} {shlex.quote(key)}" if key else None


def receipts(conn: psycopg.Connection, run: dict, folder: Path) -> dict:
    """Write receipts.csv, every load that the run could read; the newest and the digest of the list go on the page."""
    path, first, total = folder / "receipts.csv", [], 0
    with (
        path.open("w", encoding="utf-8", newline="") as file,
        conn.cursor(name="receipts", row_factory=dict_row) as cursor,
    ):
        writer = csv.writer(file)
        writer.writerow(RECEIPTS)
        query = """
            with entries as (
                select detail ->> 'load_id' as load_id, min(entry_no) as ledger_entry
                from quality.ledger
                where event = 'load' and entry_no <= %s
                group by 1
            )

            select receipts.*, entries.ledger_entry
            from quality.receipts as receipts
            left join entries on receipts.load_id::text = entries.load_id
            where receipts.load_id <= %s
            order by receipts.load_id desc
        """
        for row in cursor.execute(query, [run["ledger_entry"], run["last_load_id"]]):
            total += 1
            writer.writerow([safe_cell(row[name]) for name in RECEIPTS])
            if len(first) < LISTED:
                first.append(row)
    return {"rows": first, "total": total, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def evidence(folder: Path, run: dict) -> list[dict]:
    """The results as Great Expectations wrote them, gate by gate, with their digests."""
    return [
        {"name": path.name, "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.glob(f"great_expectations_run_{run['run_id']}_*_rules.json"))
    ]
