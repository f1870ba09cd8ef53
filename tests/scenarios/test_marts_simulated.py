"""The whole of dbt on a small simulated utility: everything builds, every data and unit test of dbt holds, figures agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from include.contracts import load_contracts
from include.local.server import Server
from include.publish.marts import column_types, hash_of_rows, is_published, month_of, read_marts
from include.records.warehouse import Warehouse
from include.transform.dbt import manifest_path, run_dbt
from include.transform.models import published_models
from tests.simulated_marts import ACCOUNTS, BUSINESS_DATE, NO_BILLS, Marts, built_marts

RANGES = Path(__file__).parents[2] / "docs" / "reference" / "ranges.md"


@pytest.fixture(scope="module")
def marts(server: Server, session_home: Path, template: str) -> Iterator[Marts]:
    with built_marts(server, session_home, template) as built:
        yield built


def test_all_models_and_all_tests_of_dbt_pass(marts):
    assert [b for b in marts.built if b.status in ("error", "fail", "warn", "skipped")] == []
    assert len(marts.built) > 150


def test_no_mart_is_empty_and_no_account_is_lost(marts):
    marts_alone = [mart.name for mart in read_marts(manifest_path()) if mart.name.startswith("mart_")]
    assert len(marts_alone) == 28
    assert [name for name in marts_alone if marts.one(f"select count(*) from candidate.{name}") == 0] == []
    for mart in ("mart_key_account_ranking", "mart_key_account_360", "mart_energy_structure"):
        assert marts.one(f"select count(distinct account_no) from candidate.{mart}") == ACCOUNTS, mart
        assert marts.one(f"select count(*) from candidate.{mart} where account_no = '{NO_BILLS}'") > 0, mart


def test_revenue_of_the_ranking_is_the_sum_of_the_bills_and_shares_end_at_one(marts):
    ranked = "select sum(revenue_12m_cny) from candidate.mart_key_account_ranking where ranking_month = '2025-11-01'"
    billed = "select sum(total_charge) from raw_marketing.mkt_bill where bill_month between '202411' and '202510'"
    assert abs(marts.one(ranked) - marts.one(billed)) <= Decimal("0.01")
    assert (
        marts.rows("select max(cum_share) from candidate.mart_key_account_ranking group by ranking_month")
        == [(1,)] * 13
    )
    unranked = (
        f"select revenue_rank, revenue_12m_cny from candidate.mart_key_account_ranking where account_no = '{NO_BILLS}'"
    )
    assert set(marts.rows(unranked)) == {(None, 0)}


def test_energy_by_curves_is_that_of_the_registers(marts):
    difference = (
        "select max(abs(curves.consumption_kwh - registers.energy_kwh)), count(*) from warehouse.fct_energy_daily as curves"
        " inner join warehouse.fct_registers_daily as registers using (metering_point_no, reading_date)"
        " where registers.energy_kind_code = 'ACTIVE' and registers.rate_code = 'T' and curves.valid_slots = 96"
    )
    ((largest, compared),) = marts.rows(difference)
    assert compared > 0
    assert largest < Decimal("0.01")


def test_slots_of_every_point_day_are_96(marts):
    wrong = "select count(*) from warehouse.fct_energy_daily where valid_slots + estimated_slots + missing_slots + outage_slots <> 96"
    assert marts.one(wrong) == 0
    wrong = (
        "select count(*) from candidate.mart_energy_structure"
        " where valid_slots + estimated_slots + missing_slots + outage_slots <> 96 * metering_point_days"
    )
    assert marts.one(wrong) == 0


# Columns of a published table that hold the key of a dimension, by the model of the dimension.
KEYS = {
    "account_no": "star_accounts",
    "customer_no": "star_customers",
    "org_no": "star_organisations",
    "dept_no": "star_departments",
    "team_no": "star_departments",
    "manager_no": "star_managers",
    "metering_point_no": "star_metering_points",
    "industry_code": "star_industries",
    "tariff_code": "star_tariffs",
    "month_start_date": "star_months",
    "calendar_date": "star_dates",
}


def published_columns() -> list[tuple[str, str, str]]:
    """(relation, column, type) of every published model."""
    return [
        (model.relation, column, type_)
        for model in published_models().values()
        for column, type_ in model.columns.items()
    ]


def test_every_code_of_a_published_table_has_a_label_in_both_languages(marts):
    columns = [
        (relation, column)
        for relation, column, _ in published_columns()
        if column.endswith("_code") and column != "credit_code"
    ]
    assert len(columns) > 120
    without = {
        f"{relation}.{column} {code}"
        for relation, column in columns
        for (code,) in marts.rows(
            f"select distinct rows.{column} from {relation} as rows where rows.{column} is not null and not exists ("
            "select 1 from candidate.star_codes as codes"
            f" where codes.column_name = '{column}' and codes.code = rows.{column}"
            " and codes.name_en <> '' and codes.name_zh <> '')"
        )
    }
    assert without == set()
    # a code that nobody has named is found
    with psycopg.connect(marts.url) as connection:
        connection.execute("delete from candidate.star_codes where column_name = 'tier_code' and code = 'T1'")
        found = connection.execute(
            "select count(*) from warehouse.dim_service_tiers as tiers where not exists (select 1 from candidate.star_codes as"
            " codes where codes.column_name = 'tier_code' and codes.code = tiers.tier_code)"
        ).fetchone()
        assert found > (0,)
        connection.rollback()


def test_every_key_of_a_published_table_is_one_row_of_its_dimension(marts):
    lost = {}
    for relation, column, _ in published_columns():
        if column in KEYS and relation != f"candidate.{KEYS[column]}":
            key = {"team_no": "dept_no"}.get(column, column)
            query = (
                f"select count(*) from {relation} as rows where rows.{column} is not null"
                f" and rows.{column}::text <> 'ALL'"  # a total over all organisations, at a level of its own
                f" and (select count(*) from candidate.{KEYS[column]} as dimension where dimension.{key} = rows.{column}) <> 1"
            )
            lost[f"{relation}.{column}"] = marts.one(query)
    assert len(lost) > 70
    assert {name: rows for name, rows in lost.items() if rows} == {}


def test_the_calendar_of_the_star_has_no_gap_and_each_dimension_its_unknown_member(marts):
    ((days, first, last),) = marts.rows(
        "select count(*), min(calendar_date), max(calendar_date) from candidate.star_dates"
    )
    assert (first, last) == (date(2022, 1, 1), date(2026, 12, 31))
    assert days == 5 * 365 + 1  # 2024 is a leap year
    assert marts.one("select count(*) from candidate.star_months") == 60
    assert marts.one("select count(*) from candidate.star_months where is_published") == 13
    for key, dimension in KEYS.items():
        if key.endswith(("_no", "_code")) and key != "team_no":
            assert marts.one(f"select count(*) from candidate.{dimension} where {key} = 'UNKNOWN'") == 1, dimension


QUESTIONS = Path(__file__).parents[2] / "docs" / "reference" / "questions.md"
# Question -> a column that is filled in every row of its answer, and the least rows that the utility of twenty accounts gives.
ANSWERS = {
    "Who brings the money, and who entered or left?": ("customer_name", 3),
    "Who may leave, and why?": ("account_name", 10),
    "Which outages did only the customers see?": ("account_name", 0),
    "What would another way of paying save, and until when does one apply?": ("last_day_to_apply", 1),
    "Which notices were late?": ("account_name", 0),
    "Which connections are slow, and where do they wait?": ("account_name", 1),
    "Whose supply is bad?": ("org_name", 1),
    "What must each manager do today?": ("account_name", 1),
}


def questions() -> dict[str, str]:
    """The queries of docs/reference/questions.md, over the candidates instead of what readers see of them."""
    found = {}
    relations = {model.published_name: model.relation for model in published_models().values()}
    for title, text in re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)", QUESTIONS.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        (query,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
        found[title] = re.sub(r"\bmarts\.(\w+)", lambda name: relations[name[1]], query)
    return found


def test_each_question_of_a_director_is_one_query_over_the_star(marts):
    assert set(questions()) == set(ANSWERS)
    too_few = {}
    for title, query in questions().items():
        column, least = ANSWERS[title]
        with psycopg.connect(marts.url, options="-c timezone=Asia/Shanghai") as connection:
            cursor = connection.execute(query)
            place = [described.name for described in cursor.description].index(column)
            rows = cursor.fetchall()
        too_few |= {title: len(rows)} if len(rows) < least else {}
        assert [row for row in rows if row[place] is None] == [], title
    assert too_few == {}


def test_accounts_legal_customers_and_groups_owe_and_bring_the_same(marts):
    """No group is named here and every code is valid, so that all three are the same accounts, added up in three ways."""
    for column, mart, month in (
        ("exposure_cny", "mart_credit_risk", "month_start_date"),
        ("unpaid_cny", "mart_credit_risk", "month_start_date"),
        ("revenue_12m_cny", "mart_key_account_ranking", "ranking_month"),
    ):
        by_account = dict(marts.rows(f"select {month}, sum({column}) from candidate.{mart} group by 1"))
        assert len(by_account) == 13
        for level in ("LEGAL_CUSTOMER", "GROUP"):
            query = f"select month_start_date, sum({column}) from candidate.star_customer_credit where level_code = '{level}'"
            assert dict(marts.rows(f"{query} group by 1")) == by_account, (column, level)


def test_rates_lie_between_0_and_100(marts):
    outside = "select count(*) from candidate.mart_two_rates where not (rs_pct between 0 and 100) or not (voltage_ok_pct between 0 and 100)"
    assert marts.one(outside) == 0


SMALLER_HERE = {  # they count accounts, days of curves or what a few managers and tiers have; a month charged in part has a low capacity
    "mart_access_list.rows_last",
    "mart_energy_structure.utilisation_hours",
    "mart_key_account_ranking.ranked_accounts",
    "mart_load_cluster.profile_days",
    "mart_manager_performance.portfolio_kva",
    "mart_service_resource_balance.accounts",
    "mart_service_resource_balance.balance_index",
    "mart_tariff_advice.demand_per_kva",
    "mart_two_rates.period_hours",
}


def expected_ranges() -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """What `docs/reference/ranges.md` says that an expert expects of each number of the marts."""
    found = {}
    for section in RANGES.read_text(encoding="utf-8").split("\n## mart_")[1:]:
        for row in re.findall(r"^\| (\w+) \|(?:[^|]*\|){4} (-?[\d.,]+)(?: to (-?[\d.,]+))? \|", section, re.MULTILINE):
            low, high = (Decimal((bound or row[1]).replace(",", "")) for bound in row[1:])
            found["mart_" + section.split(",")[0], row[0]] = low, high
    return found


def test_every_number_of_the_marts_lies_in_the_range_that_an_expert_expects(marts):
    """The ranges are those of two hundred accounts; what depends on the size of the utility is left out."""
    expected = expected_ranges()
    assert len({mart for mart, _ in expected}) == 28
    assert len(expected) > 370
    outside = []
    for (mart, column), (low, high) in expected.items():
        ((least, most),) = marts.rows(f"select min({column}), max({column}) from candidate.{mart}")
        if least is not None and not low <= least <= most <= high and f"{mart}.{column}" not in SMALLER_HERE:
            outside.append(f"{mart}.{column} {least} to {most}, expected {low} to {high}")
    assert not outside, "; ".join(outside)


def test_a_rebuild_from_raw_rows_in_another_order_gives_the_same_marts(marts):
    before = marts.hashes()
    with psycopg.connect(marts.url) as connection:
        for name, source in [(t.name, s) for s, tables in load_contracts().items() for t in tables.values()]:
            raw = sql.Identifier(f"raw_{source}", name)
            connection.execute(sql.SQL("create temp table turned on commit drop as select * from {}").format(raw))
            connection.execute(sql.SQL("truncate {}").format(raw))
            connection.execute(
                sql.SQL("insert into {} overriding system value select * from turned order by _raw_id desc").format(raw)
            )
            connection.execute("drop table turned")
    run_dbt(["run", "--full-refresh"], Warehouse(marts.url))
    assert marts.hashes() == before


CHANGED_FROM = date(2025, 9, 1)
# seed, number that changes, by what factor, for which rows, and the mart that must show it
CHANGED_PARAMETERS = [
    (
        "key_account_parameters",
        "number_value",
        "0.5",
        "parameter_code = 'pareto_revenue_share'",
        "mart_key_account_ranking",
    ),
    ("service_clocks", "target_value", "0.1", "true", "mart_ticket_sla"),
    ("notice_checkpoints", "lead_minutes_min", "0.5", "true", None),
    ("tariff_prices", "price_cny", "1.1", "component_code in ('CAPACITY', 'DEMAND')", "mart_tariff_advice"),
    ("tariff_parameters", "number_value", "0.9", "true", "mart_tariff_advice"),
    ("credit_points", "points", "2", "true", "mart_credit_risk"),
    ("churn_points", "points", "0.5", "true", "mart_churn_risk"),
    ("penalty_rates", "current_year_rate", "2", "true", "mart_payment_behaviour"),
    ("voltage_limits", "upper_limit_v", "0.99", "true", "mart_two_rates"),
    ("reliability_parameters", "number_value", "3", "parameter_code like 'sustained_minutes%'", "mart_two_rates"),
]


def month_hashes(marts: Marts) -> dict[tuple[str, date], str]:
    with psycopg.connect(marts.url) as connection:
        found = {}
        for mart in read_marts(manifest_path()):
            month = month_of(mart, BUSINESS_DATE)
            query = sql.SQL("select {} as month, {} from {} where {} group by 1").format(
                month,
                hash_of_rows(mart, column_types(connection, *mart.relation)),
                mart.candidate,
                is_published(mart, BUSINESS_DATE),
            )
            found |= {(mart.name, month): hash_ for month, hash_ in connection.execute(query).fetchall()}
    return found


def test_parameters_that_change_from_a_date_change_only_what_is_later(marts):
    before = month_hashes(marts)
    with psycopg.connect(marts.url) as connection:
        for seed, number, factor, rows, _ in CHANGED_PARAMETERS:
            names = [n for n in column_types(connection, "staging", seed) if n not in (number, "valid_from")]
            others = sql.SQL(", ").join(map(sql.Identifier, names))
            values = {
                "seed": sql.Identifier("staging", seed),
                "number": sql.Identifier(number),
                "others": others,
                "rows": sql.SQL(rows),
                "day": sql.Literal(CHANGED_FROM),
                "factor": sql.SQL(factor),
            }
            connection.execute(
                sql.SQL(
                    "insert into {seed} ({number}, valid_from, {others}) select {number} * {factor}, {day}, {others}"
                    " from {seed} where valid_to is null and valid_from < {day} and {rows}"
                ).format(**values)
            )
            closed = connection.execute(
                sql.SQL(
                    "update {seed} set valid_to = {day} where valid_to is null and valid_from < {day} and {rows}"
                ).format(**values)
            )
            assert closed.rowcount > 0, seed
            connection.execute("select transform.note_seed(%s)", (seed,))  # as loading it does
    run_dbt(["run", "--select", "path:models/intermediate", "tag:warehouse", "tag:marts"], Warehouse(marts.url))
    after = month_hashes(marts)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {key for key in changed if key[1] < CHANGED_FROM} == set()
    assert {name for name, _ in changed} >= {shown for *_, shown in CHANGED_PARAMETERS if shown}


def conspicuous(marts: Marts) -> dict[tuple[str, str], tuple[int, int]]:
    """(Test, clerk) -> (entries, entries that look filled) of all that the score names."""
    found = marts.rows(
        "select test_code, clerk_no, rows_judged, rows_filled from warehouse.fct_arbitrary_fill_scores where verdict_code = 'LOOKS_FABRICATED'"
    )
    return {(test, clerk): (judged, filled) for test, clerk, judged, filled in found}


def test_clean_entries_name_nobody_and_a_handler_who_closes_in_bulk_is_named(marts):
    """Nobody of twenty accounts has ten stages a month, so that six handlers get twelve each, one of them all in one minute."""
    seen = dict(marts.rows("select test_code, sum(rows_judged) from warehouse.int_entries_judged group by test_code"))
    assert set(seen) >= {"INVENTED_FILE", "SAME_MINUTE", "SAME_SCORE", "SAME_TEXT"}
    assert conspicuous(marts) == {}
    # built anew, for no delivery brings these rows
    scores = ["run", "--full-refresh", "--select", "int_entries_judged", "fct_arbitrary_fill_scores"]
    try:
        with psycopg.connect(marts.url) as connection:
            connection.execute(
                """insert into staging.stg_marketing__application_stages (application_no, stage_seq, handler_no, ended_at, _raw_id)
                select
                    (select min(application_no) from warehouse.fct_applications), 0, 'H-' || handler,
                    timestamptz '2025-11-20 09:00+08' + case when handler = 3 then stage * interval '1 second' else stage * interval '7 minutes' end,
                    -(100 * handler + stage)
                from generate_series(1, 6) as handler cross join generate_series(1, 13) as stage"""
            )
        run_dbt(scores, Warehouse(marts.url))
        assert conspicuous(marts) == {("SAME_MINUTE", "H-3"): (12, 12)}
    finally:
        with psycopg.connect(marts.url) as connection:
            connection.execute("delete from staging.stg_marketing__application_stages where _raw_id < 0")
        run_dbt(scores, Warehouse(marts.url))
    assert conspicuous(marts) == {}
