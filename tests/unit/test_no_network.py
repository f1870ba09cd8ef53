"""The fence around the unit tests is seen to hold."""

from __future__ import annotations

import socket

import psycopg
import pytest


def test_a_unit_test_can_neither_connect_nor_listen():
    with pytest.raises(AssertionError, match="opens no connection"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    with socket.socket() as listener, pytest.raises(AssertionError, match="opens no connection"):
        listener.bind(("127.0.0.1", 0))
    with pytest.raises(AssertionError, match="opens no connection"):
        psycopg.connect("postgresql://nobody@127.0.0.1:9/none")
