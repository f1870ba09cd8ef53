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

transformers as (
    select * from {{ ref('dim_transformers') }}
    where account_no is not null
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

-- An account with transformers on file has those that run on the day, be it none.
running as (
    select
        transformers.account_no,
        months.month_start_date,
        coalesce(sum(transformers.capacity_kva) filter (
            where transformers.state_code = 'RUN' and {{ is_valid_on('transformers', 'months.report_date') }}
        ), 0) as capacity_kva
    from transformers
    cross join months
    group by transformers.account_no, months.month_start_date
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
        coalesce(running.capacity_kva, as_of.running_capacity_kva)::numeric(14, 2) as running_capacity_kva,
        coalesce(as_of.connect_date, as_of.open_date, as_of.report_date) <= as_of.report_date
        and (as_of.close_date is null or as_of.month_start_date <= as_of.close_date) as is_open
    from as_of
    left join contracts on as_of.account_no = contracts.account_no and {{ is_valid_on('contracts', 'as_of.report_date') }}
    left join running on as_of.account_no = running.account_no and as_of.month_start_date = running.month_start_date
)

select * from final
