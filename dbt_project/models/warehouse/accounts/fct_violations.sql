with violations as (
    select * from {{ ref('stg_marketing__violations') }}
),

final as (
    select distinct on (violation_no)
        violation_no,
        account_no,
        kind_code,
        case
            when kind_code = 'THEFT' then 'THEFT'
            when kind_code like 'UNAUTH%' then 'UNAUTHORISED_USE'
            else 'OTHER_VIOLATION'
        end as violation_class_code,
        found_date,
        settled_date,
        recovered_kwh,
        recover_cny as recovered_cny,
        penalty_cny
    from violations
    order by violation_no, _raw_id desc
)

select * from final
