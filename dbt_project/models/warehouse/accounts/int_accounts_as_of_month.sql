-- An account as it was on the last known day of a month. Before the first delivery of the archive its first version is all that
-- is known of area and voltage level; capacity is that of the contract in force and of the transformers on that day.
with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

contracts as (
    select * from {{ ref('int_contracts_in_force') }}
),

capacities as (
    select * from {{ ref('int_charged_capacity_monthly') }}
),

as_of as (
    select distinct on (accounts.account_no, months.month_start_date)
        accounts.*,
        months.month_start_date,
        months.report_date
    from accounts
    cross join months
    order by
        accounts.account_no,
        months.month_start_date,
        coalesce({{ is_valid_on('accounts', 'months.report_date') }}, false) desc,
        accounts.valid_from nulls first
),

final as (
    select
        as_of.account_no,
        as_of.month_start_date,
        as_of.report_date,
        as_of.org_no,
        as_of.area_class_code,
        as_of.voltage_level_code,
        case
            when as_of.voltage_level_code ~ '^AC[0-9.]+kV$' then substring(as_of.voltage_level_code, '[0-9.]+')::numeric
            when as_of.voltage_level_code ~ '^AC[0-9.]+V$' then substring(as_of.voltage_level_code, '[0-9.]+')::numeric / 1000
        end as voltage_level_kv,
        coalesce(contracts.contract_capacity_kva, as_of.contract_capacity_kva)::numeric(14, 2) as contract_capacity_kva,
        coalesce(capacities.charged_at_end_kva, as_of.running_capacity_kva)::numeric(14, 2) as running_capacity_kva,
        coalesce(as_of.connect_date, as_of.open_date, as_of.report_date) <= as_of.report_date
        and (as_of.close_date is null or as_of.month_start_date <= as_of.close_date) as is_open
    from as_of
    left join contracts on as_of.account_no = contracts.account_no and {{ is_valid_on('contracts', 'as_of.report_date') }}
    left join capacities
        on as_of.account_no = capacities.account_no and as_of.month_start_date = capacities.month_start_date
)

select * from final
