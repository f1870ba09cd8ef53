"""Real readings through a whole night, from the folder that delivers them to the published marts.

The expected figures are those that the data's description states (`../shared/data/README.md`), typed in. The archive beside
the readings is synthetic: one customer with one metering point.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from include import night
from tests.nights import Utility
from tests.real_input.works import ALUMINIUM_DAY, STEEL_DAY, deliver_aluminium_works, deliver_steel_works

MONTHLY_KWH = (
    "126238.29 91497.34 80230.41 78769.80 79059.28 65404.64 81674.41 68559.43 57883.07 84665.65 86217.61 59436.78"
)
MONTHLY_PEAK_KW = "612.56 582.04 605.24 556.12 560.16 535.40 486.72 534.80 510.48 557.72 628.72 596.72"
POWER_FACTOR = ".9182 .9309 .9288 .9150 .8994 .8934 .8995 .8735 .8675 .8629 .8955 .9229"
ADJUSTMENT_PCT = "-0.30 -0.45 -0.45 -0.15 0 0.5 0 1.5 1.5 2.0 0 -0.30"
WITH_LEADING = ".8858 .8871 .8732 .8596 .8394 .8222 .8550 .8118 .8040 .8294 .8597 .8255"
WITH_LEADING_PCT = "0.5 0.5 1.5 2.0 3.0 4.0 2.5 4.5 5.0 3.5 2.0 3.5"


def numbers(text: str) -> list[Decimal]:
    return [Decimal(part) for part in text.split()]


def findings(works: Utility) -> list[tuple]:
    """Open findings, without those on marts that an archive of one customer leaves empty and on the bills it lacks."""
    return works.rows(
        "select rule_id, severity, record_key ->> 'mp_no', coalesce(record_key ->> 'data_date', record_key ->> 'sampled_at'),"
        " column_name, observed from quality.findings where state <> 'fixed' and not starts_with(rule_id, 'MART-FILLED-') and rule_id <> 'EXP-07'"
        " order by 1, 4, 5"
    )


def landed(works: Utility, table: str) -> list[tuple]:
    return works.rows(
        "select state, delivered_rows, inserted_rows, duplicate_rows, rejected_rows from quality.receipts where table_name = %s",
        table,
    )


def states(works: Utility) -> list[tuple]:
    return works.rows("select business_date, state from quality.runs")


@pytest.mark.timeout(600)
def test_the_year_of_the_steel_works_is_published_with_the_figures_stated(utility: Utility):
    deliver_steel_works(utility.deliveries)
    utility.run(STEEL_DAY)
    assert states(utility) == [(STEEL_DAY, "published")]
    assert landed(utility, "met_interval_96") == [("landed", 1_460, 1_460, 0, 0)]

    # The stamp 07-11-2018 00:00 is slot 96 of that day: found, and neither load nor part of the lowest load.
    # Half-way between 3.56 and 3.64 it is estimated beside the measured energy, which stays that of the file.
    assert findings(utility) == [("MET-32", "warn", "MP000001", "2018-11-07", "v96", "0 between 3.56 and 3.64")]
    assert utility.rows(
        "select reading_date, valid_slots, estimated_slots, zero_coded_slots, estimated_kwh from warehouse.fct_energy_daily"
        " where valid_slots <> 96"
    ) == [(date(2018, 11, 7), 95, 1, 1, Decimal("3.60"))]
    assert utility.rows(
        "select sum(valid_slots), sum(missing_slots), sum(estimated_slots), min(min_kw) > 0 from marts.mart_energy_structure"
        " where month_start_date >= '2018-01-01'"
    ) == [(35_039, 0, 1, True)]

    months = utility.rows(
        "select energy_kwh, max_kw, round(power_factor, 4), power_factor_adjustment_pct, round(power_factor_with_leading, 4),"
        " power_factor_with_leading_adjustment_pct from marts.mart_energy_structure"
        " where month_start_date >= '2018-01-01' order by month_start_date"
    )
    expected = [MONTHLY_KWH, MONTHLY_PEAK_KW, POWER_FACTOR, ADJUSTMENT_PCT, WITH_LEADING, WITH_LEADING_PCT]
    assert [list(column) for column in zip(*months, strict=True)] == [numbers(text) for text in expected]

    for relation, energy in (
        ("marts.mart_energy_structure", "energy_kwh"),
        ("warehouse.fct_energy_daily", "consumption_kwh"),
    ):
        year = f"select sum({energy}), sum(lagging_kvarh), sum(leading_kvarh), max(max_kw) from {relation}"
        assert utility.rows(year) == [
            (Decimal("959636.71"), Decimal("456759.84"), Decimal("135638.04"), Decimal("628.72"))
        ]
    assert utility.rows(
        "select (max_kw_slot_started_at at time zone 'Asia/Shanghai')::text from marts.mart_energy_structure"
        " where max_kw = 628.72"
    ) == [("2018-11-22 09:30:00",)]
    for relation, energy in (
        ("marts.mart_energy_structure", "energy_kwh"),
        ("warehouse.fct_demand_daily", "known_kw_sum / 4"),
    ):
        load_factor = f"select round(sum({energy}) / 8760 / max(max_kw), 4) from {relation}"
        assert utility.rows(load_factor) == [(Decimal("0.1742"),)]

    # No month has a bill: advice would follow from what was measured, and the ways to be charged of 2018 are on no record.
    assert utility.rows(
        "select usage_basis_code, advised_mode_code, count(*) from marts.mart_tariff_advice group by 1, 2"
    ) == [("CURVES", None, 12)]
    assert utility.rows(
        "select month_start_date, capacity_charge_cny, contract_demand_charge_cny, actual_demand_charge_cny, pf_cost_cny,"
        " total_charge_cny, saving_cny from marts.mart_tariff_advice where extract(month from month_start_date) in (1, 7, 8)"
        " order by 1"
    ) == [(date(2018, month, 1), *[None] * 6) for month in (1, 7, 8)]
    assert (
        utility.rows(
            "select month_start_date, advice_code, saving_cny from marts.mart_saving_advice"
            " where advice_code in ('MODE_SWITCH', 'PF_UP')"
        )
        == []
    )
    assert utility.rows(
        "select is_whole_month, count(*) from marts.mart_energy_structure where month_start_date >= '2018-01-01' group by 1 order by 1"
    ) == [(True, 12)]


@pytest.mark.timeout(600)
def test_the_log_of_the_aluminium_works_tells_of_one_outage_and_four_overflows(utility: Utility):
    deliver_aluminium_works(utility.deliveries)
    utility.run(ALUMINIUM_DAY, night.STEPS[: night.STEPS.index("check_marts")])  # up to the candidates
    assert landed(utility, "met_pq_sample") == [("landed", 2_343, 2_343, 0, 0)]

    # Where power returns after the outage (indices 1042 and 1043), the mean factor is not that of the mean powers, and in four
    # samples mean volts and amperes are not those of the mean power: warnings.
    apparent = "(i_a * u_a + i_b * u_b + i_c * u_c) / 1000 / nullif(sqrt(p_kw * p_kw + q_kvar * q_kvar), 0): "
    assert sorted(
        {(rule, severity, column, observed) for rule, severity, _, _, column, observed in findings(utility)}
    ) == [
        *(("EQU-met_pq_sample", "warn", "i_a", apparent + ratio) for ratio in ("1.1446", "1.1524", "1.3839", "1.7585")),
        ("EQU-met_pq_sample", "warn", "pf", "abs(pf): 0.3500"),
        ("EQU-met_pq_sample", "warn", "pf", "abs(pf): 0.9600"),
        ("MET-31", "quarantine", "p_kw", "4915.0500"),
        ("MET-31", "quarantine", "pf", "327.6700"),
        ("MET-31", "quarantine", "q_kvar", "4915.0500"),
    ]
    # Indices 289, 1919, 1973 and 2307 of the log.
    assert utility.rows(
        "select to_char((record_key ->> 'sampled_at')::timestamptz at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS.MS')"
        " from quality.quarantined_rows where table_name = 'met_pq_sample' and state = 'quarantined' and rule_ids = '{MET-31}'"
        " order by 1"
    ) == [
        ("2019-08-31 17:46:13.135",),
        ("2019-09-01 07:21:13.135",),
        ("2019-09-01 07:48:13.135",),
        ("2019-09-01 10:35:13.135",),
    ]
    assert utility.rows("select count(*) from quality.quarantined_rows") == [(4,)]
    assert utility.rows("select count(*), max(active_power_kw) from staging.stg_metering__power_quality_samples") == [
        (2_339, Decimal("644.55"))
    ]

    assert utility.rows(
        "select account_no, to_char(started_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS.MS'),"
        " to_char(ended_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS.MS'), round(duration_minutes * 60, 3)"
        " from warehouse.fct_customer_outages"
    ) == [("0000000001", "2019-08-31 23:53:43.135", "2019-09-01 00:02:13.135", Decimal("510.000"))]
    # One interruption, told in the month it began; its 510 s fall into both months.
    assert utility.rows(
        "select month_start_date, saifi, round(saidi_min, 2) from candidate.mart_two_rates"
        " where side_code = 'CUSTOMER' and entity_kind_code = 'ACCOUNT' and saidi_min > 0 order by 1"
    ) == [(date(2019, 8, 1), 1, Decimal("6.28")), (date(2019, 9, 1), 0, Decimal("2.22"))]
