{{ config(tags=['warehouse']) }}

-- The past of the archive comes from the raw log, as in int_account_versions. Where no valid credit code is delivered, nobody
-- knows which accounts are of one company: each is then a legal customer of its own.
with followed as (
    {{ versions_by_receipt('marketing', 'mkt_customer') }}
),

coded as (
    select
        trim(cons_no) as account_no,
        _business_date as valid_from,
        next_business_date as valid_to,
        -- the name of a resident is that of a person
        case when coalesce(cons_class, '') <> 'RESIDENT' then nullif(trim(cons_name), '') end as account_name,
        nullif(upper(trim(uscc)), '') as given_code,
        open_date
    from followed
    where not _is_tombstone and cons_no is not null
),

valid_codes as (
    select distinct given_code
    from coded
    where {{ is_credit_code('given_code') }}
),

final as (
    select
        coded.account_no,
        coded.valid_from,
        coded.valid_to,
        coded.account_name,
        valid_codes.given_code as credit_code,
        case
            when valid_codes.given_code is not null then 'CREDIT_CODE'
            when coded.given_code is not null then 'NOT_VALID'
            else 'NO_CODE'
        end as identity_basis_code,
        coded.open_date
    from coded
    left join valid_codes on coded.given_code = valid_codes.given_code
)

select * from final
