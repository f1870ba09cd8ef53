"""Unit tests need neither a server nor a network: what opens a socket, or asks for a fixture with a database, fails."""

from __future__ import annotations

import socket

import pytest

WITH_A_SERVER = {"server", "session_home", "template", "database", "empty_database", "fresh_home"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "unit" in item.path.parts and (asked := WITH_A_SERVER & set(item.fixturenames)):
            raise pytest.UsageError(
                f"{item.nodeid} asks for {', '.join(sorted(asked))}: a test with a server belongs in tests/integration."
            )


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting and listening fail; so does libpq, whose sockets Python does not see, at its own entrance."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a unit test opens no connection; a test with a server belongs in tests/integration")

    import psycopg

    for name in ("connect", "connect_ex", "bind", "listen"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(psycopg.Connection, "connect", refuse)
    monkeypatch.setattr(psycopg, "connect", refuse)
