"""One source, one business date: every table of its contract from its address into raw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg

from include.alerts import alert, clear
from include.contracts import Table, load_contracts
from include.errors import InfrastructureError
from include.landing.addresses import resolve, told
from include.landing.databases import Source, again, is_database
from include.landing.delivery import AlreadyLanded, Delivery, Refusal
from include.landing.folders import Landed, read_folder
from include.landing.land import land
from include.records import ledger
from include.records.fence import take_fence
from include.records.receipts import Receipt
from include.records.warehouse import Warehouse
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
    require_space()
    url = warehouse.address
    ledger.write_head(url)  # before the first entry, so that a head that is missing later was lost
    resolved = resolve(source, address, business_date)
    resolved_forms = resolve("forms", forms, business_date) if forms else None
    receipts = []
    loader = replace(warehouse, fence=take_fence(url, f"extract_{source}_{business_date}")).as_role(LOADER)
    with loader.connect(autocommit=True) as connection:
        for delivery in _deliveries(connection, source, resolved, resolved_forms, business_date):
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
            else:
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
    connection: psycopg.Connection, source: str, address: str, forms: str | None, business_date: date
) -> Iterator[Delivery | Refusal | AlreadyLanded]:
    tables = load_contracts()[source].values()
    if is_database(address):
        yield from again(source, lambda: _from_database(connection, address, source, business_date))
    else:
        folder = _folder(address, source)
        for table in tables:
            yield from read_folder(folder, table, business_date, landed_of(connection, table, "auto"))
    if forms:
        folder = _folder(forms, "forms")
        for table in tables:
            yield from read_folder(folder, table, business_date, landed_of(connection, table, "form"), channel="form")


def _from_database(
    connection: psycopg.Connection, address: str, source: str, business_date: date
) -> Iterator[Delivery | Refusal]:
    with Source(address, source) as database:
        for table in load_contracts()[source].values():
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
