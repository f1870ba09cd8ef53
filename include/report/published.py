"""What readers saw, version by version, and whether the ledger is intact: both as of the run's last entry in the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from include.publish import pointers_as_of, shown
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.report.text import Text
from include.transform.metrics import declared_metrics, shown_metrics

LAST_ENTRIES = 20
ACTOR = (
    "coalesce(entered_by || ' (' || actor || ')', actor) as actor"  # the person that the program named, and the login
)
SIGNED = 200  # decisions of named people on the page


def content(conn: psycopg.Connection, run: dict) -> dict:
    """Months by mart with version, rows and hash, and the overall hashes that `./kaw status --json` printed then."""
    pointers = {
        month: pointer for month, pointer in pointers_as_of(conn, run["ledger_entry"]).items() if pointer["version"]
    }
    by_month: dict[date, dict[str, dict]] = {}
    for row in conn.cursor(row_factory=dict_row).execute(
        "select versions.* from publish.versions as versions inner join unnest(%s::date[], %s::integer[]) as p (month, version)"
        " on versions.published_month = p.month and versions.version = p.version",
        [list(pointers), [pointer["version"] for pointer in pointers.values()]],
    ):
        by_month.setdefault(row["published_month"], {})[row["mart"]] = row
    months = [
        {"published_month": month, **pointer, "marts": by_month.get(month, {})} for month, pointer in pointers.items()
    ]
    return {**shown(conn, pointers), "months": months[::-1]}


def partial(published: dict) -> dict:
    """`{marts: [{name, rows, all_rows, months, measures: [{label, column, rows}]}], unknown}` of what lacks something.

    Of `unknown` versions it was not noted: they were published before it was.
    """
    found: dict[str, dict] = {}
    unknown = 0
    for month in published["months"]:
        for name, part in month["marts"].items():
            if part["partial"] is None:
                unknown += bool(part["rows"])
                continue
            if not part["partial"]["rows"]:
                continue
            mart = found.setdefault(name, {"name": name, "rows": 0, "months": [], "measures": Counter()})
            mart["rows"] += part["partial"]["rows"]
            mart["months"].append(month["published_month"])
            mart["measures"].update(part["partial"]["measures"])
    for name, mart in found.items():
        mart["all_rows"] = published["marts"][name]["rows"]
        mart["measures"] = [
            {"column": column, "label": _label(name, column), "rows": rows}
            for column, rows in sorted(mart["measures"].items(), key=lambda item: (-item[1], item[0]))
        ]
    return {"marts": sorted(found.values(), key=lambda mart: (-mart["rows"], mart["name"])), "unknown": unknown}


def _label(mart: str, column: str) -> Text:
    """The name of a measure as the metric file has it."""
    metric = declared_metrics().get(_metrics_by_column().get((mart, column), ""))
    return Text(metric.label_en, metric.label_zh) if metric else Text(column, column)


@cache
def _metrics_by_column() -> dict[tuple[str, str], str]:
    return {(shown.model.name, shown.column): shown.metric for shown in shown_metrics()}


def ledger_state(url: str | Warehouse, run: dict, head_file: Path | None = None) -> dict:
    """The entry that the report is as of, the last ones up to it, the decisions, what is wrong with the chain so far, the key that signs
    its heads, and how many places outside agree (None before there was a key)."""
    found = ledger.look_at(url, head_file, run["ledger_entry"])
    problems = found.problems + ([found.unsigned] if found.unsigned else [])
    public_key = found.keys.at(run["ledger_entry"])
    with connect(url) as conn:
        cursor = conn.cursor(row_factory=dict_row)
        entries = cursor.execute(
            f"select entry_no, at, {ACTOR}, event, digest from quality.ledger where entry_no <= %s order by entry_no desc limit %s",
            [run["ledger_entry"], LAST_ENTRIES],
        ).fetchall()
        signed = cursor.execute(
            f"select entry_no, at, {ACTOR}, event, detail, digest from quality.ledger"
            " where event in ('waiver', 'waiver_second', 'waiver_end', 'withdrawal_confirm', 'withdrawal_deny', 'roll_back', 'release', 'head_lost',"
            " 'key_rotation', 'key_lost', 'restore')"
            " and entry_no <= %s order by entry_no desc limit %s",
            [run["ledger_entry"], SIGNED],
        ).fetchall()
    digest = entries[0]["digest"] if entries else ledger.GENESIS
    return {
        "entry_no": run["ledger_entry"],
        "digest": digest,
        "problems": problems,
        "entries": entries,
        "signed": signed,
        "public_key": public_key,
        "anchored": len(found.anchored_to) if public_key else None,
    }
