"""Each tamper of tests/data/tampers.yaml is impossible or found: as the owner of the tables with whatever head and key a forger has,
and as a session of each role. A sample here, a thousand with --soak.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql
from psycopg.types.json import Jsonb

from include.local.server import Server
from include.records import ledger, ledger_heads, ledger_key
from include.records.database import connect
from include.records.ledger_check import GENESIS, HOME, examine, restore_text, rotation_text
from include.records.ledger_heads import Head
from include.records.ledger_key import Key
from tests.tampering import entries, give_digest, rewrite_chain, unguarded

ENTRIES, EVERY = 30, 6
FORGER = Key(Ed25519PrivateKey.from_private_bytes(bytes(32)))
VALUES = {
    "actor": "actor || '.'",
    "type": ("event", "reverse(event)"),
    "time": ("at", "at + interval '1 microsecond'"),
    "content": ("detail", "jsonb_set(detail, '{rows}', '0')"),
    "person": ("entered_by", "'somebody else'"),
    "form": ("form", "1"),
    "former digest": ("previous_digest", "md5(previous_digest) || md5(digest)"),
    "own digest": ("digest", "md5(digest) || md5(previous_digest)"),
    "number": ("entry_no", "-entry_no"),
}


@dataclass
class Written:
    """A ledger of 30 entries, its key, and the heads that were signed on the way; the last is the home's."""

    url: str
    key: Key
    heads: list[Head]


@pytest.fixture
def written(database: str) -> Written:
    choice, heads = random.Random(20261130), []
    with connect(database) as conn:
        for number in range(2, ENTRIES + 1):
            detail = {"load_id": number, "rows": choice.randint(1, 1000), "名称": "用户"}
            ledger.append(conn, choice.choice(("load", "verdict", "waiver", "publish")), detail, "night")
            if number % EVERY == 0:
                heads.append(ledger_heads.signed(*ledger._last(conn), ledger_key.given()))
    return Written(database, ledger_key.given(), heads)


class Tamper:
    """One change, in a transaction that is taken back. `known` is what is read of heads afterwards."""

    def __init__(self, conn: psycopg.Connection, written: Written, choice: random.Random) -> None:
        self.conn, self.written, self.choice = conn, written, choice
        self.home: Head | None = written.heads[-1]
        self.outside: list[Head] = list(written.heads)
        self.trusted = written.key.public

    def problems(self) -> list[str]:
        heads = ([(HOME, self.home)] if self.home else []) + [("place 1 (file)", head) for head in self.outside]
        found = examine(self.conn, heads, public_key=self.trusted)
        return found.problems + ([found.unsigned] if found.unsigned else [])

    # -- what is done

    def edit(self) -> str:
        number, what = self._where(), self.choice.choice(list(VALUES))
        column, value = VALUES[what] if isinstance(VALUES[what], tuple) else (what, VALUES[what])
        self._do(f"update quality.ledger set {column} = {value} where entry_no = %s", number)
        if "digest" in what:  # a chain that is made new would take it back
            return f"edit {what}"
        return f"edit {what}, {self._cover(number, may_have_digest=what != 'number')}"

    def delete(self) -> str:
        number, count = self._where(), self.choice.choice((1, 3, ENTRIES))
        number = 1 if count == ENTRIES else min(number, ENTRIES - count)
        self._do("delete from quality.ledger where entry_no >= %s and entry_no < %s", number, number + count)
        if self.choice.random() < 0.5:
            self._renumber(number + count, -count)
        return f"delete {count}, {self._cover(number)}"

    def insert(self) -> str:
        number, kind = self._where(ENTRIES + 1), self.choice.choice(("a copy", "made up", "another actor"))
        model = self.choice.choice([n for n in range(1, ENTRIES + 1) if n != number])
        self._renumber(number, 1)
        model += model >= number
        self._do(
            "insert into quality.ledger (entry_no, at, actor, entered_by, event, detail, previous_digest, digest, form)"
            " select %s, at, actor, entered_by, event, detail, previous_digest, digest, form from quality.ledger"
            " where entry_no = %s",
            number,
            model,
        )
        if kind != "a copy":
            change = "actor = 'somebody else'" if kind == "another actor" else 'detail = \'{"verdict": "passed"}\''
            self._do(f"update quality.ledger set {change} where entry_no = %s", number)
        if self.choice.random() < 0.5:
            before = self.conn.execute("select digest from quality.ledger where entry_no = %s", [number - 1]).fetchone()
            previous = before[0] if before else GENESIS
            self._do("update quality.ledger set previous_digest = %s where entry_no = %s", previous, number)
        return f"insert {kind}, {self._cover(number, may_have_digest=True)}"

    def reorder(self) -> str:
        first, second = sorted(self.choice.sample(range(1, ENTRIES + 1), 2))
        for old, new in ((first, -1), (second, first), (-1, second)):
            self._do("update quality.ledger set entry_no = %s where entry_no = %s", new, old)
        return f"reorder, {self._cover(first)}"

    def cut(self) -> str:
        count = self.choice.choice((1, 3, ENTRIES // 2, ENTRIES))
        self._do("delete from quality.ledger where entry_no > %s", ENTRIES - count)
        how = self.choice.choice(("nothing", "head removed", "older head", "new entries", "forged restore"))
        if how == "head removed":
            self.home = None
        elif how == "older head":
            self.home = next((h for h in reversed(self.written.heads) if h.entry_no <= ENTRIES - count), None)
        elif how == "new entries":
            for _ in range(count):
                ledger.append(self.conn, "load", {"rows": self.choice.randint(1, 1000)}, "forger")
        elif how == "forged restore":
            number, digest = ledger._last(self.conn)
            at = "2099-01-01T00:00:00+00:00"
            signed = {"kept_entry": number, "kept_digest": digest, "at": at}
            ledger.append(
                self.conn, "restore", signed | {"signature": FORGER.sign(restore_text(number, digest, at))}, "forger"
            )
        return f"cut {count}, {how}"

    def rewritten(self) -> str:
        """Chain and head, with a key of the forger, and with a key that the forger announces."""
        how = self.choice.choice(("edited", "left out", "all by others", "another key", "key exchanged", "key lost"))
        number = self.choice.randint(2, ENTRIES - 1)
        if how == "edited":
            self._do("update quality.ledger set detail = '{}' where entry_no = %s", number)
        elif how == "left out":
            self._do("delete from quality.ledger where entry_no = %s", number)
            self._renumber(number + 1, -1)
        elif how == "all by others":
            self._do("update quality.ledger set actor = 'somebody else' where entry_no > 1")
        elif how == "another key":
            self._do("update quality.ledger set detail = %s where event = 'key'", Jsonb({"public_key": FORGER.public}))
        elif how == "key exchanged":
            text = rotation_text(self.trusted, FORGER.public, ledger._last(self.conn)[1])
            detail = {"public_key": FORGER.public, "signed_by_previous": FORGER.sign(text), "signed": FORGER.sign(text)}
            ledger.append(self.conn, "key_rotation", detail, "forger")
        else:
            ledger.append(self.conn, "key_lost", {"public_key": FORGER.public, "reason": "lost"}, "forger")
        rewrite_chain(self.conn, 1)
        head = ledger_heads.signed(*ledger._last(self.conn), FORGER)
        self.home = self.choice.choice((head, Head(head.entry_no, head.digest), replace(head, public_key=self.trusted)))
        if self.choice.random() < 0.5:
            self.outside = []
        return f"rewritten {how}, {'home alone' if not self.outside else 'with a place outside'}"

    # -- how it is covered

    def _cover(self, number: int, may_have_digest: bool = False) -> str:
        how = self.choice.choice(("nothing", "digest", "chain", "head", "forged head"))
        if how == "digest" and may_have_digest and self._has(number):
            give_digest(self.conn, number)
        elif how in ("chain", "head", "forged head"):
            rewrite_chain(self.conn, 1)
        if how == "head":
            self.home = None
        elif how == "forged head":
            self.home = ledger_heads.signed(*ledger._last(self.conn), FORGER)
        if how in ("nothing", "digest") and self.choice.random() < 0.5:
            self.outside = []
        return how

    def _where(self, last: int = ENTRIES) -> int:
        return self.choice.choice((1, self.choice.randint(2, last - 1), last))

    def _has(self, number: int) -> bool:
        return self.conn.execute("select 1 from quality.ledger where entry_no = %s", [number]).fetchone() is not None

    def _renumber(self, first: int, by: int) -> None:
        self._do("update quality.ledger set entry_no = -(entry_no + %s) where entry_no >= %s", by, first)
        self._do("update quality.ledger set entry_no = -entry_no where entry_no < 0")

    def _do(self, statement: str, *values) -> None:
        self.conn.execute(statement, values)


KINDS: tuple[Callable[[Tamper], str], ...] = (
    Tamper.edit,
    Tamper.delete,
    Tamper.insert,
    Tamper.reorder,
    Tamper.cut,
    Tamper.rewritten,
)


@pytest.mark.parametrize("trials", [60, pytest.param(1000, marks=pytest.mark.soak)])
@pytest.mark.timeout(600)
def test_every_tamper_by_who_owns_the_ledger_is_found(written: Written, trials: int) -> None:
    choice, undetected, kinds = random.Random(20261123), [], Counter()
    with connect(written.url) as conn:
        assert Tamper(conn, written, choice).problems() == []
        for trial in range(trials):
            with conn.transaction(force_rollback=True), unguarded(conn):
                tamper = Tamper(conn, written, choice)
                before = entries(conn), tamper.home, tamper.outside
                told = KINDS[trial % len(KINDS)](tamper)
                assert (entries(conn), tamper.home, tamper.outside) != before, told
                kinds[told] += 1
                if not tamper.problems():
                    undetected.append(told)
        assert Tamper(conn, written, choice).problems() == []
    assert undetected == []
    assert sum(kinds.values()) == trials
    print(f"{trials} tampers of {len(kinds)} kinds, 0 undetected: below {3 / trials:.1%} at 95 %")


def test_a_restore_that_the_key_signed_is_accepted_and_its_heads_are_history(written: Written) -> None:
    with connect(written.url) as conn, unguarded(conn):
        conn.execute("delete from quality.ledger where entry_no > 20")
        number, digest = ledger._last(conn)
        at = "2099-01-01T00:00:00+00:00"
        signed = {"kept_entry": number, "kept_digest": digest, "at": at}
        ledger.append(conn, "restore", signed | {"signature": written.key.sign(restore_text(number, digest, at))})
        home = ledger_heads.signed(*ledger._last(conn), written.key)
        heads = [(HOME, home), *(("place 1 (file)", head) for head in written.heads)]
        found = examine(conn, heads, public_key=written.key.public)
        assert (found.problems, found.unsigned) == ([], None)
        assert found.notes == ["entry 21: the warehouse was restored from a back-up that ends at 20."]


# -- as each role, with a login of its own


ROLES = {  # role -> the types that it may write, by hand
    "kaw_loader": {"load", "withdrawal_confirm", "withdrawal_deny", "head_lost"},
    "kaw_transformer": set(),
    "kaw_gatekeeper": {"verdict", "report", "head_lost"},
    "kaw_publisher": {"publish", "publish_refused", "roll_back", "release", "head_lost"},
    "kaw_reader": set(),
    "kaw_auditor": set(),
    "kaw_bi_reader": set(),
    "kaw_account_manager": set(),
}
TYPES = ("load", "verdict", "waiver", "waiver_end", "withdrawal_confirm", "withdrawal_deny", "finding_note", "publish")
TYPES += (
    "publish_refused",
    "roll_back",
    "release",
    "report",
    "head_lost",
    "key",
    "key_rotation",
    "key_lost",
    "restore",
)
TYPES += ("made_up",)
REFUSED = {
    "insert": "insert into quality.ledger values (31, now(), 'x', 'load', '{}', 'a', 'b')",
    "update": "update quality.ledger set actor = 'x' where entry_no = 2",
    "delete": "delete from quality.ledger where entry_no = 30",
    "truncate": "truncate quality.ledger",
    "switch off the trigger": "alter table quality.ledger disable trigger all",
    "drop the trigger": "drop trigger only_grows on quality.ledger",
    "be a replica": "set session_replication_role = replica",
    "replace the function": "create or replace function quality.append_entry(text, jsonb, text) returns void language sql"
    " as 'select 1'",
    "replace who acts": "create or replace function quality.actor() returns text language sql as $$ select 'x' $$",
    "widen the types": "create or replace view quality.ledger_events as select 'kaw_loader' as role_name, 'restore' as event",
    "be the owner": "set role kaw",
    "be the owner's session": "set session authorization kaw",
    "a rule on it": "create rule forged as on insert to quality.ledger do instead nothing",
    "a child of it": "create temp table child () inherits (quality.ledger)",
    "rename it": "alter table quality.ledger rename to other",
    "drop it": "drop table quality.ledger cascade",
    "lock it": "lock table quality.ledger in access exclusive mode",
    "own it": "alter table quality.ledger owner to current_user",
}


@contextmanager
def login_of(server: Server, url: str, role: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """A session of a login that is a member of the role and of nothing else."""
    database = url.rpartition("/")[2]
    login = sql.Identifier(f"{database}_{role}")
    with psycopg.connect(server.admin_url(database), autocommit=True) as admin:
        admin.execute(
            sql.SQL("create role {} login password 'of the test' in role {}").format(login, sql.Identifier(role))
        )
        admin.execute(sql.SQL("grant usage on schema quality to {}").format(login))
    with psycopg.connect(url, user=f"{database}_{role}", password="of the test", autocommit=True) as conn:
        yield conn, f"{database}_{role}"


def is_refused(conn: psycopg.Connection, statement: str) -> bool:
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def test_no_role_can_forge_an_entry(written: Written, server: Server) -> None:
    with connect(written.url) as conn:
        before = entries(conn)
    done, allowed = [], {}
    for role in ROLES:
        with login_of(server, written.url, role) as (conn, login):
            done += [(role, name) for name, statement in REFUSED.items() if not is_refused(conn, statement)]
            allowed[role] = {event for event in TYPES if may_write(conn, event, login)}
    assert done == []
    assert allowed == ROLES
    with connect(written.url) as conn:
        assert entries(conn) == before


def may_write(conn: psycopg.Connection, event: str, login: str) -> bool:
    """Whether the session may; an entry that it writes bears its login, whatever it says."""
    with conn.transaction(force_rollback=True):
        conn.execute("set local kaw.actor = 'somebody else'")
        try:
            with conn.transaction():
                number, _ = ledger.append(conn, event, {"a": 1}, "somebody else")
        except psycopg.errors.InsufficientPrivilege:
            return False
        assert (number, entries(conn)[-1].actor) == (ENTRIES + 1, login)
        return True


def test_what_lies_before_the_ledger_in_the_search_path_is_not_written(written: Written, server: Server) -> None:
    with login_of(server, written.url, "kaw_loader") as (conn, login), conn.transaction():
        conn.execute("create temp table ledger (entry_no bigint, digest text)")
        conn.execute("create temp table locks (name text)")
        conn.execute("create function pg_temp.actor() returns text language sql as $$ select 'x' $$")
        conn.execute("create function pg_temp.sha256(bytea) returns bytea language sql as $$ select '\\x00'::bytea $$")
        conn.execute("set local search_path = pg_temp, quality, pg_catalog")
        assert ledger.append(conn, "load", {"a": 1})[0] == ENTRIES + 1
        assert conn.execute("select count(*) from pg_temp.ledger").fetchone() == (0,)
    with connect(written.url) as conn:
        last = entries(conn)[-1]
    assert (last.entry_no, last.actor, last.holds, json.loads(last.detail)) == (ENTRIES + 1, login, True, {"a": 1})
