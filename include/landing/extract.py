"""One source, one business date: every table of its contract from its address into raw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg

from include.alerts import alert, clear
from include.contracts import Table, load_contracts
from include.errors import InfrastructureError
from include.landing.addresses import resolve, told
from include.landing.databases import Source, again, is_database
from include.landing.delivery import AlreadyLanded, Delivery, Ignored, Refusal
from include.landing.folders import Landed, outside_of_tables, read_folder
from include.landing.land import land
from include.landing.mapped_folders import outside_of_maps, read_mapped_folder
from include.landing.mapping import table_map
from include.landing.reading import Reader
from include.profiles import is_source_left_out, left_out
from include.records import ledger, locks
from include.records.fence import take_fence
from include.records.receipts import Receipt, ignored
from include.records.warehouse import Warehouse
from include.settings import settings
from include.upkeep import require_space

LOADER = "kaw_loader"


def extract(
    warehouse: Warehouse,
    source: str,
    address: str | None,
    business_date: date,
    *,
    forms: str | None = None,
    progress: Callable[[Receipt], None] = lambda _: None,
) -> list[Receipt]:
    """Lands every table of `source` (metering, marketing, contract) for the business date; safe to repeat.

    `address` is where the source delivers, `forms` where the forms of its units lie.

    Returns a receipt per load. A refused file does not stop the other tables; its arrival rule will block at the gate.
    Raises InfrastructureError where the disk is nearly full, and where the source or the warehouse cannot be reached, a source
    after counted tries.
    """
    if is_source_left_out(source):
        return []
    require_space()
    url = warehouse.address
    ledger.write_head(url)  # before the first entry, so that a head that is missing later was lost
    resolved = resolve(source, address, business_date)
    resolved_forms = resolve("forms", forms, business_date) if forms else None
    receipts = []
    has_files = not is_database(resolved) or resolved_forms
    loader = warehouse.as_role(LOADER)
    loader = loader.fenced(take_fence(loader, f"extract_{source}_{business_date}"))
    with locks.alive(loader), Reader(settings()) as reader, loader.connect(autocommit=True) as connection:
        if has_files:
            reader.start()
        for delivery in _deliveries(connection, reader, source, resolved, resolved_forms, business_date):
            _tell_deliverer(connection, forms if delivery.channel == "form" else address)
            receipt = land(connection, delivery, business_date)
            receipts.append(receipt)
            progress(receipt)
            if receipt.state == "refused":
                name = receipt.file_name or receipt.table_name
                alert(
                    "file_refused",
                    f"{name}: {receipt.problem}",
                    {"table": receipt.table_name, "business_date": business_date},
                    cause=f"file_refused:{receipt.table_name}:{name}:{business_date}",
                    next_step="let the source deliver it again under the same name; the night is stopped until then.",
                )
            elif receipt.state == "landed":
                clear(f"file_refused:{receipt.table_name}:{receipt.file_name or receipt.table_name}:")
            if receipt.pending_rows:
                message = f"{receipt.table_name}: {receipt.pending_rows} rows in force are missing; they stay in force."
                alert(
                    "withdrawal_pending",
                    message,
                    {"table": receipt.table_name, "rows": receipt.pending_rows},
                    cause=f"withdrawal_pending:{receipt.table_name}",
                    next_step="./kaw pending list",
                )
            elif receipt.state == "landed":
                clear(f"withdrawal_pending:{receipt.table_name}")
    ledger.write_head(url)
    return receipts


def _tell_deliverer(connection: psycopg.Connection, address: str) -> None:
    """Receipts of this connection name where their delivery came from."""
    connection.execute("select set_config('kaw.delivered_by', %s, false)", [told(address)])


def _deliveries(
    connection: psycopg.Connection, reader: Reader, source: str, address: str, forms: str | None, business_date: date
) -> Iterator[Delivery | Refusal | AlreadyLanded | Ignored]:
    if is_database(address):
        yield from again(source, lambda: _from_database(connection, address, source, business_date))
    else:
        yield from _from_folder(connection, reader, _folder(address, source), source, business_date, "auto")
    if forms:
        yield from _from_folder(connection, reader, _folder(forms, "forms"), source, business_date, "form")


def _from_folder(
    connection: psycopg.Connection, reader: Reader, folder: Path, source: str, business_date: date, channel: str
) -> Iterator[Delivery | Refusal | AlreadyLanded | Ignored]:
    """What is ignored is said once, and again where it was written anew."""
    said = ignored(connection, channel)

    def found() -> Iterator[Delivery | Refusal | AlreadyLanded | Ignored]:
        tables = [table for table in load_contracts()[source].values() if table.name not in left_out()]
        maps = {t.name: mapped for t in tables if channel == "auto" and (mapped := table_map(source, t))}
        yield from outside_of_maps(folder, source, maps) if maps else outside_of_tables(folder, source, channel)
        for table in tables:
            landed = landed_of(connection, table, channel)
            if table.name in maps:
                yield from read_mapped_folder(reader, folder, table, business_date, landed, maps[table.name])
            else:
                yield from read_folder(reader, folder, table, business_date, landed, channel)

    for delivery in found():
        if not isinstance(delivery, Ignored) or (delivery.file_name, delivery.problem) not in said:
            yield delivery


def _from_database(
    connection: psycopg.Connection, address: str, source: str, business_date: date
) -> Iterator[Delivery | Refusal]:
    with Source(address, source) as database:
        for table in load_contracts()[source].values():
            if table.name in left_out():
                continue
            yield database.read(table, business_date, _last_cursor(connection, table))


def _folder(address: str, source: str) -> Path:
    folder = Path(address.removeprefix("file://"))
    if not folder.is_dir():
        raise InfrastructureError(
            f"The folder of source {source} is not there.",
            where=f"KAW_SOURCE_{source.upper()}={folder}",
            next_step="set it to a folder with one sub-folder per table, or to a postgresql:// address.",
        )
    return folder


def landed_of(connection: psycopg.Connection, table: Table, channel: str) -> Landed:
    """Newest landed content of each file name, and the contents of each date.

    A file that comes back after another content stood under its name (a correction taken back) is so read again.
    """
    rows = connection.execute(
        "select file_name, content_sha256, business_date from quality.receipts where table_name = %s"
        " and channel = %s and state = 'landed' and content_sha256 is not null order by load_id",
        (table.name, channel),
    ).fetchall()
    landed = Landed(has_pending=_has_pending(connection, table))
    for name, sha256, day in rows:
        landed.by_name[name] = sha256
        landed.by_date[day].add(sha256)
    return landed


def _has_pending(connection: psycopg.Connection, table: Table) -> bool:
    query = "select exists (select 1 from quality.open_withdrawals where table_name = %s)"
    return connection.execute(query, (table.name,)).fetchone()[0]


def _last_cursor(connection: psycopg.Connection, table: Table):
    query = (
        "select max(window_to) from quality.receipts"
        " where table_name = %s and channel = 'auto' and state = 'landed' and file_name is null"
    )
    return connection.execute(query, (table.name,)).fetchone()[0]
