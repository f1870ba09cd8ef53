"""Settings come from the environment at the moment they are asked for, and never show a secret."""

from __future__ import annotations

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from include.errors import GateBlocked, InfrastructureError, UsageError
from include.settings import ROOT, default_business_date, mask_secrets, settings


def test_nothing_is_read_before_it_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "one"))
    first = settings()
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "two"))
    assert (first.home, settings().home) == (tmp_path / "one", tmp_path / "two")


def test_home_lies_beside_the_code_and_all_addresses_are_open_by_default(monkeypatch):
    for name in ("KAW_HOME", "KAW_WAREHOUSE", "KAW_SOURCE_METERING", "KAW_SOURCE_FORMS", "KAW_ALERT_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    given = settings()
    assert given.home == ROOT / ".kaw"
    assert (given.warehouse, given.source("metering"), given.source("forms"), given.alert_webhook) == (None,) * 4
    monkeypatch.setenv("KAW_SOURCE_METERING", "")
    assert settings().source_metering is None


def test_no_secret_is_shown(monkeypatch):
    monkeypatch.setenv("KAW_WAREHOUSE", "postgres://kaw:hush1@db/warehouse")
    monkeypatch.setenv("KAW_SOURCE_CONTRACT", "postgresql://reader:hush2@db:5433/contract?sslmode=require")
    monkeypatch.setenv("KAW_ALERT_WEBHOOK", "https://alerts.invalid/hook/hush3")
    shown = repr(settings())
    assert "hush" not in shown
    assert "reader:***@db:5433/contract" in shown
    assert mask_secrets("host=db password='a b' user=x") == "host=db password=*** user=x"
    assert mask_secrets("postgresql://u:a:b@h/d") == "postgresql://u:***@h/d"
    assert mask_secrets("at postgresql://u:a/b@c@h:5432/d now") == "at postgresql://u:***@h:5432/d now"


def test_lineage_is_told_where_a_file_or_a_receiver_is_set_and_openlineages_switch_is_not(monkeypatch, tmp_path):
    assert not settings().tells_lineage
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "utility")  # a name alone is no receiver
    assert (settings().tells_lineage, settings().lineage_namespace) == (False, "utility")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "http")
    assert settings().lineage_by_openlineage
    monkeypatch.setenv("KAW_LINEAGE_FILE", str(tmp_path / "lineage.jsonl"))
    assert settings().lineage_file == tmp_path / "lineage.jsonl"
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "True")
    assert not settings().tells_lineage


@pytest.mark.parametrize("address", ["warehouse", "mysql://user:secret@host/db", "postgresql://user:secret@host"])
def test_warehouse_that_is_no_postgresql_database_is_a_usage_error_without_the_password(monkeypatch, address):
    monkeypatch.setenv("KAW_WAREHOUSE", address)
    with pytest.raises(UsageError, match="Next: set it to postgresql://") as caught:
        settings()
    assert "secret" not in str(caught.value)


def test_a_warehouse_of_several_hosts_is_refused_and_the_message_says_what_to_name(monkeypatch):
    monkeypatch.setenv("KAW_WAREHOUSE", "postgresql://user:secret@one:5432,two:5433/warehouse")
    with pytest.raises(UsageError, match=r"several hosts.*\n.*\nNext: name the host") as caught:
        settings()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        ("postgres://reader:p%40ss@db:5433/marketing", "postgresql://reader:p%40ss@db:5433/marketing"),
        ("fs://?path=%2Fsrv%2Fmetering", "/srv/metering"),
        (
            json.dumps({"conn_type": "postgres", "host": "db", "login": "reader", "password": "p@ss", "schema": "m"}),
            "postgresql://reader:p%40ss@db/m",
        ),
        (json.dumps({"conn_type": "fs", "extra": {"path": "/srv/metering"}}), "/srv/metering"),
        (json.dumps({"conn_type": "fs", "extra": '{"path": "/srv/metering"}'}), "/srv/metering"),
    ],
)
def test_airflow_connection_serves_where_the_variable_is_unset(monkeypatch, connection, address):
    monkeypatch.delenv("KAW_SOURCE_MARKETING", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_KAW_SOURCE_MARKETING", connection)
    assert settings().source("marketing") == address
    monkeypatch.setenv("KAW_SOURCE_MARKETING", "/elsewhere")
    assert settings().source("marketing") == "/elsewhere"


@pytest.mark.parametrize("connection", ["mysql://user:secret@db/x", "{not json", "[]", '{"host": "db"}'])
def test_airflow_connection_of_another_kind_is_told(monkeypatch, connection):
    monkeypatch.setenv("AIRFLOW_CONN_KAW_SOURCE_METERING", connection)
    with pytest.raises(UsageError, match="AIRFLOW_CONN_KAW_SOURCE_METERING") as caught:
        settings()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 3, 1, 15, 59, tzinfo=ZoneInfo("UTC")), date(2026, 2, 28)),
        (datetime(2026, 3, 1, 16, 0, tzinfo=ZoneInfo("UTC")), date(2026, 3, 1)),
    ],
)
def test_business_date_is_yesterday_in_shanghai(moment, expected):
    assert default_business_date(moment) == expected


def test_each_kind_of_error_has_its_exit_code_and_tells_what_where_and_next():
    assert (GateBlocked.exit_code, UsageError.exit_code, InfrastructureError.exit_code) == (1, 2, 3)
    error = InfrastructureError("It broke.", where="here", next_step="fix it.")
    assert str(error) == "It broke.\nWhere: here\nNext: fix it."
