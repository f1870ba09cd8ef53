{{ config(tags=['warehouse']) }}

-- What was known of a trade agreement from day to day. What the first delivery of the table said is all that is known of before.
with followed as (
    {{ versions_by_receipt('contract', 'con_trade_agreement') }}
),

final as (
    select
        trim(agree_no) as agreement_no,
        case
            when _business_date > (select min(deliveries._business_date) from followed as deliveries) then _business_date
            else '-infinity'::date
        end as known_from,
        next_business_date as known_to,
        trim(cons_no) as account_no,
        trade_mode as trade_mode_code,
        counterparty as counterparty_name,
        valid_from,
        valid_to + 1 as valid_to,
        price_kind as price_kind_code,
        price_yuan_mwh as price_cny_per_mwh
    from followed
    where not _is_tombstone and agree_no is not null
)

select * from final
