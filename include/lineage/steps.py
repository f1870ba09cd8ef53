"""What each step of a night tells. OpenLineage's package is imported only where somebody is to be told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import wraps

from include.progress import Trouble, say
from include.records.warehouse import Warehouse
from include.settings import settings
from include.transform.builds import MADE_HERE
from include.transform.dbt import Built, manifest_path, target_folder
from include.transform.models import staging_relation
from include.transform.quicker import UNCHANGED


def _if_told(tell: Callable[..., None]) -> Callable[..., None]:
    """Nothing where nobody is to be told; whatever fails is said and stops nothing."""

    @wraps(tell)
    def telling(*arguments, **options) -> None:
        try:
            if settings().tells_lineage:
                tell(*arguments, **options)
        except Exception as error:  # no text of it: it may hold an address
            say(Trouble(f"lineage: {tell.__name__} could not be told ({type(error).__name__})."))

    return telling


@_if_told
def night(warehouse: Warehouse, run: dict, *, ended: bool | None = None) -> None:
    """A night begins; or it has ended well or badly."""
    from include.lineage.events import Work
    from include.lineage.sending import send

    now = _now()
    work = Work(_parent(warehouse, run), "", "NIGHT", now, None if ended is None else now, bool(ended))
    send(work.events())


@contextmanager
def landing(warehouse: Warehouse, source: str, address: str | None, forms: str | None, day: date) -> Iterator[None]:
    """Around the landing of a source: each load reads a table as it was delivered and writes its raw table."""
    before, began = _last_load(warehouse), _now()
    try:
        yield
    finally:
        _landed(warehouse, source, {"auto": address, "form": forms}, day, before, began)


@_if_told
def _landed(warehouse: Warehouse, source: str, addresses: dict, day: date, before: int | None, began: datetime) -> None:
    from include.lineage.events import Parent, Work, read_source, wrote
    from include.lineage.sending import send

    with warehouse.reader().connect() as connection:
        loads = connection.execute(
            "select table_name, channel, state, delivered_rows, inserted_rows, landed_at from quality.receipts"
            " where source_name = %s and load_id > %s and state <> 'ignored' order by load_id",
            (source, before or 0),
        ).fetchall()
        (fence,) = connection.execute(
            "select scope || ':' || fence from quality.fences where scope = %s", (f"extract_{source}_{day}",)
        ).fetchone() or (f"extract_{source}_{day}:0",)
    parent = Parent(warehouse.address, fence, day)
    events = Work(parent, "", "LANDING", began).events()
    for table, channel, state, delivered, inserted, landed_at in loads:
        work = Work(
            parent,
            table,
            "LOAD",
            began,
            landed_at,
            state != "refused",
            "The delivery was refused; its receipt says why.",
            inputs=[read_source(addresses[channel] or "", table, delivered)],
            outputs=[wrote(warehouse.address, f"raw_{source}.{table}", rows=inserted)],
        )
        events += work.events()
        began = landed_at
    events += Work(parent, "", "LANDING", began, _now()).events()
    send(events)


@contextmanager
def models(warehouse: Warehouse, run: dict, progress: Callable[[Built], None]) -> Iterator[Callable[[Built], None]]:
    """Around dbt: hears each model and passes it on; in the end each that dbt built tells what it read and wrote."""
    heard: list[Built] = []

    def hear(built: Built) -> None:
        heard.append(built)
        progress(built)

    try:
        yield hear
    finally:
        _built(warehouse, run, heard)


@_if_told
def _built(warehouse: Warehouse, run: dict, heard: list[Built]) -> None:
    from include.lineage.events import Work, read, wrote
    from include.lineage.sending import send

    nodes, parent, address = _nodes(), _parent(warehouse, run), warehouse.address
    columns, events = _columns(warehouse, [nodes[built.node] for built in heard if built.node in nodes]), []
    for built in heard:
        if built.node not in nodes or built.status == UNCHANGED:  # nothing was done
            continue
        node = nodes[built.node]
        work = Work(
            parent,
            f"dbt.{built.name}",
            node["resource_type"].upper(),
            datetime.fromisoformat(built.started_at),
            datetime.fromisoformat(built.finished_at),
            built.status.lower() not in ("error", "fail"),
            inputs=[read(address, relation) for relation in map(_relation, _parents(node, nodes)) if relation],
            outputs=[wrote(address, _relation(node), columns=columns.get(built.node))],
        )
        events += work.events()
    send(events)


@_if_told
def made_here(warehouse: Warehouse, run: dict, began: datetime) -> None:
    """The tables that Python makes between two layers of models."""
    from include.lineage.events import Work, read, wrote
    from include.lineage.sending import send

    nodes, address = _nodes(), warehouse.address
    for node in nodes.values():
        if node["name"] in MADE_HERE:
            work = Work(_parent(warehouse, run), f"python.{node['name']}", "MODEL", began, _now())
            work.inputs = [read(address, _relation(parent)) for parent in _parents(node, nodes)]
            work.outputs = [wrote(address, _relation(node))]
            send(work.events())


@_if_told
def judged(warehouse: Warehouse, run: dict, gate: int, step: str, began: datetime, is_good: bool) -> None:
    """A gate: each relation that its rules read with what they said of it, and all of them as one run of tests."""
    from include.lineage.events import Work, read
    from include.lineage.sending import send

    tests = [tested for number, tested in _tested(warehouse, run) if number == gate]
    of_relation: dict[str, list] = {}
    for tested in tests:
        relations = {staging_relation(table) for table in tested.tables} or set(tested.reads)
        for relation in relations:
            of_relation.setdefault(relation, []).append(tested)
    work = Work(
        _parent(warehouse, run),
        step,
        "GATE",
        began,
        _now(),
        is_good,
        "The gate stopped the night; the report says what to do.",
        inputs=[read(warehouse.address, name, tests=said) for name, said in sorted(of_relation.items())],
        tests=tests,
    )
    send(work.events())


@_if_told
def published(warehouse: Warehouse, run: dict, began: datetime) -> None:
    """Each mart, down to the raw tables that it is made of, with what the rules said of these and of itself."""
    from include.lineage.events import Work, read, wrote
    from include.lineage.sending import send

    nodes, parent, address = _nodes(), _parent(warehouse, run), warehouse.address
    tests, known = [tested for _, tested in _tested(warehouse, run)], _relations(warehouse)
    events = []
    for name, rows in _rows_of_marts(warehouse):
        node = next((n for n in nodes.values() if n["resource_type"] == "model" and _published_name(n) == name), None)
        if node is None:
            continue
        candidate, raw = _relation(node), _raw_of(node, nodes)
        inputs = [read(address, candidate, tests=[t for t in tests if candidate in t.reads])]
        inputs += [
            read(address, _relation(source), tests=[t for t in tests if source["name"] in t.tables]) for source in raw
        ]
        work = Work(parent, f"publish.{name}", "PUBLISH", began, _now(), inputs=inputs)
        made = known.get(node["schema"], {}).get(candidate.partition(".")[2], {})
        columns = {column: [(candidate, column)] for column in known.get("marts", {}).get(name, {}) if column in made}
        work.outputs = [wrote(address, f"marts.{name}", rows=rows, columns=columns)]
        events += work.events()
    send(events)


def _tested(warehouse: Warehouse, run: dict) -> list[tuple[int, object]]:
    """What each rule said in the run, with its gate; what a rule that is made of a contract reads is its table."""
    from include.lineage.events import Tested
    from include.quality.rules import load_rules

    reads = {rule.id: tuple(name if "." in name else f"staging.{name}" for name in rule.reads) for rule in load_rules()}
    with warehouse.reader().connect() as connection:
        rows = connection.execute(
            "select rule_book.gate, results.rule_id, rule_book.sentence, results.severity, results.tested_rows,"
            " results.failed_rows, rule_book.table_names from quality.rule_results as results"
            " inner join quality.rule_book using (rule_id) where results.run_id = %s order by results.rule_id",
            (run["run_id"],),
        ).fetchall()
    tables = _contract_tables()
    return [
        (
            gate,
            Tested(
                rule,
                sentence,
                severity,
                tested,
                failed,
                tuple(t for t in names or () if t in tables),
                reads.get(rule, ()),
            ),
        )
        for gate, rule, sentence, severity, tested, failed, names in rows
    ]


def _columns(warehouse: Warehouse, nodes: list[dict]) -> dict[str, dict]:
    """What the columns of each model are made of, by its id; without those whose SQL SQLGlot cannot read."""
    from include.lineage.columns import Kept

    known, kept, found = _relations(warehouse), Kept(settings().home / "dbt" / "columns.json"), {}
    for node in nodes:
        path = target_folder() / "compiled" / node["package_name"] / node["original_file_path"]
        if node["resource_type"] != "model" or not path.is_file():
            continue
        query = path.read_text("utf-8")
        named: dict[str, dict] = {}
        for schema, relations in known.items():
            for name, columns in relations.items():
                if schema in query and name in query:
                    named.setdefault(schema, {})[name] = columns
        if columns := kept.of(query, named):
            found[node["unique_id"]] = columns
    kept.write()
    return found


def _relations(warehouse: Warehouse) -> dict[str, dict[str, dict[str, str]]]:
    """Schema -> relation -> column -> type, of all that a model may read."""
    query = """
        select pg_namespace.nspname, pg_class.relname, json_object_agg(attname, format_type(atttypid, null) order by attnum)
        from pg_attribute
        inner join pg_class on pg_class.oid = attrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where relkind in ('r', 'v', 'm', 'p') and not relispartition and attnum > 0 and not attisdropped
            and nspname !~ '^(pg_|information_schema)'
        group by pg_namespace.nspname, pg_class.relname
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    with warehouse.reader().connect() as connection:
        for schema, relation, columns in connection.execute(query):
            found.setdefault(schema, {})[relation] = columns
    return found


def _rows_of_marts(warehouse: Warehouse) -> list[tuple[str, int]]:
    """Rows that readers see of each published model, all months together."""
    with warehouse.reader().connect() as connection:
        return connection.execute(
            "select versions.mart, sum(versions.rows)::bigint from publish.versions"
            " inner join publish.pointer using (published_month, version) group by versions.mart order by versions.mart"
        ).fetchall()


def _contract_tables() -> frozenset[str]:
    from include.contracts import all_tables

    return frozenset(all_tables())


def _last_load(warehouse: Warehouse) -> int | None:
    """Number of the newest load; None where nobody is to be told."""
    try:
        if not settings().tells_lineage:
            return None
        with warehouse.reader().connect() as connection:
            return connection.execute("select max(load_id) from quality.receipts").fetchone()[0]
    except Exception:  # what is wrong with the warehouse, the landing itself will say
        return None


def _nodes() -> dict[str, dict]:
    manifest = json.loads(manifest_path().read_text())
    return manifest["nodes"] | manifest["sources"]


def _parents(node: dict, nodes: dict) -> list[dict]:
    """Models, seeds and sources that a node reads; of a table that Python makes between two layers, what Python reads."""
    found = [nodes[key] for key in node.get("depends_on", {}).get("nodes", []) if key in nodes]
    if node["name"] in MADE_HERE:
        names = MADE_HERE[node["name"]][1]
        found += [other for other in nodes.values() if other["name"] in names and other["resource_type"] != "source"]
    return found


def _raw_of(node: dict, nodes: dict) -> list[dict]:
    todo, seen = [node], {}
    while todo:
        each = todo.pop()
        if each["unique_id"] not in seen:
            seen[each["unique_id"]] = each
            todo += _parents(each, nodes)
    raw = [each for each in seen.values() if each["resource_type"] == "source" and each["schema"].startswith("raw_")]
    return sorted(raw, key=_relation)


def _relation(node: dict) -> str:
    """`schema.table`; empty for what is no relation of its own."""
    if node.get("config", {}).get("materialized") == "ephemeral":
        return ""
    return f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}"


def _published_name(node: dict) -> str | None:
    meta = node.get("config", {}).get("meta") or {}
    return (meta.get("published_as") or node["name"]) if meta.get("published") else None


def _parent(warehouse: Warehouse, run: dict):
    from include.lineage.events import Parent

    return Parent(warehouse.address, run["fence"], date.fromisoformat(run["business_date"]))


def _now() -> datetime:
    return datetime.now(UTC)
