"""The warehouse as a caller may use it: where it is, with which fence, in which role, and whether it may write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg

from include.settings import TIMEZONE_NAME

READER = "kaw_reader"
AUDITOR = "kaw_auditor"
PERSONAL_READER = "kaw_personal_reader"
GATEKEEPER = "kaw_gatekeeper"  # leads the night
WRITER_SILENCE = "300s"  # an attempt that stopped in a transaction loses it; the next run does not wait for that
READ_TIMEOUT = "300s"
LOCK_TIMEOUT = "10s"  # a reader waits this long for a table that is just being replaced; nobody holds one as long
CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class Warehouse:
    """Address of the warehouse and how its sessions act.

    `fence` (`<scope>:<number>`) goes with every write; `role` is the least-privileged role to act in, None for the login's
    own rights; a read-only session refuses whatever would write. `logins` has the address of each role's own login: a night
    has no other, and so no session of it can become the owner. Tests and benches without them act as the owner's `set role`.
    """

    address: str = field(repr=False)  # holds a password
    fence: str = ""
    role: str | None = None
    is_read_only: bool = False
    logins: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

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
        fence = self.fence.replace(" ", "_")
        settings = {"timezone": TIMEZONE_NAME, "kaw.fence": fence}
        if fence:  # by its name quality.put_out finds what an earlier attempt left
            settings |= {"application_name": self.session_name, "idle_in_transaction_session_timeout": WRITER_SILENCE}
        if self.role:
            settings["role"] = self.role
        if self.is_read_only:
            settings |= {
                "default_transaction_read_only": "on",
                "statement_timeout": READ_TIMEOUT,
                "lock_timeout": LOCK_TIMEOUT,
            }
        return " ".join(f"-c {name}={value}" for name, value in settings.items())

    @property
    def session_name(self) -> str:
        """The application_name of its sessions; a driver that sets one of its own is given this."""
        return f"kaw/{self.fence.replace(' ', '_')}" if self.fence else "kaw"

    def fenced(self, fence: str) -> Warehouse:
        """The same for the writes of a run, with its fence."""
        return replace(self, fence=fence)

    def as_role(self, role: str) -> Warehouse:
        """The same by the login of a role.

        Without logins: in the role, or with the own rights where the server lacks it, the login is no member, or it has no
        grant here.
        """
        if self.logins:
            return replace(self, role=role, address=self.logins[role])
        with replace(self, role=None).connect() as connection:
            found = connection.execute(
                "select 1 from pg_roles where rolname = %s and pg_has_role(oid, 'member')"
                " and has_schema_privilege(oid, to_regnamespace('quality')::oid, 'usage')",
                (role,),
            ).fetchone()
        return replace(self, role=role if found else None)

    def reader(self, role: str | None = None) -> Warehouse:
        """The same for a caller that changes nothing: read-only, with timeouts, in a reading role."""
        return replace(self, fence="", is_read_only=True).as_role(role or READER)
