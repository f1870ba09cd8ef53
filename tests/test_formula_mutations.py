"""A wrong formula makes a test fail: one mutation of each formula family, in a copy of the dbt project.

All mutations are planted at once and the unit tests of the mutated models run in one dbt invocation; each mutated model
must have a unit test that fails.
"""
from __future__ import annotations

import json
import shutil

import pytest

from include import transform
from include.errors import InfrastructureError
from tests.test_scenarios import Project, project  # noqa: F401  (the fixture: the empty built warehouse)

# family, file of the dbt project, right text, wrong text, models whose unit tests must notice
MUTATIONS: list[tuple[str, str, str, str, set[str]]] = [
    (
        "ranking", "models/intermediate/int_key_accounts_ranked_by_month.sql",
        "shares.cum_share_before < ranking_months", "shares.cum_share < ranking_months", {"int_key_accounts_ranked_by_month"},
    ),
    (
        "reliability", "models/warehouse/reliability/fct_interruptions.sql",
        "'sustained_minutes_ieee_1366'", "'sustained_minutes'", {"fct_interruptions"},
    ),
    (
        "reliability", "models/warehouse/reliability/fct_major_event_days.sql",
        "stddev_samp", "stddev_pop", {"fct_major_event_days"},
    ),
    (
        "reliability", "models/warehouse/reliability/fct_interruptions_yearly.sql",
        "interruptions_12m >= ", "interruptions_12m > ", {"fct_interruptions_yearly"},
    ),
    (
        "voltage", "models/warehouse/reliability/fct_voltage_daily.sql",
        "slots.slot_value > (limited.upper_limit_v", "slots.slot_value >= (limited.upper_limit_v", {"fct_voltage_daily"},
    ),
    (
        "tariff", "models/warehouse/energy/fct_tariff_options.sql",
        ">= terms.contract_capacity_kva * rules.demand", "> terms.contract_capacity_kva * rules.demand", {"fct_tariff_options"},
    ),
    (
        "tariff", "macros/tariff.sql",
        "+ {{ rules }}.over_demand_factor *", "+", {"fct_tariff_alternatives"},
    ),
    (
        "power factor", "models/marts/energy/mart_energy_structure.sql",
        "round(power_factors.lagging_power_factor, 2)", "trunc(power_factors.lagging_power_factor, 2)", {"mart_energy_structure"},
    ),
    (
        "clocks", "models/warehouse/service/fct_ticket_clocks.sql",
        "read_on.working_day_no - started_on.working_day_no", "read.read_date - started_on.calendar_date", {"fct_ticket_clocks"},
    ),
    (
        "notices", "models/warehouse/reliability/fct_notice_checkpoints.sql",
        "answers.checkpoint_code <> 'N7D' and first_answers.notice_id is null", "answers.checkpoint_code <> 'N7D'",
        {"fct_notice_checkpoints"},
    ),
    (
        "credit", "models/warehouse/accounts/fct_credit_scores.sql",
        "when veto_codes is not null then 'C'", "when veto_codes is not null and grade_by_score = 'C' then 'C'", {"fct_credit_scores"},
    ),
    (
        "churn", "models/warehouse/accounts/fct_churn_scores.sql",
        "order by points desc nulls last, factor_code", "order by points, factor_code", {"fct_churn_scores"},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def failed_models(project: Project, tmp_path_factory: pytest.TempPathFactory) -> set[str]:  # noqa: F811
    """Models with a failing unit test in a copy of the project that holds every mutation."""
    mutated = tmp_path_factory.mktemp("mutated") / "dbt_project"
    shutil.copytree(transform.PROJECT, mutated, ignore=shutil.ignore_patterns("target", "logs"))
    for _, path, right, wrong, _ in MUTATIONS:
        file = mutated / path
        assert file.read_text().count(right) == 1, f"{path} no longer holds: {right}"
        file.write_text(file.read_text().replace(right, wrong))
    finished = {}
    models = sorted({model for *_, seen_by in MUTATIONS for model in seen_by})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transform, "PROJECT", mutated)
        patched.setenv("KAW_HOME", str(mutated.parent / "home"))
        with pytest.raises(InfrastructureError):
            transform.run_dbt(
                ["test", "--select", *(f"{model},test_type:unit" for model in models)],
                project.url,
                progress=lambda built: finished.__setitem__(built.name, built.status),
            )
        manifest = json.loads(transform.manifest_path().read_text())
    model_of = {test["name"]: test["model"] for test in manifest["unit_tests"].values()}
    return {model_of[name] for name, status in finished.items() if status == "fail"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("family", "seen_by"), [(family, seen_by) for family, *_, seen_by in MUTATIONS])
def test_a_mutated_formula_makes_a_unit_test_fail(failed_models: set[str], family: str, seen_by: set[str]):
    assert seen_by <= failed_models, family


def test_every_formula_family_is_mutated():
    assert {family for family, *_ in MUTATIONS} >= {
        "ranking", "reliability", "voltage", "tariff", "power factor", "clocks", "notices", "credit", "churn",
    }  # fmt: skip
