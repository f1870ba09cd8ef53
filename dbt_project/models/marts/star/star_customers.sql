with owners as (
    select * from {{ ref('bridge_account_customers') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

names as (
    select * from {{ ref('dim_account_names') }}
),

groups as (
    select * from {{ ref('customer_groups') }} as groups
    where {{ is_valid_on('groups', business_date()) }}
),

-- Of a customer with several accounts the name is that of the account with the lowest number that it owns, or owned.
owned as (
    select
        owners.customer_no,
        min(owners.valid_from) as first_owned_date,
        (array_agg(names.account_name order by owners.valid_to desc nulls first, owners.account_no))[1] as customer_name,
        (array_agg(names.credit_code order by owners.valid_to desc nulls first, owners.account_no))[1] as credit_code,
        (array_agg(names.identity_basis_code order by owners.valid_to desc nulls first, owners.account_no))[1]
            as identity_basis_code,
        count(*) filter (where owners.valid_to is null)::integer as accounts,
        count(*) filter (
            where owners.valid_to is null and (accounts.close_date is null or accounts.close_date > {{ business_date() }})
        )::integer as open_accounts,
        coalesce(sum(accounts.contract_capacity_kva) filter (
            where owners.valid_to is null and (accounts.close_date is null or accounts.close_date > {{ business_date() }})
        ), 0)::numeric(16, 2) as contract_capacity_kva,
        coalesce(bool_or(accounts.is_key_account) filter (where owners.valid_to is null), false) as has_key_account
    from owners
    left join accounts on owners.account_no = accounts.account_no
    left join names on owners.account_no = names.account_no
    group by owners.customer_no
),

final as (
    select
        owned.customer_no,
        -- a customer that owns nothing any more is named by no archive: the account's name is that of its successor
        case when owned.accounts > 0 then owned.customer_name end as customer_name,
        case when owned.customer_no not like 'ACCOUNT-%' then owned.customer_no end as credit_code,
        owned.customer_no not like 'ACCOUNT-%' as is_identified,
        case
            when owned.customer_no not like 'ACCOUNT-%' then 'CREDIT_CODE' else owned.identity_basis_code
        end as identity_basis_code,
        coalesce(groups.group_no, owned.customer_no) as group_no,
        case
            when groups.group_no is not null then groups.group_name
            when owned.accounts > 0 then owned.customer_name
        end as group_name,
        groups.group_no is not null as is_grouped,
        groups.share as group_share,
        owned.first_owned_date,
        owned.accounts > 0 as is_owner,
        owned.accounts,
        owned.open_accounts,
        owned.contract_capacity_kva,
        owned.has_key_account
    from owned
    left join groups on owned.customer_no = groups.credit_code
    union all
    select
        'UNKNOWN' as customer_no,
        '未知 / unknown' as customer_name,
        null as credit_code,
        false as is_identified,
        null as identity_basis_code,
        'UNKNOWN' as group_no,
        '未知 / unknown' as group_name,
        false as is_grouped,
        null as group_share,
        null as first_owned_date,
        false as is_owner,
        0 as accounts,
        0 as open_accounts,
        0::numeric(16, 2) as contract_capacity_kva,
        false as has_key_account
)

select * from final
