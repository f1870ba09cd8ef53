with months as (
    select * from {{ ref('dim_months') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

tariff_savings as (
    select * from {{ ref('int_tariff_savings') }}
),

load_savings as (
    select * from {{ ref('int_load_savings') }}
),

savings as (
    select
        account_no,
        month_start_date,
        advice_code,
        quantity,
        quantity_unit,
        null::numeric(20, 4) as saving_kwh,
        saving_cny,
        calculation
    from tariff_savings
    union all
    select * from load_savings
),

measured as (
    select
        savings.account_no,
        savings.month_start_date,
        savings.advice_code,
        charges.org_no,
        charges.usage_basis_code,
        (row_number() over (
            partition by savings.account_no, savings.month_start_date order by savings.saving_cny desc, savings.advice_code
        ))::integer as advice_rank,
        savings.quantity,
        savings.quantity_unit,
        savings.saving_kwh,
        savings.saving_cny,
        (savings.saving_cny / nullif(charges.total_charge_cny, 0))::numeric(12, 8) as saving_share,
        savings.calculation
    from savings
    inner join charges on savings.account_no = charges.account_no and savings.month_start_date = charges.month_start_date
    inner join months on savings.month_start_date = months.month_start_date
    where savings.saving_cny >= {{ parameter('saving_parameters', 'min_saving_cny', 'months.report_date') }}
),

final as ({{ partial_rows('measured') }})

select * from final
