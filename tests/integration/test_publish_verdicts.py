"""A pointer moves against the passing verdicts of both gates, of this run and this fence, on what is published; never else."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from include import night as night_steps
from include.errors import GateBlocked, InfrastructureError, KawError, UsageError
from include.publish import release, rollback
from include.quality.gate import GateResult, record_verdict
from include.records import ledger
from include.records.database import connect
from include.records.fence import take_fence
from include.records.runs import Run
from include.records.warehouse import Warehouse
from tests import databases
from tests.synthetic_marts import JULY, JUNE, Night, enter_verdicts
from tests.tampering import unguarded

DAY = date(2026, 7, 10)
PASSED, BLOCKED = "passed", "blocked"
TIMES_1000 = "update candidate.mart_energy set energy_kwh = energy_kwh * 1000"


@pytest.fixture
def night(database: str, tmp_path: Path) -> Night:
    """Version 1 of June and July is published, by run 1; every energy in it is 1 kWh."""
    night = Night(database, tmp_path)
    night.publish()
    return night


def state_of(night: Night, run_id: int) -> str:
    return night.execute("select state from quality.runs where run_id = %s", [run_id])[0][0]


def last_entry(night: Night) -> tuple[str, dict]:
    return night.execute("select event, detail from quality.ledger order by entry_no desc limit 1")[0]


def assert_refused(night: Night, run_id: int, error: type[KawError], why: str, fence: str = "") -> KawError:
    """Nothing moved, the run's state is what it was, and the refusal is on record."""
    before = night.hashes(), night.execute("select * from publish.pointer order by 1"), state_of(night, run_id)
    with pytest.raises(error, match=re.escape(why)) as refused:
        night.publish_run(run_id, DAY, fence)
    after = night.hashes(), night.execute("select * from publish.pointer order by 1"), state_of(night, run_id)
    assert after == before
    assert night.execute("select count(*) from publish.pointer_moves where run_id = %s", [run_id]) == [(0,)]
    event, detail = last_entry(night)
    assert (event, detail["run_id"], detail["fence"]) == ("publish_refused", run_id, fence)
    assert why in detail["reason"]
    return refused.value


def test_a_blocked_run_whose_candidate_was_multiplied_by_1000_is_not_published(night: Night) -> None:
    run_id = night.judge(gates={1: PASSED, 2: BLOCKED})
    night.execute(TIMES_1000)
    refused = assert_refused(night, run_id, GateBlocked, "gate 2 blocked this run (ledger entry 6)")
    assert refused.exit_code == 1
    assert str(refused) == (
        "Nothing was published: gate 2 blocked this run (ledger entry 6).\n"
        "Where: run 2, fence none; quality.ledger\n"
        "Next: see ./kaw findings; let the source deliver again or waive what blocks, then run the night of this date again,"
        " from the start."
    )
    assert state_of(night, run_id) == "blocked"
    assert night.seen() == {(JUNE, 1), (JULY, 1)}


def test_a_run_that_was_set_to_blocked_is_not_published_whatever_its_verdicts(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge()
    night.execute("update quality.runs set state = 'blocked' where run_id = %s", [run_id])
    assert_refused(night, run_id, GateBlocked, "the run is recorded as blocked")


@pytest.mark.parametrize(
    ("gates", "why"),
    [
        ({}, "gate 1 gave no verdict"),
        ({2: PASSED}, "gate 1 gave no verdict"),
        ({1: PASSED}, "gate 2 gave no verdict"),
        ({1: BLOCKED, 2: PASSED}, "gate 1 blocked this run"),
    ],
)
def test_a_run_without_both_passing_verdicts_is_not_published(night: Night, gates: dict, why: str) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge(gates=gates)
    night.execute("update quality.runs set state = 'passed' where run_id = %s", [run_id])  # what a login may write
    assert_refused(night, run_id, GateBlocked, why)


def test_the_verdicts_of_another_run_do_not_count(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    judged, other = night.judge(), night.judge(gates={})
    assert judged != other
    assert_refused(night, other, GateBlocked, "gate 1 gave no verdict")


def test_the_verdicts_under_an_older_fence_do_not_count(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge(fence=take_fence(night.url, "build_warehouse"))
    newer = take_fence(night.url, "build_warehouse")
    assert_refused(night, run_id, GateBlocked, "gate 1 gave no verdict on this run under this fence", newer)
    enter_verdicts(night.url, night.manifest, run_id, DAY, newer, {1: PASSED, 2: PASSED})
    assert night.publish_run(run_id, DAY, newer).versions == {JUNE: 2, JULY: 2}


def test_the_last_verdict_of_a_gate_counts(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge()
    enter_verdicts(night.url, night.manifest, run_id, DAY, "", {2: BLOCKED})
    assert_refused(night, run_id, GateBlocked, "gate 2 blocked this run")
    enter_verdicts(night.url, night.manifest, run_id, DAY, "", {2: PASSED})
    assert night.publish_run(run_id).versions == {JUNE: 2, JULY: 2}


def test_gate_1_once_more_asks_for_gate_2_once_more(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge()
    enter_verdicts(night.url, night.manifest, run_id, DAY, "", {1: PASSED})
    assert_refused(night, run_id, GateBlocked, "gate 1 judged again after gate 2")


@pytest.mark.parametrize(
    "change",
    [
        TIMES_1000,
        "update candidate.mart_energy set energy_kwh = 3 where account_no = 'A1' and month = '2026-06-01'",
        "delete from candidate.mart_energy where account_no = 'A1'",
        "insert into candidate.mart_energy values ('A1', '2026-05-01', 1, 1, 1)",
        "truncate candidate.mart_energy",
    ],
)
@pytest.mark.parametrize("value", [1, 2], ids=["as published", "new"])
def test_a_candidate_that_changed_after_gate_2_is_not_published(night: Night, change: str, value: int) -> None:
    night.fill(value, [JUNE, JULY])
    run_id = night.judge()
    night.execute(change)
    refused = assert_refused(night, run_id, InfrastructureError, "1 candidate is not what gate 2 judged: mart_energy")
    assert refused.exit_code == 3


def test_a_candidate_that_was_built_again_to_the_same_content_is_published(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge()
    night.fill(2, [JUNE, JULY])
    night.execute("update candidate.mart_energy set load_id = 9")  # a technical column
    assert night.publish_run(run_id).versions == {JUNE: 2, JULY: 2}


def test_a_candidate_that_changes_while_it_is_copied_is_not_published(night: Night) -> None:
    """Once the energy of version 2 is copied, each score is a thousand times what gate 2 saw, in as many rows."""
    night.fill(2, [JUNE, JULY])
    night.execute("""
        alter table candidate.mart_health rename to mart_health_built;
        create view candidate.mart_health as
        select account_no, score * case when exists (select 1 from publish.mart_energy where version = 2) then 1000 else 1 end
            as score
        from candidate.mart_health_built;
    """)
    run_id = night.judge()
    assert_refused(night, run_id, InfrastructureError, "the candidate of mart_health changed while it was copied")
    assert night.execute("select distinct score from marts.mart_health") == [(1,)]


def test_the_entry_of_a_publish_names_fence_and_verdicts_and_the_run_is_published_with_it(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    fence = take_fence(night.url, "build_warehouse")
    run_id = night.judge(fence=fence)  # entries 4 and 5
    night.publish_run(run_id, DAY, fence)
    event, detail = last_entry(night)
    assert (event, detail["run_id"], detail["fence"], detail["verdicts"]) == ("publish", 2, "build_warehouse:1", [5, 6])
    assert night.execute("select state, finished_at is not null from quality.runs where run_id = 2") == [
        ("published", True)
    ]
    assert night.publish_run(run_id, DAY, fence).unchanged_months == [JUNE, JULY]  # repeated after a kill


def test_a_publish_that_fails_leaves_the_state_of_its_run(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    run_id = night.judge()
    night.execute("alter table publish.pointer add constraint no_version_2 check (version < 2)")
    with pytest.raises(Exception, match="no_version_2"):
        night.publish_run(run_id)
    assert state_of(night, run_id) == "passed"


# -- the gates


def verdict(night: Night, gate: int, **blocking: int) -> str:
    """The state of run 1 after this gate judged it."""
    with connect(night.url) as conn:
        record_verdict(conn, Run(1, DAY, "build_warehouse:1"), GateResult(gate, 3, 9, 1, blocking=blocking))
    return state_of(night, 1)


def test_a_run_that_gate_1_blocked_is_not_passed_by_gate_2(night: Night) -> None:
    """As when somebody marks the blocked task as succeeded on Airflow's page."""
    assert verdict(night, 1, MET01=1) == "blocked"
    assert verdict(night, 2) == "blocked"
    assert verdict(night, 1) == "running"
    assert verdict(night, 2, MART01=2) == "blocked"
    assert verdict(night, 2) == "passed"


def test_the_entry_of_a_verdict_names_run_gate_fence_and_verdict(night: Night) -> None:
    for blocking, said in (({"MET01": 1}, "blocked"), ({}, "passed")):
        verdict(night, 1, **blocking)
        event, detail = last_entry(night)
        assert event == "verdict"
        assert (detail["run_id"], detail["gate"], detail["fence"], detail["verdict"]) == (
            1,
            1,
            "build_warehouse:1",
            said,
        )


# -- roll-back and release


def unjudge(night: Night, run_id: int) -> None:
    """As the code of before published it: gate 2 had blocked the run."""
    with connect(night.url) as conn, unguarded(conn):
        conn.execute(
            'update quality.ledger set detail = detail || \'{"verdict": "blocked"}\''
            " where event = 'verdict' and detail ->> 'run_id' = %s::text and detail ->> 'gate' = '2'",
            [run_id],
        )


def test_a_roll_back_goes_to_a_version_that_passed_both_gates_only(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    night.publish()
    unjudge(night, 1)
    before = ledger.head(night.url)
    with pytest.raises(UsageError, match="version 1 of 2026-06, version 1 of 2026-07") as refused:
        rollback(night.warehouse, approver="the approver", reason="wrong tariff")
    assert refused.value.exit_code == 2
    assert night.seen() == {(JUNE, 2), (JULY, 2)}
    assert ledger.head(night.url) == before


def test_from_a_version_that_passed_no_gate_a_roll_back_leads_back(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    night.publish()
    unjudge(night, 2)
    assert rollback(night.warehouse, approver="the approver", reason="never judged") == {JUNE: 1, JULY: 1}


def as_of_the_first_releases(night: Night, state_after_gate_2: str) -> None:
    """Entries as they were then: without fence, a verdict with the state that the run came to."""
    with connect(night.url) as conn, unguarded(conn):
        conn.execute(
            """
            update quality.ledger set detail = detail - 'fence' - 'verdict' - 'verdicts' - 'candidates' || case
                when event = 'publish' then '{}'
                else jsonb_build_object('state', case detail ->> 'gate' when '1' then 'running' else %s::text end)
            end
            where event in ('verdict', 'publish')
            """,
            [state_after_gate_2],
        )


def test_versions_of_the_first_releases_can_be_gone_back_to_where_they_passed(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    night.publish()
    as_of_the_first_releases(night, "blocked")
    with pytest.raises(UsageError, match="no passing verdicts of both gates"):
        rollback(night.warehouse, approver="the approver", reason="wrong tariff")
    as_of_the_first_releases(night, "passed")
    assert rollback(night.warehouse, approver="the approver", reason="wrong tariff") == {JUNE: 1, JULY: 1}


def test_every_override_names_approver_reason_and_target(night: Night) -> None:
    night.fill(2, [JUNE, JULY])
    night.publish()
    rollback(night.warehouse, approver="the approver", reason="wrong tariff")
    target = {"2026-06": 1, "2026-07": 1}
    assert last_entry(night) == (
        "roll_back",
        {"approver": "the approver", "reason": "wrong tariff", "versions": target},
    )
    release(night.warehouse, approver="the chief", reason="corrected")
    assert last_entry(night) == ("release", {"approver": "the chief", "reason": "corrected", "versions": target})


# -- one night at a time


def test_no_step_of_a_night_starts_while_another_night_is_at_work(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.use(monkeypatch, database)
    monkeypatch.setattr(night_steps, "ENDING_S", 0)
    warehouse = Warehouse(database)
    first = night_steps.begin_run(warehouse, DAY)
    refused = []

    def build_beside(*_, **__) -> list:
        """While the first night stages, a second one begins, and its publish is tried."""
        for step in (
            lambda: night_steps.begin_run(warehouse, DAY),
            lambda: night_steps.publish_marts(warehouse, first),
        ):
            with pytest.raises(InfrastructureError, match="Another night is at work") as error:
                step()
            refused.append((error.value.exit_code, error.value.where))
        return []

    monkeypatch.setattr(night_steps, "run_dbt", build_beside)
    night_steps.build_staging(warehouse, first)
    assert refused == [(3, "run 1, business date 2026-07-10")] * 2
    second = night_steps.begin_run(warehouse, DAY)
    assert (second["run_id"], second["fence"]) == (
        2,
        "build_warehouse:2",
    )  # the one refused took neither number nor fence
