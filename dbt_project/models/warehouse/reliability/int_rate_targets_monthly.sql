with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('int_accounts_as_of_month') }}
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

targets as (
    select * from {{ ref('rate_targets') }}
),

-- The target of the area, else the one that holds for any; from the voltage level on from which it is one.
by_account as (
    select distinct on (accounts.account_no, accounts.month_start_date, targets.measure_code)
        accounts.account_no,
        accounts.org_no,
        accounts.is_open,
        accounts.month_start_date,
        targets.measure_code,
        targets.target_pct,
        targets.basis_code
    from accounts
    inner join targets
        on
            targets.area_class_code in ('ANY', accounts.area_class_code)
            and (targets.voltage_from_kv is null or accounts.voltage_level_kv >= targets.voltage_from_kv)
            and {{ is_valid_on('targets', 'accounts.report_date') }}
    order by
        accounts.account_no,
        accounts.month_start_date,
        targets.measure_code,
        targets.area_class_code = 'ANY',
        targets.valid_from desc
),

-- What an organisation has promised in all: the mean over its accounts, each with the promise of its area.
by_organisation as (
    select
        org_no,
        month_start_date,
        measure_code,
        coalesce(avg(target_pct) filter (where basis_code = 'PROMISE'), avg(target_pct)) as target_pct,
        case when bool_or(basis_code = 'PROMISE') then 'PROMISE' else 'REGULATION' end as basis_code
    from by_account
    where org_no is not null and is_open
    group by org_no, month_start_date, measure_code
),

-- One without accounts is held to the regulation.
without_accounts as (
    select distinct
        feeders.org_no,
        months.month_start_date,
        targets.measure_code,
        targets.target_pct,
        targets.basis_code
    from feeders
    cross join months
    inner join targets
        on
            targets.area_class_code = 'ANY'
            and targets.voltage_from_kv is null
            and {{ is_valid_on('targets', 'months.report_date') }}
    left join by_organisation
        on feeders.org_no = by_organisation.org_no and months.month_start_date = by_organisation.month_start_date
    where feeders.org_no is not null and by_organisation.org_no is null
),

chosen as (
    select 'ACCOUNT' as entity_kind_code, account_no as entity_no, month_start_date, measure_code, target_pct, basis_code
    from by_account
    union all
    select 'ORGANISATION', org_no, month_start_date, measure_code, target_pct, basis_code
    from by_organisation
    union all
    select 'ORGANISATION', org_no, month_start_date, measure_code, target_pct, basis_code
    from without_accounts
),

final as (
    select
        entity_kind_code,
        entity_no,
        month_start_date,
        {%- for measure in ['rs', 'voltage'] %}
        (max(target_pct) filter (where measure_code = '{{ measure | upper }}'))::numeric(8, 4) as {{ measure }}_target_pct,
        max(basis_code) filter (where measure_code = '{{ measure | upper }}') as {{ measure }}_target_basis_code
        {{- ',' if not loop.last }}
        {%- endfor %}
    from chosen
    group by entity_kind_code, entity_no, month_start_date
)

select * from final
