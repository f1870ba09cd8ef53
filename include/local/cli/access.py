"""The warehouse as a command opens it: to write, brought to the state of this code, or to read and change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg

from include.errors import InfrastructureError, UsageError
from include.records.warehouse import Warehouse
from include.settings import mask_secrets, settings


@contextlib.contextmanager
def writing(must_exist: bool = True, migrates: bool = True) -> Iterator[Warehouse]:
    """The warehouse for a command that writes, brought to the state of this code; a dry run asks that it is in it."""
    from include.local import server
    from include.local.in_use import server_in_use
    from include.records.migrations import migrate, require_current

    if must_exist:
        require_warehouse()
    with server_in_use():
        warehouse = Warehouse(server.warehouse_url())
        (migrate if migrates else require_current)(warehouse)
        yield warehouse


@contextlib.contextmanager
def reading() -> Iterator[Warehouse]:
    """The warehouse for a command that changes nothing: read-only, in the reading role, never migrated."""
    from include.local import server
    from include.local.in_use import server_in_use
    from include.records.migrations import require_current

    require_warehouse()
    with server_in_use():
        warehouse = Warehouse(server.warehouse_url())
        require_current(warehouse)
        try:
            yield warehouse.reader()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            raise InfrastructureError(
                f"Reading took too long: {error.diag.message_primary}.",
                where=mask_secrets(warehouse.address),
                next_step="let the run that is at work end (pg_stat_activity lists it), and repeat the command.",
            ) from error


def require_warehouse() -> None:
    from include.local import server

    given = settings()
    if given.warehouse is None and not server.exists(given):
        raise UsageError(
            "There is no warehouse in this home yet.", where=str(given.home), next_step="make one with ./kaw run."
        )
