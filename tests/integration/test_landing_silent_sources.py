"""A source that does not answer, stalls or breaks off is asked again a counted number of times, then the command ends with 3."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from include.contracts import load_contracts
from include.errors import InfrastructureError, UsageError
from include.local import cli
from include.settings import settings
from tests.landing import Utility, new_utility, source_tables

READ_OF_PAYMENTS = b'as "pay_no"'
READ_OF_CATALOGUE = b"information_schema.columns"
TYPES_OF_THE_DRIVER = b"pg_type"


class Between:
    """A server between the landing and the source's own. Its first `faults` connections that carry `at` fail in one way.

    `mute` accepts and never speaks; `stall` and `drop` pass everything on up to the answer to a statement that holds `at`,
    of which only the first bytes come through. `seen` counts the statements that failed, for `mute` the connections.
    """

    def __init__(self, address: str, kind: str, at: bytes = b"", faults: int = 99) -> None:
        self.kind, self.at, self.faults, self.seen = kind, at, faults, 0
        self._to = urlsplit(address)
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        login = f"{self._to.username}:{self._to.password}"
        self.address = f"postgresql://{login}@127.0.0.1:{port}{self._to.path}?sslmode=disable"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for connection in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._open.append(client)
                if self.kind == "mute" and self.faults > 0:
                    self.faults, self.seen = self.faults - 1, self.seen + 1
                    continue
                server = socket.create_connection((self._to.hostname, self._to.port))
                self._open.append(server)
                is_cut = threading.Event()
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, target, client, is_cut), daemon=True).start()

    def _pass(
        self, source: socket.socket, target: socket.socket, client: socket.socket, is_cut: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source is client and self.at and self.at in data and self.faults > 0 and self.kind != "mute":
                    self.faults, self.seen = self.faults - 1, self.seen + 1
                    is_cut.set()
                if source is not client and is_cut.is_set():
                    target.sendall(data[:7])  # a part of the first message
                    if self.kind == "drop":
                        client.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def marketing(database: str, empty_database: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    """A warehouse whose marketing source is a database with one customer and one payment; short times, short pauses."""
    utility = new_utility(database, tmp_path, monkeypatch)
    source_tables(empty_database, *load_contracts()["marketing"])
    with psycopg.connect(empty_database) as connection:
        connection.execute("insert into mkt_customer (cons_no) values ('0017')")
        connection.execute(
            "insert into mkt_payment (pay_no, paid_at, amount, src_updated_at)"
            " values ('P1', '2026-01-10 10:00+08', 10, '2026-01-10 10:00+08')"
        )
    utility.source, utility.address = "marketing", empty_database
    for name, value in (("CONNECT_TIMEOUT", "1"), ("STATEMENT_TIMEOUT", "1"), ("TRIES", "3"), ("PAUSE", "0.05")):
        monkeypatch.setenv(f"KAW_SOURCE_{name}", value)
    return utility


@pytest.fixture
def between(marketing: Utility, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """Puts a server that fails between the landing and the source."""
    opened = []

    def put(kind: str, at: bytes = b"", faults: int = 99) -> Between:
        opened.append(Between(marketing.address, kind, at, faults))
        monkeypatch.setenv("KAW_SOURCE_MARKETING", opened[-1].address)
        return opened[-1]

    yield put
    for server in opened:
        server.close()


FAULTS = {
    "accepts and never speaks": ("mute", b"", "cannot be reached", "timeout"),
    "answers the start-up, then stalls": ("stall", TYPES_OF_THE_DRIVER, "cannot be reached", "no answer"),
    "stalls in the catalogue": ("stall", READ_OF_CATALOGUE, "stopped answering", "no answer"),
    "stalls in a table": ("stall", READ_OF_PAYMENTS, "stopped answering", "mkt_payment: no answer"),
    "drops in a table": ("drop", READ_OF_PAYMENTS, "stopped answering", "mkt_payment: the connection was closed"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_that_does_not_answer_is_tried_three_times_and_ends_with_3(marketing, between, monkeypatch, fault):
    kind, at, what, reason = FAULTS[fault]
    server = between(kind, at)
    started = time.monotonic()
    with pytest.raises(InfrastructureError) as caught:
        marketing.land()
    assert time.monotonic() - started < 20
    assert (server.seen, caught.value.exit_code) == (3, 3)
    message = str(caught.value)
    assert message.startswith(f"The source marketing {what} in 3 tries.\nWhere: KAW_SOURCE_MARKETING (")
    assert reason in message
    assert "\nNext: " in message
    assert urlsplit(marketing.address).password not in message + repr(caught.value.__cause__)
    assert marketing.query("select count(*) from quality.receipts where table_name = 'mkt_payment'") == [(0,)]
    assert marketing.query("select count(*) from raw_marketing.mkt_payment") == [(0,)]

    monkeypatch.setenv("KAW_SOURCE_MARKETING", marketing.address)
    assert {r.table_name: r.inserted_rows for r in marketing.land()}["mkt_payment"] == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", ["accepts and never speaks", "stalls in a table", "drops in a table"])
def test_a_source_that_answers_at_the_second_try_lands_whole(marketing, between, fault):
    server = between(*FAULTS[fault][:2], faults=1)
    assert {r.state for r in marketing.land()} == {"landed"}
    assert server.seen == 1
    assert marketing.in_force("mkt_payment", "pay_no", "amount") == [("P1", 10)]
    assert marketing.in_force("mkt_customer", "cons_no", "cons_name") == [("0017", None)]


@pytest.mark.timeout(60)
def test_a_table_that_is_locked_is_given_up_by_the_source_too(marketing, monkeypatch):
    monkeypatch.setenv("KAW_SOURCE_MARKETING", marketing.address)
    with psycopg.connect(marketing.address) as other:
        other.execute("lock table mkt_payment")
        with pytest.raises(InfrastructureError, match="mkt_payment: statement timeout after 1 s"):
            marketing.land()
    with psycopg.connect(marketing.address, autocommit=True) as other:
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        assert other.execute(waiting).fetchone() == (0,)


@pytest.mark.timeout(60)
def test_pauses_between_the_tries_grow(marketing, between, monkeypatch):
    between("mute")
    monkeypatch.setenv("KAW_SOURCE_TRIES", "4")
    pauses = []
    monkeypatch.setattr("include.landing.databases.time.sleep", pauses.append)
    with pytest.raises(InfrastructureError, match="in 4 tries"):
        marketing.land()
    assert pauses == pytest.approx([0.05, 0.15, 0.45])


@pytest.mark.timeout(60)
def test_a_wrong_password_is_tried_once(marketing, monkeypatch):
    pauses = []
    monkeypatch.setattr("include.landing.databases.time.sleep", pauses.append)
    password = urlsplit(marketing.address).password
    monkeypatch.setenv("KAW_SOURCE_MARKETING", marketing.address.replace(password, "not-the-word"))
    with pytest.raises(InfrastructureError, match="password authentication failed"):
        marketing.land()
    assert pauses == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("fault", ["accepts and never speaks", "stalls in the catalogue"])
def test_check_sources_ends_with_3_where_a_source_does_not_answer(marketing, between, capsys, fault):
    server = between(*FAULTS[fault][:2])
    assert cli.main(["check-sources"]) == 3
    told = " ".join(capsys.readouterr().out.split())
    assert server.seen == 3
    assert "in 3 tries" in told
    assert urlsplit(marketing.address).password not in told


def test_the_times_are_settings_with_defaults(monkeypatch):
    given = settings()
    assert given.source_connect_timeout_s == 10
    assert given.source_statement_timeout_s == 900
    assert (given.source_tries, given.source_pause_s) == (3, 5)
    for name, value in (("CONNECT_TIMEOUT", "soon"), ("STATEMENT_TIMEOUT", "0"), ("TRIES", "1.5"), ("PAUSE", "-1")):
        with monkeypatch.context() as wrong:
            wrong.setenv(f"KAW_SOURCE_{name}", value)
            with pytest.raises(UsageError, match=f"Where: KAW_SOURCE_{name}={value}"):
                settings()


def test_parameters_of_an_address_come_before_those_of_the_settings():
    from include.landing.databases import with_timeouts

    assert with_timeouts("postgresql://u:p?w@h/d", 10) == (
        "postgresql://u:p?w@h/d?connect_timeout=10&tcp_user_timeout=10000&keepalives_idle=10"
    )
    assert with_timeouts("postgresql://h/d?connect_timeout=3&sslmode=require", 0.5) == (
        "postgresql://h/d?connect_timeout=3&sslmode=require&tcp_user_timeout=500&keepalives_idle=1"
    )
