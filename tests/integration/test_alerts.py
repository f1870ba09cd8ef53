"""An alert reaches its webhook as one JSON message, and whatever the webhook does, the night goes on."""

from __future__ import annotations

import json
import logging
import stat
import threading
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import SimpleNamespace

import psycopg
import pytest

from include import alerts, night
from include.alerts import KINDS, alert, clear, open_alerts
from include.errors import GateBlocked, InfrastructureError
from include.local import cli
from include.orchestration import tell_failed_task, tell_task_is_well
from include.records.warehouse import Warehouse
from include.settings import settings


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


# -- once a cause, and when it has cleared


@pytest.fixture(autouse=True)
def own_home(fresh_home) -> None:
    """What was told is noted in the home."""


def kinds(webhook: Webhook) -> list[str]:
    return [message["body"]["kind"] for message in webhook.messages]


def test_a_cause_that_begins_another_one_clears_itself_alone(webhook: Webhook) -> None:
    for table in ("mkt_bill", "mkt_bill_line"):
        assert alert("withdrawal_pending", f"{table}: 10 rows", cause=f"withdrawal_pending:{table}")
    assert clear("withdrawal_pending:mkt_bill") == 1
    assert list(open_alerts()) == ["withdrawal_pending:mkt_bill_line"]
    assert clear("withdrawal_pending:") == 1
    assert list(open_alerts()) == []


def test_a_cause_is_told_once_until_it_has_cleared(webhook: Webhook) -> None:
    assert alert(
        "blocked", "MET-01 stopped the night\nWhere: x", cause="blocked:2026-07-10", next_step="./kaw findings"
    )
    assert not alert("blocked", "MET-01 stopped the night", cause="blocked:2026-07-10")
    assert alert("blocked", "another day", cause="blocked:2026-07-11")
    assert list(open_alerts()) == ["blocked:2026-07-10", "blocked:2026-07-11"]
    assert clear("blocked:2026-07-10") == 1
    assert clear("blocked:2026-07-10") == 0
    assert kinds(webhook) == ["blocked", "blocked", "resolved"]
    assert webhook.messages[0]["body"]["detail"] == {"next": "./kaw findings"}
    assert webhook.messages[2]["body"]["message"] == "MET-01 stopped the night"
    assert webhook.messages[2]["body"]["detail"]["kind"] == "blocked"
    assert alert("blocked", "MET-01 stopped the night", cause="blocked:2026-07-10")


def test_what_no_receiver_took_is_told_again(webhook: Webhook) -> None:
    webhook.status = 500
    assert not alert("blocked", "x", cause="blocked:1")
    assert open_alerts() == {}
    webhook.status = 200
    assert alert("blocked", "x", cause="blocked:1")


def test_what_has_cleared_is_told_when_somebody_takes_it(webhook: Webhook) -> None:
    assert alert("blocked", "x", cause="blocked:1")
    assert alert("blocked", "y", cause="blocked:2")
    webhook.status = 500
    assert (clear("blocked:1"), clear("blocked:2")) == (1, 1)
    assert open_alerts() == {}
    webhook.status = 200
    webhook.messages.clear()
    assert not alert(
        "blocked", "y", cause="blocked:2"
    )  # it is back: it was told, and nobody was told that it had cleared
    assert clear("blocked:3") == 0
    assert [(m["body"]["kind"], m["body"]["message"]) for m in webhook.messages] == [("resolved", "x")]
    assert list(open_alerts()) == ["blocked:2"]
    assert stat.S_IMODE((settings().home / "alerts.json").stat().st_mode) == 0o600


def test_what_was_told_goes_with_the_home(webhook: Webhook) -> None:
    assert alert("blocked", "x", cause="blocked:1")
    assert {entry.name for entry in settings().home.iterdir()} == {"alerts.json", "alerts.lock"}
    assert cli.main(["down", "--purge"]) == 0
    assert not settings().home.exists()


def test_a_home_that_cannot_be_written_still_alerts(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAW_HOME", "/proc/x")
    assert alert("blocked", "x", cause="blocked:1")


# -- by Apprise


class Mailbox:
    """A mail server on this machine that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list = []
        box = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                def answer(line: str) -> None:
                    self.wfile.write(f"{line}\r\n".encode())

                answer("220 mail")
                while line := self.rfile.readline().strip().upper():
                    if line == b"DATA":
                        answer("354 go on")
                        lines = []
                        while (text := self.rfile.readline()) not in (b".\r\n", b""):
                            lines.append(text)
                        box.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                    answer("221 bye" if line == b"QUIT" else "250 ok")
                    if line == b"QUIT":
                        return

        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_address[1]
        self.address = f"mailto://127.0.0.1:{port}?from=kaw@utility.example&to=team@utility.example&mode=insecure"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    thread = threading.Thread(target=box.server.serve_forever)
    thread.start()
    yield box
    box.server.shutdown()
    thread.join()
    box.server.server_close()


def test_mail_says_what_happened_and_what_to_do(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAW_ALERT_URLS", mailbox.address)
    assert alert("source_silent", "The metering unit 1301 has been silent for 49 hours.", next_step="ask the unit.")
    monkeypatch.setenv("KAW_LANG", "zh")
    assert alert("blocked", "x")
    first, second = mailbox.mails
    assert (first["to"], first["subject"]) == ("team@utility.example", "A source is silent")
    text = first.get_body(("plain", "html")).get_content()
    assert "silent for 49 hours" in text
    assert "Next: ask the unit." in text
    assert second["subject"] == "质量关口已阻断夜间批处理"


WECOM, DINGTALK = "a1b2c3d4-e5f6-7890-abcd-ef0123456789", "a" * 64


@pytest.fixture
def robots(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """The receiver in the place of WeCom's and DingTalk's hosts; the requests, their paths and bodies are what Apprise sends."""
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.wecombot import NotifyWeComBot

    host = webhook.address.partition("/services")[0]
    monkeypatch.setattr(NotifyWeComBot, "notify_url", f"{host}/cgi-bin/webhook/send?key={{key}}")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", f"{host}/robot/send?access_token={{token}}")
    monkeypatch.delenv("KAW_ALERT_WEBHOOK")
    monkeypatch.setenv("KAW_ALERT_URLS", f"wecombot://{WECOM}, dingtalk://{DINGTALK}")
    return webhook


def test_wecom_and_dingtalk_get_their_own_form_and_their_tokens_are_in_no_log(
    robots: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="urllib3"):
        assert alert("blocked", "MET-01 stopped the night", next_step="./kaw findings")
    wecom, dingtalk = robots.messages
    assert wecom["path"] == f"/cgi-bin/webhook/send?key={WECOM}"
    assert dingtalk["path"] == f"/robot/send?access_token={DINGTALK}"
    said = "A gate stopped the night\r\nMET-01 stopped the night\nNext: ./kaw findings"
    assert wecom["body"] == {"msgtype": "text", "text": {"content": said}}
    assert (dingtalk["body"]["msgtype"], dingtalk["body"]["text"]) == ("text", {"content": said})
    assert WECOM not in caplog.text
    assert DINGTALK not in caplog.text
    robots.status = 500
    assert not alert("blocked", "x")


def test_a_receiver_that_fails_in_an_unknown_way_does_not_end_the_others(
    robots: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify = alerts._notify

    def broken_first(number: int, *rest) -> bool:
        if number == 1:
            raise RuntimeError("of a plugin")
        return notify(number, *rest)

    monkeypatch.setattr(alerts, "_notify", broken_first)
    assert alert("blocked", "x")
    assert len(robots.messages) == 1


def test_a_wrong_address_of_apprise_is_logged_without_it(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KAW_ALERT_URLS", "nosuch://very-secret-token json://127.0.0.1:1/very-secret-token")
    with caplog.at_level(logging.DEBUG):
        assert alert("blocked", "x")  # the webhook took it
    assert "KAW_ALERT_URLS, address 1, is none that Apprise knows" in caplog.text
    assert "was not taken by address 2" in caplog.text
    assert "very-secret-token" not in caplog.text
    assert "very-secret-token" not in repr(settings())


def test_each_receiver_is_tried_by_hand(webhook: Webhook, mailbox: Mailbox, monkeypatch, capsys) -> None:
    monkeypatch.setenv("KAW_ALERT_URLS", mailbox.address)
    assert cli.main(["alert", "--test"]) == 0
    assert capsys.readouterr().out.split() == ["webhook", "taken", "address", "1", "(mailto)", "taken"]
    assert kinds(webhook) == ["test"]
    webhook.status = 500
    assert cli.main(["alert", "--test"]) == 3
    assert "NOT taken" in capsys.readouterr().out
    monkeypatch.delenv("KAW_ALERT_URLS")
    monkeypatch.delenv("KAW_ALERT_WEBHOOK")
    assert cli.main(["alert", "--test"]) == 2
    assert cli.main(["alert"]) == 0
    assert capsys.readouterr().out == "No open alerts\n"


# -- from tasks and from what is published


def context(exception: BaseException | None = None, downstream: set[str] | None = None) -> dict:
    """What Airflow hands to a callback, as far as ours read it."""
    task = SimpleNamespace(dag_id="extract_metering", task_id="land_tables", log_url="http://127.0.0.1:8080/log")
    return {
        "task_instance": task,
        "task": SimpleNamespace(downstream_task_ids=downstream or set()),
        "dag_run": SimpleNamespace(partition_key="2026-07-10"),
        "exception": exception,
    }


def test_a_task_that_failed_for_good_is_told_once_and_again_when_it_is_well(webhook: Webhook) -> None:
    tell_failed_task(context(InfrastructureError("The source does not answer.", next_step="wait.")))
    tell_failed_task(context(ValueError("postgresql://kaw:very-secret@db/x")))
    tell_failed_task(context(GateBlocked("MET-01")))
    (message,) = webhook.messages
    assert message["body"]["message"].startswith(
        "extract_metering.land_tables of 2026-07-10 failed: The source does not answer."
    )
    assert message["body"]["detail"]["log"] == "http://127.0.0.1:8080/log"
    alert("deadline_missed", "late", cause="deadline_missed:extract_metering:2026-07-10:manual")
    tell_task_is_well(context(downstream={"more"}))
    assert kinds(webhook) == ["task_failed", "deadline_missed", "resolved"]
    tell_task_is_well(context())
    assert kinds(webhook)[3:] == ["resolved"]
    tell_failed_task(context(ValueError("postgresql://kaw:very-secret@db/x")))
    assert webhook.messages[-1]["body"]["message"].endswith("failed: ValueError")
    tell_task_is_well(context())
    tell_failed_task(context(InfrastructureError('dbt run failed: bad number "very secret"', public="dbt run failed.")))
    assert webhook.messages[-1]["body"]["message"].endswith("failed: dbt run failed.")
    tell_task_is_well(context())
    tell_failed_task(context(None))
    assert webhook.messages[-1]["body"]["message"].endswith("failed: it was ended or marked from outside")


@pytest.fixture
def published(database: str) -> str:
    """A published list of units, and findings, synthetic."""
    with psycopg.connect(database) as conn:
        conn.execute("""
            create table publish.mart_access_list (
                unit_no text, source_name text, org_no text, status_code text, silent_hours numeric, as_of_date date
            );
            create view marts.mart_access_list with (security_invoker = true) as select * from publish.mart_access_list;
            insert into marts.mart_access_list values
                ('U1', 'metering', '11', 'SILENT', 49.4, '2026-07-10'), ('U2', 'contract', '12', 'OK', 0, '2026-07-10'),
                ('U3', 'contract', '12', 'SILENT', 900, '2026-07-09');
            create view marts.canary as select * from publish.pointer;
            drop view if exists quality.findings cascade;
            create table quality.findings (state text, error_cny numeric);
            insert into quality.findings values ('open', 700), ('open', 800), ('open', null), ('fixed', 9000);
            grant select on marts.mart_access_list, publish.mart_access_list, quality.findings to kaw_reader;
        """)
    return database


def test_what_is_published_is_told_where_it_is_too_much_and_when_it_is_so_no_more(
    webhook: Webhook, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAW_ALERT_FINDINGS", "2")
    monkeypatch.setenv("KAW_ALERT_FINDINGS_CNY", "1500")
    for cause in (
        "blocked:2026-07-10",
        "blocked:2026-07-11",
        "file_refused:mkt_bill:a.csv:2026-07-10",
        "file_refused:mkt_bill:a.csv:2026-07-09",
        "file_refused:mkt_bill:a.csv:2026-07-11",
        "file_refused:mkt_org:b.csv:2026-07-10",
    ):
        alert(cause.partition(":")[0], cause, cause=cause)
    with psycopg.connect(published) as conn:
        conn.execute(
            "insert into quality.receipts (source_name, table_name, business_date, state, delivered_rows, inserted_rows,"
            " channel) values ('marketing', 'mkt_bill', '2026-07-10', 'refused', 0, 0, 'auto')"
        )
    webhook.messages.clear()
    night.tell_state(Warehouse(published), date(2026, 7, 10))
    assert [(m["body"]["kind"], m["body"]["message"]) for m in webhook.messages] == [
        ("resolved", "blocked:2026-07-10"),
        ("resolved", "file_refused:mkt_bill:a.csv:2026-07-09"),
        ("resolved", "file_refused:mkt_org:b.csv:2026-07-10"),
        (
            "unprotected",
            "marts.canary is a view without security_invoker: a manager could be shown the rows of others.",
        ),
        ("findings_over_limit", "3 findings are open, more than the limit of 2."),
        ("source_silent", "The metering unit U1 of organisation 11 has been silent for 49 hours."),
    ]
    night.tell_state(Warehouse(published), date(2026, 7, 10))
    assert len(webhook.messages) == 6
    with psycopg.connect(published) as conn:
        conn.execute("drop view marts.canary")
        conn.execute("update quality.findings set state = 'fixed' where error_cny is null")
        conn.execute("update quality.findings set error_cny = 701 where error_cny = 700")
        conn.execute("update marts.mart_access_list set status_code = 'OK' where unit_no = 'U1'")
    night.tell_state(Warehouse(published), date(2026, 7, 10))
    assert [(m["body"]["kind"], m["body"]["message"]) for m in webhook.messages[6:]] == [
        ("resolved", "marts.canary is a view without security_invoker: a manager could be shown the rows of others."),
        ("resolved", "3 findings are open, more than the limit of 2."),
        ("findings_over_limit", "The errors of 2 open findings are 1,501 yuan, more than the limit of 1,500."),
        ("resolved", "The metering unit U1 of organisation 11 has been silent for 49 hours."),
    ]


def test_a_limit_that_is_no_number_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("KAW_ALERT_FINDINGS", "many")
    assert cli.main(["alert"]) == 2
    assert "KAW_ALERT_FINDINGS is no number from 0." in capsys.readouterr().err
