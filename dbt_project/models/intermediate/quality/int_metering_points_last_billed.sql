with final as (
    select distinct on (metering_point_no) *
    from {{ ref('int_metering_points_billed') }}
    order by metering_point_no, bill_month desc
)

select * from final
