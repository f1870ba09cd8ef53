with final as (
    select distinct on (account_no) *
    from {{ ref('int_bills_priced') }}
    order by account_no, bill_month desc, bill_no desc
)

select * from final
