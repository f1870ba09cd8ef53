"""Changes of the ledger as somebody makes them who owns its table: the trigger that refuses them is off meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.records.database import connect
from include.records.ledger_check import COLUMNS, GENESIS, Entry, digest_of


@contextmanager
def unguarded(conn: psycopg.Connection) -> Iterator[None]:
    """In the caller's transaction."""
    conn.execute("alter table quality.ledger disable trigger only_grows")
    yield
    conn.execute("alter table quality.ledger enable always trigger only_grows")


def tamper(url: str, *statements: str) -> None:
    with connect(url) as conn, unguarded(conn):
        for statement in statements:
            conn.execute(statement)


def entries(conn: psycopg.Connection) -> list[Entry]:
    return [Entry(*row) for row in conn.execute(f"select {COLUMNS} from quality.ledger order by entry_no")]


def give_digest(conn: psycopg.Connection, number: int) -> None:
    """The digest of an entry made new, of the content that it has now."""
    found = next(entry for entry in entries(conn) if entry.entry_no == number)
    conn.execute("update quality.ledger set digest = %s where entry_no = %s", [digest_of(found), number])


def rewrite_chain(conn: psycopg.Connection, first: int) -> None:
    """Every digest from that entry to the end made new, so that the chain holds in itself."""
    previous = GENESIS
    for entry in entries(conn):
        if entry.entry_no >= first:
            conn.execute(
                "update quality.ledger set previous_digest = %s where entry_no = %s", [previous, entry.entry_no]
            )
            give_digest(conn, entry.entry_no)
            (previous,) = conn.execute(
                "select digest from quality.ledger where entry_no = %s", [entry.entry_no]
            ).fetchone()
        else:
            previous = entry.digest
