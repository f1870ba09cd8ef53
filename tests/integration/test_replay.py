"""A replay admits what passes now without landing anything, and is harmless twice; a dry run says so before."""

from __future__ import annotations

import pytest

from include import replay
from include.local import cli
from include.quality.findings import Selection
from include.quality.withdrawals import confirm
from tests.nights import DAY, Utility

EVERYTHING = Selection()
STAGED = ("customers", "points")  # as delivered so far: a correction that has landed is seen at once


def state(utility: Utility) -> dict:
    """All that a dry run must leave as it was."""
    return {
        "events": utility.rows("select count(*), max(event_id) from quality.finding_events"),
        "kept": utility.rows("select * from quality.quarantined_rows order by table_name, raw_id"),
        "runs": utility.rows("select run_id, state from quality.runs order by run_id"),
        "numbers": utility.rows(
            "select sequencename, last_value from pg_sequences where schemaname = 'quality' order by 1"
        ),
        "current": utility.rows("select * from quality.current_run"),
        "ledger": utility.rows("select max(entry_no) from quality.ledger"),
        "results": utility.rows("select count(*) from quality.rule_results"),
        "violations": utility.rows("select count(*) from quality.violations"),
        "customers": utility.rows("select count(*) from staging.stg_marketing__customers"),
        "points": utility.rows("select count(*), sum(_raw_id) from staging.stg_metering__measuring_points"),
        "marts": utility.hashes(),
    }


@pytest.mark.timeout(900)
def test_rows_come_back_without_a_landing_once_their_correction_has_landed(faulty_night: Utility, capfd):
    utility = faulty_night
    kept = utility.rows("select count(*) from quality.withheld where state = 'quarantined'")[0][0]
    opened = utility.rows("select count(*) from quality.open_findings where state = 'open'")[0][0]
    assert kept > 50

    rule, of_rule = utility.rows(
        "select rule_id, count(*) from quality.findings where state = 'open' and raw_id is not null group by 1 order by 2 desc, 1"
    )[0]
    before = state(utility)
    assert cli.main(["replay", "--rule", rule, "--dry-run"]) == 0
    assert state(utility) == before
    told = " ".join(capfd.readouterr().out.split())
    assert f"Dry run of {DAY}, findings selected: rule {rule} (nothing was changed)" in told
    assert (
        f"would be fixed 0 would be waived 0 would be still open {of_rule} rows would be admitted: 0 quarantined, 0 blocked by parent"
        in told
    )
    assert cli.main(["replay", "--account", "nobody"]) == 0
    assert "No open finding is selected (account nobody): nothing to replay." in capfd.readouterr().out

    utility.deliver()
    utility.land()
    # planted power events are left out now: many of so few, so a person says that it is right
    assert confirm(utility.url, "met_power_event", "duty engineer (test)", "never happened") > 0
    loads = utility.rows("select max(load_id) from quality.receipts")
    before = state(utility)
    expected = replay.dry_run(utility.warehouse, EVERYTHING)
    assert {k: v for k, v in state(utility).items() if k not in STAGED} == {
        k: v for k, v in before.items() if k not in STAGED
    }

    done = replay.replay(utility.warehouse, EVERYTHING)
    assert utility.rows("select max(load_id) from quality.receipts") == loads
    assert done.selected == expected.selected == opened
    assert set(expected.fixed) <= set(done.fixed) <= {*expected.fixed, *expected.not_judged}
    assert (
        utility.rows(
            "select rule_id, table_name, record_key, column_name, observed, expected from quality.findings where finding_id = any(%s)",
            list(expected.open),
        )
        == []
    )
    # most rows were superseded by what was delivered; the others were right, and what they were compared with was not
    assert expected.quarantined_admitted == done.quarantined_admitted > 0
    assert expected.blocked_admitted == done.blocked_admitted > 0
    assert utility.rows("select 1 from quality.withheld") == []
    assert utility.rows("select 1 from quality.open_findings where severity in ('block', 'quarantine')") == []

    hashes, events = (
        utility.hashes(),
        utility.rows("select max(event_id) from quality.finding_events where event <> 'seen'"),
    )
    again = replay.replay(utility.warehouse, EVERYTHING)
    assert (again.fixed, again.quarantined_admitted, again.blocked_admitted) == ((), 0, 0)
    assert utility.hashes() == hashes
    assert utility.rows("select max(event_id) from quality.finding_events where event <> 'seen'") == events
