"""The warehouse as a command opens it: to write, brought to the state of this code, or to read and change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg

from include.errors import InfrastructureError, UsageError
from include.records.warehouse import READER, Warehouse
from include.settings import mask_secrets, settings


@contextlib.contextmanager
def writing(must_exist: bool = True, migrates: bool = True) -> Iterator[Warehouse]:
    """The warehouse for a command that writes, brought to the state of this code; a dry run asks that it is in it."""
    from include.local import identities
    from include.local.in_use import server_in_use

    if must_exist:
        require_warehouse()
    with server_in_use():
        yield identities.opened() if migrates else identities.looked_at()


@contextlib.contextmanager
def administering(must_exist: bool = True) -> Iterator[Warehouse]:
    """The same as its owner, for a command that makes logins or databases."""
    from include.local import server
    from include.local.in_use import server_in_use
    from include.records.migrations import migrate

    if must_exist:
        require_warehouse()
    with server_in_use():
        warehouse = Warehouse(server.warehouse_url())
        migrate(warehouse)
        yield warehouse


@contextlib.contextmanager
def reading(role: str = READER) -> Iterator[Warehouse]:
    """The warehouse for a command that changes nothing: read-only, by the login of a reading role, never migrated."""
    from include.local import identities
    from include.local.in_use import server_in_use

    require_warehouse()
    with server_in_use():
        warehouse = identities.looked_at()
        try:
            yield warehouse.reader(role)
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
