"""A place for one measurement: a new database, an empty home and three folders that deliver; gone afterwards."""

from __future__ import annotations

import contextlib
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg import errors, sql

from include.environment import variables
from include.errors import InfrastructureError
from include.lab.simulator.deliver import write_deliveries
from include.landing.extract import extract
from include.records.database import connect
from include.records.migrations import migrate
from include.records.warehouse import Warehouse
from include.settings import SOURCE_NAMES, settings


@dataclass(frozen=True)
class Sandbox:
    """The warehouse of a measurement, its address, and the folder of the deliveries."""

    url: str
    deliveries: Path

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.url)

    def land(
        self, simulation, hear, full: bool, spoil: Callable[[Path, date], None] = lambda folder, day: None
    ) -> None:
        """Delivers a business date (`full`: every table whole) and lands it; `spoil` changes what is written before it is read."""
        write_deliveries(simulation, self.deliveries, full=full)
        spoil(self.deliveries, simulation.business_date)
        for source in SOURCE_NAMES:
            address = str(self.deliveries / source)
            extract(self.warehouse, source, address, simulation.business_date, progress=hear)


@contextlib.contextmanager
def sandbox(name: str, beside: Warehouse) -> Iterator[Sandbox]:
    """A database on the server of another warehouse; inside, the settings name it and nothing else.

    dbt's parsed project is kept for the next one.
    """
    server_url, home = beside.address, settings().home / "bench"
    database = f"bench_{name}_{zlib.crc32(str(home).encode()):08x}"  # homes may share a server
    url = urlunsplit(urlsplit(server_url)._replace(path="/" + quote(database)))
    deliveries = home / "deliveries"
    environment = {
        "KAW_HOME": str(home),
        "KAW_WAREHOUSE": url,
        "KAW_ALERT_WEBHOOK": "",
        "KAW_ALERT_URLS": "",
        "KAW_SOURCE_FORMS": "",
    } | {f"KAW_SOURCE_{source.upper()}": str(deliveries / source) for source in SOURCE_NAMES}
    _clear(server_url, database, home)
    try:
        with connect(server_url, autocommit=True) as connection:
            try:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
            except errors.InsufficientPrivilege as error:
                raise InfrastructureError(
                    "The login of the warehouse may not create databases; the bench needs one of its own.",
                    where="KAW_WAREHOUSE",
                    next_step="grant it createdb, or unset KAW_WAREHOUSE for the embedded server.",
                ) from error
        migrate(Warehouse(url))
        for source in SOURCE_NAMES:
            (deliveries / source).mkdir(parents=True)
        with variables(environment):
            yield Sandbox(url, deliveries)
    finally:
        _clear(server_url, database, home)


def _clear(server_url: str, database: str, home: Path) -> None:
    with connect(server_url, autocommit=True) as connection:
        # `with (force)` would need a superuser where an autovacuum worker is in it
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = current_user",
            (database,),
        )
        connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(database)))
    for folder in ("deliveries", "reports"):
        shutil.rmtree(home / folder, ignore_errors=True)
    (home / "ledger.head").unlink(missing_ok=True)
