-- An account as it was on the last known day of a month. Before the first delivery of the archive its first version is all that
-- is known of area and voltage level, and after its withdrawal the last that was known before; capacity is that of the contract
-- in force and of the transformers on that day.
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
        coalesce(accounts.valid_from <= months.report_date, true) desc,
        case when accounts.valid_from <= months.report_date then accounts.valid_from end desc nulls last,
        accounts.valid_from
),

-- A transformer whose past is not on file ran or rested, nobody knows: a state without a first day, a day between two states, and
-- days before the first state of all transformers of an account that was connected.
states as (
    select
        transformers.account_no,
        transformers.transformer_no,
        months.month_start_date,
        months.report_date,
        sum(transformers.capacity_kva) filter (
            where transformers.state_code = 'RUN' and {{ is_valid_on('transformers', 'months.report_date') }}
        ) as capacity_kva,
        coalesce(bool_or({{ is_valid_on('transformers', 'months.report_date') }}), false) as has_state,
        coalesce(bool_or(transformers.valid_from is null), false)
        or min(transformers.valid_from) <= months.report_date and months.report_date < max(transformers.valid_from) as is_on_file,
        min(transformers.valid_from) as first_date
    from transformers
    cross join months
    group by transformers.account_no, transformers.transformer_no, months.month_start_date, months.report_date
),

-- An account with transformers on file has those that run on the day, be it none.
running as (
    select
        account_no,
        month_start_date,
        coalesce(sum(capacity_kva), 0) as capacity_kva,
        bool_or(is_on_file and not has_state) as has_unknown,
        coalesce(min(first_date) > min(report_date), false) as is_before_all
    from states
    group by account_no, month_start_date
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
        case
            when running.account_no is null then as_of.running_capacity_kva
            when not running.has_unknown and not (running.is_before_all and connected.is_connected) then running.capacity_kva
        end::numeric(14, 2) as running_capacity_kva,
        connected.is_connected
        and (as_of.close_date is null or as_of.month_start_date <= as_of.close_date)
        and (as_of.valid_to is null or as_of.month_start_date < as_of.valid_to) as is_open
    from as_of
    cross join lateral (
        select coalesce(as_of.connect_date, as_of.open_date, as_of.report_date) <= as_of.report_date as is_connected
    ) as connected
    left join contracts on as_of.account_no = contracts.account_no and {{ is_valid_on('contracts', 'as_of.report_date') }}
    left join running on as_of.account_no = running.account_no and as_of.month_start_date = running.month_start_date
)

select * from final
