"""`./kaw trace MART KEY`: from a published row back to the source rows it was made of.

The lineage is dbt's manifest; which source rows belong to a row follows from the contracts: a table that carries one of the
row's numbers is asked for it, any other is reached over the references between the tables.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from datetime import date

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import all_tables
from include.errors import UsageError
from include.publish.marts import Mart, read_marts
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.report.trace_checks import findings, loads, rules
from include.report.trace_sources import LISTED, source_rows
from include.transform.dbt import manifest_path

LAYERS = ("seeds", "quality", "raw", "staging", "intermediate", "warehouse", "marts")


def trace(url: str | Warehouse, mart_name: str, key: str) -> dict:
    """Everything behind a published row; for a part of a key `{mart, grain, candidates, total}` instead.

    Raises UsageError where there is no such mart, column or row.
    """
    mart = _mart(mart_name)
    wanted = _key(mart, key)
    with connect(url) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        rows, total = _rows(connection, mart, wanted)
        if total != 1:
            candidates = [{name: row[name] for name in mart.grain} for row in rows]
            return {"mart": mart.name, "grain": list(mart.grain), "candidates": candidates, "total": total}
        row = rows[0]
        lineage, reach = _lineage(mart)
        version = _version(connection, mart, row)
        run = version.pop("run")
        tables = [all_tables()[name] for name in lineage["layers"]["raw"]]
        sources = source_rows(connection, tables, row, mart, run, _window(row, mart, reach, run))
        return {
            "mart": mart.name,
            "row": {name: row[name] for name in mart.columns},
            "version": version,
            "run": run,
            "lineage": lineage,
            "sources": [{k: v for k, v in s.items() if k != "raw_ids"} for s in sources],
            "loads": loads(connection, sources),
            "rules": rules(connection, mart, lineage, run),
            "findings": findings(connection, sources, row.get("account_no"), run),
        }


def _mart(name: str) -> Mart:
    marts = {mart.name: mart for mart in read_marts(manifest_path())}
    for known in (name.removeprefix("marts."), f"mart_{name}"):
        if known in marts:
            return marts[known]
    raise UsageError(f"There is no mart {name!r}.", where="trace", next_step=f"give one of: {', '.join(marts)}.")


def _key(mart: Mart, text: str) -> dict[str, str]:
    """The parts of the key, or other columns, as text; a date may be given as its month, YYYY-MM."""
    try:
        given = (
            json.loads(text)
            if text.lstrip().startswith("{")
            else dict(p.split("=", 1) for p in text.split(",") if p.strip())
        )
        wanted = {str(name).strip(): str(value).strip() for name, value in given.items()}
    except (ValueError, AttributeError):
        wanted = {}
    unknown = [name for name in wanted if name not in mart.columns]
    if unknown or not wanted:
        what = f"{mart.name} has no column {', '.join(unknown)}." if unknown else f"{text!r} is no key."
        form = ",".join(f"{name}=..." for name in mart.grain)
        raise UsageError(
            what, where=f"trace {mart.name}", next_step=f"write it like {form}; a part of it lists the rows it fits."
        )
    return wanted


def _rows(connection: psycopg.Connection, mart: Mart, wanted: dict[str, str]) -> tuple[list[dict], int]:
    conditions = [
        sql.SQL("({column}::text = %s or {column}::text like %s)").format(column=sql.Identifier(name))
        for name in wanted
    ]
    values = [
        v for text in wanted.values() for v in (text, f"{text}-__" if re.fullmatch(r"\d{4}-\d\d", text) else text)
    ]
    query = sql.SQL("select *, count(*) over () as _total from {} where {} order by {} limit %s").format(
        sql.Identifier("marts", mart.name),
        sql.SQL(" and ").join(conditions),
        sql.SQL(", ").join(map(sql.Identifier, mart.grain)),
    )
    try:
        rows = connection.cursor(row_factory=dict_row).execute(query, [*values, LISTED]).fetchall()
    except psycopg.errors.UndefinedTable:
        rows = []
    if not rows:
        raise UsageError(
            f"Nothing is published in {mart.name} for {', '.join(f'{n}={v}' for n, v in wanted.items())}.",
            where=f"marts.{mart.name}",
            next_step=f'look at its keys with ./kaw sql "select {", ".join(mart.grain)} from marts.{mart.name} limit 20".',
        )
    return rows, rows[0]["_total"]


def _version(connection: psycopg.Connection, mart: Mart, row: dict) -> dict:
    """Version, hash and publish of the month, its entry in the ledger, and the run whose knowledge it shows."""
    cursor = connection.cursor(row_factory=dict_row)
    version = cursor.execute(
        """
        select v.published_month, v.version, v.hash, v.rows, v.published_at, v.business_date, v.last_business_date,
            p.pinned_by, p.pinned_reason,
            (
                select min(entry_no) from quality.ledger
                where event = 'publish' and detail ->> 'run_id' = v.run_id::text
                    and detail -> 'versions' ? to_char(v.published_month, 'YYYY-MM')
            ) as ledger_entry,
            case when p.pinned_by is null then p.run_id else v.run_id end as run_id
        from publish.pointer as p
        inner join publish.versions as v on p.published_month = v.published_month and p.version = v.version
        where p.published_month = %s and v.mart = %s
        """,
        [row["published_month"], mart.name],
    ).fetchone()
    run = cursor.execute(
        "select run_id, business_date, state, code_version, last_load_id from quality.runs where run_id = %s",
        [version.pop("run_id")],
    ).fetchone()
    return version | {"run": run}


def _lineage(mart: Mart) -> tuple[dict, str]:
    """Relations above the mart by layer, its direct inputs and those of each of them; and the declared reach."""
    manifest = json.loads(manifest_path().read_text())
    nodes = {**manifest["nodes"], **manifest["sources"]}
    (start,) = [k for k, n in nodes.items() if n["resource_type"] == "model" and n["name"] == mart.relation[1]]
    found, todo = {}, [start]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = sorted(nodes[name].get("depends_on", {}).get("nodes", []))
            todo += found[name]
    layers: dict[str, list[str]] = {layer: [] for layer in LAYERS}
    for name in found:
        node = nodes[name]
        if node["resource_type"] == "source":
            layer = "raw" if node["schema"].startswith("raw_") else node["schema"]
        elif node["resource_type"] == "seed":
            layer = "seeds"
        else:
            layer = node["original_file_path"].split("/")[1]
        if layer in layers and node["name"] != "current_run":
            layers[layer].append(node["name"])
    short = {name: nodes[name]["name"] for name in found}
    inputs = {short[name]: [short[i] for i in needed] for name, needed in found.items() if needed}
    meta = nodes[start].get("config", {}).get("meta") or {}
    return {"layers": {k: sorted(v) for k, v in layers.items()}, "inputs": inputs}, meta.get("reach", "all-accounts")


def _window(row: dict, mart: Mart, reach: str, run: dict) -> tuple[date, date]:
    """First and last day of the events that count: the row's month, and the twelve before where the mart looks back."""
    month = row["published_month"]
    last = min(month.replace(day=monthrange(month.year, month.month)[1]), run["business_date"])
    looks_back = reach not in ("account-month", "month")
    return (month.replace(year=month.year - 1) if looks_back else month), max(last, month)
