"""A preview gives the numbers that the next night then shows, writes no record and leaves nothing behind."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from include import night
from include.errors import UsageError
from include.local.preview import plan_lines
from include.preview import changes, preview
from include.preview.plan import plan
from include.quality import gate
from include.quality.rules import load_rules
from include.records.warehouse import Warehouse
from include.transform import beside, dbt
from tests.nights import DAY, Utility

SEEDS = dbt.PROJECT / "seeds"
# a row that is quarantined takes what refers to it along: a rule on all contracts that are charged by contract demand
NEW_RULE = """/*
sentence: No contract is charged by contract demand.
axis: mismatch
dimension: consistency
severity: quarantine
owner: contract office
reason: A rule of a test.
source: project rule
subject: con_contract
quarantines: con_contract
population: contract versions with a contract demand
reads: [stg_contract__contracts]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.contract_demand_kw
from staging.stg_contract__contracts as contracts
where contracts.contract_demand_kw is not null
-- violations
select
    {{ finding('contract_md_kw') }},
    contract_demand_kw::text as observed,
    'nothing' as expected
from tested
"""


class Tree:
    """A working tree that differs from the one of the last night: seeds, the text of a model, rules."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch, self._folder = monkeypatch, folder
        self._seeds: dict[str, Path] = {}
        self._models: dict[str, tuple[str, str]] = {}
        read = dbt._parse

        def parse(*arguments):
            outcome = read(*arguments)
            for node in outcome.result.nodes.values():
                if node.name in self._models and node.resource_type.value == "model":
                    node.raw_code = node.raw_code.replace(*self._models[node.name])
                if node.name in self._seeds:
                    node.root_path = str(self._folder)
                    node.original_file_path = (
                        f"changed/{node.name}.csv"  # a relative one: dbt writes there, below its target
                    )
                    node.checksum.checksum = hashlib.sha256(self._seeds[node.name].read_bytes()).hexdigest()
            return outcome

        monkeypatch.setattr(dbt, "_parse", parse)

    def change_seed(self, seed: str, before: str, after: str) -> Path:
        text = (SEEDS / seed).read_text(encoding="utf-8")
        assert text.count(before) == 1
        file = self._folder / "changed" / Path(seed).name
        file.parent.mkdir()
        file.write_text(text.replace(before, after), encoding="utf-8")
        self._seeds[file.stem] = file
        return file

    def change_model(self, model: str, before: str, after: str) -> None:
        self._models[model] = (before, after)

    def add_rule(self, name: str, text: str) -> None:
        path = self._folder / "rules" / "contract" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        for module in (changes, gate):
            self._monkeypatch.setattr(module, "load_rules", lambda: [*load_rules(), *load_rules(path.parents[1])])


def records(utility: Utility) -> dict:
    """All that a preview must leave as it was."""
    return {
        "schemas": utility.rows("select nspname from pg_namespace where not starts_with(nspname, 'pg_') order by 1"),
        "events": utility.rows("select count(*), max(event_id) from quality.finding_events"),
        "withheld": utility.rows("select count(*) from quality.withheld"),
        "run": utility.rows("select * from quality.current_run"),
        "runs": utility.rows("select run_id, state from quality.runs order by 1"),
        "ledger": utility.rows("select max(entry_no) from quality.ledger"),
        "rules": utility.rows("select rule_id, code from quality.rule_book order by 1"),
        "results": utility.rows("select count(*) from quality.rule_results"),
        "builds": utility.rows("select model, code, stamp from transform.builds order by 1"),
        "rows": utility.rows("select count(*), max(stamp) from transform.changes"),
        "marts": utility.hashes(),
    }


def open_findings(utility: Utility) -> dict[str, int]:
    return dict(utility.rows("select rule_id, count(*) from quality.findings where state = 'open' group by 1"))


@pytest.mark.soak  # both gates and a whole night more
@pytest.mark.timeout(900)
def test_a_preview_gives_the_numbers_that_the_next_night_shows(
    clean_night: Utility, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tree = Tree(monkeypatch, tmp_path)
    tree.change_seed("quality/quality_parameters.csv", "CON-03,most_years,10,", "CON-03,most_years,2,")
    tree.change_model(
        "mart_payment_behaviour", "coalesce(penalties.days_late, 0)", "coalesce(penalties.days_late, 0) + 1"
    )
    tree.add_rule("CON-90_no_contract_demand.sql", NEW_RULE)
    before, was_open = records(clean_night), open_findings(clean_night)
    planned = plan(clean_night.warehouse.reader())
    found = preview(Warehouse(clean_night.url))
    assert records(clean_night) == before

    assert found.changes.models == ("mart_payment_behaviour",)
    assert found.changes.rules == ("CON-90",)
    assert list(found.changes.seeds) == ["quality_parameters"]
    assert found.rules_tested.keys() == {"CON-03", "CON-90"}
    assert found.withheld[0] == 0 < found.withheld[1]
    assert found.blocking == {}
    marts = {mart.mart: mart for mart in found.marts}
    late = next(c for c in marts["mart_payment_behaviour"].columns if c.name == "days_late")
    assert late.rows == marts["mart_payment_behaviour"].rows_before  # each bill is a day later

    run = night.begin_run(clean_night.warehouse, DAY)
    for step in night.STEPS[:-1]:
        getattr(night, step)(clean_night.warehouse, run)
    now_open = open_findings(clean_night)
    assert {rule: after for rule, (_, after) in found.findings.items()} == {
        rule: now_open.get(rule, 0)
        for rule in was_open.keys() | now_open.keys()
        if was_open.get(rule) != now_open.get(rule)
    }
    assert clean_night.rows("select count(*) from quality.withheld") == [(found.withheld[1],)]
    after = clean_night.hashes()
    assert {name for name in after if after[name] != before["marts"][name]} == marts.keys()
    assert told(found) == shown(clean_night, found)

    stamp = max(stamp for *_, stamp in before["builds"])
    why = dict(
        clean_night.rows(f"select model, reason from transform.builds where stamp > {stamp} and reason is not null")
    )
    assert [model for model, reason in why.items() if reason.startswith("anew")] == [
        each.model for each in planned.anew
    ]
    by_seed = {model for model, reason in why.items() if reason == "whole: quality_parameters changed"}
    assert by_seed <= {each.model for each in planned.whole}


def told(found) -> dict[tuple[str, str], tuple]:
    return {(mart.mart, c.name): (c.agg, c.after) for mart in found.marts for c in mart.columns if c.agg}


def shown(utility: Utility, found) -> dict[tuple[str, str], tuple]:
    """The same sums and means of what readers see."""
    made = {"sum": "sum({}::numeric)", "mean": "round(avg({}::numeric), 6)"}
    return {
        (mart.mart, c.name): (c.agg, utility.rows(f"select {made[c.agg].format(c.name)} from marts.{mart.mart}")[0][0])
        for mart in found.marts
        for c in mart.columns
        if c.agg
    }


def test_a_plan_says_what_is_built_because_code_or_seeds_changed_and_changes_nothing(
    clean_night: Utility, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, tree = records(clean_night), Tree(monkeypatch, tmp_path)
    warehouse = clean_night.warehouse.reader()
    same = plan(warehouse)
    assert (same.seeds, same.anew, same.whole) == ([], [], [])
    assert plan_lines(same) == [
        f"Code and seeds are those of the last build: the next night builds what arrives, in {same.others} models."
    ]
    tree.change_seed("service/working_hours.csv", "08:30,12:00", "08:00,12:00")
    tree.change_model("fct_bills", "select * from final", "select * from final where true")
    found = plan(warehouse)
    assert [each.model for each in found.anew] == ["fct_bills"]
    ((rows,),) = clean_night.rows("select count(*) from warehouse.fct_bills")
    assert (found.anew[0].rows, found.seeds) == (rows, ["working_hours"])
    assert {each.model for each in found.whole} == {
        "fct_application_stages",  # reads the hours of work; all others read bills
        "fct_bill_lines",
        "fct_path_losses",
        "fct_payments",
        "int_account_activity",
        "int_bill_balances",
        "int_energy_trends",
        "int_penalties",
        "int_power_factors_monthly",
        "int_receivables",
        "int_usage_monthly",
        "mart_contract_health",
        "mart_dq_scorecard",
        "mart_key_account_ranking",
        "mart_payment_behaviour",
        "mart_service_resource_balance",
        "mart_tariff_advice",
    }
    assert len(found.anew) + len(found.whole) + found.others == same.others
    assert records(clean_night) == before


def test_a_seed_in_a_file_changes_what_rests_on_it_and_what_was_killed_is_dropped(clean_night: Utility, tmp_path: Path):
    lines = (SEEDS / "accounts/churn_points.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    file = tmp_path / "churn_points.csv"
    file.write_text("".join(line.replace(",14,", ",19,") for line in lines), encoding="utf-8")
    given = file.read_bytes()
    beside.make(Warehouse(clean_night.url), ["runs"])  # of one that was killed
    before = records(clean_night)
    found = preview(Warehouse(clean_night.url), seeds=[file], as_of=DAY)
    before["schemas"] = [row for row in before["schemas"] if not row[0].startswith("preview_")]
    assert records(clean_night) == before
    assert found.changes.seeds == {"churn_points": file}
    assert file.read_bytes() == given
    assert {mart.mart for mart in found.marts} >= {"mart_churn_risk"}
    assert found.findings == {}

    other = tmp_path / "churn.csv"
    other.write_text("a,b\n")
    with pytest.raises(UsageError, match=r"churn\.csv has the name of no seed"):
        preview(Warehouse(clean_night.url), seeds=[other])
    file.write_text("a,b\n")
    with pytest.raises(UsageError, match=r"churn_points\.csv has other columns than the seed churn_points"):
        preview(Warehouse(clean_night.url), seeds=[file])


def test_a_profile_s_seed_and_what_it_leaves_out_show_as_the_next_night_shows_them(
    clean_night: Utility, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Points of the example of the page; without surveys a ticket's satisfaction is empty, which a hook after the build says."""
    lines = (SEEDS / "accounts/churn_points.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    own = tmp_path / "profile" / "seeds" / "churn_points.csv"
    own.parent.mkdir(parents=True)
    (tmp_path / "profile" / "profile.yaml").write_text("left_out: {mkt_survey: asked on paper}", encoding="utf-8")
    changed = [line.replace(",18,", ",25,") for line in lines if line.startswith("DAYS_TO_END,")]
    assert len(changed) == 2
    own.write_text("".join([lines[0], *changed]), encoding="utf-8")
    monkeypatch.setenv("KAW_PROFILE", str(tmp_path / "profile"))
    (answered,) = clean_night.rows("select count(satisfaction_score) from marts.mart_ticket_sla")
    assert answered[0] > 0
    found = preview(Warehouse(clean_night.url))
    assert (found.changes.seeds.keys(), found.changes.rules) == ({"churn_points"}, ())
    marts = {mart.mart: {c.name: c for c in mart.columns} for mart in found.marts}
    assert marts["mart_churn_risk"].keys() >= {"churn_score", "partial_measures"}
    satisfaction = marts["mart_ticket_sla"]["satisfaction_score"]
    assert (satisfaction.rows, satisfaction.after) == (answered[0], None)
