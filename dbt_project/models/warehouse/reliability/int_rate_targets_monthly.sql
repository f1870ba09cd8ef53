with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

targets as (
    select * from {{ ref('rate_targets') }}
),

entities as (
    select 'ACCOUNT' as entity_kind_code, account_no as entity_no, area_class_code
    from accounts
    union
    select 'ORGANISATION', org_no, 'ANY'
    from accounts
    where org_no is not null
    union
    select 'ORGANISATION', org_no, 'ANY'
    from feeders
    where org_no is not null
),

-- The target of the area, else the one that holds for any.
chosen as (
    select distinct on (entities.entity_kind_code, entities.entity_no, months.month_start_date, targets.measure_code)
        entities.entity_kind_code,
        entities.entity_no,
        months.month_start_date,
        targets.measure_code,
        targets.target_pct,
        targets.basis_code
    from entities
    cross join months
    inner join targets
        on
            targets.area_class_code in ('ANY', entities.area_class_code)
            and {{ is_valid_on('targets', 'months.report_date') }}
    order by
        entities.entity_kind_code,
        entities.entity_no,
        months.month_start_date,
        targets.measure_code,
        targets.area_class_code = 'ANY',
        targets.valid_from desc
),

final as (
    select
        entity_kind_code,
        entity_no,
        month_start_date,
        {%- for measure in ['rs', 'voltage'] %}
        max(target_pct) filter (where measure_code = '{{ measure | upper }}') as {{ measure }}_target_pct,
        max(basis_code) filter (where measure_code = '{{ measure | upper }}') as {{ measure }}_target_basis_code
        {{- ',' if not loop.last }}
        {%- endfor %}
    from chosen
    group by entity_kind_code, entity_no, month_start_date
)

select * from final
