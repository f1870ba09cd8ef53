{{ config(tags=['warehouse']) }}

-- Since when a penalty is known to be waived: nobody knew it while a delivery said otherwise, or nothing. What the first delivery
-- of the table said is all that is known of before, and there the waiver counts from the last penalty day on.
with followed as (
    {{ versions_by_receipt('marketing', 'mkt_penalty') }}
),

told as (
    select
        *,
        max(_business_date) filter (where _is_tombstone or not coalesce(waived, false)) over (partition by _key) as other_date
    from followed
),

final as (
    select
        trim(bill_no) as bill_no,
        from_date,
        greatest(
            max(to_date),
            nullif(min(_business_date), (select min(deliveries._business_date) from followed as deliveries))
        ) as waived_from_date
    from told
    where not _is_tombstone and waived and (other_date is null or other_date < _business_date)
    group by trim(bill_no), from_date
)

select * from final
