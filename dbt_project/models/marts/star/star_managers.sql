with managers as (
    select * from {{ ref('dim_managers') }}
    where is_current
),

assignments as (
    select * from {{ ref('bridge_account_managers') }} as assignments
    where {{ is_valid_on('assignments', business_date()) }}
),

roles as (
    select
        manager_no,
        bool_or(assign_role_code = 'PRIMARY') as is_primary,
        bool_or(assign_role_code = 'BACKUP') as is_backup
    from assignments
    group by manager_no
),

final as (
    select
        managers.manager_no,
        managers.valid_from,
        managers.valid_to,
        managers.is_current,
        managers.org_no,
        managers.status_code,
        managers.posted_date,
        managers.left_date,
        managers.certified_on,
        managers.cert_level,
        managers.certificate_valid_to,
        managers.training_hours_12m,
        managers.portfolio_size,
        managers.portfolio_kva,
        coalesce(roles.is_primary, false) as is_primary,
        coalesce(roles.is_backup, false) as is_backup
    from managers
    left join roles on managers.manager_no = roles.manager_no
    union all
    select
        'UNKNOWN' as manager_no,
        '2000-01-01'::date as valid_from,
        null as valid_to,
        true as is_current,
        'UNKNOWN' as org_no,
        null as status_code,
        null as posted_date,
        null as left_date,
        null as certified_on,
        null as cert_level,
        null as certificate_valid_to,
        null as training_hours_12m,
        0 as portfolio_size,
        0::numeric(16, 2) as portfolio_kva,
        false as is_primary,
        false as is_backup
)

select * from final
