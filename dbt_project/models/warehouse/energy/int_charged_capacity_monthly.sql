with months as (
    select * from {{ ref('dim_months') }}
),

transformers as (
    select * from {{ ref('dim_transformers') }}
    where valid_from is not null and account_no is not null
),

terms as (
    select
        month_start_date,
        next_month_start_date,
        report_date,
        next_month_start_date - month_start_date as month_days,
        {{ parameter('tariff_parameters', 'proration_days', 'months.report_date') }} as proration_days,
        {{ parameter('tariff_parameters', 'suspension_min_days', 'months.report_date') }} as suspension_min_days
    from months
),

-- A hot backup is always charged, a cold one unless it is sealed, any other unless it is suspended for long enough.
states as (
    select
        terms.month_start_date,
        terms.report_date,
        terms.month_days,
        terms.proration_days,
        transformers.account_no,
        transformers.transformer_no,
        transformers.capacity_kva,
        transformers.duty_code,
        transformers.state_code,
        least(transformers.valid_to, terms.next_month_start_date)
        - greatest(transformers.valid_from, terms.month_start_date) as state_days,
        {{ is_valid_on('transformers', 'terms.report_date') }} as is_last_state,
        case
            when transformers.state_code = 'REMOVED' then false
            when transformers.duty_code = 'HOT_BACKUP' or transformers.state_code = 'RUN' then true
            when transformers.duty_code = 'COLD_BACKUP' then transformers.state_code <> 'SEALED'
            else coalesce(transformers.valid_to - transformers.valid_from < terms.suspension_min_days, false)
        end as is_charged
    from terms
    inner join transformers
        on
            transformers.valid_from < terms.next_month_start_date
            and (transformers.valid_to is null or terms.month_start_date < transformers.valid_to)
),

charged as (
    select
        account_no,
        month_start_date,
        transformer_no,
        max(capacity_kva) as capacity_kva,
        max(month_days) as month_days,
        max(proration_days) as proration_days,
        coalesce(sum(state_days) filter (where is_charged), 0) as charged_days,
        coalesce(bool_or(is_last_state and duty_code <> 'COLD_BACKUP' and state_code <> 'REMOVED'), false) as is_installed,
        coalesce(bool_or(is_last_state and is_charged), false) as is_charged_at_end
    from states
    group by account_no, month_start_date, transformer_no
),

final as (
    select
        account_no,
        month_start_date,
        sum(
            capacity_kva
            * case when charged_days = month_days then 1 else least(charged_days / nullif(proration_days, 0), 1) end
        )::numeric(16, 4) as charged_capacity_kva,
        coalesce(sum(capacity_kva) filter (where is_charged_at_end), 0)::numeric(16, 4) as charged_at_end_kva,
        coalesce(sum(capacity_kva) filter (where is_installed), 0)::numeric(16, 4) as installed_capacity_kva
    from charged
    group by account_no, month_start_date
)

select * from final
