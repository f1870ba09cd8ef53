with assignments as (
    select * from {{ ref('stg_marketing__manager_assignments') }}
),

final as (
    select distinct on (account_no, manager_no, assign_role_code, valid_from)
        account_no,
        manager_no,
        assign_role_code,
        valid_from,
        valid_to
    from assignments
    order by account_no, manager_no, assign_role_code, valid_from, _raw_id desc
)

select * from final
