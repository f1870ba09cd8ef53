"""An alert reaches its webhook as one JSON message, and whatever the webhook does, the night goes on."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from include.alerts import KINDS, alert


class Webhook:
    """A listener on this machine that keeps what it is sent and answers with `status`."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.messages.append(
                    {"body": json.loads(body), "type": self.headers["Content-Type"], "path": self.path}
                )
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/services/very-secret-token"


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    hook = Webhook()
    thread = threading.Thread(target=hook.server.serve_forever)
    thread.start()
    monkeypatch.setenv("KAW_ALERT_WEBHOOK", hook.address)
    yield hook
    hook.server.shutdown()
    thread.join()
    hook.server.server_close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_one_json_message(webhook: Webhook, kind: str) -> None:
    assert alert(kind, "电量缺失 stopped the night", {"business_date": date(2026, 7, 10), "rules": ["MET-01"]})
    (message,) = webhook.messages
    assert message["type"] == "application/json; charset=utf-8"
    body = message["body"]
    assert body.pop("at").endswith("+08:00")
    assert body == {
        "kind": kind,
        "message": "电量缺失 stopped the night",
        "detail": {"business_date": "2026-07-10", "rules": ["MET-01"]},
    }


def test_without_a_webhook_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAW_ALERT_WEBHOOK", raising=False)
    assert not alert("blocked", "x")


def test_a_refusing_webhook_is_logged_without_its_address(webhook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    webhook.status = 500
    with caplog.at_level(logging.WARNING):
        assert not alert("blocked", "x", {})
    assert "answered 500" in caplog.text
    assert "very-secret-token" not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/very-secret-token",
        "http://[very-secret-token",
        "file:///very-secret-token",
        "not an address very-secret-token",
        "http://very-secret-token.invalid/\n",
    ],
)
def test_a_wrong_address_never_raises_and_is_never_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    monkeypatch.setenv("KAW_ALERT_WEBHOOK", address)
    with caplog.at_level(logging.DEBUG):
        assert not alert("file_refused", "x", {"table": "mkt_bill"})
    assert "was not sent" in caplog.text
    assert "very-secret-token" not in caplog.text


def test_a_detail_that_is_no_json_never_raises(webhook: Webhook) -> None:
    circle: dict = {}
    circle["self"] = circle
    assert not alert("blocked", "x", circle)
    assert webhook.messages == []
