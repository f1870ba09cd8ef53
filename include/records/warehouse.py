"""The warehouse as a caller may use it: where it is, with which fence, in which role, and whether it may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg

from include.settings import TIMEZONE_NAME

READER = "kaw_reader"
READ_TIMEOUT = "300s"
LOCK_TIMEOUT = "10s"  # a reader waits this long for a table that is just being replaced; nobody holds one as long
CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class Warehouse:
    """Address of the warehouse and how its sessions act.

    `fence` (`<scope>:<number>`) goes with every write; `role` is the least-privileged role to act in, None for the login's
    own rights; a read-only session refuses whatever would write.
    """

    address: str = field(repr=False)  # holds a password
    fence: str = ""
    role: str | None = None
    is_read_only: bool = False

    @contextmanager
    def connect(self, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
        """A connection in the time zone of the utility; commits at the end, rolls back on an error."""
        with psycopg.connect(
            self.address, options=self.session_options, autocommit=autocommit, connect_timeout=CONNECT_TIMEOUT_S
        ) as connection:
            yield connection

    @property
    def session_options(self) -> str:
        """What a session starts with, as libpq's `options` and dbt's PGOPTIONS take it; no roll-back takes it away."""
        settings = {"timezone": TIMEZONE_NAME, "kaw.fence": self.fence.replace(" ", "_")}
        if self.role:
            settings["role"] = self.role
        if self.is_read_only:
            settings |= {
                "default_transaction_read_only": "on",
                "statement_timeout": READ_TIMEOUT,
                "lock_timeout": LOCK_TIMEOUT,
            }
        return " ".join(f"-c {name}={value}" for name, value in settings.items())

    def fenced(self, fence: str) -> Warehouse:
        """The same for the writes of a run, with its fence."""
        return replace(self, fence=fence)

    def as_role(self, role: str) -> Warehouse:
        """The same in a role. The login's own rights do where the server lacks it, the login is no member, or it has no grant here."""
        with replace(self, role=None).connect() as connection:
            found = connection.execute(
                "select 1 from pg_roles where rolname = %s and pg_has_role(oid, 'member')"
                " and has_schema_privilege(oid, to_regnamespace('quality')::oid, 'usage')",
                (role,),
            ).fetchone()
        return replace(self, role=role if found else None)

    def reader(self) -> Warehouse:
        """The same for a caller that changes nothing: read-only, with timeouts, in the reading role."""
        return replace(self, fence="", is_read_only=True).as_role(READER)
