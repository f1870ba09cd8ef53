"""Stand-ins for the rules that hold the energy of the marts against the admitted curves and bills."""

GOOD = [
    # 96 slots of each admitted energy curve, unfolded and times the ratio of its point
    """create table candidate.mart_energy_structure as
    select points.account_no, date_trunc('month', curves.reading_date::timestamp)::date as month_start_date,
        sum(slots.kwh::numeric * case when curves.is_primary then 1 else points.multiplier end)::numeric(20, 4) as energy_kwh
    from staging.int_curves_latest as curves
    inner join staging.int_metering_points_as_of as points
        on curves.metering_point_no = points.metering_point_no and curves.reading_date >= points.valid_from
        and curves.reading_date < coalesce(points.valid_to, 'infinity')
    cross join lateral unnest(curves.values_by_slot) as slots (kwh)
    where curves.quantity_code = 'E+' and curves.phase_code = 'T' and points.is_counted_in_account
    group by 1, 2""",
    # a month without curves
    """insert into candidate.mart_energy_structure
    select account_no, date '2026-09-01', null from candidate.mart_energy_structure where month_start_date = '2026-10-01'""",
    """create table candidate.mart_key_account_ranking as
    select account_no, date '2026-11-01' as ranking_month, sum(billed_kwh) as energy_12m_kwh,
        '{}'::text[] as partial_measures
    from staging.stg_marketing__bills where bill_month between date '2025-11-01' and date '2026-10-01' group by account_no""",
    """create table candidate.mart_tariff_advice as
    select account_no, bill_month as month_start_date, 'BILL'::text as usage_basis_code, sum(billed_kwh) as energy_kwh
    from staging.stg_marketing__bills where bill_month = date '2026-10-01' group by account_no, bill_month""",
    # an account without a bill, whose energy is that of its registers
    "insert into candidate.mart_tariff_advice values ('NO BILL', '2026-10-01', 'REGISTERS', 1000)",
]
A_ROW = (
    "(account_no, month_start_date) in (select min(account_no), date '2026-10-01' from candidate.mart_energy_structure)"
)
RULES = ("MART-25", "MART-26")
