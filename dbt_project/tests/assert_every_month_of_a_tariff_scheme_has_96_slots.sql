with tou_periods as (
    select * from {{ ref('tou_periods') }}
),

final as (
    select
        scheme_code,
        month_of_year,
        valid_from,
        count(distinct slot_no) as slots
    from tou_periods
    group by scheme_code, month_of_year, valid_from
    having count(distinct slot_no) <> 96 or min(slot_no) <> 1 or max(slot_no) <> 96
)

select * from final
