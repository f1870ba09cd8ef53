"""`./kaw trace MART KEY`: from a published row back to the source rows it was made of.

The lineage is dbt's manifest; which source rows belong to a row follows from the contracts: a table that carries one of the
row's numbers is asked for it, any other is reached over the references between the tables. Rows are those that counted for
the run that published the version: the newest of their key that it had landed, and the one in force where that was withheld.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from datetime import date, timedelta
from functools import cache

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import STAGED_NAMES, Reference, Table, all_tables
from include.errors import UsageError
from include.landing.databases import event_condition
from include.landing.delivery import event_column
from include.publish.marts import Mart, read_marts
from include.quality.base_rules import load_base_rules
from include.quality.evaluate import WITHHELD, record_key
from include.quality.rules import Rule, load_rules
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.transform.dbt import manifest_path
from include.transform.models import staging_relations

LISTED = 20  # source rows of a table, and candidates for a part of a key
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
        sources = _source_rows(connection, tables, row, mart, run, _window(row, mart, reach, run))
        return {
            "mart": mart.name,
            "row": {name: row[name] for name in mart.columns},
            "version": version,
            "run": run,
            "lineage": lineage,
            "sources": [{k: v for k, v in s.items() if k != "raw_ids"} for s in sources],
            "loads": _loads(connection, sources),
            "rules": _rules(connection, mart, lineage, run),
            "findings": _findings(connection, sources, row.get("account_no"), run),
        }


# -- the row


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
    (start,) = [k for k, n in nodes.items() if n["resource_type"] == "model" and n["name"] == mart.name]
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


# -- the source rows


def _source_rows(
    connection: psycopg.Connection, tables: list[Table], row: dict, mart: Mart, run: dict, window: tuple[date, date]
) -> list[dict]:
    conditions = _conditions(row, mart)
    return [_of_table(connection, table, conditions.get(table.name), run, window) for table in tables]


def _conditions(row: dict, mart: Mart) -> dict[str, tuple[str, str]]:
    """Table -> (SQL condition on its raw rows, how they belong to the row). A table that nothing leads to is not there.

    First the tables that carry the row's own numbers; then, from table to table, what refers to rows found so far, and what
    those refer to. The way with the fewest steps counts, inside a system before across systems.
    """
    names = _numbers()
    known = {name for own in names.values() for name in own}
    for name, kind in [(n.replace("_kind_code", "_no"), row[n]) for n in mart.grain if n.endswith("_kind_code")]:
        row = {f"{kind.lower()}_no": row.get(name), **row}  # an entity of kind ACCOUNT is numbered as an account
    grain = [n for n in row if n in known and row[n] and (n in mart.grain or n not in mart.columns)]
    anchors = dict.fromkeys([*grain, *(n for n in ("account_no",) if row.get(n))])
    if not anchors:
        anchors = dict.fromkeys(n for n in row if n in known and row.get(n))
    found: dict[str, tuple[str, str]] = {}
    for table, own in names.items():
        shared = [n for n in anchors if n in own]
        if shared:
            parts = [f"btrim({own[n]}) = {_literal(row[n])}" for n in shared]
            found[table] = (" and ".join(parts), f"{' and '.join(shared)} of the row")
    while True:
        more = {}
        for child, reference in sorted(_references(), key=lambda pair: pair[1].is_cross_system):
            parent = reference.target_table
            if parent in found and child not in found and child not in more:
                more[child] = _through(child, parent, reference.columns, reference.target_columns, found)
        for child, reference in sorted(_references(), key=lambda pair: pair[1].is_cross_system):
            parent = reference.target_table
            if child in found and parent not in found and parent not in more:
                more[parent] = _through(parent, child, reference.target_columns, reference.columns, found)
        if not more:
            return found
        found |= more


def _through(table: str, over: str, own: tuple, theirs: tuple, found: dict) -> tuple[str, str]:
    rows = f"select {', '.join(theirs)} from {all_tables()[over].raw_name} where {found[over][0]}"
    return f"({', '.join(own)}) in ({rows})", f"{' and '.join(own)} of {over}"


def _references() -> list[tuple[str, Reference]]:
    return [(table.name, reference) for table in all_tables().values() for reference in table.references]


@cache
def _numbers() -> dict[str, dict[str, str]]:
    """Table -> {number as it is called from staging on: source column}, for columns that identify or refer."""
    numbers = {}
    for name in staging_relations():
        table = all_tables()[name]
        naming = {*table.key, *(c for r in table.references for c in r.columns)}
        columns = [c.name for c in table.scalar_columns if c.name in naming and c.physical_type == "text"]
        named = {STAGED_NAMES.get(column, column): column for column in columns}
        numbers[name] = {staged: column for staged, column in named.items() if staged.endswith("_no")}
    return numbers


def _of_table(
    connection: psycopg.Connection,
    table: Table,
    belonging: tuple[str, str] | None,
    run: dict,
    window: tuple[date, date],
) -> dict:
    """The rows of a table behind the row: how many, the first of them with file and line, and the ids of all."""
    known = f"_load_id <= {run['last_load_id']} and _business_date <= '{run['business_date']}'"
    if belonging is None:
        total = connection.execute(
            f"select count(distinct _key) from {table.raw_name} where {known} and not _is_tombstone"
        ).fetchone()[0]
        return {"table": table.name, "total": total, "by": "read whole", "window": None, "rows": [], "raw_ids": []}
    condition, by = belonging
    in_window = _event_in(table, *window) if _is_dated(table) else "true"
    version = "quality.version_order(raw._business_date, raw._load_id)"
    personal = [c.name for c in table.scalar_columns if c.classification == "personal"]
    values = ", ".join(
        f"'{c.name}', {_literal(WITHHELD) if c.name in personal else c.name}"
        for c in table.scalar_columns
        if c.name not in table.key
    )
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"""
        with versions as (
            select raw.*, kept.state as kept_state, kept.rule_ids,
                {version} as _version, max({version}) over (partition by raw._key) as newest,
                max({version}) filter (where kept.state is null) over (partition by raw._key) as newest_admitted
            from {table.raw_name} as raw
            left join quality.quarantined_rows as kept
                on kept.table_name = '{table.name}' and raw._raw_id = kept.raw_id and kept.from_run <= {run["run_id"]}
                and coalesce(kept.released_run, {run["run_id"]} + 1) > {run["run_id"]}
            where raw._key in (select _key from {table.raw_name} where {condition}) and {known}
        )

        select _raw_id as raw_id, {record_key(table, "versions")} as key, _load_id as load_id, _file_line as line,
            coalesce(kept_state, 'admitted') as state, rule_ids, {_object(values)} as values
        from versions
        where not _is_tombstone and _version in (newest, newest_admitted) and ({condition}) and ({in_window})
        order by {record_key(table, "versions")}::text collate "C", _raw_id
        """
        )
        .fetchall()
    )
    windowed = None if in_window == "true" else f"{window[0]} to {window[1]}"
    return {
        "table": table.name,
        "total": len(rows),
        "by": by,
        "window": windowed,
        "rows": rows[:LISTED],
        "raw_ids": [r["raw_id"] for r in rows],
        "load_ids": sorted({r["load_id"] for r in rows}),
    }


def _object(pairs: str) -> str:
    """A wide row as jsonb: a function takes a hundred arguments at most."""
    parts = pairs.split(", ")
    chunks = [", ".join(parts[n : n + 80]) for n in range(0, len(parts), 80)]
    return " || ".join(f"jsonb_build_object({chunk})" for chunk in chunks) or "'{}'::jsonb"


def _is_dated(table: Table) -> bool:
    """An event, or a part of one; archives and the parts of a contract hold for longer than a month."""
    inside = [all_tables()[r.target_table] for r in table.references if not r.is_cross_system]
    dated = [t for t in (table, *inside) if not t.is_full_compared and event_column(t)]
    return not table.is_full_compared and bool(dated)


def _event_in(table: Table, first: date, last: date) -> str:
    """An event between two days; a reading at the midnight that ends the last one closes it and counts too."""
    condition = event_condition(table, first, last, in_raw=True)
    column = event_column(table)
    if column and table.column(column).physical_type == "timestamptz":
        return f"{condition} or {column} = '{last + timedelta(days=1)} 00:00+08'"
    return condition


def _literal(value: object) -> str:
    return sql.Literal(str(value)).as_string()


# -- what was checked


def _loads(connection: psycopg.Connection, sources: list[dict]) -> list[dict]:
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        select load_id, source_name, table_name, channel, business_date, file_name, content_sha256, delivered_rows, landed_at,
            (
                select min(entry_no) from quality.ledger where event = 'load' and detail ->> 'load_id' = load_id::text
            ) as ledger_entry
        from quality.receipts
        where load_id = any(%s)
        order by load_id
        """,
            [sorted({load_id for source in sources for load_id in source.get("load_ids", [])})],
        )
        .fetchall()
    )


@cache
def _rule_book() -> list[Rule]:
    return [*load_base_rules(), *load_rules()]


def _rules(connection: psycopg.Connection, mart: Mart, lineage: dict, run: dict) -> list[dict]:
    """The rules over the tables and models above the mart, and over the mart, with what that run found."""
    layers = lineage["layers"]
    raw, above = set(layers["raw"]), {*layers["staging"], *layers["intermediate"]}
    itself = ".".join(mart.relation)
    concerned = {
        rule.id: rule
        for rule in _rule_book()
        if itself in rule.reads
        or (rule.gate == 1 and (raw & {*rule.subjects, rule.table_name} or above & {*rule.reads}))
    }
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select rule_id, tested_rows, failed_rows, verdict, not_tested_reason from quality.rule_results"
            " where run_id = %s and rule_id = any(%s) order by rule_id",
            [run["run_id"], sorted(concerned)],
        )
        .fetchall()
    )
    for row in rows:
        rule = concerned[row["rule_id"]]
        row |= {"sentence": rule.sentence_on(run["business_date"]), "severity": rule.severity, "path": rule.path}
    return rows


def _findings(connection: psycopg.Connection, sources: list[dict], account_no: str | None, run: dict) -> list[dict]:
    """Findings on the traced rows or, in their tables, on the account, that were open or waived when that run had ended."""
    ids = [(source["table"], raw_id) for source in sources for raw_id in source["raw_ids"]]
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        with latest as (
            select distinct on (finding_id) *
            from quality.finding_events
            where run_id <= %(run)s and table_name = any(%(tables)s)
            order by finding_id, event_id desc
        )

        select rule_id, severity, table_name, record_key, column_name, observed, expected, source_reference, waiver_id,
            case event when 'waived' then 'waived' else 'open' end as state
        from latest
        where
            event <> 'fixed'
            and (
                account_no = %(account)s
                or (table_name, raw_id) in (select * from unnest(%(id_tables)s::text[], %(ids)s::bigint[]))
            )
        order by rule_id, table_name, record_key::text, column_name, finding_id
        """,
            {
                "run": run["run_id"],
                "account": account_no,
                "tables": [source["table"] for source in sources],
                "id_tables": [table for table, _ in ids],
                "ids": [raw_id for _, raw_id in ids],
            },
        )
        .fetchall()
    )
