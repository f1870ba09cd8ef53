"""One delivery into its raw table: cast, compare by content, insert what is new, withdraw what it left out, leave a receipt.

A row is inserted when the set of contents delivered for its key differs from the set in force at the delivery's date, the
newest by date of file or extract, then load; otherwise it counts as duplicate. A delivery that comes after one of a later
date is history at its own date (`late.py`). Nothing in raw is updated. Everything of one delivery happens in one transaction.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import date, datetime

import psycopg
import pyarrow.csv
from psycopg import sql

from include.contracts import Table
from include.landing import late, personal, restatements, slots, withdrawals
from include.landing.cast import Rejected, RetypedColumn, as_csv_columns, check_types, rounded
from include.landing.databases import comes_every_night
from include.landing.delivery import LINE, AlreadyLanded, Delivery, FileProblem, Ignored, Refusal
from include.landing.receipts import insert_ignored, insert_receipt
from include.records import vault
from include.records.database import raw_columns
from include.records.receipts import Receipt, add_delivered_rows, note_content, note_counts, note_load
from include.records.rejected_rows import add_rejected_rows, supersede

BATCH_ROWS = 50_000


def land(
    connection: psycopg.Connection, delivery: Delivery | Refusal | AlreadyLanded | Ignored, business_date: date
) -> Receipt:
    """Lands one delivery in one transaction; a delivery that must be refused whole leaves a refused receipt.

    What lands has the date of its file, else that of the night, `business_date`; a refusal is always of the night.

    Raises psycopg.errors.ObjectNotInPrerequisiteState where a later run has taken the connection's fence.
    """
    with connection.transaction():
        connection.execute("select quality.assert_fence()")
        connection.execute("set local work_mem = '64MB'")  # a delivery's keys and curves are sorted in memory
        if isinstance(delivery, Ignored):
            note_load(connection, insert_ignored(connection, delivery, business_date))
            return Receipt(delivery.table_name, "ignored", problem=delivery.problem, file_name=delivery.file_name)
        # two runs of different dates would both find the same rows new
        withdrawals.lock_table(connection, delivery.table.name)
        if isinstance(delivery, Refusal):
            return _refuse(connection, delivery, business_date)
        own_date = delivery.business_date or business_date
        if isinstance(delivery, AlreadyLanded):
            return _note_duplicate(connection, delivery, own_date)
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
        try:
            with connection.transaction():
                return _land(connection, delivery, own_date, rejected, count)
        except FileProblem as problem:
            return _refuse(connection, _refusal(delivery, str(problem)), business_date)
        except psycopg.DataError as error:  # a value that the checks let through: no reason to stop the other tables
            return _refuse(connection, _refusal(delivery, _refused_value(error)), business_date)


def _land(
    connection: psycopg.Connection, delivery: Delivery, business_date: date, rejected: list[Rejected], count: int
) -> Receipt:
    table = delivery.table
    notices = delivery.notices + rounded(table, delivery.rows)
    delivery, names = personal.without_clear_text(connection, delivery)
    load_id = insert_receipt(
        connection,
        delivery,
        business_date,
        state="landed",
        delivered=count,
        unknown=delivery.unknown_columns,
        notices=notices,
    )
    _copy(connection, table, delivery, rejected)
    slots.merge_slots(connection, delivery, business_date)
    _hash(connection, table, delivery)
    keys_unknown = _note_rejected(connection, delivery, load_id, rejected, names)
    inserted = _insert_changed(connection, delivery, load_id, business_date)
    if names and (inserted or rejected or delivery.malformed):
        is_all_new = inserted + len(rejected) + len(delivery.malformed) == count
        personal.store(connection, delivery, load_id, names, is_all_new=is_all_new)
    denied = withdrawals.deny_delivered(connection, delivery, load_id, business_date)
    missed = withdrawals.Missed()
    if delivery.complete is not None and not keys_unknown:
        is_news = bool(inserted or denied)
        missed = withdrawals.withdraw_absent(connection, delivery, load_id, business_date, is_news=is_news)
    late.note_repeated(connection, delivery, load_id)
    _supersede_rejected(connection, delivery, load_id, business_date)
    _note_rows(connection, table, load_id)
    restatements.note_restatement(connection, delivery, load_id, business_date)
    landed = count - len(rejected) - len(delivery.malformed)
    sums, latest = _sums_and_cursor(connection, table)
    note_counts(
        connection,
        load_id,
        inserted=inserted,
        duplicate=landed - inserted,
        rejected=count - landed,
        tombstones=missed.withdrawn,
        pending=missed.pending,
    )
    note_content(connection, load_id, landed_sums=sums, latest=latest)
    connection.execute("drop table arrived, delivered")
    note_load(connection, load_id)
    late.say_again(connection, table, load_id, business_date)
    _refresh_statistics(connection, table, inserted + missed.withdrawn)
    return Receipt(
        table.name,
        "landed",
        count,
        inserted,
        landed - inserted,
        count - landed,
        missed.withdrawn,
        missed.pending,
        file_name=delivery.file_name,
        unknown_columns=tuple(delivery.unknown_columns),
        notices=tuple(notices),
    )


def _copy(connection: psycopg.Connection, table: Table, delivery: Delivery, rejected: list[Rejected]) -> None:
    """The good rows, typed, into the temporary table `arrived`."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in raw_columns(table))
    connection.execute(f"create temp table arrived ({LINE} bigint, {columns}) on commit drop")
    rows = delivery.rows
    if rejected:
        import numpy

        keep = numpy.ones(rows.num_rows, dtype=bool)
        keep[[r.index for r in rejected]] = False
        rows = rows.filter(keep)
    with connection.cursor() as cursor:
        with cursor.copy("copy arrived from stdin (format csv)") as copy:
            for start in range(0, rows.num_rows, BATCH_ROWS):
                buffer = io.BytesIO()
                part = as_csv_columns(table, rows.slice(start, BATCH_ROWS))
                pyarrow.csv.write_csv(part, buffer, pyarrow.csv.WriteOptions(include_header=False))
                copy.write(buffer.getbuffer())
        if cursor.rowcount != rows.num_rows:
            raise psycopg.DataError(f"{cursor.rowcount} of {rows.num_rows} rows were copied")


def _hash(connection: psycopg.Connection, table: Table, delivery: Delivery) -> None:
    """Keys and content hashes of `arrived` into the temporary table `delivered`."""
    content = ", ".join(content_columns(table)) + slots.hashed_resolution(delivery)
    connection.execute(
        f"create temp table delivered on commit drop as select md5(record_send(row({', '.join(table.key)})))::uuid as _key,"
        f" md5(record_send(row({content})))::uuid as _hash, {LINE}, ctid as _place from arrived"
    )
    connection.execute("analyze delivered")


def content_columns(table: Table) -> list[str]:
    """What lands of each raw column; 80 and 80.0 are the same content."""
    loose = {c.name for c in table.scalar_columns if c.physical_type == "numeric"}
    return [f"trim_scale({name})" if name in loose else name for name, _ in raw_columns(table)]


def _insert_changed(connection: psycopg.Connection, delivery: Delivery, load_id: int, business_date: date) -> int:
    """The rows of every key whose set of contents is not the one that landed last. Equal copies of a row land once."""
    table = delivery.table
    technical = slots.technical_columns(table, delivery)
    return connection.execute(
        sql.SQL("""
        with delivered_sets as (
            select _key, array_agg(distinct _hash order by _hash) as hashes from delivered group by _key
        ),
        newest as (
            select raw._key, max(quality.version_order(raw._business_date, raw._load_id)) as version
            from {raw} as raw inner join delivered_sets using (_key)
            where raw._business_date <= {day} group by raw._key
        ),
        landed_sets as (
            select raw._key, array_agg(raw._hash order by raw._hash) as hashes
            from {raw} as raw inner join newest
                on raw._key = newest._key and quality.version_order(raw._business_date, raw._load_id) = newest.version
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
        select {load_id}, {day}, {channel}, once._file_line, once._key, once._hash, {content}
        from once inner join arrived on once._place = arrived.ctid
        order by once._place
        """).format(
            raw=sql.SQL(table.raw_name),
            names=late.names([name for name, _ in raw_columns(table)] + technical),
            load_id=load_id,
            day=business_date,
            channel=delivery.channel,
            content=sql.SQL(", ".join(content_columns(table) + technical)),
        )
    ).rowcount


def _note_rejected(
    connection: psycopg.Connection,
    delivery: Delivery,
    load_id: int,
    rejected: list[Rejected],
    names: vault.Pseudonyms | None,
) -> bool:
    """Keeps rejected and malformed rows as text, of persons as pseudonyms. True where the key of one of them cannot be known."""
    table = delivery.table
    types = dict(raw_columns(table))
    entries = []
    if rejected:
        taken = delivery.rows.take([r.index for r in rejected]).to_pylist()
        lines = [row[LINE] for row in taken]
        texts = [{c.name: None if row[c.name] is None else str(row[c.name]) for c in table.columns} for row in taken]
        if names:
            personal.hide_rejected(table, texts, names)
        for line, text, bad in zip(lines, texts, rejected, strict=True):
            column = bad.column_name
            value = None if table.column(column).classification == "personal" else text[column]
            key = {name: text[name] for name in table.key}
            entries.append((line, column, value, bad.reason, key, text, not bad.key_is_bad))
    reason = "does not split into the columns of the header"
    entries += [(line, table.key[0], None, reason, {}, {"line": text}, False) for line, text in delivery.malformed]
    key_of_text = ", ".join(f"(%(key)s::jsonb ->> '{name}')::{types[name]}" for name in table.key)
    rows = [
        {
            "source": table.source,
            "table": table.name,
            "file": delivery.file_name,
            "line": line,
            "column": column,
            "value": _storable(value),
            "reason": reason,
            "key": _storable(key),
            "row": _storable(row),
            "key_is_good": key_is_good,
        }
        for line, column, value, reason, key, row, key_is_good in entries
    ]
    add_rejected_rows(connection, load_id, rows, key_of_text)
    return any(not key_is_good for *_, key_is_good in entries)


def _storable(value: str | dict | None) -> str | None:
    """Text as the database can keep it; a dictionary of texts as JSON. The null character is shown as its symbol."""
    if isinstance(value, dict):
        return json.dumps({name: _storable(text) for name, text in value.items()}, ensure_ascii=False)
    return value and value.replace("\0", "\N{SYMBOL FOR NULL}")


def _supersede_rejected(connection: psycopg.Connection, delivery: Delivery, load_id: int, business_date: date) -> None:
    """Rejected rows, of its date or an earlier one, that this load answers.

    Their key came well or was rejected anew, their file came again, or the delivery is complete where they stood.
    """
    column = delivery.table.event_column
    first = last = None
    if isinstance(delivery.complete, tuple) and column:
        form = "%Y%m" if delivery.table.column(column).physical_type == "char(6)" else "%Y-%m-%d"
        first, last = (day.strftime(form) for day in delivery.complete)
    supersede(
        connection,
        load_id,
        """
        earlier.table_name = %(table)s
        and earlier.load_id < %(load)s
        and earlier.load_id in (select load_id from quality.receipts where business_date <= %(day)s)
        and (
            earlier._key in (select delivered._key from delivered)
            or earlier.load_id in (select load_id from quality.receipts where channel = %(channel)s) and (
                %(whole)s
                or earlier.file_name = %(file)s
                or left(earlier.row_text ->> %(column)s::text, 10) between %(first)s::text and %(last)s::text
                or exists (
                    select 1 from quality.rejected_rows as again
                    where again.load_id = %(load)s and (again._key = earlier._key or again.row_text = earlier.row_text)
                )
            )
        )
        """,
        {
            "load": load_id,
            "day": business_date,
            "table": delivery.table.name,
            "channel": delivery.channel,
            "file": delivery.file_name,
            "whole": delivery.complete == "all",
            "column": column,
            "first": first,
            "last": last,
        },
    )


def _sums_and_cursor(connection: psycopg.Connection, table: Table) -> tuple[dict[str, str], datetime | None]:
    amounts = [c.name for c in table.columns if c.is_amount]
    selected = ", ".join([f"max({table.cursor_column})", *(f"sum({name})::text" for name in amounts)])
    latest, *sums = connection.execute(f"select {selected} from arrived").fetchone()
    return {name: value for name, value in zip(amounts, sums, strict=True) if value is not None}, latest


def _note_rows(connection: psycopg.Connection, table: Table, load_id: int) -> None:
    """What arrived by office: the volume band compares it with other nights."""
    if comes_every_night(table):
        office = withdrawals.office_column(table)
        of_office = sql.SQL(f"btrim({office})" if office else "null::text")
        query = sql.SQL("select {} as office, count(*) as rows from arrived group by 1").format(of_office)
        add_delivered_rows(connection, load_id, query)


def _has_rows(connection: psycopg.Connection, table: Table) -> bool:
    return connection.execute(f"select exists (select 1 from {table.raw_name})").fetchone()[0]


def _refusal(delivery: Delivery, problem: str) -> Refusal:
    return Refusal(
        delivery.table, problem, delivery.file_name, delivery.content_sha256, delivery.channel, delivery.announced_rows
    )


def _refuse(connection: psycopg.Connection, refusal: Refusal, business_date: date) -> Receipt:
    note_load(connection, insert_receipt(connection, refusal, business_date, state="refused", problem=refusal.problem))
    return Receipt(refusal.table.name, "refused", problem=refusal.problem, file_name=refusal.file_name)


def _refused_value(error: psycopg.DataError) -> str:
    """Where the database refused a value; the value itself may be a person's."""
    place = re.search(r"column (\w+)", error.diag.context or "")
    return f"the database refuses a value{f' of column {place[1]}' if place else ''} ({type(error).__name__})"


def _note_duplicate(connection: psycopg.Connection, file: AlreadyLanded, business_date: date) -> Receipt:
    """The same content again changes nothing and leaves a receipt that says so, and again of columns that were kept out."""
    first, rows, unknown = connection.execute(
        "select load_id, delivered_rows, unknown_columns from quality.receipts"
        " where table_name = %s and content_sha256 = %s and state = 'landed' order by load_id limit 1",
        (file.table.name, file.content_sha256),
    ).fetchone()
    load_id = insert_receipt(
        connection, file, business_date, state="landed", delivered=rows, unknown=unknown, duplicate_of=first
    )
    note_counts(connection, load_id, duplicate=rows)
    same = sql.SQL("select office, rows from quality.delivered_rows where load_id = {}").format(first)
    add_delivered_rows(connection, load_id, same)
    return Receipt(
        file.table.name, "landed", rows, duplicate_rows=rows, file_name=file.file_name, unknown_columns=tuple(unknown)
    )


def _refresh_statistics(connection: psycopg.Connection, table: Table, new_rows: int) -> None:
    """Analyzes a raw table that grew by a tenth; on every file it would cost more than the landing.

    Only a table's owner may: the login steps out of the loader's role for it, up to the end of the transaction.
    """
    known = connection.execute("select reltuples from pg_class where oid = %s::regclass", (table.raw_name,)).fetchone()[
        0
    ]
    if new_rows > max(known, 0) / 10:
        connection.execute("set local role none")
        connection.execute(f"analyze {table.raw_name}")


Progress = Callable[[Receipt], None]
