-- A bill has a line for each rate of a point, or one for all of them.
with lines as (
    select
        metering_point_no,
        bill_no,
        coalesce(
            nullif(sum(billed_kwh) filter (where rate_code <> 'T'), 0),
            sum(billed_kwh) filter (where rate_code = 'T')
        ) as billed_kwh
    from {{ ref('stg_marketing__bill_lines') }}
    group by metering_point_no, bill_no
),

final as (
    select
        lines.metering_point_no,
        bills.bill_no,
        bills.bill_month,
        lines.billed_kwh,
        bills.price_cny_per_kwh,
        row_number() over (
            partition by lines.metering_point_no order by bills.bill_month desc, bills.bill_no desc
        ) = 1 as is_last
    from lines
    inner join {{ ref('int_bills_priced') }} as bills on lines.bill_no = bills.bill_no
)

select * from final
