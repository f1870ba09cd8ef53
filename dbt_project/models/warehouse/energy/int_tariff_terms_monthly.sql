with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

tariffs as (
    select * from {{ ref('dim_tariffs') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where is_counted_in_account
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where coalesce(status_code, '') <> 'DRAFT' and coalesce(kind_code, '') <> 'PROTOCOL'
),

capacities as (
    select * from {{ ref('int_charged_capacity_monthly') }}
),

-- Basic charges are those of the account: the terms of its first point that has any; demand is agreed by feed and added.
assigned as (
    select
        tariffs.account_no,
        months.month_start_date,
        array_agg(tariffs.tariff_code order by tariffs.basic_mode_code = 'NONE', tariffs.metering_point_no) as tariff_codes,
        array_agg(tariffs.basic_mode_code order by tariffs.basic_mode_code = 'NONE', tariffs.metering_point_no) as mode_codes,
        max(nullif(tariffs.power_factor_standard_code, 'NONE')) as power_factor_standard_code,
        bool_or(tariffs.is_tou) as is_tou,
        sum(tariffs.contract_demand_kw) as contract_demand_kw
    from months
    inner join tariffs
        on
            {{ is_valid_on('tariffs', 'months.report_date') }}
    inner join metering_points
        on
            tariffs.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'months.report_date') }}
    group by tariffs.account_no, months.month_start_date
),

agreed as (
    select distinct on (contracts.account_no, months.month_start_date)
        contracts.account_no,
        months.month_start_date,
        contracts.contract_capacity_kva,
        contracts.contract_demand_kw
    from months
    inner join contracts
        on
            contracts.valid_from <= months.report_date
            -- one that renews itself holds on past its term
            and (contracts.valid_to is null or months.report_date < contracts.valid_to or contracts.is_auto_renewed)
    order by contracts.account_no, months.month_start_date, contracts.valid_from desc, contracts.contract_no, contracts.version desc
),

connected as (
    select
        accounts.account_no,
        accounts.org_no,
        accounts.contract_capacity_kva,
        months.month_start_date,
        months.report_date,
        {{ parameter('tariff_parameters', 'proration_days', 'months.report_date') }} as proration_days,
        months.next_month_start_date - months.month_start_date as month_days,
        least(accounts.close_date + 1, months.next_month_start_date)
        - greatest(coalesce(accounts.connect_date, accounts.open_date), months.month_start_date) as charged_days
    from accounts
    inner join months
        on
            coalesce(accounts.connect_date, accounts.open_date) <= months.report_date
            and (accounts.close_date is null or months.month_start_date <= accounts.close_date)
),

final as (
    select
        connected.account_no,
        connected.month_start_date,
        connected.report_date,
        connected.org_no,
        assigned.tariff_codes[1] as tariff_code,
        assigned.mode_codes[1] as basic_mode_code,
        assigned.power_factor_standard_code,
        coalesce(assigned.is_tou, false) as is_tou,
        coalesce(assigned.contract_demand_kw, agreed.contract_demand_kw)::numeric(16, 4) as contract_demand_kw,
        coalesce(agreed.contract_capacity_kva, capacities.installed_capacity_kva, connected.contract_capacity_kva)
            ::numeric(16, 4) as contract_capacity_kva,
        coalesce(capacities.charged_capacity_kva, connected.contract_capacity_kva)::numeric(16, 4) as charged_capacity_kva,
        coalesce(capacities.charged_at_end_kva, connected.contract_capacity_kva)::numeric(16, 4) as running_capacity_kva,
        case
            when connected.charged_days >= connected.month_days then 1
            else least(connected.charged_days / nullif(connected.proration_days, 0), 1)
        end::numeric(10, 8) as charged_month_share
    from connected
    inner join assigned
        on connected.account_no = assigned.account_no and connected.month_start_date = assigned.month_start_date
    left join agreed
        on connected.account_no = agreed.account_no and connected.month_start_date = agreed.month_start_date
    left join capacities
        on connected.account_no = capacities.account_no and connected.month_start_date = capacities.month_start_date
)

select * from final
