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
        bills.bill_month,
        sum(lines.billed_kwh) as point_kwh,
        sum(lines.billed_kwh * bills.average_price_cny) as point_cny
    from lines
    inner join {{ ref('int_bills_priced') }} as bills on lines.bill_no = bills.bill_no
    where bills.bill_month is not null
    group by lines.metering_point_no, bills.bill_month
)

select * from final
