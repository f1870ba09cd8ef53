"""One delivery into its raw table: cast, compare by content, insert what is new, mark what was withdrawn, leave a receipt.

A row is inserted when the set of contents delivered for its key differs from the set landed last; otherwise it counts as
duplicate. Nothing in raw is updated. Everything of one delivery happens in one transaction.
"""
from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
import pyarrow.csv
from psycopg import sql

from include import ledger
from include.contracts import Table
from include.database import raw_columns
from include.landing.cast import Rejected, RetypedColumn, as_csv_columns, check_types
from include.landing.databases import event_condition
from include.landing.delivery import LINE, AlreadyLanded, Delivery, Refusal

TOMBSTONE_HASH = "00000000-0000-0000-0000-000000000000"


@dataclass
class Receipt:
    """What one load did; the columns of quality.receipts that a reader of the log wants to see."""

    table_name: str
    state: str
    delivered_rows: int = 0
    inserted_rows: int = 0
    duplicate_rows: int = 0
    rejected_rows: int = 0
    tombstone_rows: int = 0
    problem: str | None = None
    file_name: str | None = None
    unknown_columns: tuple[str, ...] = ()


def land(
    connection: psycopg.Connection, delivery: Delivery | Refusal | AlreadyLanded, business_date: date
) -> Receipt:
    """Lands one delivery in one transaction; a delivery that must be refused whole leaves a refused receipt."""
    with connection.transaction():
        connection.execute("select quality.assert_fence()")
        if isinstance(delivery, AlreadyLanded):
            return _note_duplicate(connection, delivery, business_date)
        if isinstance(delivery, Refusal):
            return _refuse(connection, delivery, business_date)
        table = delivery.table
        try:
            rejected = check_types(table, delivery.rows)
        except RetypedColumn as error:
            return _refuse(connection, _refusal(delivery, str(error)), business_date)
        count = delivery.rows.num_rows + len(delivery.malformed)
        if delivery.announced_rows is not None and delivery.announced_rows != count:
            problem = f"{delivery.announced_rows} rows were announced, {count} came: the delivery is incomplete"
            return _refuse(connection, _refusal(delivery, problem), business_date)
        if delivery.complete == "all" and count == 0 and _has_rows(connection, table):
            problem = "the delivery is empty, but the table had rows: an empty table would withdraw all of them"
            return _refuse(connection, _refusal(delivery, problem), business_date)
        return _land(connection, delivery, business_date, rejected, count)


def _land(
    connection: psycopg.Connection, delivery: Delivery, business_date: date, rejected: list[Rejected], count: int
) -> Receipt:
    table = delivery.table
    raw = sql.SQL(table.raw_name)
    load_id = _insert_receipt(
        connection, delivery, business_date, state="landed", delivered=count, unknown=delivery.unknown_columns
    )
    _copy(connection, table, delivery, rejected)
    keys_unknown = _note_rejected(connection, delivery, load_id, rejected)
    names = [name for name, _ in raw_columns(table)]
    inserted = connection.execute(
        sql.SQL("""
        with delivered_sets as (
            select _key, array_agg(distinct _hash order by _hash) as hashes from delivered group by _key
        ),
        newest as (
            select raw._key, max(raw._load_id) as _load_id
            from {raw} as raw inner join delivered_sets using (_key) group by raw._key
        ),
        landed_sets as (
            select raw._key, array_agg(raw._hash order by raw._hash) as hashes
            from {raw} as raw inner join newest using (_key, _load_id)
            where not raw._is_tombstone group by raw._key
        ),
        changed as (
            select delivered_sets._key
            from delivered_sets left join landed_sets using (_key)
            where landed_sets.hashes is distinct from delivered_sets.hashes
        ),
        once as (
            select distinct on (delivered._key, delivered._hash) delivered.*
            from delivered inner join changed using (_key)
            order by delivered._key, delivered._hash, delivered._file_line
        )
        insert into {raw} (_load_id, _business_date, _channel, _file_line, _key, _hash, {names})
        select {load_id}, {day}, {channel}, _file_line, _key, _hash, {names} from once order by _file_line
        """).format(
            raw=raw, names=_names(names), load_id=load_id, day=business_date, channel=delivery.channel
        )
    ).rowcount
    tombstones = 0
    if delivery.complete is not None and not keys_unknown and not delivery.malformed:
        tombstones = _mark_withdrawn(connection, delivery, load_id, business_date)
    _supersede_rejected(connection, delivery, load_id)
    landed = count - len(rejected) - len(delivery.malformed)
    sums, latest = _sums_and_cursor(connection, table)
    connection.execute(
        "update quality.receipts set inserted_rows = %s, duplicate_rows = %s, rejected_rows = %s, tombstone_rows = %s,"
        " landed_sums = %s, window_to = %s where load_id = %s",
        (inserted, landed - inserted, count - landed, tombstones, json.dumps(sums), latest, load_id),
    )
    connection.execute("drop table delivered")
    _note_load(connection, load_id)
    if inserted + tombstones:
        connection.execute(f"analyze {table.raw_name}")
    return Receipt(
        table.name, "landed", count, inserted, landed - inserted, count - landed, tombstones,
        file_name=delivery.file_name, unknown_columns=tuple(delivery.unknown_columns),
    )  # fmt: skip


def _copy(connection: psycopg.Connection, table: Table, delivery: Delivery, rejected: list[Rejected]) -> None:
    """The good rows into the temporary table `delivered`, typed, with key and content hash."""
    columns = raw_columns(table)
    ddl = ", ".join(f"{name} {type_}" for name, type_ in columns)
    connection.execute(f"create temp table arrived ({LINE} bigint, {ddl}) on commit drop")
    rows = delivery.rows
    if rejected:
        import numpy

        keep = numpy.ones(rows.num_rows, dtype=bool)
        keep[[r.index for r in rejected]] = False
        rows = rows.filter(keep)
    with connection.cursor().copy("copy arrived from stdin (format csv)") as copy:
        for start in range(0, rows.num_rows, 50_000):
            buffer = io.BytesIO()
            part = as_csv_columns(table, rows.slice(start, 50_000))
            pyarrow.csv.write_csv(part, buffer, pyarrow.csv.WriteOptions(include_header=False))
            copy.write(buffer.getvalue())
    loose = [c.name for c in table.scalar_columns if c.physical_type == "numeric"]
    if loose:  # 80 and 80.0 are the same content
        connection.execute("update arrived set " + ", ".join(f"{n} = trim_scale({n})" for n in loose))
    content = ", ".join(name for name, _ in columns)
    connection.execute(
        f"create temp table delivered on commit drop as select md5(record_send(row({', '.join(table.key)})))::uuid as _key,"
        f" md5(record_send(row({content})))::uuid as _hash, arrived.* from arrived"
    )
    connection.execute("drop table arrived")
    connection.execute("analyze delivered")


def _mark_withdrawn(connection: psycopg.Connection, delivery: Delivery, load_id: int, business_date: date) -> int:
    """A tombstone for every key of the delivery's scope that is in force and was not delivered."""
    table = delivery.table
    scope = "true" if delivery.complete == "all" else event_condition(table, *delivery.complete)
    event = {table.cursor_column} | {c.name for c in table.columns if c.physical_type in ("date", "timestamptz", "char(6)")}
    kept = [name for name, _ in raw_columns(table) if name in table.key or name in event]
    return connection.execute(
        sql.SQL("""
        insert into {raw} (_load_id, _business_date, _channel, _is_tombstone, _key, _hash, {kept})
        select {load_id}, {day}, {channel}, true, _key, {hash}::uuid, {kept}
        from (
            select distinct on (raw._key) raw.*
            from {raw} as raw
            where raw._channel = {channel} and {scope}
                and not exists (select 1 from delivered where delivered._key = raw._key)
                and not exists (
                    select 1 from quality.rejected_rows as rejected
                    where rejected.load_id = {load_id} and rejected._key = raw._key
                )
            order by raw._key, raw._load_id desc, raw._raw_id desc
        ) as newest
        where not newest._is_tombstone
        """).format(
            raw=sql.SQL(table.raw_name), kept=_names(kept), load_id=load_id, day=business_date, channel=delivery.channel,
            hash=TOMBSTONE_HASH, scope=sql.SQL(scope),
        )  # fmt: skip
    ).rowcount


def _note_rejected(
    connection: psycopg.Connection, delivery: Delivery, load_id: int, rejected: list[Rejected]
) -> bool:
    """Keeps rejected and malformed rows as text. True where the key of one of them cannot be known."""
    table, keys_unknown = delivery.table, False
    names = [c.name for c in table.columns]
    entries = []
    if rejected:
        taken = delivery.rows.take([r.index for r in rejected]).to_pylist()
        for row, bad in zip(taken, rejected, strict=True):
            text = {name: None if row[name] is None else str(row[name]) for name in names}
            entries.append((row[LINE], bad.column_name, bad.value_text, bad.reason, {k: text[k] for k in table.key}, text))
    for line, text in delivery.malformed:
        keys_unknown = True
        entries.append((line, table.key[0], None, "does not split into the columns of the header", {}, {"line": text}))
    for line, column, value, reason, key, text in entries:
        column_type = table.column(column)
        if column_type.classification == "personal":
            value = None
        connection.execute(
            "insert into quality.rejected_rows (load_id, source_name, table_name, file_name, file_line, column_name,"
            " value_text, reason, record_key, row_text, _key) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (load_id, table.source, table.name, delivery.file_name, line, column, value, reason, json.dumps(key),
             json.dumps(text, ensure_ascii=False), _key_of(connection, table, column, key)),
        )  # fmt: skip
        keys_unknown = keys_unknown or column in table.key
    return keys_unknown


def _supersede_rejected(connection: psycopg.Connection, delivery: Delivery, load_id: int) -> None:
    """Earlier rejected rows that this load answers: their key came well, their file came again, or the whole table did."""
    connection.execute(
        "update quality.rejected_rows as rejected set superseded_by = %(load)s"
        " where rejected.table_name = %(table)s and rejected.load_id < %(load)s and rejected.superseded_by is null"
        " and (rejected.file_name = %(file)s or %(whole)s"
        " or rejected._key in (select delivered._key from delivered))",
        {"load": load_id, "table": delivery.table.name, "file": delivery.file_name, "whole": delivery.complete == "all"},
    )


def _key_of(connection: psycopg.Connection, table: Table, bad_column: str, key: dict) -> str | None:
    if not key or bad_column in table.key:
        return None
    types = dict(raw_columns(table))
    values = ", ".join(f"%s::{types[name]}" for name in table.key)
    try:
        with connection.transaction():
            query = f"select md5(record_send(row({values})))::uuid"
            return connection.execute(query, [key[name] for name in table.key]).fetchone()[0]
    except psycopg.DataError:
        return None


def _sums_and_cursor(connection: psycopg.Connection, table: Table) -> tuple[dict[str, str], datetime | None]:
    amounts = [c.name for c in table.columns if c.is_amount]
    selected = ", ".join([f"max({table.cursor_column})", *(f"sum({name})::text" for name in amounts)])
    latest, *sums = connection.execute(f"select {selected} from delivered").fetchone()
    return {name: value for name, value in zip(amounts, sums, strict=True) if value is not None}, latest


def _has_rows(connection: psycopg.Connection, table: Table) -> bool:
    return connection.execute(f"select exists (select 1 from {table.raw_name})").fetchone()[0]


def _refusal(delivery: Delivery, problem: str) -> Refusal:
    return Refusal(
        delivery.table, problem, delivery.file_name, delivery.content_sha256, delivery.channel, delivery.announced_rows
    )


def _refuse(connection: psycopg.Connection, refusal: Refusal, business_date: date) -> Receipt:
    _note_load(connection, _insert_receipt(connection, refusal, business_date, state="refused", problem=refusal.problem))
    return Receipt(refusal.table.name, "refused", problem=refusal.problem, file_name=refusal.file_name)


def _note_duplicate(connection: psycopg.Connection, file: AlreadyLanded, business_date: date) -> Receipt:
    """The same content again leaves a receipt that says so, once per business date and name."""
    first, rows = connection.execute(
        "select load_id, delivered_rows from quality.receipts"
        " where table_name = %s and content_sha256 = %s and state = 'landed' order by load_id limit 1",
        (file.table.name, file.content_sha256),
    ).fetchone()
    noted = connection.execute(
        "select 1 from quality.receipts where table_name = %s and content_sha256 = %s and file_name = %s"
        " and business_date = %s and state = 'landed'",
        (file.table.name, file.content_sha256, file.file_name, business_date),
    ).fetchone()
    if not noted:
        load_id = _insert_receipt(connection, file, business_date, state="landed", delivered=rows, duplicate_of=first)
        connection.execute("update quality.receipts set duplicate_rows = %s where load_id = %s", (rows, load_id))
    return Receipt(file.table.name, "landed", rows, duplicate_rows=rows, file_name=file.file_name)


def _insert_receipt(
    connection: psycopg.Connection,
    what: Delivery | Refusal | AlreadyLanded,
    business_date: date,
    *,
    state: str,
    delivered: int = 0,
    unknown: list[str] | None = None,
    problem: str | None = None,
    duplicate_of: int | None = None,
) -> int:
    sums = getattr(what, "announced_sums", None)
    return connection.execute(
        "insert into quality.receipts (source_name, table_name, channel, business_date, window_from, announced_rows,"
        " announced_sums, delivered_rows, unknown_columns, content_sha256, file_name, duplicate_of, state, problem)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning load_id",
        (
            what.table.source, what.table.name, what.channel, business_date, getattr(what, "window_from", None),
            getattr(what, "announced_rows", None), json.dumps(sums) if sums else None, delivered, unknown or [],
            what.content_sha256 if not isinstance(what, Refusal) or what.content_sha256 else None,
            what.file_name, duplicate_of, state, problem,
        ),  # fmt: skip
    ).fetchone()[0]


def _note_load(connection: psycopg.Connection, load_id: int) -> None:
    """The load as a ledger entry, late in its transaction because the chain is locked until it ends."""
    row = connection.execute(
        "select jsonb_build_object('load_id', load_id, 'table', table_name, 'file', file_name, 'state', state, 'business_date',"
        " business_date, 'delivered', delivered_rows, 'inserted', inserted_rows, 'duplicate', duplicate_rows, 'rejected',"
        " rejected_rows, 'tombstones', tombstone_rows, 'sha256', content_sha256, 'problem', problem)"
        " from quality.receipts where load_id = %s",
        (load_id,),
    ).fetchone()
    ledger.append(connection, "load", row[0])


def _names(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


Progress = Callable[[Receipt], None]
