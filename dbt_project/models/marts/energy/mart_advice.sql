with advice as (
    select * from {{ ref('int_advice_by_quarter') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

-- Whoever pays in the advised way, or has that much less capacity, in the quarter that it is for has taken the advice.
taken as (
    select distinct
        advice.account_no,
        advice.advice_code,
        advice.applies_from
    from advice
    inner join charges
        on
            advice.account_no = charges.account_no
            and advice.applies_from <= charges.month_start_date
            and charges.month_start_date < advice.applies_from + interval '3 months'
    left join charges as bases
        on advice.account_no = bases.account_no and advice.basis_month = bases.month_start_date
    where
        advice.advised_mode_code = charges.basic_mode_code
        or charges.running_capacity_kva <= bases.running_capacity_kva - advice.quantity_kva
),

measured as (
    select
        advice.account_no,
        advice.advice_code,
        advice.applies_from,
        advice.basis_month,
        accounts.org_no,
        case
            when taken.account_no is not null then 'ACCEPTED'
            when advice.last_day_to_apply >= {{ business_date() }} then 'OPEN'
            else 'EXPIRED'
        end as advice_status_code,
        advice.last_day_to_apply,
        advice.current_mode_code,
        advice.advised_mode_code,
        advice.quantity_kva,
        advice.known_months,
        advice.saving_cny,
        advice.saving_low_cny,
        advice.saving_high_cny
    from advice
    left join accounts on advice.account_no = accounts.account_no
    left join taken
        on
            advice.account_no = taken.account_no
            and advice.advice_code = taken.advice_code
            and advice.applies_from = taken.applies_from
),

final as ({{ partial_rows('measured') }})

select * from final
