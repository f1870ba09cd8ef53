"""A wrong formula makes a test fail: mutations of each formula family, in copies of the dbt project.

Mutations of different files and models share a copy, and each copy's unit tests run in one dbt invocation; each mutated
model must have a unit test that fails. Where an oracle names a wrong answer, the mutation is the mistake that gives it, and
what the failing unit test prints must show that very figure instead of the right one.
"""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from include.errors import InfrastructureError
from include.local.server import Server
from include.records.warehouse import Warehouse
from include.transform import dbt as transform
from tests.databases import copied
from tests.scenarios.conftest import TEMPLATE, Project


class Mutation(NamedTuple):
    """A right text of a file of the dbt project and a wrong one, the model whose unit test must notice, the wrong answer shown."""

    family: str
    path: str
    right: str
    wrong: str
    model: str
    wrong_answer: str = ""


RELIABILITY = "models/warehouse/reliability"
MUTATIONS = [
    Mutation(
        "ranking", "models/intermediate/int_key_accounts_ranked_by_month.sql",
        "shares.cum_share_before < ranking_months", "shares.cum_share < ranking_months", "int_key_accounts_ranked_by_month",
    ),
    Mutation(
        "reliability", "models/warehouse/reliability/fct_interruptions.sql",
        "'sustained_minutes_ieee_1366'", "'sustained_minutes'", "fct_interruptions",
    ),
    Mutation(
        "reliability", "models/warehouse/reliability/int_major_event_days.sql",
        "stddev_samp", "stddev_pop", "int_major_event_days", "5.9405",
    ),
    Mutation(
        "reliability", "models/warehouse/reliability/int_interruptions_yearly.sql",
        "interruptions_12m >= ", "interruptions_12m > ", "int_interruptions_yearly",
    ),
    Mutation(
        "voltage", "models/warehouse/reliability/int_voltage_days_judged.sql",
        "slots.slot_value > (limited.upper_limit_v", "slots.slot_value >= (limited.upper_limit_v", "int_voltage_days_judged",
    ),
    Mutation(
        "tariff", "models/warehouse/energy/int_tariff_options.sql",
        ">= terms.contract_capacity_kva * rules.demand", "> terms.contract_capacity_kva * rules.demand", "int_tariff_options",
    ),
    Mutation(
        "tariff", "macros/tariff.sql",
        "+ {{ rules }}.over_demand_factor *", "+", "int_tariff_alternatives",
    ),
    Mutation(
        "power factor", "models/marts/energy/mart_energy_structure.sql",
        "round(power_factors.{{ factor }}_power_factor, 2)", "trunc(power_factors.{{ factor }}_power_factor, 2)",
        "mart_energy_structure",
    ),
    Mutation(
        "clocks", "models/warehouse/service/int_ticket_clocks.sql",
        "read_on.working_day_no - started_on.working_day_no", "read.read_date - started_on.calendar_date", "int_ticket_clocks",
    ),
    Mutation(
        "notices", "models/warehouse/reliability/int_notice_checkpoints.sql",
        "answers.checkpoint_code <> 'N7D' and first_answers.notice_id is null", "answers.checkpoint_code <> 'N7D'",
        "int_notice_checkpoints",
    ),
    Mutation(
        "credit", "models/warehouse/accounts/int_credit_scores.sql",
        "when veto_codes is not null then 'C'", "when veto_codes is not null and grade_by_score = 'C' then 'C'", "int_credit_scores",
    ),
    Mutation(
        "churn", "models/warehouse/accounts/int_churn_scores.sql",
        "is_leaving\n            order by points desc nulls last, factor_code",
        "is_leaving\n            order by points, factor_code", "int_churn_scores",
    ),
    Mutation(  # O1: the momentary interruptions of the sample count, 5 615 / 2 000 = 2.8075
        "reliability", f"{RELIABILITY}/int_reliability_monthly.sql",
        "sum(customers) filter (where has_begun and is_sustained) as customer_interruptions",
        "sum(customers) filter (where has_begun) as customer_interruptions", "int_reliability_monthly", "5615",
    ),
    Mutation(  # O1: whole minutes, 171 980 / 2 000 = 85.99 min
        "reliability", f"{RELIABILITY}/int_reliability_monthly.sql",
        "sum(customers * minutes) filter (where is_sustained) as customer_minutes",
        "sum(customers * floor(minutes)) filter (where is_sustained) as customer_minutes", "int_reliability_monthly", "171980",
    ),
    Mutation(  # O1: CAIFI over all customers
        "reliability", "models/marts/reliability/mart_two_rates.sql",
        "'ieee_1366.customer_interruptions', 'ieee_1366.interrupted_customers'",
        "'ieee_1366.customer_interruptions', 'ieee_1366.customers'", "mart_two_rates", "→1.6075",
    ),
    Mutation(  # O1: the hours of a leap year
        "reliability", "models/marts/reliability/mart_two_rates.sql",
        "'reliability.customers', 'reliability.period_hours')", "'reliability.customers', '(reliability.period_hours + 24)')",
        "mart_two_rates", "99.98366",
    ),
    Mutation(  # O3: days of nothing at the smallest of the others
        "reliability", f"{RELIABILITY}/int_major_event_days.sql",
        "sum(customers * known_minutes) as customer_minutes",
        "coalesce(nullif(sum(customers * known_minutes), 0),"
        " min(nullif(sum(customers * known_minutes), 0)) over (partition by entity_no)) as customer_minutes",
        "int_major_event_days", "→6.57095",
    ),
    Mutation(  # O5: outage and missing slots among the valid ones
        "voltage", f"{RELIABILITY}/int_voltage_monthly.sql",
        "qualified_pct('valid_slots', 'over_slots + under_slots')",
        "qualified_pct('valid_slots + outage_slots + missing_slots', 'over_slots + under_slots')", "int_voltage_monthly", "97.5",
    ),
    Mutation(  # O5: the outage among the valid slots
        "voltage", f"{RELIABILITY}/int_voltage_monthly.sql",
        "qualified_pct('valid_slots', 'over_slots + under_slots')",
        "qualified_pct('valid_slots + outage_slots', 'over_slots + under_slots')", "int_voltage_monthly", "97.47368",
    ),
    Mutation(  # O5: outage and missing slots as out of band
        "voltage", f"{RELIABILITY}/int_voltage_monthly.sql",
        "qualified_pct('valid_slots', 'over_slots + under_slots')",
        "qualified_pct('valid_slots + outage_slots + missing_slots', 'over_slots + under_slots + outage_slots + missing_slots')",
        "int_voltage_monthly", "96.1111",
    ),
    Mutation(  # O10: the largest deviation from the mean
        "voltage", "macros/rates.sql",
        "(100 * sqrt(greatest(1 - {{ root }}, 0) / (1 + {{ root }})))",
        "(100 * (greatest({{ ab }}, {{ bc }}, {{ ca }}) / (({{ ab }} + {{ bc }} + {{ ca }}) / 3) - 1))",
        "fct_power_quality_daily", "→2.0",
    ),
    Mutation(  # O17: what was sent before the plan moved answers it
        "notices", f"{RELIABILITY}/fct_outage_notices.sql",
        "plans.plan_version = notices.plan_version and plans.planned_start_at = notices.planned_start_at", "true",
        "fct_outage_notices",
    ),
    Mutation(  # O18: Monday to Friday
        "clocks", "models/warehouse/service/int_ticket_clocks.sql",
        "read_on.working_day_no - started_on.working_day_no",
        "(select count(*) from generate_series(started_on.calendar_date + 1, read.read_date, interval '1 day') as naive"
        " where extract(isodow from naive) < 6)", "int_ticket_clocks", "→11",
    ),
    Mutation(  # O18: the day of acceptance counted too
        "clocks", "models/warehouse/service/int_ticket_clocks.sql",
        "read_on.working_day_no - started_on.working_day_no", "read_on.working_day_no - started_on.working_day_no + 1",
        "int_ticket_clocks", "→8",
    ),
    Mutation(  # O19: a line through nine missing points
        "estimation", "models/warehouse/energy/int_curve_gaps.sql",
        "gaps.gap_slots * 15 <=", "gaps.gap_slots * 15 - 15 <=", "int_curve_gaps",
    ),
    Mutation(  # O19: the time between the valid ends, by which eight points may not
        "estimation", "models/warehouse/energy/int_curve_gaps.sql",
        "gaps.gap_slots * 15 <=", "gaps.gap_slots * 15 + 15 <=", "int_curve_gaps",
    ),
]  # fmt: skip


def _waves() -> list[list[Mutation]]:
    """The mutations, those of one file or one model never together."""
    waves: list[list[Mutation]] = []
    for mutation in MUTATIONS:
        for wave in waves:
            if all(mutation.path != other.path and mutation.model != other.model for other in wave):
                wave.append(mutation)
                break
        else:
            waves.append([mutation])
    return waves


@pytest.fixture(scope="module")
def printed(server: Server, project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[Mutation, str]:
    """What the unit tests of each mutated model printed on failing; nothing where none failed."""
    home, found = tmp_path_factory.mktemp("home"), {}  # one for all: of each copy dbt reads only what differs
    with copied(server, TEMPLATE) as name:
        for wave in _waves():
            found |= _printed_by(wave, server.url(name), home, tmp_path_factory.mktemp("mutated"))
    return found


def _printed_by(wave: list[Mutation], url: str, home: Path, folder: Path) -> dict[Mutation, str]:
    mutated = folder / "dbt_project"
    shutil.copytree(transform.PROJECT, mutated, ignore=shutil.ignore_patterns("target", "logs"))
    for mutation in wave:
        file = mutated / mutation.path
        assert file.read_text().count(mutation.right) == 1, f"{mutation.path} no longer holds: {mutation.right}"
        file.write_text(file.read_text().replace(mutation.right, mutation.wrong))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transform, "PROJECT", mutated)
        patched.setenv("KAW_HOME", str(home))
        with pytest.raises(InfrastructureError):
            transform.run_dbt(["test", "--select", *(f"{mutation.model},test_type:unit" for mutation in wave)], Warehouse(url))
        manifest = json.loads(transform.manifest_path().read_text())
        results = json.loads((transform.target_folder() / "run_results.json").read_text())["results"]
    model_of = {name: test["model"] for name, test in manifest["unit_tests"].items()}
    return {
        mutation: "\n".join(
            result["message"] for result in results
            if result["status"] == "fail" and model_of[result["unique_id"]] == mutation.model
        )
        for mutation in wave
    }  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.model}: {mutation.wrong[:40]}")
def test_a_mutated_formula_makes_a_unit_test_fail(printed: dict[Mutation, str], mutation: Mutation):
    assert printed[mutation], mutation.family
    assert mutation.wrong_answer in printed[mutation]


def test_every_formula_family_is_mutated():
    assert {family for family, *_ in MUTATIONS} >= {
        "ranking", "reliability", "voltage", "tariff", "power factor", "clocks", "notices", "credit", "churn",
    }  # fmt: skip
