with delivered as (
    select * from {{ ref('int_account_owners_delivered') }}
    where valid_to is null
),

final as (
    select
        account_no,
        account_name,
        credit_code,
        identity_basis_code
    from delivered
)

select * from final
