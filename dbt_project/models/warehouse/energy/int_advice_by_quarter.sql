-- Advice that the rules permit: a way of paying the basic charge holds for a quarter, a transformer rests for six months a year at most.
with months as (
    select * from {{ ref('dim_closed_months') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

alternatives as (
    select * from {{ ref('int_tariff_alternatives') }}
),

load_savings as (
    select * from {{ ref('int_load_savings') }}
    where advice_code = 'SUSPEND_TRAN'
),

-- The last closed month before an application for the coming quarter is due is its basis.
quarters as (
    select
        month_start_date as basis_month,
        (month_start_date - interval '11 months')::date as first_month,
        (month_start_date + interval '2 months')::date as applies_from,
        {{ parameters_on('saving_parameters', [
            'mode_change_notice_days', 'suspension_notice_days', 'suspension_max_months', 'advice_min_months', 'min_saving_cny',
        ], 'report_date') }}
    from months
    where extract(month from month_start_date) in (2, 5, 8, 11)
),

dated as (
    select
        quarters.*,
        (
            select min(applied_on.calendar_date)
            from dates as applied_on
            where applied_on.working_day_no = day_before.working_day_no - quarters.mode_change_notice_days
        ) as mode_last_day,
        (
            select min(applied_on.calendar_date)
            from dates as applied_on
            where applied_on.working_day_no = day_before.working_day_no - quarters.suspension_notice_days
        ) as suspension_last_day
    from quarters
    inner join dates as day_before on quarters.applies_from - 1 = day_before.calendar_date
),

-- What staying would have cost in each of the twelve months, and what another way of paying would have. A contract demand that
-- nobody had agreed in a month is no way of paying in it: known afterwards, it costs what was used.
compared as (
    select
        dated.basis_month,
        bases.account_no,
        bases.basic_mode_code as current_mode_code,
        others.basic_mode_code as advised_mode_code,
        count(*) as known_months,
        avg(staying.total_charge_cny - others.total_charge_cny) as saving_cny,
        min(staying.total_charge_cny - others.total_charge_cny) as saving_low_cny,
        max(staying.total_charge_cny - others.total_charge_cny) as saving_high_cny
    from dated
    inner join charges as bases on dated.basis_month = bases.month_start_date
    inner join alternatives as staying
        on
            bases.account_no = staying.account_no
            and bases.basic_mode_code = staying.basic_mode_code
            and staying.month_start_date between dated.first_month and dated.basis_month
    inner join alternatives as others
        on
            staying.account_no = others.account_no
            and staying.month_start_date = others.month_start_date
            and staying.basic_mode_code <> others.basic_mode_code
    left join charges as agreements
        on others.account_no = agreements.account_no and others.month_start_date = agreements.month_start_date
    where
        num_nulls(staying.total_charge_cny, others.total_charge_cny) = 0
        and (others.basic_mode_code <> 'BY_CONTRACT_MD' or agreements.agreed_demand_kw is not null)
    group by dated.basis_month, bases.account_no, bases.basic_mode_code, others.basic_mode_code
),

mode_switches as (
    select distinct on (compared.account_no, compared.basis_month)
        compared.account_no,
        'MODE_SWITCH' as advice_code,
        dated.applies_from,
        compared.basis_month,
        dated.mode_last_day as last_day_to_apply,
        compared.current_mode_code,
        compared.advised_mode_code,
        null::numeric as quantity_kva,
        compared.known_months,
        compared.saving_cny,
        compared.saving_low_cny,
        compared.saving_high_cny
    from compared
    inner join dated on compared.basis_month = dated.basis_month
    where compared.known_months >= dated.advice_min_months and compared.saving_cny >= dated.min_saving_cny
    order by compared.account_no, compared.basis_month, compared.saving_cny desc, compared.advised_mode_code
),

-- Staying saves nothing: a month in which no transformer can be spared counts with zero, one of which nobody knows what it would
-- have saved counts not at all. One that is spared for more months than it may rest is too large for good.
resting as (
    select
        charges.account_no,
        dated.basis_month,
        count(*) as known_months,
        count(load_savings.saving_cny) as spared_months,
        (array_agg(load_savings.quantity order by load_savings.month_start_date desc) filter (where load_savings.quantity is not null))[1]
            as quantity_kva,
        avg(coalesce(load_savings.saving_cny, 0)) as saving_cny,
        min(coalesce(load_savings.saving_cny, 0)) as saving_low_cny,
        max(coalesce(load_savings.saving_cny, 0)) as saving_high_cny
    from dated
    inner join charges on charges.month_start_date between dated.first_month and dated.basis_month
    left join load_savings
        on charges.account_no = load_savings.account_no and charges.month_start_date = load_savings.month_start_date
    where
        num_nulls(charges.max_demand_kw, charges.running_capacity_kva) = 0
        -- without any demand there is no power factor
        and (charges.power_factor is not null or charges.max_demand_kw = 0)
        and (load_savings.account_no is null or load_savings.saving_cny is not null)
    group by charges.account_no, dated.basis_month
),

rests as (
    select
        resting.account_no,
        case when resting.spared_months > dated.suspension_max_months then 'DECREASE_CAPACITY' else 'SUSPEND_TRAN' end as advice_code,
        dated.applies_from,
        dated.basis_month,
        dated.suspension_last_day as last_day_to_apply,
        null::text as current_mode_code,
        null::text as advised_mode_code,
        resting.quantity_kva,
        resting.known_months,
        resting.saving_cny,
        resting.saving_low_cny,
        resting.saving_high_cny
    from resting
    inner join dated on resting.basis_month = dated.basis_month
    where
        resting.spared_months > 0
        and resting.known_months >= dated.advice_min_months
        and resting.saving_cny >= dated.min_saving_cny
),

advice as (
    select * from mode_switches
    union all
    select * from rests
),

final as (
    select
        account_no,
        advice_code,
        applies_from,
        basis_month,
        last_day_to_apply,
        current_mode_code,
        advised_mode_code,
        quantity_kva::numeric(20, 4) as quantity_kva,
        known_months::integer as known_months,
        saving_cny::numeric(16, 2) as saving_cny,
        saving_low_cny::numeric(16, 2) as saving_low_cny,
        saving_high_cny::numeric(16, 2) as saving_high_cny
    from advice
)

select * from final
