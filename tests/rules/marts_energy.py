"""Stand-ins for the rules on tariff advice, saving advice and energy structure."""

_SHARES = "0.1 as sharp_share, 0.3 as peak_share, 0.4 as flat_share, 0.2 as valley_share, null::numeric as deep_share"

GOOD = [
    f"""create table candidate.mart_energy_structure as
    select 'A'::text as account_no, date '2026-10-01' as month_start_date, {_SHARES},
        1000.00 as power_factor_billed_cny, -10.00 as power_factor_difference_cny, null::text as power_factor_difference_code""",
    f"""create table candidate.mart_tariff_advice as
    select 'A'::text as account_no, date '2026-10-01' as month_start_date, 'BILL'::text as usage_basis_code,
        625000.00 as basic_charge_cny, 725000.00 as total_charge_cny, 625000.02 as billed_basic_charge_cny,
        725000.07 as billed_total_cny, null::numeric as single_part_total_cny, 725000.00 as capacity_total_cny,
        496000.00 as contract_demand_total_cny, 496000.01 as actual_demand_total_cny, 229000.00 as saving_cny, {_SHARES}""",
    """create table candidate.mart_saving_advice as
    select 'A'::text as account_no, date '2026-10-01' as month_start_date, code::text as advice_code, cny::numeric as saving_cny
    from (values ('MODE_SWITCH', 229000.00), ('PF_UP', 300.00)) as advice (code, cny)""",
    # an account of whose bill rows are withheld
    "insert into candidate.mart_tariff_advice (account_no, month_start_date, usage_basis_code) values ('B', '2026-10-01', 'BILL')",
    "insert into candidate.mart_saving_advice values ('B', '2026-10-01', 'MD_REDUCE', 229.50)",
]
RULES = ("MART-20", "MART-21", "MART-22", "MART-23", "MART-24", "MART-27")
