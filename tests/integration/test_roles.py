"""The group roles: a reader sees the published version alone, and nobody does what is not their work."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.publish import rollback
from include.quality.gate import check_candidates, check_staged_data
from include.records.database import connect
from include.records.runs import Run
from include.records.warehouse import Warehouse
from tests.synthetic_marts import JULY, JUNE, Night


@pytest.fixture
def night(database: str, tmp_path: Path) -> Night:
    made = Night(database, tmp_path)
    made.execute("grant usage on schema marts, publish to kaw_bi_reader")  # as each login of the door has it
    return made


def as_role(url: str, role: str, statement: str) -> list[tuple]:
    with connect(url, role=role) as conn:
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_reader_sees_the_pointed_version_and_nothing_else(night: Night) -> None:
    night.publish()
    night.fill(2, [JUNE, JULY])
    night.publish()
    for relation in ("marts.mart_energy", "publish.mart_energy"):
        seen = as_role(night.url, "kaw_bi_reader", f"select distinct version, energy_kwh::integer from {relation}")
        assert seen == [(2, 2)], relation
    assert as_role(night.url, "kaw_bi_reader", "select count(*) from marts.publication") == [(2,)]
    assert as_role(night.url, "kaw_auditor", "select count(*) from publish.mart_energy") == [(12,)]
    night.fill(3, [JUNE, JULY])
    night.publish()
    assert as_role(night.url, "kaw_bi_reader", "select distinct version from publish.mart_energy") == [(3,)]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("kaw_bi_reader", "select * from candidate.mart_energy"),
        ("kaw_bi_reader", "select * from quality.quarantined_rows"),
        ("kaw_bi_reader", "select * from raw_marketing.mkt_contact"),
        ("kaw_bi_reader", "update publish.pointer set version = 1"),
        ("kaw_bi_reader", "delete from publish.mart_energy"),
        ("kaw_auditor", "select * from raw_marketing.mkt_contact"),
        ("kaw_auditor", "select value_text from quality.rejected_rows"),
        ("kaw_auditor", "select row_text from quality.rejected_rows"),
        ("kaw_auditor", "delete from quality.ledger"),
        ("kaw_loader", "update raw_marketing.mkt_bill set _load_id = 0"),
        ("kaw_loader", "delete from raw_marketing.mkt_bill"),
        ("kaw_loader", "update quality.ledger set actor = 'x'"),
        ("kaw_loader", "select * from marts.publication"),
        ("kaw_transformer", "insert into raw_marketing.mkt_bill (_load_id) values (1)"),
        ("kaw_transformer", "update publish.pointer set version = 1"),
        ("kaw_gatekeeper", "update raw_marketing.mkt_bill set _load_id = 0"),
        ("kaw_gatekeeper", "insert into candidate.mart_energy values ('A1')"),
        ("kaw_gatekeeper", "update publish.pointer set version = 1"),
        ("kaw_gatekeeper", "update quality.runs set business_date = '2026-07-11'"),
        (
            "kaw_gatekeeper",
            "insert into quality.waivers (rule_id, scope, approver, reason, valid_until, entered_by)"
            " values ('MET-01', 'all', 'a', 'b', '2026-07-10', 'c')",
        ),
        ("kaw_gatekeeper", "update quality.ledger set actor = 'x'"),
        ("kaw_publisher", "insert into candidate.mart_energy values ('A1')"),
        ("kaw_publisher", "delete from quality.ledger"),
    ],
)
def test_a_role_may_not_do_what_is_not_its_work(night: Night, role: str, statement: str) -> None:
    night.publish()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(night.url, role, statement)


@pytest.mark.parametrize(
    "step",
    [lambda night: night.publish(), lambda night: rollback(night.warehouse, approver="the approver", reason="why")],
    ids=["publish", "roll back"],
)
def test_pointers_are_moved_by_the_publisher(night: Night, step) -> None:
    night.publish()
    night.fill(2, [JUNE, JULY])
    night.publish()
    night.fill(3, [JUNE, JULY])
    night.execute("revoke insert on publish.pointer_moves from kaw_publisher")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="pointer_moves"):
        step(night)


@pytest.mark.parametrize(
    ("gate", "first_written"), [(check_staged_data, "rule_book"), (check_candidates, "receipt_states")]
)
def test_a_gate_acts_as_the_gatekeeper(database: str, gate, first_written: str) -> None:
    with connect(database) as conn:
        conn.execute(f"revoke delete on quality.{first_written} from kaw_gatekeeper")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=first_written):
        gate(Warehouse(database), Run(1, date(2026, 7, 10), ""))


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (
            "kaw_gatekeeper",
            "insert into quality.findings_rechecked values (1, 1);"
            " update quality.runs set state = 'blocked'; select nextval('quality.finding_ids')",
        ),
        ("kaw_gatekeeper", "create temp table t as select * from candidate.mart_health"),
        ("kaw_gatekeeper", "select quality.analyze_quarantined_rows(), count(*) from publish.mart_energy"),
        (
            "kaw_loader",
            "insert into raw_marketing.mkt_bill (_load_id, _business_date, _channel, _key, _hash)"
            " values (1, '2026-07-10', 'auto', gen_random_uuid(), gen_random_uuid())",
        ),
        ("kaw_transformer", "select count(*) from raw_marketing.mkt_bill"),
        ("kaw_transformer", "create table candidate.mart_new (a integer)"),
        ("kaw_transformer", "drop table if exists staging.nothing; insert into candidate.mart_health values ('A9', 1)"),
        ("kaw_publisher", "insert into publish.mart_health select '2026-07-01', 9, null, * from candidate.mart_health"),
        ("kaw_publisher", "update publish.pointer set version = version"),
        ("kaw_auditor", "select count(*) from quality.findings"),
        ("kaw_auditor", "select load_id, column_name, reason from quality.rejected_rows"),
        ("kaw_auditor", "select count(*) from marts.mart_health"),
    ],
)
def test_a_role_may_do_its_work_on_tables_made_later_too(night: Night, role: str, statement: str) -> None:
    night.publish()
    as_role(night.url, role, statement)
