with delivered as (
    select * from {{ source('raw_marketing', 'mkt_customer') }}
),

-- A customer whose row is withheld is in no archive, but the office that entered it is known.
final as (
    select distinct on (trim(cons_no))
        trim(cons_no) as account_no,
        trim(org_no) as org_no
    from delivered
    where _business_date <= {{ business_date() }} and not _is_tombstone and cons_no is not null and org_no is not null
    order by trim(cons_no), {{ version_order('delivered') }} desc, _raw_id desc
)

select * from final
